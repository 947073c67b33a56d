/*
 * Indirect profile download (SGP.32 §3.2.3.2): the procedure of an LPA with the eIM in the place of
 * the SM-DP+, which the eIM calls in turn. What the eIM leaves out it has in its hands: address,
 * matching id, metadata, the hashed Confirmation Code. Toward an SM-DS (§3.9.2.2) the first two
 * calls lead to a trigger.
 */
#include "rspsim/cert.h"
#include "rspsim/ipa_int.h"
#include "rspsim/metadata.h"
#include "base/text.h"

struct download {
	struct rspsim_ipa *ipa;
	struct rspsim_indirect *what;
	struct slice transaction_id;
	struct slice authenticate_request;
	bool context_from_eim, hash_from_eim;
	struct slice metadata; /* absent when the eIM keeps them */
	struct slice prepare_request;
	struct slice bpp;
};

static bool
stop(struct download *d, enum rspsim_outcome outcome, const char *words)
{
	return rspsim_ipa_stop(d->ipa, outcome, words);
}

/* The content of the success arm; an error integer ends the download. */
static bool
ask(struct download *d, enum rspsim_esipa_function function, struct slice members, uint32_t error,
	struct slice *content)
{
	struct arena *mem = d->ipa->mem;
	struct slice answer;
	struct rspsim_tlv all, arm;
	uint32_t number = 0;

