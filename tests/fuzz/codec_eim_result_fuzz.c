/*
 * Results of eUICC packages with any content, alone and with notifications: who brings them is not authenticated.
 * What is read must lie inside the input and keep its bounds.
 */
#include <stdlib.h>
#include "codec/eim_result.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* Signatures may be written anew; all else must be slices of the input. */
static void
must_be_inside(struct slice s, struct slice all)
{
	if (s.p && (s.p < all.p || s.p + s.n > all.p + all.n))
		abort();
}

static void
command_check(const struct codec_command_result *r, struct slice all)
{
	must_be_inside(r->octets, all);
	must_be_inside(r->rat, all);
	if (r->code < -1 || r->profile_count > CODEC_PROFILE_MAX || r->eim_count > CODEC_EIM_MAX)
		abort();
	for (size_t i = 0; i < r->profile_count; i++) {
		const struct codec_profile_info *p = &r->profile[i];

		must_be_inside(p->octets, all);
		must_be_inside(p->nickname, p->octets);
		must_be_inside(p->gid1, p->octets);
		if ((p->iccid.p && p->iccid.n != 10) || p->aid.n > 16 ||
			p->notify_count > CODEC_NOTIFY_MAX)
			abort();
		for (size_t k = 0; k < p->notify_count; k++)
			must_be_inside(p->notify[k].address, p->octets);
	}
	for (size_t i = 0; i < r->eim_count; i++)
		must_be_inside(r->eim[i].eim_id, r->octets);
}

static void
result_check(const struct codec_euicc_package_result *r, struct slice all)
{
	must_be_inside(r->signed_part, all);
	must_be_inside(r->eim_id, all);
	must_be_inside(r->sequence, all);
	if (r->eim_transaction_id.n > 16 || r->n > CODEC_RESULT_MAX || r->counter < 0)
		abort();
	if (r->arm == CODEC_PACKAGE_ERROR_UNSIGNED ? r->signed_part.p || r->signature.p || r->n > 0
						   : !r->signed_part.p || r->signature.n != 64)
		abort();
	for (size_t i = 0; i < r->n; i++)
		command_check(&r->result[i], all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct codec_result_and_notifications both;
	struct codec_euicc_package_result result;
	struct slice all = { octets, n };
	struct arena mem;
	const char *why = NULL;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (codec_euicc_package_result_read(&mem, all, &result, &why))
		result_check(&result, all);
	else if (!why)
		abort();
	if (codec_result_and_notifications_read(&mem, all, &both, &why)) {
		must_be_inside(both.result, all);
		if (both.notifications.n > CODEC_PENDING_MAX)
			abort();
		for (size_t i = 0; i < both.notifications.n; i++) {
			must_be_inside(both.notifications.pending[i].octets, all);
			must_be_inside(both.notifications.pending[i].sequence, all);
		}
	}
	arena_fini(&mem);
	return 0;
}
