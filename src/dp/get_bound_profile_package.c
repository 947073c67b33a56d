/*
 * GetBoundProfilePackage (SGP.22 §5.6.2; §3.1.3.2 steps 6 to 11): the profile, bound to this eUICC. It
 * leaves only after the order is tied to the eUICC in the database. The same one-time key gets the same
 * package, another one new keys; the same call in the same session gets the same answer (RULES 2).
 */
#include "base/clock.h"
#include "base/rand.h"
#include "codec/server.h"
#include "dp/bpp.h"
#include "dp/denied.h"
#include "dp/functions.h"
#include "dp/personalise.h"
#include "dp/plans.h"
#include "keys/keys.h"
#include "profile/life.h"

/* clang-format off */
#define STEPS(S) \
	S(verify_transaction) /* ours; the eUICC is ready                         */ \
	S(find_session)       /* session, order, profile, binding: one row        */ \
	S(verify_euicc)       /* euiccSignature2 with the session's key           */ \
	S(judge_order)        /* still there, still for this eUICC; code given    */ \
	S(check_code)         /* the Confirmation Code, counted and compared      */ \
	S(find_template)      /* what the profile is made of, unless it is known  */ \
	S(make_package)       /* the profile, personalised or as it was imported  */ \
	S(open_package)       /* the seed of its keys, or a new one               */ \
	S(sign_channel)       /* InitialiseSecureChannel, for this transaction    */ \
	S(record)             /* Downloaded, linked, binding kept: once           */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_get_bound_profile_package = { "GetBoundProfilePackage",
	THEN(verify_transaction), NULL, steps, DP_DEADLINE_MS, DP_PACKAGE_ARENA,
	sizeof(struct dp_get_bound_profile_package) };

static const struct step *
verify_transaction(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	struct crypto_token_facts facts;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world || !c->call.dp->denied)
		return task_trouble(t, T_BUSY);
	if (crypto_token_check(c->call.world->ring, c->call.transaction_id, 0, &facts) != TOKEN_OK)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	if (!codec_prepare_response_read(
		    t->mem, c->in.prepare_download_response, &c->response, &c->call.note))
		return task_refuse(t, REFUSE(MEMBER_INVALID));
	dp_leniencies_count(c->response.leniencies);
	if (!slice_eq(c->response.transaction_id, c->call.transaction_id))
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	c->began = facts.seconds;
	crypto_sha256(&c->in.prepare_download_response, 1, c->request_sha256);
	GO(find_session);
}

static const struct step *
find_session(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	return store_package_find(
		t, c->call.dp->store, c->call.transaction_id, &c->found, THEN(verify_euicc));
}

/* Was this very call answered before? */
static bool
repeated(const struct dp_get_bound_profile_package *c)
{
	return slice_eq(c->found.answered_sha256, SLICE_ARRAY(c->request_sha256));
}

static const struct step *
verify_euicc(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	const struct dp_refusal *no;
	struct crypto_public key;
	struct slice parts[2];
	int64_t entry;

	if (t->got == R_NONE)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	dp_eid_set(t, c->found.eid);
	c->call.iccid = c->found.iccid;
	c->call.order_id = c->found.order_id == STORE_NULL ? 0 : c->found.order_id;
	if (!slice_eq(c->found.session_state, SLICE_LIT("authenticated")) && !repeated(c))
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	if (!c->response.ok) {
		c->call.note = arena_printf(t->mem, "downloadErrorCode %d", c->response.error);
		return task_refuse(t, REFUSE(EUICC_REPORTS_ERROR));
	}
	parts[0] = c->response.signed2;
	parts[1] = codec_signature_write(t->mem, c->found.signature2);
	if (!crypto_public_init(&key, c->found.euicc_curve, c->found.euicc_point) ||
		!crypto_verify(&key, parts, 2, c->response.signature))
		return task_refuse(t, REFUSE(EUICC_SIGNATURE));
	c->call.proved = true;
	no = dp_denied_eid(c->call.dp->denied, c->found.eid, &entry);
	if (no) {
		c->call.note =
			arena_printf(t->mem, "entry %lld of the deny-lists", (long long)entry);
		return task_refuse(t, &no->base);
	}
	c->set = dp_set_find(c->call.world, (uint8_t)c->found.credential_set);
	if (!c->set)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	GO(judge_order);
}

