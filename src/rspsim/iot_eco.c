/*
 * Associated eIMs (SGP.32 §3.5): what EimConfigurationData says, AddInitialEim on a card without
 * any (§5.9.4), and the eCOs of a package (§2.11.1.1).
 */
#include <openssl/err.h>
#include "base/text.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/iot_int.h"

enum { ID_MAX = 128, NEW_TOKEN = 0xff };

struct rspsim_eim *
rspsim_iot_find_eim(const struct rspsim_card *card, struct slice id)
{
	struct rspsim_eim *eim = card->iot.eims;

	while (eim && !slice_eq(slice_text(eim->id), id))
		eim = eim->next;
	return eim;
}

/* ---- EimConfigurationData ---------------------------------------------------------------- */

struct configuration {
	struct rspsim_tlv id, fqdn, type, counter, token, key, tls, protocols, ci, indirect;
	struct rspsim_public key_data, tls_data;
	uint32_t id_type, start;
	uint8_t protocol_bits;
};

/*
 * `A0` a key or `A1` a certificate. ASN.1 lets the tag take the place of the SEQUENCE's own, and
 * some put the SEQUENCE inside: told apart by how many members there are.
 */
static bool
read_public(struct arena *mem, const struct rspsim_tlv *in, struct rspsim_public *out)
{
	struct rspsim_tlv arm, inner;
	struct slice rest = in->value, members;

	*out = (struct rspsim_public){ 0 };
	if (!in->whole.p)
		return true;
	if (!rspsim_der_read(&rest, &arm) || rest.n || (arm.tag != 0xa0 && arm.tag != 0xa1))
		return false;
	out->kind = arm.tag == 0xa0 ? RSPSIM_PUBLIC_KEY : RSPSIM_PUBLIC_CERTIFICATE;
	members = arm.value;
	if (rspsim_der_read_only(members, 0x30, &inner))
		members = inner.value;
	out->der = RSPSIM_DER(mem, 0x30, members);
	return true;
}

static bool
read_members(struct slice in, struct configuration *c)
{
	const struct {
		uint32_t tag;
		struct rspsim_tlv *to;
	} members[] = { { 0x81, &c->fqdn }, { 0x82, &c->type }, { 0x83, &c->counter },
		{ 0x84, &c->token }, { 0xa5, &c->key }, { 0xa6, &c->tls }, { 0x87, &c->protocols },
		{ 0x88, &c->ci }, { 0x89, &c->indirect } };

	if (!rspsim_der_read_tag(&in, 0x80, &c->id) || c->id.value.n < 1 ||
		text_characters(c->id.value) > ID_MAX)
		return false;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		rspsim_der_read_optional(&in, members[i].tag, members[i].to);
	return in.n == 0;
}

/* False when it is none: commandError(7) then. */
static bool
read_configuration(struct arena *mem, struct slice in, struct configuration *c)
{
	*c = (struct configuration){ 0 };
	if (!read_members(in, c) || !read_public(mem, &c->key, &c->key_data) ||
		!read_public(mem, &c->tls, &c->tls_data))
		return false;
	if (c->type.whole.p && !rspsim_der_to_u32(c->type.value, &c->id_type))
		return false;
	if (c->protocols.whole.p && !rspsim_der_to_bits(c->protocols.value, &c->protocol_bits))
		return false;
	return (!c->ci.whole.p || c->ci.value.n > 0) && c->indirect.value.n == 0 &&
		(!c->token.whole.p || c->token.value.n > 0);
}

/* ---- judging it -------------------------------------------------------------------------- */

/* The key is on a curve that the card knows. */
static bool
is_key(struct slice der)
{
	const uint8_t *p = der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	bool good = key && p == der.p + der.n && rspsim_key_curve(key) != NID_undef;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return good;
}

/* CERT.EIM stands below a CI of the card: the one named, or the one its issuer key is of. */
static enum rspsim_eco_result
judge_certificate(const struct rspsim_card *card, const struct configuration *c)
{
	X509 *cert = rspsim_cert_from_der(c->key_data.der);
	const struct rspsim_ci *ci = NULL;
	enum rspsim_eco_result result = RSPSIM_ECO_OK;

	if (!cert)
		return RSPSIM_ECO_COMMAND;
	if (c->ci.whole.p)
		ci = rspsim_card_find_ci(card, c->ci.value);
	else if (rspsim_cert_authority_id(cert).n)
		ci = rspsim_card_find_ci(card, rspsim_cert_authority_id(cert));
	if (!ci)
		result = RSPSIM_ECO_CI;
	else if (X509_verify(cert, X509_get0_pubkey(ci->root)) != 1)
		result = RSPSIM_ECO_COMMAND;
	ERR_clear_error();
	X509_free(cert);
	return result;
}

