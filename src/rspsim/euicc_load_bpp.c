/*
 * LoadBoundProfilePackage (SGP.22 §2.5.4, §5.5, §5.7.6): the commands of a package in their
 * order, each a row of a table, and the signed ProfileInstallationResult that says how far it
 * came and why no further.
 */
#include <stdio.h>
#include "rspsim/channel.h"
#include "rspsim/crypto.h"
#include "rspsim/euicc_int.h"
#include "rspsim/upp.h"

enum { PROPRIETARY_MAX = 128 };

struct load {
	struct rspsim_card *card;
	struct arena *mem;
	struct slice rest; /* of the package, not read yet */
	enum rspsim_bpp_command command;
	struct rspsim_channel channel;
	struct slice metadata_tlv;
	struct rspsim_metadata metadata;
	struct slice upp;
	uint32_t aid;
	enum rspsim_pe_status element_status; /* after a profile element failed */
	struct rspsim_upp elements;
};

/* InitialiseSecureChannelRequest, sliced. */
struct opening {
	struct rspsim_tlv operation, id, crt, point, signature;
	struct slice key_type, key_length, host_id;
};

static bool
read_opening(struct slice *rest, struct opening *o)
{
	struct rspsim_tlv all, type, length, host;
	struct slice in;

	if (!rspsim_der_read_tag(rest, 0xbf23, &all))
		return false;
	in = all.value;
	if (!rspsim_der_read_tag(&in, 0x82, &o->operation) ||
		!rspsim_der_read_tag(&in, 0x80, &o->id) ||
		!rspsim_der_read_tag(&in, 0xa6, &o->crt) ||
		!rspsim_der_read_tag(&in, 0x5f49, &o->point) ||
		!rspsim_der_read_tag(&in, 0x5f37, &o->signature) || in.n)
		return false;
	in = o->crt.value;
	if (!rspsim_der_read_tag(&in, 0x80, &type) || !rspsim_der_read_tag(&in, 0x81, &length) ||
		!rspsim_der_read_tag(&in, 0x84, &host) || in.n)
		return false;
	o->key_type = type.value;
	o->key_length = length.value;
	o->host_id = host.value;
	return true;
}

/* smdpSign covers what was sent and the card's own one-time key, which was not (§5.5.1). */
static bool
signature_holds(const struct load *l, const struct opening *o)
{
	const struct rspsim_session *s = &l->card->session;
	struct slice own = RSPSIM_DER(l->mem, 0x5f49, rspsim_key_point(l->mem, s->one_time->key));

	return rspsim_verify(X509_get0_pubkey(s->dp_pb),
		RSPSIM_DER(l->mem, 0, o->operation.whole, o->id.whole, o->crt.whole, o->point.whole,
			own),
		o->signature.value);
}

static enum rspsim_install_error
agree(struct load *l, const struct opening *o)
{
	EVP_PKEY *own = l->card->session.one_time->key;
	EVP_PKEY *dp = rspsim_key_from_point(rspsim_key_curve(own), o->point.value);
	uint8_t z[32], keys[48];
	bool good = dp && rspsim_agree(own, dp, z);

	EVP_PKEY_free(dp);
	if (!good)
		return RSPSIM_INSTALL_INPUT;
	rspsim_derive(z, rspsim_channel_shared_info(l->mem, o->host_id, l->card->eid_octets), keys);
	rspsim_channel_start(&l->channel, keys);
	explicit_bzero(z, sizeof z);
	explicit_bzero(keys, sizeof keys);
	return RSPSIM_INSTALL_FINE;
}

static enum rspsim_install_error
initialise_secure_channel(struct load *l)
{
	struct opening o;

	if (!read_opening(&l->rest, &o))
		return RSPSIM_INSTALL_INPUT;
	if (!slice_eq(o.id.value, l->card->session.transaction_id))
		return RSPSIM_INSTALL_TRANSACTION;
	if (!slice_eq(o.operation.value, SLICE_LIT("\x01")))
		return RSPSIM_INSTALL_OPERATION;
	if (!slice_eq(o.key_type, SLICE_LIT("\x88")) ||
		!slice_eq(o.key_length, SLICE_LIT("\x10")) || o.host_id.n < 1 || o.host_id.n > 16)
		return RSPSIM_INSTALL_CRT;
	if (!l->card->trusting && !signature_holds(l, &o))
		return RSPSIM_INSTALL_SIGNATURE;
	return agree(l, &o);
}

