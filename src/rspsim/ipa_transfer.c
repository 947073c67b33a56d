/*
 * Injection (SGP.32 §5.14.4, TransferEimPackage): the eIM calls the IPA. Packages and data requests are
 * answered at once; a download takes longer than a call, so that its result comes by a call of the
 * IPA's own.
 */
#include "rspsim/ipa_int.h"

enum { ARENA_CAP = 64 << 20 };

static struct rspsim_ipa
ipa_of(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct arena *mem,
	struct rspsim_ipa_report *report)
{
	*report = (struct rspsim_ipa_report){ 0 };
	return (struct rspsim_ipa){ .card = card,
		.eim = rspsim_ipa_find_eim(card, options->eim),
		.esipa = esipa,
		.options = options,
		.report = report,
		.mem = mem };
}

static struct slice
answer(struct arena *mem, struct slice content)
{
	return RSPSIM_DER(mem, 0xbf4e, content);
}

static struct slice
refuse(struct arena *mem, uint32_t code)
{
	return answer(mem, rspsim_der_u32(mem, 0x02, code));
}

struct slice
rspsim_ipa_transfer(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct arena *mem, struct slice request,
	struct rspsim_ipa_report *report)
{
	struct rspsim_ipa ipa = ipa_of(card, esipa, options, mem, report);
	struct slice result;
	struct rspsim_tlv all, package;

	if (!rspsim_der_read_only(request, 0xbf4e, &all) ||
		!rspsim_der_read(&all.value, &package) || all.value.n)
		return refuse(mem, RSPSIM_INVALID_FORMAT);
	switch (package.tag) {
	case 0xbf51:
	case 0xbf52:
		result = rspsim_ipa_work(&ipa, &package);
		rspsim_ipa_save(&ipa);
		/* an eimPackageResultResponseError is bare here */
		if (!result.n || result.p[0] == 0xa0)
			return refuse(mem, RSPSIM_INVALID_FORMAT);
		return answer(mem, result);
	case 0xbf53:
		rspsim_ipa_take_acknowledgements(&ipa, package.value);
		return answer(mem, SLICE_LIT("\x05\x00"));
	case 0xbf54:
		if (esipa)
			return answer(mem, SLICE_LIT("\x05\x00"));
	}
	return refuse(mem, RSPSIM_UNKNOWN_PACKAGE);
}

void
rspsim_ipa_finish(struct rspsim_card *card, struct rspsim_esipa *esipa,
	const struct rspsim_ipa_options *options, struct slice package,
	struct rspsim_ipa_report *report)
{
	struct rspsim_tlv one;
	struct slice result;
	struct rspsim_ipa ipa;
	struct arena mem;
	unsigned lost = 0;

	arena_init(&mem, ARENA_CAP, NULL, NULL);
	ipa = ipa_of(card, esipa, options, &mem, report);
	if (rspsim_der_read(&package, &one)) {
		result = rspsim_ipa_work(&ipa, &one);
		rspsim_ipa_stop(&ipa, RSPSIM_DONE, "done");
		if (result.n && rspsim_ipa_provide(&ipa, result, &lost))
			rspsim_ipa_notify(&ipa);
		rspsim_ipa_save(&ipa);
	}
	arena_fini(&mem);
}
