/*
 * The IoT part of the card's file: written and read as one object inside that of card_file.c.
 */
#include "base/text.h"
#include "rspsim/iot_euicc.h"
#include "rspsim/iot_file.h"

/* ---- writing ----------------------------------------------------------------------------- */

static json_t *
octets_or_null(struct slice octets)
{
	struct arena mem;
	json_t *text;

	if (!octets.p)
		return json_null();
	arena_init(&mem, 1 << 20, NULL, NULL);
	text = json_string((const char *)text_base64(&mem, octets).p);
	arena_fini(&mem);
	return text;
}

static json_t *
write_public(const struct rspsim_public *public)
{
	return json_pack("{s:i, s:o}", "kind", public->kind, "der", octets_or_null(public->der));
}

static json_t *
write_eims(const struct rspsim_iot *iot)
{
	json_t *list = json_array();

	for (const struct rspsim_eim *e = iot->eims; e; e = e->next)
		json_array_append_new(list,
			json_pack("{s:s, s:s?, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:b}", "id",
				e->id, "fqdn", e->fqdn, "idType", (int)e->id_type, "counter",
				(int)e->counter, "token",
				e->has_token ? json_integer(e->token) : json_null(), "key",
				write_public(&e->key), "tls", write_public(&e->tls), "protocols",
				e->has_protocols ? json_integer(e->protocols) : json_null(),
				"ciKeyId", octets_or_null(e->ci_key_id), "indirect", e->indirect));
	return list;
}

static json_t *
write_results(const struct rspsim_iot *iot)
{
	json_t *list = json_array();

	for (const struct rspsim_kept *k = iot->results; k; k = k->next)
		json_array_append_new(list,
			json_pack("{s:i, s:o}", "sequence", (int)k->sequence, "octets",
				octets_or_null(k->octets)));
	return list;
}

static json_t *
write_iccid(const struct rspsim_iccid *iccid)
{
	return octets_or_null(iccid->known ? SLICE_ARRAY(iccid->octets) : SLICE_NONE);
}

static json_t *
write_way_back(const struct rspsim_way_back *b)
{
	if (!b->open)
		return json_null();
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:i, s:i}", "former",
		write_iccid(&b->former), "now", write_iccid(&b->now), "eim", b->eim_id, "counter",
		octets_or_null(b->counter), "transaction", octets_or_null(b->transaction), "seal",
		octets_or_null(b->seal), "results", octets_or_null(b->results), "sequence",
		(int)b->sequence, "last", (int)b->last);
}

json_t *
rspsim_iot_write(const struct rspsim_iot *iot)
{
	if (!iot->on)
		return json_null();
	return json_pack(
		"{s:b, s:i, s:o, s:o, s:s?, s:s?, s:b, s:o, s:s?, s:o, s:o, s:o, s:i, s:i, "
		"s:i, s:b}",
		"v10", iot->v10, "nextToken", (int)iot->next_token, "eims", write_eims(iot),
		"results", write_results(iot), "defaultDp", iot->default_dp, "rootDs", iot->root_ds,
		"immediate", iot->immediate, "immediateOid", octets_or_null(iot->immediate_oid),
		"immediateAddress", iot->immediate_address, "beforeFallback",
		write_iccid(&iot->before_fallback), "beforeEmergency",
		write_iccid(&iot->before_emergency), "wayBack", write_way_back(&iot->way_back),
		"features", iot->features, "protocols", iot->protocols, "cause", iot->cause,
		"toldCertificates", iot->told_certificates);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Octets that may be missing; false only when they are no Base64. */
static bool
read_octets(struct arena *mem, json_t *o, const char *name, struct slice *out)
{
	const char *text = json_string_value(json_object_get(o, name));

	*out = SLICE_NONE;
	return !text || text_unbase64(mem, slice_text(text), out);
}

static const char *
read_text(struct arena *mem, json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? arena_string(mem, slice_text(text)) : NULL;
}

static uint32_t
read_number(json_t *o, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(o, name));
}

static bool
read_public(struct arena *mem, json_t *o, const char *name, struct rspsim_public *out)
{
	json_t *public = json_object_get(o, name);
	uint32_t kind = read_number(public, "kind");

	out->kind = (enum rspsim_public_kind)kind;
	return kind <= RSPSIM_PUBLIC_CERTIFICATE && read_octets(mem, public, "der", &out->der) &&
		(kind == RSPSIM_PUBLIC_NONE) == !out->der.p;
}

