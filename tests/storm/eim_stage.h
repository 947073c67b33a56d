#ifndef STORM_EIM_STAGE_H
#define STORM_EIM_STAGE_H
/*
 * A stage for the procedures of the eIM: a world with a PKI made on the spot, an eUICC with its key, the rows that a
 * procedure would find when all goes well, and a peer of ESipa without a transport. What the eUICC says is signed.
 */
#include <openssl/pem.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/server.h"
#include "eim/functions.h"
#include "eim/package.h"
#include "eim/pace.h"
#include "eim/poll.h"
#include "esipa/esipa.h"
#include "keys/keys.h"
#include "loop/loop.h"
#include "storm/script.h"
#include "unit/crypto_pki.h"

#define STAGE_EID "89049032123451234512345678901235"
#define STAGE_ICCID "89000123456789012341"
#define STAGE_BCD            \
	"980010325476981032" \
	"14"
#define STAGE_EIM "eim.example.com"
#define STAGE_TRANSACTION "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20"

/* What stands in the queue. */
enum head { HEAD_PACKAGE, HEAD_DATA, HEAD_TRIGGER, HEAD_OUT, HEAD_SPENT, HEAD_UNLEARNT };

static struct {
	struct loop *loop;
	struct arena mem;
	struct eim eim;
	struct eim_world world;
	struct pki_node *ci, *eum, *euicc;
	struct crypto_private *card;
	struct slice commands, data, trigger, package;
	enum head head;
	bool turned; /* the head was put aside or something was put before it */
	const char *kind;
	bool stale; /* it was not seen for long */
} stage;

static inline struct slice
stage_hex(const char *hex)
{
	struct slice octets;

	assert_true(text_unhex(&stage.mem, slice_text(hex), &octets));
	return octets;
}

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

/* ---- rows --------------------------------------------------------------------------------------------- */

static inline void
row_head(struct store_eim_head *row)
{
	bool out = (stage.head == HEAD_OUT || stage.head == HEAD_SPENT) && !stage.turned;
	bool package = stage.head != HEAD_DATA && stage.head != HEAD_TRIGGER;

	*row = (struct store_eim_head){ .counter = 41,
		.token = STORE_NULL,
		.candidate = STORE_NULL,
		.learnt = stage.head != HEAD_UNLEARNT || stage.turned,
		.proven = true,
		.iot_version = -1,
		.package_id = 7,
		.kind = slice_text(package                ? "package"
				: stage.head == HEAD_DATA ? "data"
							  : "trigger"),
		.what = SLICE_LIT("test"),
		.state = out ? SLICE_LIT("out") : SLICE_LIT("waiting"),
		.body = package                   ? stage.commands
			: stage.head == HEAD_DATA ? stage.data
						  : stage.trigger,
		.octets = stage.package,
		.times_out = 1,
		.intervals = stage.head == HEAD_SPENT ? 9 : 1,
		.due = stage.head == HEAD_SPENT };
}

static inline void
row_found(struct store_eim_found *row)
{
	const struct crypto_public *key = crypto_private_public(stage.card);

	*row = (struct store_eim_found){ .eid = SLICE_LIT(STAGE_EID),
		.iot_version = -1,
		.point = SLICE_ARRAY(key->point),
		.token = STORE_NULL,
		.candidate = STORE_NULL,
		.package_id = 7,
		.kind = slice_text(stage.kind),
		.state = SLICE_LIT("out"),
		.body = stage.commands,
		.octets = stage.package,
		.package_counter = 42,
		.package_token = STORE_NULL,
		.times_out = 1 };
}

static inline void
rows_poll(struct rows *rows)
{
	static struct store_poll one = { SLICE_LIT(STAGE_EID), true, false };

	one.stale = stage.stale;

	*rows = (struct rows){ &one, 1, false };
}

