/*
 * deny add, remove, list: what is not served (docs/lists.md). A certificate is named by the identifier of
 * its key, or by its issuer's with its serial number; EIDs and firmware versions as one, or as a range.
 */
#include <stdio.h>
#include "base/text.h"
#include "crypto/cert.h"
#include "ctl/verbs.h"
#include "store/deny.h"

enum { SERIAL_MAX = 64, EID = 32, TRIES = 2 };

/* ---- deny add ---- */

/* clang-format off */
#define ADD_STEPS(S) S(add) S(added)
/* clang-format on */
ADD_STEPS(DECLARE_STEP)
static const struct step *const add_steps[] = { ADD_STEPS(STEP_REF) NULL };

struct deny_add {
	struct dp_call call;
	struct dp_actor actor;
	struct store_denied what;
	struct store_deny_added out;
	unsigned tries;
};

static const struct refusal LIST_FULL = { "LIST_FULL", LOG_NOTICE,
	"the deny-lists have 10000 entries, which is all they may have; name ranges of EIDs, or "
	"remove "
	"some" };
static const struct refusal ENTRY_UNKNOWN = { "ENTRY_UNKNOWN", LOG_INFO,
	"there is no entry of this number; see deny list" };

const struct procedure ctl_deny_add = { "AddDenied", THEN(add), NULL, add_steps, CTL_DEADLINE_MS,
	256 * 1024, sizeof(struct deny_add) };

/* The certificate's issuer and serial number: who holds it cannot change these. */
static const char *
read_certificate(struct task *t, struct store_denied *what)
{
	struct slice octets, pem, der;
	struct crypto_cert c;

	if (!ctl_octets_get(t, "certificate", &octets))
		return "certificate is no Base64; send PEM or DER in Base64";
	if (!octets.p)
		return NULL;
	pem = octets;
	if (!text_unpem(t->mem, &pem, "CERTIFICATE", &der))
		der = octets;
	if (!crypto_cert_read(&c, der) || c.authority_key_id.n != CRYPTO_KEY_ID_SIZE)
		return "this is no certificate of an EUM or eUICC; give PEM or DER";
	what->issuer_id = c.authority_key_id;
	what->serial = c.serial;
	return NULL;
}

/* Hexadecimal octets, with or without colons. */
static const char *
read_hex(struct task *t, const char *name, size_t least, size_t most, struct slice *out)
{
	struct slice text = ctl_text_get(t, name);
	uint8_t *digits = arena_alloc(t->mem, text.n + 1);
	size_t n = 0;

	if (!text.p)
		return NULL;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ':')
			digits[n++] = text.p[i];
	if (!text_unhex(t->mem, slice_of(digits, n), out) || out->n < least || out->n > most)
		return arena_printf(t->mem,
			"%s is not what it should be; give %zu to %zu octets as hexadecimal digits",
			name, least, most);
	return NULL;
}

/* LOW-HIGH, or one text for both. */
static void
split(struct slice text, struct slice *low, struct slice *high)
{
	const uint8_t *dash = text.p ? memchr(text.p, '-', text.n) : NULL;

	*low = *high = text;
	if (dash) {
		low->n = (size_t)(dash - text.p);
		*high = slice_of(dash + 1, text.n - low->n - 1);
	}
}

/* The first digits of an EID, filled up. */
static struct slice
filled(struct task *t, struct slice digits, char with)
{
	char *eid = arena_alloc(t->mem, EID);

	memset(eid, with, EID);
	memcpy(eid, digits.p, digits.n);
	return slice_of(eid, EID);
}

static const char *
read_eids(struct task *t, struct store_denied *what)
{
	struct slice text = ctl_text_get(t, "eids"), low, high;

	if (!text.p)
		return NULL;
	split(text, &low, &high);
	if (!slice_is_digits(low) || !slice_is_digits(high) || low.n > EID || high.n > EID)
		return "eids is no range; give an EID, its first digits, or LOW-HIGH";
	what->eid_low = filled(t, low, '0');
	what->eid_high = filled(t, high, '9');
	if (memcmp(what->eid_low.p, what->eid_high.p, EID) > 0)
		return "the range of EIDs ends before it begins; give the lower one first";
	return NULL;
}

/* MAJOR.MINOR.REVISION; -1 when it is none. */
static int32_t
version_of(struct slice text)
{
	unsigned major, minor, revision;
	char copy[16], rest;

	if (!text.n || text.n >= sizeof copy)
		return -1;
	memcpy(copy, text.p, text.n);
	copy[text.n] = 0;
	if (sscanf(copy, "%3u.%3u.%3u%c", &major, &minor, &revision, &rest) != 3 || major > 255 ||
		minor > 255 || revision > 255)
		return -1;
	return (int32_t)(major << 16 | minor << 8 | revision);
}

static const char *
read_firmware(struct task *t, struct store_denied *what)
{
	struct slice text = ctl_text_get(t, "firmware"), low, high;

	what->firmware_low = what->firmware_high = -1;
	if (!text.p)
		return NULL;
	split(text, &low, &high);
	what->firmware_low = version_of(low);
	what->firmware_high = version_of(high);
	if (what->firmware_low < 0 || what->firmware_high < what->firmware_low)
		return "firmware is no version; give MAJOR.MINOR.REVISION or two of them, LOW-HIGH";
	return NULL;
}

