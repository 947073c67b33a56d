/*
 * ProvideEimPackageResult (SGP.32 §5.14.6; §3.3.1): what an eUICC or its IPA did with what it was handed out. One
 * message may hold several answers: a package's result, stored results of others, notifications. Each is found by
 * its eimTransactionId, verified over the octets received, recorded, and only then acknowledged. What does not verify
 * is kept for diagnosis and moves nothing (RULES 3, 5.5).
 */
#include "base/text.h"
#include "codec/der.h"
#include "crypto/digest.h"
#include "eim/meaning.h"
#include "eim/pace.h"
#include "eim/package.h"
#include "eim/verify.h"
#include "stats/stats.h"

/* clang-format off */
#define STEPS(S) \
	S(read_result)         /* which answer it is, and all that is in it              */ \
	S(find_package)        /* of each: whose it is, what it answers                  */ \
	S(check_found)         /* … an unknown eUICC may come in with its certificates   */ \
	S(judge)               /* … is it signed, and what does it mean                  */ \
	S(learn)               /* … of data: what is known of the eUICC from now on      */ \
	S(record)              /* … the end of the package, the picture, the events      */ \
	S(check_recorded)      /* … done; or it was answered beside us                   */ \
	S(next_item)           /* the next of them                                       */ \
	S(verify_notification) /* notifications that came along, one a turn              */ \
	S(keep_notifications)  /* … kept until their SM-DP+ has them                     */ \
	S(answer)              /* acknowledged is what was taken                         */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure eim_provide_eim_package_result = { "ProvideEimPackageResult",
	THEN(read_result), NULL, steps, EIM_DEADLINE_MS, EIM_ARENA,
	sizeof(struct eim_provide_eim_package_result) };

/* ProvideEimPackageResult and what may stand in it; 80 and 02 of an error. */
enum {
	WHOLE = 0xbf50,
	EID = 0x5a,
	RESULT = 0xbf51,
	RESULT_AND_NOTIFICATIONS = 0x30,
	DATA = 0xbf52,
	TRIGGER = 0xbf54,
	ERROR = 0xa0,
	ERROR_TRANSACTION = 0x80,
	INTEGER = 0x02
};
enum { EID_OCTETS = 16, RAW_MAX = 16384, EVIDENCE_MAX = 16384 };

/* Decodable or not, it is none that could be taken: said in the log, answered emptyResponse. */
static const struct step *
ignore(struct task *t, enum stats_name counter, const char *why)
{
	struct eim_provide_eim_package_result *c = t->state;

	stats_add(counter);
	c->call.note = why;
	c->call.ignored = true;
	GO(answer);
}

/* This one of them is not taken, the others may be. Kept raw, for who looks into it. */
static const struct step *
set_aside(struct task *t, enum stats_name counter, const char *why)
{
	struct eim_provide_eim_package_result *c = t->state;
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	struct slice octets = slice_sub(c->items[c->at].octets, 0, RAW_MAX);

	stats_add(counter);
	c->call.note = why;
	c->call.ignored = true;
	crypto_sha256(&octets, 1, sha256);
	return store_eim_raw_keep(t, c->call.eim->store, c->found.eid, slice_text(why), octets,
		SLICE_ARRAY(sha256), THEN(next_item));
}

/* ---- reading ---------------------------------------------------------------------------------------- */

static struct eim_item *
item_put(struct eim_provide_eim_package_result *c, enum eim_item_kind kind, struct slice octets)
{
	struct eim_item *item = &c->items[c->item_n++];

	item->kind = kind;
	item->octets = octets;
	return item;
}

static bool
items_new(struct task *t, size_t n)
{
	struct eim_provide_eim_package_result *c = t->state;

	c->items = ARENA_ARRAY(t->mem, struct eim_item, n);
	c->acks = ARENA_ARRAY(t->mem, struct slice, n + CODEC_PENDING_MAX);
	return true;
}