static void
row_write(unsigned query, const struct want *want)
{
	switch (query) {
	case Q_EIM_POLL:
		rows_poll(want->rows);
		break;
	case Q_EIM_HEAD:
		row_head(want->row);
		break;
	case Q_EIM_RESULT_FIND:
		row_found(want->row);
		break;
	case Q_EIM_STEP_ASIDE:
	case Q_EIM_WANT:
		stage.turned = true;
		break;
	case Q_EIM_HAND_OUT_AGAIN:
		((struct store_octets *)want->row)->octets = stage.package;
		break;
	case Q_EIM_BIND_CODE:
		((struct store_activation *)want->row)->state = SLICE_LIT("bound");
		break;
	default:
		break;
	}
}

/* ---- the stage ---------------------------------------------------------------------------------------- */

static inline const char *
stage_not_denied(void *arg, struct slice eum, struct slice euicc, struct slice eid)
{
	(void)arg;
	(void)eum;
	(void)euicc;
	(void)eid;
	return NULL;
}

static inline bool
stage_no_test_ci(void *arg, struct slice ci_id)
{
	(void)arg;
	(void)ci_id;
	return false;
}

static inline void
stage_drop(void *world)
{
	(void)world; /* the stage outlives its tasks */
}

static inline struct keys_private *
stage_key(EVP_PKEY *key)
{
	char path[] = "/tmp/rspd-stage-XXXXXX";
	struct keys_private *out = NULL;
	FILE *f = fdopen(mkstemp(path), "w");

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
	PEM_write_bio_PrivateKey(pem, stage.euicc->key, NULL, NULL, 0, NULL, NULL);
	size = BIO_get_mem_data(pem, &text);
	stage.card = crypto_private_new(slice_of(text, (size_t)size));
	BIO_free(pem);
	assert_non_null(stage.card);
	stage.world.trust = crypto_trust_new();
	assert_null(crypto_trust_add_root(stage.world.trust, stage.ci->der));
	stage.world.key = stage_key(stage.ci->key);
}

static inline void
stage_init(void)
{
	memset(&stage, 0, sizeof stage);
	memset(&script, 0, sizeof script);
	script.write = row_write;
	arena_init(&stage.mem, 1 << 24, NULL, NULL);
	stage.loop = loop_new(&(struct loop_limits){ .tasks = 10 });
	stage_pki();
	stage.world.references = 1;
	stage.world.drop = stage_drop;
	stage.world.settings = (struct eim_settings){ .id = SLICE_LIT(STAGE_EIM),
		.interval_seconds = 60,
		.budget = 5,
		.fence_step = 256,
		.domains = { { SLICE_LIT("89049032") } },
		.domain_n = 1,
		.operator_name = SLICE_LIT("default") };
	stage.eim = (struct eim){ .loop = stage.loop,
		.world = &stage.world,
		.denied = stage_not_denied,
		.test_ci = stage_no_test_ci };
	eim_init(&stage.eim);
	stage.commands = stage_hex("a00ea30c5a0a" STAGE_BCD);
	stage.data = stage_hex("bf52035c01a0");
	stage.trigger = stage_hex("bf5404a0028100");
	stage.package = TLV(0xbf51, stage_hex("3000"),
		codec_signature_write(&stage.mem, slice_of(arena_alloc(&stage.mem, 64), 64)));
	stage.kind = "package";
}

