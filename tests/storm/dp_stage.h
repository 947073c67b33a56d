#ifndef STORM_DP_STAGE_H
#define STORM_DP_STAGE_H
/*
 * A stage for the procedures of the SM-DP+: a world with a PKI made on the spot, an eUICC with its key,
 * and the rows that a procedure would find when all goes well.
 */
#include <openssl/pem.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/text.h"
#include "crypto/agree.h"
#include "dp/denied.h"
#include "dp/functions.h"
#include "dp/load_places.h"
#include "dp/orders.h"
#include "dp/plans.h"
#include "keys/keys.h"
#include "loop/loop.h"
#include "store/alert.h"
#include "store/credential_set.h"
#include "store/notification.h"
#include "store/view.h"
#include "storm/script.h"
#include "unit/crypto_pki.h"

#define STAGE_EID "89049032123451234512345678901235"
#define STAGE_ICCID "89000123456789012341"
#define STAGE_TEMPLATE 9

static struct {
	struct loop *loop;
	struct arena mem;
	struct dp dp;
	struct dp_plans plans;
	struct dp_load_places loads;
	struct dp_world world;
	struct pki_node *ci, *eum, *euicc;
	struct crypto_private *card;
	uint8_t challenge[16];
	struct slice transaction_id, metadata, signature2, sealed_upp;
	struct slice sealed_template, sealed_personal; /* absent: profiles are imported */
	bool with_code;
} stage;

/* Two that are over, and one that is far from it. */
static struct dp_certificate stage_ending[] = {
	{ .what = "tls", .name = SLICE_LIT("listener nist"), .not_after = 1 },
	{ .what = "ci", .name = SLICE_LIT("ci nist"), .not_after = INT64_MAX / 2 },
	{ .what = "crl", .name = SLICE_LIT("ci nist"), .not_after = 1 },
};

/* ---- rows --------------------------------------------------------------------------------------------- */

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

	*row = (struct store_package){ .template_id = stage.sealed_personal.p ? STAGE_TEMPLATE
									      : STORE_NULL,
		.personal = stage.sealed_personal,
		.session_state = SLICE_LIT("authenticated"),
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
		.packed = true,
		.eid = SLICE_LIT(STAGE_EID),
		.euicc_point = SLICE_ARRAY(key->point),
		.credential_set = 1,
		.smdp_oid = SLICE_LIT("2.999.10"),
		.order_id = 7,
		.iccid = SLICE_LIT(STAGE_ICCID),
		.waiting = true };
}

/* What an order is after any of its moves. */
static inline void
row_moved(struct store_moved *row)
{
	*row = (struct store_moved){ .order_id = 7,
		.iccid = SLICE_LIT(STAGE_ICCID),
		.eid = SLICE_LIT(STAGE_EID),
		.matching_id = SLICE_LIT("M-1"),
		.state = SLICE_LIT("released") };
}

static inline void
row_standing(struct store_standing *row)
{
	*row = (struct store_standing){ .state = SLICE_LIT("confirmed"),
		.order_id = 7,
		.pending = true,
		.eid = SLICE_LIT(STAGE_EID),
		.matching_id = SLICE_LIT("M-1") };
}

/* Two profiles with notifications that nobody has applied. */
static inline void
rows_stragglers(struct rows *rows)
{
	static const struct store_straggler two[] = {
		{ SLICE_LIT(STAGE_EID), SLICE_LIT(STAGE_ICCID) },
		{ SLICE_LIT(STAGE_EID), SLICE_LIT("89000123456789012358") },
	};

	*rows = (struct rows){ two, 2, false };
}

static inline void
rows_clones(struct rows *rows)
{
	static const struct store_clone one = { SLICE_LIT(STAGE_EID), 100, 9 };

	*rows = (struct rows){ &one, 1, false };
}

/* A digest that is not this one. */
static inline struct slice
another(struct slice digest)
{
	return slice_eq(digest, SLICE_LIT("one")) ? SLICE_LIT("two") : SLICE_LIT("one");
}

/* Somebody else is denied. */
static inline void
rows_denied(struct rows *rows)
{
	static const struct store_denied one = { .id = 1,
		.kind = SLICE_LIT("eid"),
		.eid_low = SLICE_LIT("89049032000000000000000000000000"),
		.eid_high = SLICE_LIT("89049032000000000000000000000000"),
		.firmware_low = -1,
		.firmware_high = -1 };

	*rows = (struct rows){ &one, 1, false };
}

/* Every set of the world that asks, numbered by its place. */
static inline void
rows_numbers(struct rows *rows)
{
	static struct store_set_number numbers[DP_SETS];

	for (size_t i = 0; i < stage.world.set_count; i++)
		numbers[i] = (struct store_set_number){ (int64_t)i + 1, (int16_t)(i + 1) };
	*rows = (struct rows){ numbers, stage.world.set_count, false };
}

