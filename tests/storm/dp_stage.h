#ifndef STORM_DP_STAGE_H
#define STORM_DP_STAGE_H
/*
 * A stage for the procedures of ES9+: a world with a PKI made on the spot, a card that signs, and in
 * place of the store's engine a script that answers each statement with the row a download would find,
 * or, at one chosen wait, with any other outcome.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "base/clock.h"
#include "base/text.h"
#include <openssl/pem.h>
#include "codec/der.h"
#include "codec/server.h"
#include "crypto/agree.h"
#include "dp/functions.h"
#include "keys/keys.h"
#include "loop/loop.h"
#include "store/notification.h"
#include "store/query.h"
#include "unit/crypto_pki.h"

#define STAGE_EID "89049032123451234512345678901235"
#define STAGE_ICCID "89000123456789012341"

/* ---- the script ------------------------------------------------------------------------------------- */

enum outcome { AS_WRITTEN, NO_ROW, CONFLICTING, BUSY, UNSURE, BROKEN, NEVER, OUTCOMES };

static struct {
	unsigned wait;        /* which one is disturbed, from 1; 0: none */
	enum outcome outcome; /* how */
	unsigned waits;       /* seen so far */
	unsigned abandoned;
} script;

static struct {
	struct loop *loop;
	struct arena mem;
	struct dp dp;
	struct dp_world world;
	struct pki_node *ci, *eum, *euicc;
	struct crypto_private *card;
	uint8_t challenge[16];
	struct slice transaction_id, metadata, signature2, sealed_upp, sealed_seed;
	bool with_code, bound;
} stage;

static inline void
row_admission(struct store_admission *row)
{
	*row = (struct store_admission){ .order_id = 7,
		.iccid = SLICE_LIT(STAGE_ICCID),
		.state = SLICE_LIT("released"),
		.saip_version = 2 * 256 + 3,
		.upp_octets = 500,
		.code_required = stage.with_code,
		.metadata = stage.metadata };
}

static inline void
row_package(struct store_package *row)
{
	const struct crypto_public *key = crypto_private_public(stage.card);

	*row = (struct store_package){ .session_state = SLICE_LIT("authenticated"),
		.eid = SLICE_LIT(STAGE_EID),
		.euicc_point = SLICE_ARRAY(key->point),
		.signature2 = stage.signature2,
		.metadata = stage.metadata,
		.credential_set = 1,
		.code_required = stage.with_code,
		.order_id = 7,
		.iccid = SLICE_LIT(STAGE_ICCID),
		.pending = true,
		.state = SLICE_LIT("released"),
		.protection_keys = true,
		.upp = stage.sealed_upp };
}

static inline void
row_session(struct store_session *row)
{
	const struct crypto_public *key = crypto_private_public(stage.card);

	*row = (struct store_session){ .state = SLICE_LIT("bound"),
		.eid = SLICE_LIT(STAGE_EID),
		.euicc_point = SLICE_ARRAY(key->point),
		.credential_set = 1,
		.smdp_oid = SLICE_LIT("2.999.10"),
		.order_id = 7,
		.iccid = SLICE_LIT(STAGE_ICCID),
		.waiting = true };
}

static inline void
row_write(unsigned query, void *row)
{
	switch (query) {
	case Q_SESSION_ADMIT:
		row_admission(row);
		break;
	case Q_PACKAGE_FIND:
		row_package(row);
		break;
	case Q_SESSION_FIND:
		row_session(row);
		break;
	case Q_SESSION_CHECK_CODE:
		((struct store_code_check *)row)->outcome = SLICE_LIT("right");
		break;
	default:
		break; /* what the others return is not read */
	}
}

static inline void
on_abandon(void *arg)
{
	(void)arg;
	script.abandoned++;
}

/* In place of the engine's (store/lane.c): the linker takes this one. */
const struct step *
query_start(struct task *t, struct store *s, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then)
{
	bool disturbed = ++script.waits == script.wait;
	enum outcome outcome = disturbed ? script.outcome : AS_WRITTEN;
	static const enum trouble troubles[OUTCOMES] = {
		[BUSY] = T_BUSY, [UNSURE] = T_UNSURE, [BROKEN] = T_BROKEN
	};
	const struct step *waiting = task_wait(t, then, on_abandon, NULL);

	(void)s;
	(void)params;
	(void)n;
	if (outcome == NEVER)
		return waiting;
	if (outcome == AS_WRITTEN && want.row)
		row_write(query, want.row);
	task_wake(t,
		outcome == NO_ROW                ? R_NONE
			: outcome == CONFLICTING ? R_CONFLICT
						 : R_OK,
		troubles[outcome]);
	return waiting;
}

/* ---- the world -------------------------------------------------------------------------------------- */

static inline struct slice
stage_hex(const char *hex)
{
	struct slice out;

	assert_true(text_unhex(&stage.mem, slice_text(hex), &out));
	return out;
}

static inline struct keys_private *
stage_key(EVP_PKEY *key)
{
	char path[] = "/tmp/rspd-storm-XXXXXX";
	struct keys_private *out = NULL;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	assert_null(keys_private_load(path, &out));
	unlink(path);
	return out;
}