/* What became of the order since AuthenticateClient. NULL: it may be bound. */
static const struct dp_refusal *
order_refusal(const struct dp_get_bound_profile_package *c)
{
	const struct store_package *f = &c->found;
	const struct dp_refusal *ended = dp_refusal_find(f->error);
	enum profile_state state;

	if (f->cancelled)
		return &DP_ORDER_EXPIRED;
	if (!f->pending || f->frozen || !profile_state_find(f->state, &state))
		return &DP_BINDING_REFUSED;
	if (state == STATE_error && (ended == &DP_ORDER_EXPIRED || ended == &DP_CODE_EXCEEDED))
		return ended;
	if (state != STATE_released && state != STATE_downloaded)
		return &DP_BINDING_REFUSED;
	if (f->order_eid.p && !slice_eq(f->order_eid, f->eid))
		return &DP_BINDING_REFUSED;
	return NULL;
}

static const struct step *
judge_order(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	const struct dp_refusal *no;

	if (repeated(c)) {
		c->call.note = "repeated";
		no = dp_refusal_find(c->found.refusal);
		if (no)
			return task_refuse(t, &no->base);
		/* A later session made another package, or the profile is installed: it is over. */
		if (!slice_eq(c->found.bound_by, c->call.transaction_id))
			return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
		GO(find_template);
	}
	/* §3.1.2: a session ends in time; only what was answered once is answered for ever. */
	if (clock_wall_us() / 1000000 - c->began > DP_SESSION_SECONDS)
		return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
	no = order_refusal(c);
	if (no)
		return task_refuse(t, &no->base);
	if (!c->found.code_required)
		GO(find_template);
	if (!c->response.hash_cc.p)
		return task_refuse(t, REFUSE(CODE_MISSING));
	return store_session_check_code(t, c->call.dp->store, c->call.transaction_id,
		c->response.hash_cc, c->call.world->settings.code_attempts,
		SLICE_ARRAY(c->request_sha256), &c->code, THEN(check_code));
}

/* Backwards: the order, or this very session, changed since it was read. */
static const struct step *
look_again(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	return ++c->tries < DP_TRIES ? THEN(find_session) : task_trouble(t, T_BUSY);
}

static const struct step *
check_code(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	const struct dp_refusal *no;

	if (t->got == R_CONFLICT)
		return look_again(t);
	no = dp_refusal_find(c->code.outcome);
	c->call.recorded = no != NULL; /* a wrong code ended the session */
	if (no)
		return task_refuse(t, &no->base);
	GO(find_template);
}

static struct crypto_place
seed_place(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	return (struct crypto_place){ "binding.seed",
		slice_text(arena_printf(t->mem, "%lld", (long long)c->found.order_id)) };
}

/* The package of `seed`; NULL when the eUICC's one-time key is no point of our curve. */
static struct bpp *
build(struct task *t, const uint8_t *seed, struct slice upp)
{
	struct dp_get_bound_profile_package *c = t->state;
	const struct crypto_credential *own = &c->set->credential->facts;
	struct bpp_inputs in = { .curve = own->curve,
		.seed = seed,
		.otpk = c->response.otpk,
		.eid = c->found.eid,
		.host_id = slice_of(
			own->oid, own->oid_n < DP_HOST_ID_MAX ? own->oid_n : DP_HOST_ID_MAX),
		.metadata = c->found.metadata,
		.upp = upp,
		.protection_keys = c->found.protection_keys };

	return bpp_new(t->mem, &in);
}

