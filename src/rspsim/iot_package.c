/*
 * LoadEuiccPackage (SGP.32 §2.11, §5.9.1): the card judges who sent a package and whether it is
 * new, runs its commands in their order and signs what came of them. What the commands do is in
 * iot_psmo.c and iot_eco.c.
 */
#include "rspsim/crypto.h"
#include "rspsim/iot_int.h"

/* What the card takes and gives in one package. */
enum { PACKAGE_MAX = 16384, RESULT_MAX = 8192, ID_MAX = 128, TRANSACTION_MAX = 16 };
enum { TERMINATED_SIZE = 1, TERMINATED_DAMAGED = 2, TERMINATED_INTERRUPTED = 3 };

/* EuiccPackageRequest, sliced. */
struct request {
	struct rspsim_tlv whole, signed_part, signature, eim_id, eid, counter, transaction, list;
};

static bool
read_signed(struct slice in, struct request *r)
{
	if (!rspsim_der_read_tag(&in, 0x80, &r->eim_id) ||
		!rspsim_der_read_tag(&in, 0x5a, &r->eid) ||
		!rspsim_der_read_tag(&in, 0x81, &r->counter))
		return false;
	rspsim_der_read_optional(&in, 0x82, &r->transaction);
	if (!rspsim_der_read(&in, &r->list) || in.n || (r->list.tag != 0xa0 && r->list.tag != 0xa1))
		return false;
	if (r->transaction.whole.p &&
		(r->transaction.value.n < 1 || r->transaction.value.n > TRANSACTION_MAX))
		return false;
	return r->eim_id.value.n >= 1 && r->eim_id.value.n <= ID_MAX && r->eid.value.n == 16 &&
		r->counter.value.n >= 1 && r->list.value.n > 0;
}

static bool
read_request(struct slice request, struct request *r)
{
	struct slice in;

	*r = (struct request){ 0 };
	if (!rspsim_der_read_only(request, 0xbf51, &r->whole))
		return false;
	in = r->whole.value;
	return rspsim_der_read_tag(&in, 0x30, &r->signed_part) &&
		read_signed(r->signed_part.value, r) &&
		rspsim_der_read_tag(&in, 0x5f37, &r->signature) && in.n == 0;
}

/* ---- who sent it ------------------------------------------------------------------------- */

static EVP_PKEY *
key_of(const struct rspsim_public *public)
{
	const uint8_t *p = public->der.p;
	EVP_PKEY *key = NULL;
	X509 *cert;

	if (public->kind == RSPSIM_PUBLIC_KEY)
		return d2i_PUBKEY(NULL, &p, (long)public->der.n);
	cert = d2i_X509(NULL, &p, (long)public->der.n);
	if (cert)
		key = X509_get_pubkey(cert);
	X509_free(cert);
	return key;
}

/* eimSignature covers the signed part as received and the association token (§2.11.1.1). */
static bool
signature_holds(struct arena *mem, const struct rspsim_eim *eim, const struct request *r)
{
	EVP_PKEY *key = key_of(&eim->key);
	bool good = key &&
		rspsim_verify(key,
			RSPSIM_DER(mem, 0, r->signed_part.whole, rspsim_iot_token(mem, eim)),
			r->signature.value);

	EVP_PKEY_free(key);
	return good;
}

/* Nothing the sender could use: who it is that the card heard (§2.11.2.1). */
static struct slice
refuse_unsigned(const struct rspsim_card *card, struct arena *mem, const struct rspsim_eim *eim,
	const struct request *r)
{
	struct slice token = SLICE_NONE, transaction = r->transaction.whole;

	if (eim && eim->has_token)
		token = rspsim_iot_token(mem, eim);
	if (card->iot.v10)
		transaction = SLICE_NONE;
	return RSPSIM_DER(mem, 0xbf51,
		RSPSIM_DER(mem, 0xa2, RSPSIM_DER(mem, 0x80, r->eim_id.value), transaction, token));
}

/* What the card's signature covers beside the data: the token, in v1.0 the eIM's signature. */
static struct slice
seal_of(const struct rspsim_card *card, struct arena *mem, const struct rspsim_eim *eim,
	const struct request *r)
{
	return card->iot.v10 ? r->signature.whole : rspsim_iot_token(mem, eim);
}

static struct slice
refuse_signed(const struct rspsim_card *card, struct arena *mem, const struct rspsim_eim *eim,
	const struct request *r, enum rspsim_package_error error)
{
	struct slice data = RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, r->eim_id.value),
		r->counter.whole, r->transaction.whole, rspsim_der_u32(mem, 0x02, error));
	struct slice signature = rspsim_euicc_sign(mem, rspsim_iot_ci(card, eim),
		RSPSIM_DER(mem, 0, data, seal_of(card, mem, eim, r)));

	return RSPSIM_DER(mem, 0xbf51, RSPSIM_DER(mem, 0xa1, data, signature));
}