/* The next segment of a group, opened. */
static enum rspsim_install_error
open_segment(struct load *l, struct slice *group, enum rspsim_segment kind, struct slice *plain)
{
	struct rspsim_tlv segment;

	if (!rspsim_der_read(group, &segment))
		return RSPSIM_INSTALL_STRUCTURE;
	switch (rspsim_channel_open(&l->channel, l->mem, kind, segment.whole, plain)) {
	case RSPSIM_CHANNEL_FINE:
		return RSPSIM_INSTALL_FINE;
	case RSPSIM_CHANNEL_STRUCTURE:
		return RSPSIM_INSTALL_STRUCTURE;
	case RSPSIM_CHANNEL_SECURITY:
		break;
	}
	return RSPSIM_INSTALL_SECURITY;
}

/* A group of exactly one command segment. */
static enum rspsim_install_error
open_command(struct load *l, struct slice group, struct slice *plain)
{
	enum rspsim_install_error error = open_segment(l, &group, RSPSIM_COMMAND, plain);

	if (!error && group.n)
		return RSPSIM_INSTALL_STRUCTURE;
	return error;
}

/* §5.5.2: dpOid in the proprietary data, when there is any, is that of the SM-DP+ in session. */
static enum rspsim_install_error
configure_isdp(struct load *l)
{
	struct rspsim_tlv group, request, data, oid;
	struct slice plain, in;
	enum rspsim_install_error error;

	if (!rspsim_der_read_tag(&l->rest, 0xa0, &group))
		return RSPSIM_INSTALL_STRUCTURE;
	error = open_command(l, group.value, &plain);
	if (error)
		return error;
	if (!rspsim_der_read_only(plain, 0xbf24, &request))
		return RSPSIM_INSTALL_INPUT;
	if (!request.value.n)
		return RSPSIM_INSTALL_FINE;
	if (!rspsim_der_read_only(request.value, 0xb8, &data) || data.value.n > PROPRIETARY_MAX)
		return RSPSIM_INSTALL_INPUT;
	in = data.value;
	if (!rspsim_der_read_tag(&in, 0x06, &oid) || !slice_eq(oid.value, l->card->session.dp_oid))
		return RSPSIM_INSTALL_INPUT;
	return RSPSIM_INSTALL_FINE;
}

/*
 * PPR1 goes only on a card without another operational profile; rules need an owner (§2.9.2.4,
 * §5.5.3).
 */
static enum rspsim_install_error
check_rules(const struct load *l)
{
	const struct rspsim_metadata *m = &l->metadata;
	struct rspsim_metadata other;

	if (m->rules & (RSPSIM_PPR1 | RSPSIM_PPR2) && !m->has_owner)
		return RSPSIM_INSTALL_INPUT;
	if (m->rules & l->card->forbidden_rules)
		return RSPSIM_INSTALL_RULES;
	for (const struct rspsim_profile *p = l->card->profiles; p; p = p->next)
		if (m->rules & RSPSIM_PPR1 && rspsim_metadata_read(p->metadata, &other) &&
			other.class == RSPSIM_OPERATIONAL)
			return RSPSIM_INSTALL_RULES;
	return RSPSIM_INSTALL_FINE;
}

static enum rspsim_install_error
store_metadata(struct load *l)
{
	struct rspsim_tlv group;
	struct slice plain, text = SLICE_NONE;
	enum rspsim_install_error error;

	if (!rspsim_der_read_tag(&l->rest, 0xa1, &group))
		return RSPSIM_INSTALL_STRUCTURE;
	do {
		error = open_segment(l, &group.value, RSPSIM_METADATA, &plain);
		if (error)
			return error;
		text = RSPSIM_DER(l->mem, 0, text, plain);
		l->command = RSPSIM_BPP_METADATA2;
	} while (group.value.n);
	l->command = RSPSIM_BPP_METADATA;
	l->metadata_tlv = text;
	if (!rspsim_metadata_read(text, &l->metadata))
		return RSPSIM_INSTALL_INPUT;
	if (l->metadata.class_number > RSPSIM_OPERATIONAL)
		return RSPSIM_INSTALL_CLASS;
	if (rspsim_card_find_profile(l->card, l->metadata.iccid.p))
		return RSPSIM_INSTALL_ICCID_EXISTS;
	return check_rules(l);
}

/*
 * §5.5.4: from here on keys, chaining value and counter are those of the profile's own
 * protection.
 */