static enum rspsim_eco_result
judge_key(const struct rspsim_card *card, const struct configuration *c)
{
	if (c->key_data.kind == RSPSIM_PUBLIC_CERTIFICATE)
		return judge_certificate(card, c);
	if (c->ci.whole.p && !rspsim_card_find_ci(card, c->ci.value))
		return RSPSIM_ECO_CI;
	if (c->key_data.kind == RSPSIM_PUBLIC_KEY && !is_key(c->key_data.der))
		return RSPSIM_ECO_COMMAND;
	return RSPSIM_ECO_OK;
}

static enum rspsim_eco_result
judge_counter(struct configuration *c)
{
	if (!c->counter.whole.p)
		return RSPSIM_ECO_OK;
	if (!rspsim_der_to_u32(c->counter.value, &c->start) || c->start > RSPSIM_COUNTER_MAX)
		return RSPSIM_ECO_COUNTER;
	return RSPSIM_ECO_OK;
}

static bool
wants_token(const struct configuration *c)
{
	return c->token.value.n == 1 && c->token.value.p[0] == NEW_TOKEN;
}

static enum rspsim_eco_result
judge_new(const struct rspsim_card *card, struct configuration *c)
{
	enum rspsim_eco_result result;
	size_t count = 0;

	for (const struct rspsim_eim *eim = card->iot.eims; eim; eim = eim->next)
		count++;
	if (rspsim_iot_find_eim(card, c->id.value))
		return RSPSIM_ECO_EXISTS;
	if (c->key_data.kind == RSPSIM_PUBLIC_NONE || !c->counter.whole.p)
		return RSPSIM_ECO_COMMAND;
	if (c->token.whole.p && !wants_token(c)) /* only the card makes tokens */
		return RSPSIM_ECO_TOKEN;
	result = judge_counter(c);
	if (!result)
		result = judge_key(card, c);
	if (!result && count == RSPSIM_EIMS_MAX)
		return RSPSIM_ECO_MEMORY;
	return result;
}

/* ---- taking it --------------------------------------------------------------------------- */

static struct rspsim_public
copy_public(struct rspsim_card *card, const struct rspsim_public *from)
{
	return (struct rspsim_public){ from->kind, arena_copy(&card->state_mem, from->der) };
}

/* Members that are there replace those of the eIM; in a new one the rest is as it began. */
static void
take(struct rspsim_card *card, struct rspsim_eim *eim, const struct configuration *c)
{
	if (c->fqdn.whole.p)
		eim->fqdn = arena_string(&card->state_mem, c->fqdn.value);
	if (c->type.whole.p)
		eim->id_type = c->id_type;
	if (c->counter.whole.p)
		eim->counter = c->start;
	if (c->key.whole.p)
		eim->key = copy_public(card, &c->key_data);
	if (c->tls.whole.p)
		eim->tls = copy_public(card, &c->tls_data);
	if (c->protocols.whole.p) {
		eim->has_protocols = true;
		eim->protocols = c->protocol_bits;
	}
	if (c->ci.whole.p)
		eim->ci_key_id = arena_copy(&card->state_mem, c->ci.value);
	if (c->indirect.whole.p)
		eim->indirect = true;
}

static struct rspsim_eim *
associate(struct rspsim_card *card, const struct configuration *c)
{
	struct rspsim_eim **end = &card->iot.eims,
			  *eim = ARENA_NEW(&card->state_mem, struct rspsim_eim);

	while (*end)
		end = &(*end)->next;
	eim->id = arena_string(&card->state_mem, c->id.value);
	take(card, eim, c);
	eim->has_token = wants_token(c);
	if (eim->has_token) /* one counter of the card, which never goes back */
		eim->token = ++card->iot.next_token;
	*end = eim;
	return eim;
}

/* ---- AddInitialEim ----------------------------------------------------------------------- */

static struct slice
refuse_initial(struct arena *mem, enum rspsim_eco_result error)
{
	return RSPSIM_DER(mem, 0xbf57, rspsim_der_u32(mem, 0x81, error));
}