/* May the package of the last attempt be made again? Same key, same certificate: §3.1.3.2 step 9. */
static bool
bound_alike(const struct dp_get_bound_profile_package *c)
{
	return slice_eq(c->found.bound_otpk, c->response.otpk) &&
		slice_eq(c->found.bound_eid, c->found.eid) &&
		c->found.bound_set == c->found.credential_set;
}

static const struct step *
find_template(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	if (c->found.template_id == STORE_NULL)
		GO(make_package);
	c->template = dp_plan_find(c->call.dp->plans, c->found.template_id);
	if (c->template)
		GO(make_package);
	return store_template_find(t, c->call.dp->store, c->found.template_id, &c->sealed_template,
		THEN(make_package));
}

static const struct step *
make_package(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	struct crypto_place package = { "profile_package.upp", c->found.iccid };
	bool fine;

	if (c->found.template_id == STORE_NULL) {
		fine = dp_sealed_open(t, c->call.world, package, c->found.upp, &c->upp);
	} else {
		if (!c->template)
			c->template = dp_template_open(
				t, c->call.world, c->found.template_id, c->sealed_template.upp);
		fine = c->template &&
			dp_personalise(t, c->call.world, c->template, c->found.iccid,
				c->found.personal, &c->upp);
	}
	if (!fine)
		return task_trouble(t, T_BROKEN);
	GO(open_package);
}

static const struct step *
open_package(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	struct slice seed;

	if (bound_alike(c)) {
		if (!dp_sealed_open(t, c->call.world, seed_place(t), c->found.bound_seed, &seed))
			return task_trouble(t, T_BROKEN);
		c->bpp = build(t, seed.p, c->upp);
		c->sealed_seed = c->found.bound_seed;
	}
	if (repeated(c)) {
		/* What cannot be made again octet for octet is over. */
		if (!c->bpp || !slice_eq(c->found.bound_sha256, SLICE_ARRAY(c->bpp->sha256)))
			return task_refuse(t, REFUSE(TRANSACTION_UNKNOWN));
		c->signature = c->found.answered_sign;
		t->got = R_OK;
		GO(answer);
	}
	/* Different plaintext under the same keys would give both away: new keys then (RULES 2). */
	if (!c->bpp || !slice_eq(c->found.bound_sha256, SLICE_ARRAY(c->bpp->sha256))) {
		uint8_t *fresh = arena_alloc(t->mem, CRYPTO_SEED_SIZE);

		rand_bytes(fresh, CRYPTO_SEED_SIZE);
		c->bpp = build(t, fresh, c->upp);
		c->sealed_seed = crypto_seal(c->call.world->sealer, t->mem, seed_place(t),
			slice_of(fresh, CRYPTO_SEED_SIZE));
	}
	if (!c->bpp) {
		c->call.note = "euiccOtpk is no point of the curve";
		return task_refuse(t, REFUSE(MEMBER_INVALID));
	}
	GO(sign_channel);
}

static const struct step *
sign_channel(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	struct slice octets = bpp_signed_octets(t->mem, c->bpp, c->call.transaction_id);

	return keys_sign(t, c->set->credential->pb_key, KEYS_VERIFIED, &octets, 1, &c->signature,
		THEN(record));
}

static const struct step *
record(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;
	struct store_binding binding = { .transaction_id = c->call.transaction_id,
		.otpk = c->response.otpk,
		.seed = c->sealed_seed,
		.segments_sha256 = SLICE_ARRAY(c->bpp->sha256),
		.request_sha256 = SLICE_ARRAY(c->request_sha256),
		.sign = c->signature,
		.credential_set = c->set->number };

	return store_package_record(t, c->call.dp->store, &binding, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_get_bound_profile_package *c = t->state;

	if (t->got == R_CONFLICT)
		return look_again(t);
	c->out.bound_profile_package =
		bpp_write(t->mem, c->bpp, c->call.transaction_id, c->signature);
	FINISH;
}