static inline void
stage_pki(void)
{
	struct arena *m = &stage.mem;
	struct dp_credential *c = &stage.world.credentials[0];
	struct pki_node *auth, *pb;
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long size;

	stage.ci = pki_issue(m, "P-256",
		(struct pki_order){ .subject = "CN=CI",
			.serial = 1,
			.extensions =
				"subjectKeyIdentifier=hash\nbasicConstraints=critical,CA:TRUE\n"
				"keyUsage=critical,keyCertSign,cRLSign\n"
				"certificatePolicies=critical,2.23.146.1.2.1.0\n" });
	stage.eum = pki_issue(m, "P-256",
		(struct pki_order){ .subject = "O=RSP Test EUM,CN=EUM",
			.serial = 2,
			.issuer = stage.ci,
			.extensions = "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
				      "basicConstraints=critical,CA:TRUE,pathlen:0\n"
				      "keyUsage=critical,keyCertSign\n"
				      "certificatePolicies=critical,2.23.146.1.2.1.2\n"
				      "nameConstraints=critical,permitted;dirName:nc\n[nc]\n"
				      "1.O=RSP Test EUM\n2.serialNumber=89049032\n" });
	stage.euicc = pki_issue(m, "P-256",
		(struct pki_order){ .subject = "O=RSP Test EUM,serialNumber=" STAGE_EID ",CN=eUICC",
			.serial = 3,
			.issuer = stage.eum,
			.extensions = "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
				      "keyUsage=critical,digitalSignature\n"
				      "certificatePolicies=critical,2.23.146.1.2.1.1\n" });
#define OWN(n)                                                              \
	"authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"         \
	"keyUsage=critical,digitalSignature\nsubjectAltName=RID:2.999.10\n" \
	"certificatePolicies=critical,2.23.146.1.2.1." n "\n"
	auth = pki_issue(m, "P-256",
		(struct pki_order){ .subject = "CN=DP",
			.serial = 4,
			.issuer = stage.ci,
			.extensions = OWN("4") });
	pb = pki_issue(m, "P-256",
		(struct pki_order){ .subject = "CN=DP",
			.serial = 5,
			.issuer = stage.ci,
			.extensions = OWN("5") });
	PEM_write_bio_PrivateKey(pem, stage.euicc->key, NULL, NULL, 0, NULL, NULL);
	size = BIO_get_mem_data(pem, &text);
	stage.card = crypto_private_new(slice_of(text, (size_t)size));
	BIO_free(pem);
	assert_non_null(stage.card);
	stage.world.trust = crypto_trust_new();
	assert_null(crypto_trust_add_root(stage.world.trust, stage.ci->der));
	*c = (struct dp_credential){ .auth = auth->der,
		.pb = pb->der,
		.auth_key = stage_key(auth->key),
		.pb_key = stage_key(pb->key) };
	assert_null(crypto_credential_check(
		stage.world.trust, clock_wall_us() / 1000000, c->auth, c->pb, &c->facts));
	stage.world.credential_count = 1;
	stage.world.sets[0] = (struct dp_set){ .number = 1, .credential = c };
	memcpy(stage.world.sets[0].ci_id, c->facts.ci_id, CRYPTO_KEY_ID_SIZE);
	stage.world.set_count = 1;
}

static inline void
stage_drop(void *world)
{
	(void)world; /* the stage outlives its tasks */
}

static inline void
stage_init(void)
{
	static const uint8_t key[32] = { 1, 2, 3 }, upp[500] = { 0xa0 };
	struct crypto_place place = { "profile_package.upp", SLICE_LIT(STAGE_ICCID) };

	memset(&stage, 0, sizeof stage);
	arena_init(&stage.mem, 1 << 22, NULL, NULL);
	stage.loop = loop_new(&(struct loop_limits){ .tasks = 10 });
	stage_pki();
	stage.world.references = 1;
	stage.world.drop = stage_drop;
	stage.world.ring = crypto_ring_new(SLICE_ARRAY(key), SLICE_NONE);
	stage.world.sealer = crypto_sealer_new(SLICE_ARRAY(key), SLICE_NONE);
	stage.world.settings = (struct dp_settings){ .names = { SLICE_LIT("smdp.example.org") },
		.name_count = 1,
		.svn_lowest = { 2, 0, 0 },
		.svn_highest = { 2, 255, 255 },
		.download_attempts = 10,
		.code_attempts = 10 };
	stage.dp = (struct dp){ .loop = stage.loop, .world = &stage.world };
	stage.metadata = stage_hex("bf25165a0a980010325476981032149102535092044e616d65");
	stage.sealed_upp = crypto_seal(stage.world.sealer, &stage.mem, place, SLICE_ARRAY(upp));
	stage.transaction_id = slice_of(arena_alloc(&stage.mem, 16), 16);
	stage.signature2 = slice_of(arena_alloc(&stage.mem, 64), 64);
}