/* A package of its eIM, for this card, and newer than all before it. */
static enum rspsim_package_error
judge(const struct rspsim_card *card, const struct rspsim_eim *eim, const struct request *r,
	uint32_t *counter)
{
	if (memcmp(r->eid.value.p, card->eid_octets, sizeof card->eid_octets) != 0)
		return RSPSIM_PACKAGE_EID;
	if (!rspsim_der_to_u32(r->counter.value, counter) || *counter > RSPSIM_COUNTER_MAX)
		return RSPSIM_PACKAGE_COUNTER;
	if (*counter <= eim->counter)
		return RSPSIM_PACKAGE_REPLAY;
	if (rspsim_iot_in_emergency(card))
		return RSPSIM_PACKAGE_ECALL;
	if (r->whole.whole.n > PACKAGE_MAX)
		return RSPSIM_PACKAGE_SIZE;
	return RSPSIM_PACKAGE_FINE;
}

/* ---- what it asks for -------------------------------------------------------------------- */

static struct slice
terminated(struct arena *mem, uint32_t why)
{
	return rspsim_der_u32(mem, 0x02, why);
}

/* The results so far, the last one why there are no more (processingTerminated). */
static struct slice
run_commands(struct rspsim_package *p, const struct request *r)
{
	struct slice rest = r->list.value, results = SLICE_NONE, one;
	struct rspsim_tlv command;

	while (rest.n) {
		one = SLICE_NONE;
		if (rspsim_der_read(&rest, &command))
			one = r->list.tag == 0xa0 ? rspsim_iot_psmo(p, &command)
						  : rspsim_iot_eco(p, &command);
		if (!one.p)
			return RSPSIM_DER(
				p->mem, 0, results, terminated(p->mem, TERMINATED_DAMAGED));
		if (results.n + one.n > RESULT_MAX)
			return RSPSIM_DER(p->mem, 0, results, terminated(p->mem, TERMINATED_SIZE));
		results = RSPSIM_DER(p->mem, 0, results, one);
		if (p->card->fault == RSPSIM_BREAK_PACKAGE_INTERRUPTED)
			return RSPSIM_DER(
				p->mem, 0, results, terminated(p->mem, TERMINATED_INTERRUPTED));
	}
	return results;
}

/* Copies what a rollback needs: the request's octets will be gone by then. */
static void
open_way_back(struct rspsim_package *p, const struct rspsim_way_back *result)
{
	struct rspsim_card *card = p->card;
	struct rspsim_way_back *back = &card->iot.way_back;

	*back = (struct rspsim_way_back){ .open = true,
		.former = p->former,
		.now = p->now,
		.eim_id = arena_string(&card->state_mem, slice_text(result->eim_id)),
		.counter = arena_copy(&card->state_mem, result->counter),
		.transaction = arena_copy(&card->state_mem, result->transaction),
		.seal = arena_copy(&card->state_mem, result->seal),
		.results = arena_copy(&card->state_mem, result->results),
		.sequence = result->sequence,
		.last = card->sequence };
}

struct slice
rspsim_iot_load_package(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	struct rspsim_package p = { .card = card, .mem = mem };
	struct rspsim_way_back what = { 0 };
	enum rspsim_package_error error;
	struct rspsim_eim *eim, before;
	struct request r;
	struct slice octets;
	uint32_t counter;

	if (!read_request(request, &r))
		return SLICE_NONE;
	eim = rspsim_iot_find_eim(card, r.eim_id.value);
	if (!eim || !signature_holds(mem, eim, &r))
		return refuse_unsigned(card, mem, eim, &r);
	error = judge(card, eim, &r, &counter);
	if (error)
		return refuse_signed(card, mem, eim, &r, error);
	eim->counter = counter;
	card->iot.way_back.open = false; /* the right ends with the next package */
	before =
		*eim; /* the package may change or delete its own eIM: its result is still the old one's */
	what = (struct rspsim_way_back){ .eim_id = before.id,
		.counter = r.counter.whole,
		.transaction = r.transaction.whole,
		.seal = seal_of(card, mem, &before, &r) };
	what.results = run_commands(&p, &r);
	octets = rspsim_iot_sign_result(card, mem, &before, &what);
	what.sequence = card->sequence;
	rspsim_due_notify(&p.due, card);
	if (p.rollback)
		open_way_back(&p, &what);
	return octets;
}