/* Which members go with which kind. */
static const char *
misfit(const struct store_denied *w)
{
	bool certificate = w->key_id.p || w->issuer_id.p || w->serial.p;
	bool firmware = w->firmware_low >= 0;

	if (slice_eq(w->kind, SLICE_LIT("eum")) || slice_eq(w->kind, SLICE_LIT("euicc")))
		return (w->key_id.p != NULL) == (w->issuer_id.p != NULL) ||
				(w->issuer_id.p != NULL) != (w->serial.p != NULL) || w->eid_low.p ||
				firmware
			? "a certificate is named by certificate, by keyId, or by issuer and "
			  "serial; give one of these and nothing else"
			: NULL;
	if (slice_eq(w->kind, SLICE_LIT("eid")))
		return !w->eid_low.p || certificate || firmware
			? "EIDs are named by eids; give that and nothing else"
			: NULL;
	if (slice_eq(w->kind, SLICE_LIT("firmware")))
		return !firmware || certificate
			? "firmware is named by firmware, and perhaps eids; give these and "
			  "nothing else"
			: NULL;
	return "kind is none of eum, euicc, eid, firmware; see rspctl help deny add";
}

const struct refusal *
ctl_deny_add_read(struct task *t)
{
	struct deny_add *c = t->state;
	struct store_denied *w = &c->what;
	const char *wrong;

	c->actor = ctl_actor_get(t);
	w->kind = ctl_text_get(t, "kind");
	wrong = read_certificate(t, w);
	if (!wrong && w->issuer_id.p &&
		(ctl_text_get(t, "issuer").p || ctl_text_get(t, "serial").p))
		wrong = "certificate gives issuer and serial; leave these out";
	if (!wrong)
		wrong = read_hex(t, "keyId", CRYPTO_KEY_ID_SIZE, CRYPTO_KEY_ID_SIZE, &w->key_id);
	if (!wrong)
		wrong = read_hex(
			t, "issuer", CRYPTO_KEY_ID_SIZE, CRYPTO_KEY_ID_SIZE, &w->issuer_id);
	if (!wrong)
		wrong = read_hex(t, "serial", 1, SERIAL_MAX, &w->serial);
	if (!wrong)
		wrong = read_eids(t, w);
	if (!wrong)
		wrong = read_firmware(t, w);
	if (!wrong)
		wrong = misfit(w);
	return wrong ? ctl_refuse(t, wrong) : NULL;
}

static const struct step *
add(struct task *t)
{
	struct deny_add *c = t->state;

	return store_deny_add(
		t, c->call.dp->store, &c->what, c->actor.name, c->actor.why, &c->out, THEN(added));
}

static const struct step *
added(struct task *t)
{
	struct deny_add *c = t->state;

	/* Backward, once: the same entry may just have been added beside us; now it shows. */
	if (t->got == R_CONFLICT)
		return ++c->tries < TRIES ? THEN(add) : task_refuse(t, &LIST_FULL);
	/* Every instance hears it, this one too. */
	store_notify(c->call.dp->store, STORE_DENY_CHANNEL);
	FINISH;
}

void
ctl_deny_add_write(struct task *t, json_t *ok)
{
	const struct deny_add *c = t->state;

	json_object_set_new(ok, "id", json_integer(c->out.id));
	json_object_set_new(ok, "added", json_boolean(c->out.added));
}

/* ---- deny remove ---- */

#define REMOVE_STEPS(S) S(take_away) S(taken_away)
REMOVE_STEPS(DECLARE_STEP)
static const struct step *const remove_steps[] = { REMOVE_STEPS(STEP_REF) NULL };

struct deny_remove {
	struct dp_call call;
	struct dp_actor actor;
	int64_t id;
	struct store_deny_removed out;
};

const struct procedure ctl_deny_remove = { "RemoveDenied", THEN(take_away), NULL, remove_steps,
	CTL_DEADLINE_MS, 64 * 1024, sizeof(struct deny_remove) };

const struct refusal *
ctl_deny_remove_read(struct task *t)
{
	struct deny_remove *c = t->state;

	c->actor = ctl_actor_get(t);
	c->id = ctl_number_get(t, "id");
	return NULL;
}

static const struct step *
take_away(struct task *t)
{
	struct deny_remove *c = t->state;

	return store_deny_remove(t, c->call.dp->store, c->id, c->actor.name, c->actor.why, &c->out,
		THEN(taken_away));
}

static const struct step *
taken_away(struct task *t)
{
	struct deny_remove *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, &ENTRY_UNKNOWN);
	store_notify(c->call.dp->store, STORE_DENY_CHANNEL);
	FINISH;
}

void
ctl_deny_remove_write(struct task *t, json_t *ok)
{
	json_object_set_new(ok, "id", json_integer(((struct deny_remove *)t->state)->out.id));
}