static enum rspsim_install_error
replace_session_keys(struct load *l)
{
	struct rspsim_tlv group, request, chain, enc, mac;
	struct slice plain, in;
	enum rspsim_install_error error;

	if (!rspsim_der_read_tag(&l->rest, 0xa2, &group))
		return RSPSIM_INSTALL_FINE; /* session keys protect the profile too */
	error = open_command(l, group.value, &plain);
	if (error)
		return error;
	if (!rspsim_der_read_only(plain, 0xbf26, &request))
		return RSPSIM_INSTALL_INPUT;
	in = request.value;
	if (!rspsim_der_read_tag(&in, 0x80, &chain) || !rspsim_der_read_tag(&in, 0x81, &enc) ||
		!rspsim_der_read_tag(&in, 0x82, &mac) || in.n || chain.value.n != 16 ||
		enc.value.n != 16 || mac.value.n != 16)
		return RSPSIM_INSTALL_INPUT;
	rspsim_channel_start(
		&l->channel, RSPSIM_DER(l->mem, 0, chain.value, enc.value, mac.value).p);
	return RSPSIM_INSTALL_FINE;
}

/* Faults of the card's own making, by --break install:… */
static enum rspsim_install_error
own_fault(struct load *l)
{
	switch (l->card->fault) {
	case RSPSIM_BREAK_INSTALL_INTERRUPTED:
		return RSPSIM_INSTALL_INTERRUPTED;
	case RSPSIM_BREAK_INSTALL_MEMORY:
		return RSPSIM_INSTALL_MEMORY;
	case RSPSIM_BREAK_INSTALL_SECURITY:
		return RSPSIM_INSTALL_SECURITY;
	case RSPSIM_BREAK_INSTALL_ELEMENT:
		l->element_status = RSPSIM_PE_FEATURE_NOT_SUPPORTED;
		return RSPSIM_INSTALL_ELEMENT;
	default:
		return RSPSIM_INSTALL_FINE;
	}
}

/*
 * The ICCID is one number in metadata, header and EF.ICCID; a test profile has the published
 * keys.
 */
static enum rspsim_install_error
check_elements(struct load *l)
{
	struct rspsim_upp *u = &l->elements;

	l->element_status = rspsim_upp_read(l->upp, l->card->profile_version, u);
	if (l->element_status != RSPSIM_PE_OK)
		return RSPSIM_INSTALL_ELEMENT;
	if (!u->has_file_iccid || memcmp(u->header_iccid, u->file_iccid, 10) != 0 ||
		memcmp(u->header_iccid, l->metadata.iccid.p, 10) != 0)
		return RSPSIM_INSTALL_MISMATCH;
	if (l->metadata.class == RSPSIM_TEST && u->keys && !u->test_keys)
		return RSPSIM_INSTALL_TEST_KEY;
	return RSPSIM_INSTALL_FINE;
}

static enum rspsim_install_error
load_profile_elements(struct load *l)
{
	struct rspsim_tlv group;
	struct slice plain;
	struct buf upp;
	enum rspsim_install_error error;

	if (!rspsim_der_read_tag(&l->rest, 0xa3, &group) || l->rest.n)
		return RSPSIM_INSTALL_STRUCTURE;
	buf_init(&upp, l->mem, group.value.n);
	do {
		error = open_segment(l, &group.value, RSPSIM_PROFILE, &plain);
		if (error)
			return error;
		buf_put(&upp, plain);
	} while (group.value.n);
	l->upp = buf_get(&upp);
	if (l->upp.n > rspsim_card_free_memory(l->card))
		return RSPSIM_INSTALL_MEMORY;
	error = own_fault(l);
	return error ? error : check_elements(l);
}

static const struct {
	enum rspsim_bpp_command command;
	enum rspsim_install_error (*run)(struct load *l);
} commands[] = {
	{ RSPSIM_BPP_CHANNEL, initialise_secure_channel },
	{ RSPSIM_BPP_CONFIGURE, configure_isdp },
	{ RSPSIM_BPP_METADATA, store_metadata },
	{ RSPSIM_BPP_KEYS, replace_session_keys },
	{ RSPSIM_BPP_ELEMENTS, load_profile_elements },
};

static enum rspsim_install_error
run_commands(struct load *l)
{
	enum rspsim_install_error error = RSPSIM_INSTALL_FINE;

	for (size_t i = 0; !error && i < sizeof commands / sizeof commands[0]; i++) {
		l->command = commands[i].command;
		error = commands[i].run(l);
	}
	return error;
}

/* What ImmediateEnable (SGP.32 §3.4.4) asks of the profile just installed. */
static void
remember(struct rspsim_card *card, const struct rspsim_profile *p)
{
	card->iot.fresh = (struct rspsim_fresh){ .iccid.known = true,
		.oid = arena_copy(&card->state_mem, card->session.dp_oid),
		.address = arena_string(&card->state_mem, slice_text(card->session.address)) };
	memcpy(card->iot.fresh.iccid.octets, p->iccid, sizeof p->iccid);
}