static bool
result_read(struct task *t, struct slice octets, const char **why)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct eim_item *item = item_put(c, EIM_ITEM_RESULT, octets);

	if (!codec_euicc_package_result_read(t->mem, octets, &item->result, why))
		return false;
	eim_leniencies_count(item->result.leniencies);
	return true;
}

static void
pending_set(struct eim_provide_eim_package_result *c, const struct codec_pending_list *list)
{
	c->pending = list->pending;
	c->pending_n = list->n;
}

/* Stored results first: what asked for them is answered when they are taken. */
static bool
data_read(struct task *t, struct slice octets, const char **why)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct codec_ipa_data data;

	if (!codec_ipa_data_read(t->mem, octets, &data, why))
		return false;
	eim_leniencies_count(data.leniencies);
	items_new(t, data.results.n + 1);
	for (size_t i = 0; i < data.results.n; i++)
		if (!result_read(t, data.results.result[i], why))
			c->item_n--; /* it is asked for again when it is missed */
	item_put(c, EIM_ITEM_DATA, octets)->data = data;
	pending_set(c, &data.notifications);
	return true;
}

static bool
error_read(struct task *t, struct slice value, struct slice octets)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct eim_item *item = item_put(c, EIM_ITEM_ERROR, octets);
	struct codec_der id, code;
	int64_t number = CODEC_PACKAGE_UNDEFINED;

	if (codec_der_find(value, ERROR_TRANSACTION, &id))
		item->error.eim_transaction_id = id.value;
	if (codec_der_find(value, INTEGER, &code))
		codec_der_int_read(code.value, &number);
	item->error.code = number >= 0 && number <= 255 ? (int)number : CODEC_PACKAGE_UNDEFINED;
	return true;
}

static bool
answer_read(struct task *t, const struct codec_der *tlv, const char **why)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct codec_result_and_notifications both;
	struct codec_download_result trigger;

	switch (tlv->tag) {
	case RESULT:
		return items_new(t, 1) && result_read(t, tlv->octets, why);
	case RESULT_AND_NOTIFICATIONS:
		if (!codec_result_and_notifications_read(t->mem, tlv->octets, &both, why))
			return false;
		eim_leniencies_count(both.leniencies);
		pending_set(c, &both.notifications);
		return items_new(t, 1) && result_read(t, both.result, why);
	case DATA:
		return data_read(t, tlv->octets, why);
	case TRIGGER:
		if (!codec_download_result_read(t->mem, tlv->octets, &trigger, why))
			return false;
		items_new(t, 1);
		item_put(c, EIM_ITEM_TRIGGER, tlv->octets)->trigger = trigger;
		return true;
	case ERROR:
		return items_new(t, 1) && error_read(t, tlv->value, tlv->octets);
	case INTEGER: /* as v1.0 has it */
		return items_new(t, 1) && error_read(t, tlv->octets, tlv->octets);
	default:
		*why = "no-answer-of-an-ipa";
		return false;
	}
}

/* The member, or what stands in a whole BF50 in its place; an EID in that counts when no other was sent. */
static bool
unwrap(struct eim_provide_eim_package_result *c, struct codec_der *out)
{
	struct slice rest = c->in.eim_package_result;
	struct codec_der eid;

	if (!codec_der_read(&rest, out) || rest.n)
		return false;
	if (out->tag != WHOLE)
		return true;
	rest = out->value;
	if (codec_der_read_tag(&rest, EID, &eid) && !c->in.eid_value.p)
		c->in.eid_value = eid.value;
	return codec_der_read(&rest, out) && !rest.n;
}

/* An EID that is nowhere else may stand in certificates that verify (RULES 5.6). */
static void
prove_data(struct eim_provide_eim_package_result *c)
{
	const struct codec_ipa_data *data = &c->items[c->item_n - 1].data;

	if (c->items[c->item_n - 1].kind != EIM_ITEM_DATA || !data->euicc_certificate.p ||
		!data->eum_certificate.p)
		return;
	c->proven = !eim_chain_verify(
		&c->call, data->eum_certificate, data->euicc_certificate, c->eid, &c->euicc);
	if (c->proven && !c->eid.p) {
		c->eid = slice_text(c->euicc.eid);
		c->has_eid_of_certificate = true;
	}
}