static inline void
row_write(unsigned query, const struct want *want)
{
	switch (query) {
	case Q_SESSION_ADMIT:
		row_admission(want->row);
		break;
	case Q_PACKAGE_FIND:
		row_package(want->row);
		break;
	case Q_SESSION_FIND:
		row_session(want->row);
		break;
	case Q_SESSION_CHECK_CODE:
		((struct store_code_check *)want->row)->outcome = SLICE_LIT("right");
		break;
	case Q_ALERT_CERTIFICATE:
		((struct store_told *)want->row)->told = true;
		break;
	case Q_ALERT_CLONES:
		rows_clones(want->rows);
		break;
	case Q_DENY_DIGEST:
		((struct store_deny_digest *)want->row)->digest =
			another(dp_denied_digest(stage.dp.denied));
		break;
	case Q_DENY_LOAD:
		rows_denied(want->rows);
		break;
	case Q_ORDER_PREPARE:
		*(struct store_prepared *)want->row = (struct store_prepared){ .order_id = 7,
			.operator_id = 1,
			.type_id = 3,
			.iccid_type_id = 3,
			.iccid_operator_id = 1 };
		break;
	case Q_PROFILE_IMPORT:
		*(struct store_imported *)want->row =
			(struct store_imported){ SLICE_LIT(STAGE_ICCID), SLICE_LIT("gold") };
		break;
	case Q_ORDER_RESERVE:
		*(struct store_reserved *)want->row = (struct store_reserved){ .order_id = 7,
			.eid = SLICE_LIT(STAGE_EID),
			.matching_id = SLICE_LIT("M-1"),
			.at = 1 };
		break;
	case Q_ORDER_CREATE:
	case Q_ORDER_CONFIRM:
	case Q_ORDER_RELEASE:
	case Q_ORDER_CANCEL:
	case Q_ORDER_RESET:
		row_moved(want->row);
		break;
	case Q_ORDER_STANDING:
		row_standing(want->row);
		break;
	case Q_VIEW_CODE:
		*(struct store_code *)want->row = (struct store_code){ .order_id = 7,
			.pending = true,
			.matching_id = SLICE_LIT("M-1"),
			.state = SLICE_LIT("released") };
		break;
	case Q_NOTIFICATION_STRAGGLERS:
		rows_stragglers(want->rows);
		break;
	case Q_CREDENTIAL_SET_NUMBER:
		rows_numbers(want->rows);
		break;
	default:
		break; /* what the others return is not read, or fine as zero */
	}
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
	memset(&script, 0, sizeof script);
	script.write = row_write;
	arena_init(&stage.mem, 1 << 22, NULL, NULL);
	stage.loop = loop_new(&(struct loop_limits){ .tasks = 10 });
	stage_pki();
	stage.world.references = 1;
	stage.world.drop = stage_drop;
	stage.world.ring = crypto_ring_new(SLICE_ARRAY(key), SLICE_NONE);
	stage.world.sealer = crypto_sealer_new(SLICE_ARRAY(key), SLICE_NONE);
	stage.world.settings = (struct dp_settings){ .names = { SLICE_LIT("smdp.example.org") },
		.name_count = 1,
		.address = SLICE_LIT("smdp.example.org"),
		.svn_lowest = { 2, 0, 0 },
		.svn_highest = { 2, 255, 255 },
		.download_attempts = 10,
		.code_attempts = 10,
		.clone_addresses = 20 };
	stage.world.certificates = stage_ending;
	stage.world.certificate_count = 3;
	stage.dp = (struct dp){ .loop = stage.loop,
		.world = &stage.world,
		.denied = dp_denied_new(),
		.plans = &stage.plans,
		.loads = &stage.loads };
	dp_denied_settle(stage.dp.denied, SLICE_LIT("none"));
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
	dp_plans_fini(&stage.plans);
	dp_load_places_fini(&stage.loads);
	dp_denied_free(stage.dp.denied);
	crypto_trust_free(stage.world.trust);
	crypto_ring_free(stage.world.ring);
	crypto_sealer_free(stage.world.sealer);
	loop_free(stage.loop);
	arena_fini(&stage.mem);
}

/* A transaction of now. */
static inline void
stage_transaction_renew(void)
{
	crypto_token_make(stage.world.ring, 1, clock_wall_us() / 1000000,
		(uint8_t *)(uintptr_t)stage.transaction_id.p);
}

static inline int
stage_setup(void **state)
{
	(void)state;
	stage_init();
	return 0;
}

static inline int
stage_teardown(void **state)
{
	(void)state;
	stage_fini();
	return 0;
}

#endif