static bool
read_eims(struct arena *mem, struct rspsim_iot *iot, json_t *list)
{
	struct rspsim_eim **end = &iot->eims;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		struct rspsim_eim *e = ARENA_NEW(mem, struct rspsim_eim);

		e->id = read_text(mem, o, "id");
		e->fqdn = read_text(mem, o, "fqdn");
		e->id_type = read_number(o, "idType");
		e->counter = read_number(o, "counter");
		e->has_token = json_is_integer(json_object_get(o, "token"));
		e->token = read_number(o, "token");
		e->has_protocols = json_is_integer(json_object_get(o, "protocols"));
		e->protocols = (uint8_t)read_number(o, "protocols");
		e->indirect = json_is_true(json_object_get(o, "indirect"));
		if (!e->id || !read_public(mem, o, "key", &e->key) ||
			!read_public(mem, o, "tls", &e->tls) ||
			!read_octets(mem, o, "ciKeyId", &e->ci_key_id))
			return false;
		*end = e;
		end = &e->next;
	}
	return true;
}

static bool
read_results(struct arena *mem, struct rspsim_iot *iot, json_t *list)
{
	struct rspsim_kept **end = &iot->results;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		struct rspsim_kept *k = ARENA_NEW(mem, struct rspsim_kept);

		k->sequence = read_number(o, "sequence");
		if (!read_octets(mem, o, "octets", &k->octets) || !k->octets.n)
			return false;
		*end = k;
		end = &k->next;
	}
	return true;
}

static bool
read_iccid(struct arena *mem, json_t *o, const char *name, struct rspsim_iccid *out)
{
	struct slice octets;

	if (!read_octets(mem, o, name, &octets) || (octets.n && octets.n != sizeof out->octets))
		return false;
	out->known = octets.n > 0;
	if (out->known)
		memcpy(out->octets, octets.p, sizeof out->octets);
	return true;
}

static bool
read_way_back(struct arena *mem, struct rspsim_way_back *b, json_t *o)
{
	if (!json_is_object(o))
		return true;
	b->open = true;
	b->eim_id = read_text(mem, o, "eim");
	b->sequence = read_number(o, "sequence");
	b->last = read_number(o, "last");
	return b->eim_id && read_iccid(mem, o, "former", &b->former) &&
		read_iccid(mem, o, "now", &b->now) && read_octets(mem, o, "counter", &b->counter) &&
		read_octets(mem, o, "transaction", &b->transaction) &&
		read_octets(mem, o, "seal", &b->seal) &&
		read_octets(mem, o, "results", &b->results);
}

bool
rspsim_iot_read(struct arena *mem, struct rspsim_iot *iot, json_t *o)
{
	if (!json_is_object(o))
		return true;
	iot->on = true;
	iot->v10 = json_is_true(json_object_get(o, "v10"));
	iot->next_token = read_number(o, "nextToken");
	iot->default_dp = read_text(mem, o, "defaultDp");
	iot->root_ds = read_text(mem, o, "rootDs");
	iot->immediate = json_is_true(json_object_get(o, "immediate"));
	iot->immediate_address = read_text(mem, o, "immediateAddress");
	iot->features = (uint8_t)read_number(o, "features");
	iot->protocols = (uint8_t)read_number(o, "protocols");
	iot->told_certificates = json_is_true(json_object_get(o, "toldCertificates"));
	iot->cause = (enum rspsim_cause)read_number(o, "cause");
	return read_eims(mem, iot, json_object_get(o, "eims")) &&
		read_results(mem, iot, json_object_get(o, "results")) &&
		read_octets(mem, o, "immediateOid", &iot->immediate_oid) &&
		read_iccid(mem, o, "beforeFallback", &iot->before_fallback) &&
		read_iccid(mem, o, "beforeEmergency", &iot->before_emergency) &&
		read_way_back(mem, &iot->way_back, json_object_get(o, "wayBack"));
}

void
rspsim_iot_start(struct rspsim_card *card, bool v10)
{
	card->iot = (struct rspsim_iot){ .on = true,
		.v10 = v10,
		.features = RSPSIM_IPA_DIRECT | RSPSIM_IPA_INDIRECT | RSPSIM_IPA_DOWNLOAD_DATA,
		.protocols = 0xc0, /* retrieval over HTTPS and CoAP */
		.cause = RSPSIM_CAUSE_NONE };
}