	if (!rspsim_ipa_post(d->ipa, function, RSPSIM_DER(mem, rspsim_esipa_tag(function), members),
		    &answer))
		return false;
	if (!rspsim_der_read_only(answer, rspsim_esipa_tag(function), &all) ||
		!rspsim_der_read_only(all.value, all.value.n ? all.value.p[0] : 0, &arm))
		return stop(d, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	*content = arm.value;
	if (arm.tag == 0xa0)
		return true;
	if (arm.tag == 0xa1 && function == RSPSIM_ESIPA_AUTHENTICATE) {
		d->what->trigger = arm.value;
		return true;
	}
	if (arm.tag != error || !rspsim_der_to_u32(arm.value, &number) || !number)
		return stop(d, RSPSIM_BY_CARD, "the eIM's answer cannot be read");
	d->what->refusal = answer;
	d->ipa->report->eim_error = number;
	return stop(d, RSPSIM_BY_SERVER,
		arena_printf(
			mem, "%s: the eIM refuses with %u", rspsim_esipa_name(function), number));
}

static struct slice
transaction(struct download *d)
{
	return RSPSIM_DER(d->ipa->mem, 0x80, d->transaction_id);
}

/* ---- cancelling -------------------------------------------------------------------------- */

static bool
cancel(struct download *d, enum rspsim_cancel_reason reason, const char *words)
{
	struct arena *mem = d->ipa->mem;
	struct slice response = rspsim_euicc_cancel_session(d->ipa->card, mem,
		RSPSIM_DER(mem, 0xbf41, transaction(d), rspsim_der_u32(mem, 0x81, reason)));
	struct slice content;
	struct rspsim_tlv inner = { 0 };

	rspsim_der_read_only(rspsim_ipa_cancel_response(d->ipa, response), 0xbf41, &inner);
	if (ask(d, RSPSIM_ESIPA_CANCEL,
		    RSPSIM_DER(mem, 0, transaction(d), RSPSIM_DER(mem, 0xa1, inner.value)), 0x81,
		    &content))
		stop(d, RSPSIM_BY_CARD, words);
	d->ipa->report->outcome = RSPSIM_BY_CARD;
	return false;
}

static bool
object(struct download *d, const struct rspsim_objection *o)
{
	return !o->cancel || cancel(d, o->reason, o->words);
}

/* The card refused: the eIM is told why, and its answer changes nothing. */
static bool
tell(struct download *d, enum rspsim_esipa_function function, struct slice response,
	const char *words)
{
	struct slice content;

	ask(d, function, RSPSIM_DER(d->ipa->mem, 0, transaction(d), response), 0x81, &content);
	return stop(d, RSPSIM_BY_CARD, arena_printf(d->ipa->mem, "the card refuses: %s", words));
}

/* ---- InitiateAuthentication (§5.14.1) ---------------------------------------------------- */

static struct slice
initiate_request(struct download *d)
{
	struct rspsim_ipa *ipa = d->ipa;
	struct slice address = SLICE_NONE, info = SLICE_NONE;

	if (d->what->address)
		address = RSPSIM_DER(ipa->mem, 0x83, slice_text(d->what->address));
	if (!(ipa->card->iot.features & RSPSIM_IPA_COMPACT))
		info = rspsim_euicc_info1(ipa->card, ipa->mem);
	return RSPSIM_DER(ipa->mem, 0,
		RSPSIM_DER(ipa->mem, 0x81, rspsim_euicc_challenge(ipa->card, ipa->mem)), address,
		info, ipa->card->iot.v10 ? SLICE_NONE : d->what->eim_transaction);
}

struct initiated {
	struct rspsim_tlv id, signed1, signature, ci, certificate, matching, context;
};

static bool
read_initiated(struct slice in, struct initiated *i)
{
	rspsim_der_read_optional(&in, 0x80, &i->id);
	if (!rspsim_der_read_tag(&in, 0x30, &i->signed1) ||
		!rspsim_der_read_tag(&in, 0x5f37, &i->signature) ||
		!rspsim_der_read_tag(&in, 0x04, &i->ci) ||
		!rspsim_der_read_tag(&in, 0x30, &i->certificate))
		return false;
	rspsim_der_read_optional(&in, 0x0c, &i->matching);
	rspsim_der_read_optional(&in, 0xa2, &i->context);
	return in.n == 0;
}

/* transactionId and address: those of serverSigned1, which the card has the signature of. */
static bool
check_signed1(struct download *d, const struct initiated *i)
{
	struct rspsim_tlv id, address;
	const char *wrong;

	if (!rspsim_der_find(i->signed1.value, 0x80, &id) ||
		!rspsim_der_find(i->signed1.value, 0x83, &address))
		return stop(d, RSPSIM_BY_CARD, "serverSigned1 cannot be read");
	d->transaction_id = id.value;
	wrong = rspsim_lpa_check_signed1(i->signed1.whole,
		d->what->address ? d->what->address : arena_string(d->ipa->mem, address.value),
		i->id.whole.p ? i->id.value : id.value);
	return !wrong || stop(d, RSPSIM_BY_CARD, wrong);
}

static bool
check_oid(struct download *d, struct slice der)
{
	X509 *cert;
	bool same;

	if (!d->what->oid || !d->what->oid[0])
		return true;
	cert = rspsim_cert_from_der(der);
	same = cert && rspsim_oid_is(rspsim_cert_oid(d->ipa->mem, cert), d->what->oid);
	X509_free(cert);
	return same ||
		stop(d, RSPSIM_BY_CARD, "the server's OID is not the one in the activation code");
}

static bool
initiate(struct download *d)
{
	struct arena *mem = d->ipa->mem;
	struct slice content, context, matching = d->what->matching_id;
	struct initiated i;

	if (!ask(d, RSPSIM_ESIPA_INITIATE, initiate_request(d), 0x81, &content))
		return false;
	if (!read_initiated(content, &i))
		return stop(d, RSPSIM_BY_CARD,
			"InitiateAuthentication: the answer's members are not those of the "
			"function");
	if (!check_signed1(d, &i))
		return false;
	if (i.matching.whole.p)
		matching = i.matching.value;
	context = i.context.whole.p ? i.context.value : rspsim_lpa_context(mem, matching);
	d->context_from_eim = i.context.whole.p != NULL;
	d->authenticate_request = RSPSIM_DER(mem, 0xbf38, i.signed1.whole, i.signature.whole,
		i.ci.whole, i.certificate.whole, context);
	return check_oid(d, i.certificate.whole);
}

/* ---- AuthenticateClient (§5.14.3) -------------------------------------------------------- */

struct authenticated {
	struct rspsim_tlv id, metadata, signed2, signature, certificate, hash;
};

static bool
read_authenticated(struct slice in, struct authenticated *a)
{
	rspsim_der_read_optional(&in, 0x80, &a->id);
	rspsim_der_read_optional(&in, 0xbf25, &a->metadata);
	if (!rspsim_der_read_tag(&in, 0x30, &a->signed2) ||
		!rspsim_der_read_tag(&in, 0x5f37, &a->signature) ||
		!rspsim_der_read_tag(&in, 0x30, &a->certificate))
		return false;
	rspsim_der_read_optional(&in, 0x04, &a->hash);
	return in.n == 0 && (!a->hash.whole.p || a->hash.value.n == 32);
}

/* The eIM may know the Confirmation Code; else the one who runs the IPA does. */
static bool
confirm(struct download *d, const struct authenticated *a, struct slice *hash)
{
	uint8_t *octets = arena_alloc(d->ipa->mem, 32);
	const char *code = d->ipa->options->cc;
	struct rspsim_tlv required;

	*hash = a->hash.whole;
	d->hash_from_eim = a->hash.whole.p != NULL;
	if (!rspsim_der_find(a->signed2.value, 0x01, &required) || required.value.n != 1 ||
		(required.value.p[0] && required.value.p[0] != 0xff))
		return stop(d, RSPSIM_BY_CARD, "smdpSigned2 cannot be read");
	if (!required.value.p[0] || d->hash_from_eim)
		return true;
	if (!code)
		return cancel(d, RSPSIM_CANCEL_POSTPONED,
			"the server asks for a confirmation code: give it with --cc");
	rspsim_hash_cc(code, d->transaction_id, octets);
	*hash = RSPSIM_DER(d->ipa->mem, 0x04, slice_of(octets, 32));
	return true;
}

static bool
check_metadata(struct download *d, const struct authenticated *a)
{
	struct rspsim_objection objection;
	struct rspsim_metadata m;
	char iccid[21] = "";

	d->metadata = a->metadata.whole;
	if (!d->metadata.p)
		return true;
	objection = rspsim_lpa_check_metadata(d->ipa->card, d->metadata);
	if (!objection.cancel && rspsim_metadata_read(d->metadata, &m) &&
		text_bcd_to_iccid(m.iccid, iccid))
		rspsim_ipa_note(d->ipa, "offered: %s %.*s", iccid, SLICE_FMT(m.name));
	return object(d, &objection);
}

static bool
authenticate(struct download *d)
{
	struct arena *mem = d->ipa->mem;
	struct slice response, content, hash;
	struct authenticated a;
	int code;

	response = rspsim_euicc_authenticate_server(d->ipa->card, mem, d->authenticate_request);
	code = rspsim_lpa_card_error(response, 0xbf38);
	if (code)
		return tell(d, RSPSIM_ESIPA_AUTHENTICATE, response,
			rspsim_authenticate_error_name(code));
	response = rspsim_ipa_authenticate_response(d->ipa, response, d->context_from_eim);
	if (!ask(d, RSPSIM_ESIPA_AUTHENTICATE, RSPSIM_DER(mem, 0, transaction(d), response), 0x82,
		    &content))
		return false;
	if (d->what->trigger.p)
		return true;
	if (!read_authenticated(content, &a) ||
		(a.id.whole.p && !slice_eq(a.id.value, d->transaction_id)))
		return stop(d, RSPSIM_BY_CARD,
			"AuthenticateClient: the answer's members are not those of the function");
	if (!check_metadata(d, &a) || !confirm(d, &a, &hash))
		return false;
	d->prepare_request = RSPSIM_DER(
		mem, 0xbf21, a.signed2.whole, a.signature.whole, hash, a.certificate.whole);
	return true;
}

/* ---- GetBoundProfilePackage (§5.14.2) and installation ----------------------------------- */

static bool
get_package(struct download *d)
{
	struct arena *mem = d->ipa->mem;
	struct slice response, content;
	struct rspsim_objection objection = { 0 };
	struct rspsim_tlv id, bpp;
	int code;

	response = rspsim_euicc_prepare_download(d->ipa->card, mem, d->prepare_request);
	rspsim_ipa_save(d->ipa);
	code = rspsim_lpa_card_error(response, 0xbf21);
	if (code)
		return tell(d, RSPSIM_ESIPA_GET_BPP, response, rspsim_download_error_name(code));
	response = rspsim_ipa_prepare_response(d->ipa, response, d->hash_from_eim);
	if (!ask(d, RSPSIM_ESIPA_GET_BPP, RSPSIM_DER(mem, 0, transaction(d), response), 0x81,
		    &content))
		return false;
	rspsim_der_read_optional(&content, 0x80, &id);
	if (!rspsim_der_read_only(content, 0xbf36, &bpp) ||
		(id.whole.p && !slice_eq(id.value, d->transaction_id)))
		return stop(d, RSPSIM_BY_CARD,
			"GetBoundProfilePackage: the answer's members are not those of the "
			"function");
	d->bpp = bpp.whole;
	if (d->metadata.p)
		objection = rspsim_lpa_check_bpp(mem, d->bpp, d->metadata);
	return object(d, &objection);
}

static bool
install(struct download *d)
{
	int command = 0, reason = 0;

	d->what->result = rspsim_euicc_load_bpp(d->ipa->card, d->ipa->mem, d->bpp);
	if (!d->what->result.n)
		return cancel(d, RSPSIM_CANCEL_LOAD, "the card cannot load the package");
	rspsim_ipa_save(d->ipa);
	if (rspsim_lpa_read_result(d->what->result, &command, &reason))
		rspsim_ipa_note(d->ipa, "installed through the eIM");
	else
		rspsim_ipa_note(d->ipa, "the card refuses the package at command %d: %s", command,
			rspsim_install_error_name(reason));
	return true;
}

bool
rspsim_ipa_download(struct rspsim_ipa *ipa, struct rspsim_indirect *what)
{
	static bool (*const steps[])(
		struct download *) = { initiate, authenticate, get_package, install };
	struct download d = { .ipa = ipa, .what = what };
	size_t i = 0;

	while (i < sizeof steps / sizeof steps[0] && steps[i](&d))
		if (steps[i++] == authenticate && what->trigger.p)
			break;
	rspsim_card_end_session(ipa->card);
	return what->result.n > 0 || what->trigger.p;
}