static const struct step *
read_result(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct codec_der tlv;
	const char *why = "no-answer-of-an-ipa", *denied;

	c->call.world = eim_world_hold(c->call.eim, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	if (!c->in.eim_package_result.p)
		return task_refuse(t, &EIM_MEMBER_MISSING.base);
	if (!unwrap(c, &tlv))
		return ignore(t, STATS_eim_result_undecodable, why);
	if (c->in.eid_value.p) {
		c->eid = text_hex(t->mem, c->in.eid_value);
		if (c->in.eid_value.n != EID_OCTETS || !slice_is_digits(c->eid))
			return task_refuse(t, &EIM_EID_INVALID.base);
		eim_eid_set(t, c->eid);
		denied = c->call.eim->denied(c->call.eim->arg, SLICE_NONE, SLICE_NONE, c->eid);
		if (denied) {
			c->call.note = denied;
			return task_refuse(t, &EIM_EUICC_DENIED.base);
		}
	}
	if (!answer_read(t, &tlv, &why))
		return ignore(t, STATS_eim_result_undecodable, why);
	prove_data(c);
	GO(find_package);
}

/* ---- each answer ------------------------------------------------------------------------------------ */

static struct slice
transaction_of(const struct eim_item *item)
{
	switch (item->kind) {
	case EIM_ITEM_RESULT:
		return item->result.eim_transaction_id;
	case EIM_ITEM_DATA:
		return item->data.eim_transaction_id;
	case EIM_ITEM_TRIGGER:
		return item->trigger.eim_transaction_id;
	case EIM_ITEM_ERROR:
		break;
	}
	return item->error.eim_transaction_id;
}

static const struct step *
find_package(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct eim_item *item = &c->items[c->at];
	struct slice id = transaction_of(item);
	bool counted =
		item->kind == EIM_ITEM_RESULT && item->result.arm != CODEC_PACKAGE_ERROR_UNSIGNED;

	c->call.eim_transaction_id = id;
	if (!c->eid.p && !id.p)
		return task_refuse(t, &EIM_EID_MISSING.base);
	c->found = (struct store_eim_found){ 0 };
	c->record = (struct store_eim_result){ .token = STORE_NULL, .sequence = STORE_NULL };
	return store_eim_result_find(t, c->call.eim->store, c->eid, id,
		counted ? item->result.counter : STORE_NULL, &c->found, THEN(check_found));
}

static bool
in_domain(const struct eim_provide_eim_package_result *c)
{
	const struct eim_settings *s = &c->call.world->settings;

	for (size_t i = 0; i < s->domain_n; i++)
		if (slice_eq(slice_sub(c->eid, 0, s->domains[i].prefix.n), s->domains[i].prefix))
			return true;
	return false;
}

/* What certificates that verified say. */
static void
proof_put(struct eim_provide_eim_package_result *c, const struct codec_ipa_data *data)
{
	if (!c->proven)
		return;
	c->facts.euicc_certificate = data->euicc_certificate;
	c->facts.eum_certificate = data->eum_certificate;
	c->facts.key = &c->euicc.key;
	c->facts.test_ci = c->call.eim->test_ci(c->call.eim->arg, SLICE_ARRAY(c->euicc.ci_id));
}

/* Certificates that came in the same message count: they verify for this EID, or nothing does. */
static void
key_put(struct eim_provide_eim_package_result *c)
{
	if (c->found.point.p || !c->proven || !slice_eq(slice_text(c->euicc.eid), c->found.eid))
		return;
	c->found.curve = (int16_t)c->euicc.key.curve;
	c->found.point = SLICE_ARRAY(c->euicc.key.point);
}

static const struct step *
check_found(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct eim_item *item = &c->items[c->at];

	if (t->got == R_OK) {
		eim_eid_set(t, c->found.eid);
		c->call.package_id = c->found.package_id == STORE_NULL ? 0 : c->found.package_id;
		key_put(c);
		GO(judge);
	}
	if (item->kind != EIM_ITEM_DATA || !c->proven || !in_domain(c) || c->tries++)
		return task_refuse(t, &EIM_EID_UNKNOWN.base);
	c->facts = (struct store_euicc_facts){ .eid = c->eid };
	proof_put(c, &item->data);
	c->admitted = true;
	/* Backwards, once: it is known now. */
	return store_euicc_admit(t, c->call.eim->store, &c->facts,
		c->call.world->settings.operator_name, &c->learnt, THEN(find_package));
}

static bool
is_kind(const struct eim_provide_eim_package_result *c, const char *kind)
{
	return slice_eq(c->found.kind, slice_text(kind));
}

static bool
is_open(const struct eim_provide_eim_package_result *c)
{
	return slice_eq(c->found.state, SLICE_LIT("out")) ||
		slice_eq(c->found.state, SLICE_LIT("unknown"));
}

/* The eUICC's own number of its result, to be given back as it came. */
static void
acknowledge(struct eim_provide_eim_package_result *c, struct slice sequence)
{
	if (sequence.p)
		c->acks[c->ack_n++] = sequence;
}

static const struct step *
unsigned_error(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct codec_number *token = &c->items[c->at].result.association_token;

	c->call.note = "refused-unsigned";
	stats_add(STATS_eim_result_unsigned);
	if (!is_kind(c, "package") || !slice_eq(c->found.state, SLICE_LIT("out")))
		GO(next_item);
	return store_eim_unsigned_error(t, c->call.eim->store, c->found.eid, c->found.package_id,
		token->known, token->n, eim_body_results(t->mem, c->found.iot_version),
		eim_body_profiles(t->mem, c->found.iot_version), &c->unsigned_error,
		THEN(next_item));
}

static const struct step *
judge_result(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct codec_euicc_package_result *r = &c->items[c->at].result;
	bool done = r->arm == CODEC_PACKAGE_DONE;
	int64_t number;

	if (r->arm == CODEC_PACKAGE_ERROR_UNSIGNED)
		return unsigned_error(t);
	if (!c->found.point.p)
		return set_aside(t, STATS_eim_result_unproven, "key-unknown");
	if (!slice_eq(r->eim_id, c->call.world->settings.id))
		return set_aside(t, STATS_eim_result_unproven, "of-another-eim");
	if (!eim_result_verify(t->mem, r, &c->found, &c->record))
		return set_aside(t, STATS_eim_result_unproven, "wrong-signature");
	eim_pace_forget(c->call.eim->pace, c->found.eid);
	if (!is_kind(c, "package") || r->counter != c->found.package_counter)
		return set_aside(t, STATS_eim_result_unknown, "of-no-package-of-ours");
	eim_meaning_of_result(t->mem, r, &c->found, c->call.world->settings.fence_step, &c->record);
	/* RULES 5.7: the final word replaces the one before. */
	if (!is_open(c) && (!c->record.rollback || c->found.rolled_back)) {
		stats_add(STATS_eim_result_repeated);
		c->call.note = "repeated";
		if (done)
			acknowledge(c, r->sequence);
		GO(next_item);
	}
	if (done && codec_der_int_read(r->sequence, &number))
		c->record.sequence = number;
	c->record.result = r->octets;
	GO(record);
}

static void
text_put(struct slice *out, struct slice text)
{
	if (text.p && text_is_printable(text))
		*out = text;
}

static int32_t
version_number(const uint8_t version[3])
{
	return version[0] << 16 | version[1] << 8 | version[2];
}

static void
facts_put(struct task *t, const struct codec_ipa_data *data)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct store_euicc_facts *f = &c->facts;
	struct codec_iot_info iot;
	char imei[21];

	*f = (struct store_euicc_facts){ .eid = c->found.eid,
		.info1 = data->info1,
		.info2 = data->info2,
		.iot_version = -1,
		.features = -1,
		.protocols = -1,
		.token = data->association_token.n,
		.has_token = data->association_token.known };
	codec_iot_info_read(data->info2, &iot);
	if (iot.known)
		f->iot_version = version_number(iot.version);
	if (data->capabilities.octets.p)
		f->features = (int32_t)(data->capabilities.features & INT32_MAX);
	if (data->capabilities.protocols_known)
		f->protocols = (int32_t)(data->capabilities.protocols & INT32_MAX);
	text_put(&f->default_smdp, data->default_smdp);
	text_put(&f->root_smds, data->root_smds);
	if (data->tac.p)
		f->tac = text_hex(t->mem, data->tac);
	if (data->imei.n == 8 && text_bcd_to_iccid(data->imei, imei))
		f->imei = arena_copy(t->mem, slice_text(imei));
	proof_put(c, data);
}