static inline void
stage_fini(void)
{
	assert_int_equal(loop_tasks_get(stage.loop), 0);
	assert_int_equal(stage.world.references, 1);
	eim_gather_free(stage.eim.gather);
	eim_pace_free(stage.eim.pace);
	keys_private_free(stage.world.key);
	crypto_private_free(stage.card);
	crypto_trust_free(stage.world.trust);
	loop_free(stage.loop);
	arena_fini(&stage.mem);
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

/* ---- what the eUICC says ------------------------------------------------------------------------------ */

static inline struct slice
card_sign(struct slice first, struct slice second)
{
	struct slice parts[] = { first, second };
	uint8_t *signature = arena_alloc(&stage.mem, 64);

	crypto_private_sign(stage.card, parts, second.p ? 2 : 1, signature);
	return codec_signature_write(&stage.mem, slice_of(signature, 64));
}

/* enableResult 0 of the package with counter 42. */
static inline struct slice
card_result(void)
{
	struct slice signed_part = TLV(0x30, TLV(0x80, SLICE_LIT(STAGE_EIM)), stage_hex("81012a"),
		TLV(0x82, SLICE_LIT(STAGE_TRANSACTION)), stage_hex("830107"),
		stage_hex("3003830100"));

	return TLV(0xbf51, TLV(0xa0, signed_part, card_sign(signed_part, stage_hex("840100"))));
}

static inline struct slice
card_unsigned_error(void)
{
	return TLV(0xbf51,
		TLV(0xa2, TLV(0x80, SLICE_LIT(STAGE_EIM)), TLV(0x82, SLICE_LIT(STAGE_TRANSACTION)),
			stage_hex("840105")));
}

static inline struct slice
card_notification(void)
{
	struct slice data = TLV(0xbf2f, stage_hex("800109"), stage_hex("81020780"),
		TLV(0x0c, SLICE_LIT("smdp.example.net")), TLV(0x5a, stage_hex(STAGE_BCD)));

	return TLV(0x30, data, card_sign(data, SLICE_NONE), stage.euicc->der, stage.eum->der);
}

static inline struct slice
card_installation(void)
{
	struct slice metadata = TLV(0xbf2f, stage_hex("800108"), stage_hex("81020780"),
		TLV(0x0c, SLICE_LIT("smdp.example.net")), TLV(0x5a, stage_hex(STAGE_BCD)));
	struct slice data = TLV(0xbf27, TLV(0x80, SLICE_LIT(STAGE_TRANSACTION)), metadata,
		stage_hex("060388370a"),
		TLV(0xa2,
			TLV(0xa0, stage_hex("4f10a0000005591010ffffffff8900001100"),
				stage_hex("04093007a0053003800100"))));

	return TLV(0xbf37, data, card_sign(data, SLICE_NONE));
}

/* What stands in a certificate's SEQUENCE, under another tag. */
static inline struct slice
card_certificate(uint32_t tag, struct slice der)
{
	struct codec_der whole;

	assert_true(codec_der_read_whole(der, 0x30, &whole));
	return TLV(tag, whole.value);
}

static inline struct slice
card_data(bool notifications)
{
	return TLV(0xbf52,
		TLV(0xa0, notifications ? TLV(0xa0, card_notification()) : SLICE_LIT(""),
			stage_hex("840105"), card_certificate(0xa5, stage.eum->der),
			card_certificate(0xa6, stage.euicc->der),
			TLV(0x87, SLICE_LIT(STAGE_TRANSACTION)), stage_hex("a80480020640")));
}

/* ---- a peer without a transport ----------------------------------------------------------------------- */

struct eim_request {
	struct request request;
	char *route;
	uint8_t *body;
	void (*heard)(const struct answer *answer);
};

static inline struct slice
eim_peer_header(struct request *r, const char *name)
{
	(void)r;
	return strcasecmp(name, "X-Admin-Protocol") == 0 ? SLICE_LIT("gsma/rsp/v2.1.0")
							 : SLICE_NONE;
}

/* Freed with the answer, as a listener's is, so whoever touches it later is caught. */
static inline void
eim_peer_respond(struct request *r, const struct answer *answer)
{
	struct eim_request *q = (struct eim_request *)r;

	q->heard(answer);
	free(q->route);
	free(q->body);
	free(q);
}

static inline void
eim_peer_ask(const char *route, struct slice body, void (*heard)(const struct answer *answer))
{
	struct eim_request *q = calloc(1, sizeof *q);

	if (!q)
		abort();
	q->route = strdup(route);
	q->body = malloc(body.n + 1);
	if (!q->route || !q->body)
		abort();
	memcpy(q->body, body.p, body.n);
	q->heard = heard;
	q->request = (struct request){ .route = slice_text(q->route),
		.body = slice_of(q->body, body.n),
		.peer = SLICE_LIT("192.0.2.1:49152"),
		.header = eim_peer_header,
		.respond = eim_peer_respond,
		.binding = &stage.eim };
	esipa_handle(&q->request);
}

#endif