struct slice
rspsim_iot_add_initial_eim(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	struct rspsim_tlv all, list, entry;
	struct slice answers = SLICE_NONE, rest;
	struct configuration c;
	enum rspsim_eco_result error;

	if (!rspsim_der_read_only(request, 0xbf57, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &list) || !list.value.n)
		return refuse_initial(mem, RSPSIM_ECO_COMMAND);
	if (card->iot.eims)
		return refuse_initial(mem, RSPSIM_ECO_EXISTS);
	for (rest = list.value; rest.n;) {
		const struct rspsim_eim *eim;

		error = RSPSIM_ECO_COMMAND;
		if (rspsim_der_read_tag(&rest, 0x30, &entry) &&
			read_configuration(mem, entry.value, &c))
			error = judge_new(card, &c);
		if (error) {
			card->iot.eims = NULL; /* all or none */
			return refuse_initial(mem, error);
		}
		eim = associate(card, &c);
		answers = RSPSIM_DER(mem, 0, answers,
			eim->has_token ? rspsim_iot_token(mem, eim) : SLICE_LIT("\x05\x00"));
	}
	return RSPSIM_DER(mem, 0xbf57, RSPSIM_DER(mem, 0xa0, answers));
}

/* ---- eCOs -------------------------------------------------------------------------------- */

static struct slice
add_eim(struct rspsim_package *p, struct slice in)
{
	enum rspsim_eco_result error = RSPSIM_ECO_COMMAND;
	const struct rspsim_eim *eim;
	struct configuration c;

	if (read_configuration(p->mem, in, &c))
		error = judge_new(p->card, &c);
	/* v1.0.1 has no associatedEimAlreadyExists */
	if (error == RSPSIM_ECO_EXISTS && p->card->iot.v10)
		error = RSPSIM_ECO_COMMAND;
	if (error)
		return RSPSIM_DER(p->mem, 0xa8, rspsim_der_u32(p->mem, 0x02, error));
	eim = associate(p->card, &c);
	return RSPSIM_DER(p->mem, 0xa8,
		eim->has_token ? rspsim_iot_token(p->mem, eim) : rspsim_der_u32(p->mem, 0x02, 0));
}

/* The last one may go too: the card says so, and is free for AddInitialEim again. */
static struct slice
delete_eim(struct rspsim_package *p, struct slice in)
{
	struct rspsim_eim **link = &p->card->iot.eims, *eim;
	enum rspsim_eco_result result = RSPSIM_ECO_OK;
	struct rspsim_tlv id;

	if (!rspsim_der_read_only(in, 0x80, &id))
		return SLICE_NONE;
	eim = rspsim_iot_find_eim(p->card, id.value);
	if (!eim)
		return rspsim_der_u32(p->mem, 0x89, RSPSIM_ECO_NOT_FOUND);
	while (*link != eim)
		link = &(*link)->next;
	*link = eim->next;
	if (!p->card->iot.eims)
		result = RSPSIM_ECO_LAST;
	return rspsim_der_u32(p->mem, 0x89, result);
}

static struct slice
update_eim(struct rspsim_package *p, struct slice in)
{
	enum rspsim_eco_result error = RSPSIM_ECO_COMMAND;
	struct rspsim_eim *eim = NULL;
	struct configuration c;

	if (read_configuration(p->mem, in, &c)) {
		eim = rspsim_iot_find_eim(p->card, c.id.value);
		error = eim ? RSPSIM_ECO_OK : RSPSIM_ECO_NOT_FOUND;
		if (!error && c.token.whole.p) /* tokens are for addEim */
			error = RSPSIM_ECO_COMMAND;
		if (!error)
			error = judge_counter(&c);
		if (!error)
			error = judge_key(p->card, &c);
	}
	if (!error)
		take(p->card, eim, &c);
	return rspsim_der_u32(p->mem, 0x8a, error);
}

static struct slice
list_eim(struct rspsim_package *p, struct slice in)
{
	uint32_t tag = p->card->iot.v10 ? 0x84 : 0x82;
	struct slice list = SLICE_NONE;

	if (in.n)
		return SLICE_NONE;
	for (const struct rspsim_eim *eim = p->card->iot.eims; eim; eim = eim->next)
		list = RSPSIM_DER(p->mem, 0, list,
			RSPSIM_DER(p->mem, 0x30, RSPSIM_DER(p->mem, 0x80, slice_text(eim->id)),
				eim->id_type ? rspsim_der_u32(p->mem, tag, eim->id_type)
					     : SLICE_NONE));
	return RSPSIM_DER(p->mem, 0xab, RSPSIM_DER(p->mem, 0xa0, list));
}

static const struct {
	uint32_t tag;
	struct slice (*run)(struct rspsim_package *p, struct slice in);
} ecos[] = {
	{ 0xa8, add_eim },
	{ 0xa9, delete_eim },
	{ 0xaa, update_eim },
	{ 0xab, list_eim },
};

struct slice
rspsim_iot_eco(struct rspsim_package *p, const struct rspsim_tlv *command)
{
	for (size_t i = 0; i < sizeof ecos / sizeof ecos[0]; i++)
		if (ecos[i].tag == command->tag)
			return ecos[i].run(p, command->value);
	return SLICE_NONE;
}