static const struct step *
judge_data(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct codec_ipa_data *data = &c->items[c->at].data;

	/* Nobody is believed who was not asked. */
	if ((!is_kind(c, "data") || !is_open(c)) && !c->admitted) {
		c->call.note = "of no request of ours";
		GO(next_item);
	}
	eim_meaning_of_data(t->mem, data, &c->record);
	if (!data->ok) {
		c->call.note = "refused-unsigned";
		GO(record);
	}
	if (data->euicc_certificate.p && !c->proven)
		c->call.note = "its certificates do not verify";
	facts_put(t, data);
	GO(learn);
}

/* What is unsigned ends at most what waits for it: never a package that an eUICC answers itself. */
static const struct step *
judge_error(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct eim_item *item = &c->items[c->at];

	c->call.note = "refused-unsigned";
	stats_add(STATS_eim_result_unsigned);
	if (is_kind(c, "package"))
		GO(next_item);
	eim_meaning_of_error(t->mem, item->error.code, &c->record);
	GO(record);
}

static const struct step *
judge_trigger(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct codec_download_result *r = &c->items[c->at].trigger;
	struct codec_notification *n = NULL;
	struct crypto_public key;
	const char *why;

	if (r->installation_result.p) {
		n = ARENA_NEW(t->mem, struct codec_notification);
		if (!codec_pending_notification_read(t->mem, r->installation_result, n, &why))
			return set_aside(t, STATS_eim_result_undecodable, why);
		why = eim_notification_verify(&c->call, n,
			eim_key_find(&c->found, &key) ? &key : NULL, c->found.eid, &c->euicc);
		if (why)
			return set_aside(t, STATS_eim_result_unproven, why);
		eim_pace_forget(c->call.eim->pace, c->found.eid);
	}
	c->record.result = c->items[c->at].octets;
	eim_meaning_of_trigger(t->mem, r, n, &c->record);
	GO(record);
}

