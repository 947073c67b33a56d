/*
 * Data of an IPA, results of downloads, and what an operator gives for an eIM or its queue: with any content. What
 * is read must lie inside the input, but for certificates, which are put together anew; commands that are read
 * can be written again.
 */
#include <stdlib.h>
#include "codec/ipa_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void
must_be_inside(struct slice s, struct slice all)
{
	if (s.p && (s.p < all.p || s.p + s.n > all.p + all.n))
		abort();
}

static void
data_check(const struct codec_ipa_data *d, struct slice all)
{
	struct codec_iot_info iot;

	must_be_inside(d->default_smdp, all);
	must_be_inside(d->root_smds, all);
	must_be_inside(d->info1, all);
	must_be_inside(d->info2, all);
	must_be_inside(d->capabilities.octets, all);
	must_be_inside(d->device_info, all);
	if (d->eim_transaction_id.n > 16 || (d->tac.p && d->tac.n != 4) ||
		(d->imei.p && d->imei.n != 8) || d->notifications.n > CODEC_PENDING_MAX ||
		d->results.n > CODEC_RESULT_MAX)
		abort();
	if (d->euicc_certificate.p && d->euicc_certificate.p[0] != 0x30)
		abort();
	for (size_t i = 0; i < d->notifications.n; i++)
		must_be_inside(d->notifications.pending[i].octets, all);
	for (size_t i = 0; i < d->results.n; i++)
		must_be_inside(d->results.result[i], all);
	codec_iot_info_read(d->info2, &iot);
}

/* Only the counts: members that our own queue would not hold may come out of others' octets. */
static void
commands_check(struct arena *mem, struct slice all)
{
	struct codec_eim_command command[CODEC_COMMAND_MAX];
	struct slice again;
	const char *why = NULL;
	size_t n;

	if (!codec_eim_commands_read(mem, all, command, &n, &why)) {
		if (!why)
			abort();
		return;
	}
	if (n > CODEC_COMMAND_MAX)
		abort();
	if (!codec_eim_commands_write(mem, command, n, CODEC_CERTIFICATE_WHOLE, &again, &why) &&
		!why)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct codec_eim_configuration eim;
	struct codec_download_result download;
	struct codec_ipa_data data;
	struct slice all = { octets, n };
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 8u << 20, NULL, NULL);
	if (codec_ipa_data_read(&mem, all, &data, &why))
		data_check(&data, all);
	else if (!why)
		abort();
	why = NULL;
	if (codec_download_result_read(&mem, all, &download, &why)) {
		must_be_inside(download.installation_result, all);
		must_be_inside(download.error_response, all);
	} else if (!why) {
		abort();
	}
	if (codec_eim_configuration_read(&mem, all, &eim, &why))
		must_be_inside(eim.eim_id, all);
	commands_check(&mem, all);
	arena_fini(&mem);
	return 0;
}
