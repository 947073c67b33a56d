/*
 * InitiateAuthentication (SGP.22 §5.6.1; §3.1.2 steps 6 to 10): the server proves itself to the eUICC.
 * Nothing is kept: the transaction id carries its own proof, and the challenge derives from it.
 */
#include "base/clock.h"
#include "codec/server.h"
#include "dp/functions.h"
#include "keys/keys.h"
#include "stats/stats.h"

/* clang-format off */
#define STEPS(S) \
	S(check_version)   /* §5.6.1: a specification version that we serve       */ \
	S(check_address)   /* the LPA called this very server                     */ \
	S(choose_ci)       /* a CI for the eUICC's certificate and one for ours   */ \
	S(sign)            /* transaction id, challenge, serverSigned1            */ \
	S(answer)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

const struct procedure dp_initiate_authentication = { "InitiateAuthentication", THEN(check_version),
	NULL, steps, DP_DEADLINE_MS, DP_ARENA, sizeof(struct dp_initiate_authentication) };

static const struct step *
check_version(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;
	const struct dp_settings *settings;

	c->call.world = dp_world_hold(c->call.dp, t);
	if (!c->call.world)
		return task_trouble(t, T_BUSY);
	settings = &c->call.world->settings;
	if (!codec_euicc_info1_read(t->mem, c->in.euicc_info1, &c->info, &c->call.note) ||
		c->in.euicc_challenge.n != CRYPTO_CHALLENGE_SIZE)
		return task_refuse(t, REFUSE(MEMBER_INVALID));
	/* An eUICC of v3 tells a lowest and a highest version: some version in between must be ours. */
	if (memcmp(c->info.highest_svn, settings->svn_lowest, 3) < 0 ||
		memcmp(c->info.svn, settings->svn_highest, 3) > 0)
		return task_refuse(t, REFUSE(SVN_UNSUPPORTED));
	GO(check_address);
}

/* LPAs spell it with a port, a trailing dot, in upper case. */
static struct slice
host_of(struct slice address)
{
	const uint8_t *colon = memchr(address.p, ':', address.n);

	if (colon &&
		slice_is_digits(slice_sub(address, (size_t)(colon - address.p) + 1, address.n)))
		address.n = (size_t)(colon - address.p);
	if (address.n && address.p[address.n - 1] == '.')
		address.n--;
	return address;
}

static const struct step *
check_address(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;
	const struct dp_settings *settings = &c->call.world->settings;
	struct slice host = host_of(c->in.smdp_address);

	for (size_t i = 0; i < settings->name_count; i++)
		if (slice_eq_nocase(host, settings->names[i])) {
			if (!slice_eq(c->in.smdp_address, settings->names[i]))
				stats_add(STATS_lenient_address);
			GO(choose_ci);
		}
	return task_refuse(t, REFUSE(ADDRESS_REFUSED));
}

static bool
listed(const struct codec_ci_list *list, const uint8_t id[CRYPTO_KEY_ID_SIZE])
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_eq(list->id[i], slice_of(id, CRYPTO_KEY_ID_SIZE)))
			return true;
	return false;
}

/* The set of this CI whose own certificates the eUICC can verify; first those under the same CI. */
static const struct dp_set *
set_choose(const struct dp_world *w, struct slice ci, const struct codec_ci_list *verify)
{
	const struct dp_set *second = NULL;

	for (size_t i = 0; i < w->set_count; i++) {
		const struct dp_set *set = &w->sets[i];
		const uint8_t *own = set->credential->facts.ci_id;

		if (!slice_eq(ci, SLICE_ARRAY(set->ci_id)) || !listed(verify, own))
			continue;
		if (slice_eq(ci, slice_of(own, CRYPTO_KEY_ID_SIZE)))
			return set;
		if (!second)
			second = set;
	}
	return second;
}

static const struct step *
choose_ci(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;
	const struct dp_world *w = c->call.world;
	bool trusted = false;

	/* The order of the list is the eUICC's preference. */
	for (size_t i = 0; i < c->info.sign.n && !c->set; i++) {
		if (!crypto_trust_find(w->trust, c->info.sign.id[i]))
			continue;
		trusted = true;
		c->set = set_choose(w, c->info.sign.id[i], &c->info.verify);
	}
	if (!trusted)
		return task_refuse(t, REFUSE(CI_UNSUPPORTED));
	if (!c->set)
		return task_refuse(t, REFUSE(CERTIFICATE_UNAVAILABLE));
	GO(sign);
}

static const struct step *
sign(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;
	const struct dp_world *w = c->call.world;
	uint8_t *id = arena_alloc(t->mem, CRYPTO_TOKEN_SIZE);
	uint8_t challenge[CRYPTO_CHALLENGE_SIZE];

	crypto_token_make(w->ring, c->set->number, clock_wall_us() / 1000000, id);
	c->call.transaction_id = slice_of(id, CRYPTO_TOKEN_SIZE);
	if (!crypto_token_challenge(
		    w->ring, c->call.transaction_id, c->info.svn, c->in.smdp_address, challenge))
		return task_trouble(t, T_BROKEN);
	c->out.server_signed1 = codec_server_signed1_write(t->mem,
		&(struct codec_server_signed1){ .transaction_id = c->call.transaction_id,
			.euicc_challenge = c->in.euicc_challenge,
			.server_address = c->in.smdp_address,
			.server_challenge = SLICE_ARRAY(challenge) });
	return keys_sign(t, c->set->credential->auth_key, KEYS_ANONYMOUS, &c->out.server_signed1, 1,
		&c->signature, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_initiate_authentication *c = t->state;

	c->out.server_signature1 = codec_signature_write(t->mem, c->signature);
	c->out.ci_pkid = codec_ci_pkid_write(t->mem, SLICE_ARRAY(c->set->ci_id));
	c->out.server_certificate = c->set->credential->auth;
	FINISH;
}