static const struct step *
judge(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	switch (c->items[c->at].kind) {
	case EIM_ITEM_RESULT:
		return judge_result(t);
	case EIM_ITEM_DATA:
		return judge_data(t);
	case EIM_ITEM_TRIGGER:
		return judge_trigger(t);
	case EIM_ITEM_ERROR:
		break;
	}
	return judge_error(t);
}

static const struct step *
learn(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	return store_euicc_learn(t, c->call.eim->store, &c->facts, &c->learnt, THEN(record));
}

/* Which kind of request is ended by which kind of answer. */
static bool
answers(const struct eim_provide_eim_package_result *c)
{
	switch (c->items[c->at].kind) {
	case EIM_ITEM_RESULT:
		return is_kind(c, "package");
	case EIM_ITEM_DATA:
		return is_kind(c, "data");
	case EIM_ITEM_TRIGGER:
		return is_kind(c, "trigger");
	case EIM_ITEM_ERROR:
		break;
	}
	return !is_kind(c, "package");
}

static const struct step *
record(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	if (c->found.package_id == STORE_NULL || !answers(c)) {
		c->call.note = "of no request of ours";
		GO(next_item);
	}
	c->record.eid = c->found.eid;
	c->record.package_id = c->found.package_id;
	return store_eim_result_record(
		t, c->call.eim->store, &c->record, &c->recorded, THEN(check_recorded));
}