static void
install(struct load *l)
{
	struct rspsim_card *card = l->card;
	struct rspsim_profile **end = &card->profiles,
			      *p = ARENA_NEW(&card->state_mem, struct rspsim_profile);

	while (*end)
		end = &(*end)->next;
	memcpy(p->iccid, l->metadata.iccid.p, sizeof p->iccid);
	p->metadata = arena_copy(&card->state_mem, l->metadata_tlv);
	p->size = (uint32_t)l->upp.n;
	p->aid = l->aid = card->next_aid++;
	*end = p;
	if (card->iot.on)
		remember(card, p);
	rspsim_euicc_forget_one_time(card, card->session.one_time);
}

/*
 * EUICCResponse of the profile package's format: one PEStatus, and whether the package was given
 * up.
 */
static struct slice
sima_response(struct load *l, uint32_t tag)
{
	struct slice identification = SLICE_NONE, aborted = SLICE_NONE, status;

	if (l->elements.has_identification && l->element_status != RSPSIM_PE_OK)
		identification = rspsim_der_u32(l->mem, 0x81, l->elements.identification);
	if (l->element_status != RSPSIM_PE_OK)
		aborted = SLICE_LIT("\x81\x00");
	status = RSPSIM_DER(
		l->mem, 0x30, rspsim_der_u32(l->mem, 0x80, l->element_status), identification);
	return RSPSIM_DER(
		l->mem, tag, RSPSIM_DER(l->mem, 0x30, RSPSIM_DER(l->mem, 0xa0, status), aborted));
}

static struct slice
final_result(struct load *l, enum rspsim_install_error error)
{
	/* ISD-P AID of SGP.02 Annex H: the running number is the octet before the last zero. */
	uint8_t aid[16] = { 0xa0, 0, 0, 5, 0x59, 0x10, 0x10, 0xff, 0xff, 0xff, 0xff, 0x89, 0,
		(uint8_t)(l->aid >> 8), (uint8_t)l->aid, 0 };
	struct slice sima = SLICE_NONE;

	if (!error)
		return RSPSIM_DER(l->mem, 0xa0, RSPSIM_DER(l->mem, 0x4f, SLICE_ARRAY(aid)),
			sima_response(l, 0x04));
	if (error == RSPSIM_INSTALL_ELEMENT)
		sima = sima_response(l, 0x82);
	return RSPSIM_DER(l->mem, 0xa1, rspsim_der_u32(l->mem, 0x80, l->command),
		rspsim_der_u32(l->mem, 0x81, error), sima);
}

static struct slice
sign_result(struct load *l, enum rspsim_install_error error)
{
	const struct rspsim_session *s = &l->card->session;
	struct slice id = s->transaction_id, iccid = l->metadata.iccid, data, signature, whole;

	if (l->card->fault == RSPSIM_BREAK_NOTIFY_TRANSACTION)
		id = rspsim_break_flip(l->mem, id, 1);
	data = RSPSIM_DER(l->mem, 0xbf27, RSPSIM_DER(l->mem, 0x80, id),
		rspsim_euicc_notification_head(
			l->card, l->mem, RSPSIM_INSTALL, slice_text(s->address), iccid),
		RSPSIM_DER(l->mem, 0x06, s->dp_oid),
		RSPSIM_DER(l->mem, 0xa2, final_result(l, error)));
	signature = rspsim_euicc_sign(l->mem, s->own, data);
	if (l->card->fault == RSPSIM_BREAK_NOTIFY_SIGNATURE)
		signature = rspsim_break_flip(l->mem, signature, 1);
	whole = RSPSIM_DER(l->mem, 0xbf37, data, signature);
	rspsim_euicc_keep_notification(l->card, RSPSIM_INSTALL, slice_text(s->address), whole);
	return whole;
}

struct slice
rspsim_euicc_load_bpp(struct rspsim_card *card, struct arena *mem, struct slice bpp)
{
	struct load l = { .card = card, .mem = mem };
	enum rspsim_install_error error;
	struct rspsim_tlv all;
	struct slice result;

	if (card->session.state != RSPSIM_SESSION_PREPARED ||
		!rspsim_der_read_only(bpp, 0xbf36, &all))
		return SLICE_NONE;
	l.rest = all.value;
	error = run_commands(&l);
	if (!error)
		install(&l);
	result = sign_result(&l, error);
	if (!error)
		rspsim_euicc_notify(
			card, &l.metadata, RSPSIM_INSTALL, slice_text(card->session.address));
	rspsim_channel_fini(&l.channel);
	rspsim_card_end_session(card);
	return result;
}