static inline void
stage_fini(void)
{
	assert_int_equal(loop_tasks_get(stage.loop), 0);
	assert_int_equal(stage.world.references, 1);
	keys_private_free(stage.world.credentials[0].auth_key);
	keys_private_free(stage.world.credentials[0].pb_key);
	crypto_private_free(stage.card);
	crypto_trust_free(stage.world.trust);
	crypto_ring_free(stage.world.ring);
	crypto_sealer_free(stage.world.sealer);
	loop_free(stage.loop);
	arena_fini(&stage.mem);
}

/* ---- what the card says ----------------------------------------------------------------------------- */

/* A TLV around its parts. */
static inline struct slice
tlv(uint32_t tag, const struct slice *parts, size_t n)
{
	struct buf value, out;

	buf_init(&value, &stage.mem, 1 << 16);
	buf_init(&out, &stage.mem, 1 << 16);
	for (size_t i = 0; i < n; i++)
		buf_put(&value, parts[i]);
	codec_der_put(&out, tag, buf_get(&value));
	return buf_get(&out);
}
#define TLV(tag, ...)                             \
	tlv(tag, (struct slice[]){ __VA_ARGS__ }, \
		sizeof((struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))

static inline struct slice
card_sign(struct slice first, struct slice second)
{
	struct slice parts[] = { first, second };
	uint8_t *signature = arena_alloc(&stage.mem, 64);

	crypto_private_sign(stage.card, parts, second.p ? 2 : 1, signature);
	return codec_signature_write(&stage.mem, slice_of(signature, 64));
}

static inline struct slice
card_info(uint32_t tag)
{
	struct slice id = TLV(4, SLICE_ARRAY(stage.world.sets[0].ci_id));
	struct slice svn = stage_hex("8203020202");

	if (tag == 0xbf20)
		return TLV(0xbf20, svn, TLV(0xa9, id), TLV(0xaa, id));
	return TLV(0xbf22, stage_hex("8103020301"), svn, stage_hex("8303010203"),
		stage_hex("840d81010082040001000083022000"), stage_hex("8504047f36c0"),
		stage_hex("8603090200"), stage_hex("8703020300"), stage_hex("8802079c"),
		TLV(0xa9, id), TLV(0xaa, id), stage_hex("8b0102"), stage_hex("0403010000"),
		stage_hex("0c0e584d2d5a482d5550502d30303031"));
}

static inline struct slice
card_authenticate(void)
{
	static const uint8_t svn[3] = { 2, 2, 2 };
	struct slice address = SLICE_LIT("smdp.example.org"), signed1;

	assert_true(crypto_token_challenge(
		stage.world.ring, stage.transaction_id, svn, address, stage.challenge));
	signed1 = TLV(0x30, TLV(0x80, stage.transaction_id), TLV(0x83, address),
		TLV(0x84, SLICE_ARRAY(stage.challenge)), card_info(0xbf22),
		TLV(0xa0, TLV(0x80, SLICE_LIT("M-1")),
			TLV(0xa1, stage_hex("800435290611"), stage_hex("a100"))));
	return TLV(0xbf38,
		TLV(0xa0, signed1, card_sign(signed1, SLICE_NONE), stage.euicc->der,
			stage.eum->der));
}

static inline struct slice
card_prepare(void)
{
	uint8_t seed[32] = { 9 };
	struct crypto_one_time one;
	struct slice signed2;

	crypto_one_time_init(&one, CURVE_P256, seed);
	signed2 = stage.with_code
		? TLV(0x30, TLV(0x80, stage.transaction_id),
			  TLV(0x5f49, SLICE_ARRAY(one.public.point)), TLV(4, slice_of(seed, 32)))
		: TLV(0x30, TLV(0x80, stage.transaction_id),
			  TLV(0x5f49, SLICE_ARRAY(one.public.point)));
	crypto_one_time_fini(&one);
	return TLV(0xbf21,
		TLV(0xa0, signed2,
			card_sign(signed2, codec_signature_write(&stage.mem, stage.signature2))));
}

static inline struct slice
card_result(void)
{
	struct slice data = TLV(0xbf27, TLV(0x80, stage.transaction_id),
		TLV(0xbf2f, stage_hex("800101"), stage_hex("81020780"),
			TLV(0x0c, SLICE_LIT("smdp.example.org")),
			stage_hex("5a0a98001032547698103214")),
		stage_hex("060388370a"),
		TLV(0xa2,
			TLV(0xa0, stage_hex("4f10a0000005591010ffffffff8900001000"),
				stage_hex("04093007a0053003800100"))));

	return TLV(0xbf37, data, card_sign(data, SLICE_NONE));
}

static inline struct slice
card_notification(void)
{
	struct slice meta = TLV(0xbf2f, stage_hex("800102"), stage_hex("81020640"),
		TLV(0x0c, SLICE_LIT("smdp.example.org")), stage_hex("5a0a98001032547698103214"));

	return TLV(0x30, meta, card_sign(meta, SLICE_NONE), stage.euicc->der, stage.eum->der);
}

static inline struct slice
card_cancel(void)
{
	struct slice part = TLV(0x30, TLV(0x80, stage.transaction_id), stage_hex("810388370a"),
		stage_hex("820100"));

	return TLV(0xbf41, TLV(0xa0, part, card_sign(part, SLICE_NONE)));
}

#endif