static const struct step *
check_recorded(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct eim_item *item = &c->items[c->at];

	if (t->got != R_OK && item->kind == EIM_ITEM_RESULT) {
		/* Backwards: another instance has just taken the same; it is acknowledged all the same. */
		if (slice_eq(c->record.outcome, SLICE_LIT("unknown")))
			GO(next_item);
		return ++c->tries < EIM_TRIES ? THEN(find_package) : task_trouble(t, T_BUSY);
	}
	if (t->got == R_OK && item->kind == EIM_ITEM_RESULT) {
		stats_add(STATS_eim_results);
		if (item->result.arm == CODEC_PACKAGE_DONE)
			acknowledge(c, item->result.sequence);
	}
	GO(next_item);
}

static const struct step *
next_item(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	c->tries = 0;
	/* Backwards: each of them goes the same way. */
	if (++c->at < c->item_n)
		GO(find_package);
	if (!c->pending_n)
		GO(answer);
	c->kept_sha256 = ARENA_ARRAY(t->mem, struct slice, c->pending_n);
	c->kept_address = ARENA_ARRAY(t->mem, struct slice, c->pending_n);
	c->kept_octets = ARENA_ARRAY(t->mem, struct slice, c->pending_n);
	GO(verify_notification);
}

/* ---- notifications that came along ------------------------------------------------------------------ */

static const char *
notification_take(struct task *t, const struct codec_pending *pending)
{
	struct eim_provide_eim_package_result *c = t->state;
	struct codec_notification n;
	struct crypto_public key;
	struct crypto_euicc euicc;
	const char *why;
	uint8_t *sha256;

	if (pending->compact)
		return "compact";
	if (pending->octets.n > EVIDENCE_MAX)
		return "too-long";
	if (!codec_pending_notification_read(t->mem, pending->octets, &n, &why))
		return why;
	why = eim_notification_verify(
		&c->call, &n, eim_key_find(&c->found, &key) ? &key : NULL, c->found.eid, &euicc);
	if (why)
		return why;
	sha256 = arena_alloc(t->mem, CRYPTO_SHA256_SIZE);
	/* What stands around what is signed can be written in many ways. */
	crypto_sha256(&n.signed_part, 1, sha256);
	c->kept_sha256[c->kept_n] = slice_of(sha256, CRYPTO_SHA256_SIZE);
	c->kept_address[c->kept_n] = text_is_printable(n.address) ? n.address : SLICE_LIT("");
	c->kept_octets[c->kept_n++] = pending->octets;
	acknowledge(c, pending->sequence);
	return NULL;
}

static const struct step *
verify_notification(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;
	const struct step *again;
	const char *why;

	if (c->pending_at == c->pending_n)
		GO(keep_notifications);
	why = notification_take(t, &c->pending[c->pending_at++]);
	if (why) {
		stats_add(STATS_eim_notification_unproven);
		c->call.note = why;
	}
	/* Backwards, from the queue: two hundred signatures in one turn would keep all others waiting. */
	again = task_wait(t, THEN(verify_notification), NULL, NULL);
	task_wake(t, R_OK, T_NONE);
	return again;
}

static const struct step *
keep_notifications(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	if (!c->kept_n)
		GO(answer);
	return store_eim_notifications_keep(t, c->call.eim->store, c->found.eid, c->kept_sha256,
		c->kept_address, c->kept_octets, c->kept_n, &c->kept, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct eim_provide_eim_package_result *c = t->state;

	if (c->ack_n)
		c->out.eim_acknowledgements =
			codec_eim_acknowledgements_write(t->mem, c->acks, c->ack_n);
	FINISH;
}
