/*
 * A tiny SM-DP+ for tests of the simulated card: it makes right answers, and on demand changes
 * exactly one part of them, before or after it is signed. Every part passes through part(), where
 * a row of a table may touch it.
 */
#ifndef RSPSIM_SERVER_H
#define RSPSIM_SERVER_H
#include <openssl/obj_mac.h>
#include "rspsim/cert.h"
#include "rspsim/euicc.h"
#include "rspsim_seal.h"
#include "rspsim_walk.h"

/* What the server's answers are made of; a part named before its signature is signed as changed. */
enum part {
	NO_PART,
	/* authenticateServer: members of serverSigned1, then it and what stands beside it */
	A_ID,
	A_CHALLENGE,
	A_ADDRESS,
	A_SERVER_CHALLENGE,
	A_SIGNED1,
	A_SIGNATURE,
	A_CI,
	A_CERT,
	A_CONTEXT,
	/* prepareDownload */
	P_ID,
	P_CC,
	P_OTPK,
	P_SIGNED2,
	P_SIGNATURE,
	P_HASH,
	P_CERT,
	/* InitialiseSecureChannel: signed parts, own key under the signature, then as sent */
	O_OPERATION,
	O_ID,
	O_KEY_TYPE,
	O_KEY_LENGTH,
	O_HOST,
	O_POINT,
	O_OWN_POINT,
	O_SIGNATURE,
	O_SENT_OPERATION,
	O_SENT_ID,
	O_SENT_CRT,
	O_SENT_POINT,
	O_WHOLE,
	/* plain commands, and one sealed segment of each group */
	B_CONFIGURE,
	B_METADATA,
	B_KEYS,
	B_CONFIGURE_SEGMENT,
	B_METADATA_SEGMENT,
	B_METADATA_SEGMENT2,
	B_KEYS_SEGMENT,
	B_PROFILE_SEGMENT,
	B_LAST_SEGMENT,
	/* whole groups */
	B_GROUP0,
	B_GROUP1,
	B_GROUP2,
	B_GROUP3,
	B_TAIL,
	/* the profile package */
	U_MAJOR,
	U_HEADER_ICCID,
	U_SERVICES,
	U_FILE,
	U_KEY,
	U_END
};

enum action { LEAVE, DROP, FLIP, SET };

/*
 * The same by path instead of by name: what the server signs or seals, whole, and the package around it.
 * rspsim_members.def names all that is in them.
 */
enum blob {
	SIGNED1,
	SIGNED2,
	CHANNEL, /* InitialiseSecureChannel but for its signature */
	CONFIGURE,
	METADATA,
	KEYS,
	PACKAGE,
	BLOBS
};

/* One member left out before it is signed or sealed, or one bit of it flipped afterwards. */
struct touch {
	enum blob blob;
	const char *path;
	bool flip;
};

/* Certificates that are not as they should be, each with its own key. */
enum form {
	FINE,
	ROLE,
	TLS_ROLE,
	EXPIRED,
	NO_USAGE,
	CA_USAGE,
	NO_OID,
	OTHER_OID,
	FORGED,
	NO_AUTHORITY,
	UNKNOWN_CI,
	OTHER_CURVE,
	POLICY_NOT_CRITICAL,
	UNKNOWN_CRITICAL
};

/* One change; the rest of an answer is right. */
struct change {
	enum part part;
	enum action action;
	struct slice value; /* of SET */
	enum form auth, pb; /* the certificates used */
	size_t cut;         /* octets of a profile segment; 0: 1007 */
	bool metadata_cut;  /* the metadata in two segments */
	bool session_keys;  /* no ReplaceSessionKeys */
	bool cc;            /* a Confirmation Code is required */
	const struct touch *touch;
};

struct server {
	struct arena mem;
	int curve;
	EVP_PKEY *ci_key, *auth_key, *pb_key;
	X509 *ci, *auth, *pb, *eum;
	EVP_PKEY *eum_key;
	const struct change *change;
	struct slice transaction_id, address;
	struct slice one_time_point; /* otPK.EUICC, out of the card's answer */
	struct slice blobs[BLOBS];   /* as they were made */
};

static const uint8_t test_iccid[10] = { 0x98, 0x00, 0x10, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32,
	0x14 };
/*
 * The metadata of the test profile: class test, notifications to the server and to another
 * address.
 */
#define TEST_METADATA                                                                         \
	"\xbf\x25\x40\x5a\x0a\x98\x00\x10\x32\x54\x76\x98\x10\x32\x14\x91\x03SPN\x92\x04Name" \
	"\x95\x01\x00\xb6\x24\x30\x10\x80\x02\x04\xf0\x81\x0asmdp."                           \
	"test1\x30\x10\x80\x02\x04\x70\x81\x0aother.test"

static struct slice
part(struct server *s, enum part which, struct slice octets)
{
	if (s->change->part != which)
		return octets;
	switch (s->change->action) {
	case LEAVE:
		break;
	case DROP:
		return SLICE_NONE;
	case FLIP:
		return rspsim_break_flip(&s->mem, octets, 1);
	case SET:
		return s->change->value;
	}
	return octets;
}

static bool
touches(struct server *s, enum blob blob, bool flip)
{
	const struct touch *t = s->change->touch;

	return t && t->blob == blob && t->flip == flip;
}

/* What is signed or sealed: perhaps with a member less. */
static struct slice
made(struct server *s, enum blob blob, struct slice octets)
{
	struct walk w = { .mem = &s->mem, .leaf = blob == PACKAGE ? "bf36/bf23" : NULL };

	s->blobs[blob] = octets;
	if (!touches(s, blob, false))
		return octets;
	w.leave_out = s->change->touch->path;
	return walk_octets(&w, octets);
}

/* What is sent: perhaps with a bit of a member flipped. `octets` end with the blob and `behind` more octets. */
static struct slice
sent_before(struct server *s, enum blob blob, struct slice octets, size_t behind)
{
	struct walk w = { .mem = &s->mem };

	if (!touches(s, blob, true))
		return octets;
	walk_octets(&w, s->blobs[blob]);
	return rspsim_break_flip(&s->mem, octets,
		behind + 1 + s->blobs[blob].n - walk_end(&w, s->change->touch->path));
}

static struct slice
sent(struct server *s, enum blob blob, struct slice octets)
{
	return sent_before(s, blob, octets, 0);
}

/* The same of a segment: under its encryption and padding (if any) and its MAC. */
static struct slice
sent_sealed(struct server *s, enum blob blob, struct slice segment)
{
	struct rspsim_tlv tlv;
	struct slice rest = segment;

	if (!touches(s, blob, true) || !rspsim_der_read(&rest, &tlv))
		return segment;
	return sent_before(s, blob, segment, tlv.value.n - s->blobs[blob].n);
}

/* ---- certificates -------------------------------------------------------------------- */

static int
other_curve(int curve)
{
	return curve == NID_X9_62_prime256v1 ? NID_brainpoolP256r1 : NID_X9_62_prime256v1;
}

static X509 *
make_ci(EVP_PKEY *key)
{
	const struct rspsim_cert_form form = { .subject = { { "CN", "Test CI" } },
		.extensions = { { "subjectKeyIdentifier", "hash" },
			{ "basicConstraints", "critical,CA:TRUE" },
			{ "keyUsage", "critical,keyCertSign,cRLSign" },
			{ "certificatePolicies", "critical,2.23.146.1.2.1.0" } },
		.serial = 1,
		.days = 365 };

	return rspsim_cert_issue(&form, key, NULL, NULL);
}

static X509 *
make_eum(struct server *s)
{
	const struct rspsim_cert_form form = { .subject = { { "O", "RSP Test EUM" },
						       { "CN", "EUM" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "subjectKeyIdentifier", "hash" }, { "keyUsage", "critical,keyCertSign" },
			{ "basicConstraints", "critical,CA:TRUE,pathlen:0" },
			{ "certificatePolicies", "critical,2.23.146.1.2.1.2" },
			{ "nameConstraints",
				"critical,DER:"
				"3032A030302EA42C302A31153013060355040A0C0C525350205465737"
				"42045554D3111300F0603550405"
				"13083839303439303332" } },
		.serial = 2,
		.days = 365 };

	return rspsim_cert_issue(&form, s->eum_key, s->ci, s->ci_key);
}

/*
 * CERT.DPauth (role 4) or CERT.DPpb (role 5) of a form; `key` is replaced when the form wants
 * another curve.
 */
static X509 *
make_dp(struct server *s, char role, enum form form, EVP_PKEY **key)
{
	char policy[] = "critical,2.23.146.1.2.1.x";
	struct rspsim_cert_form f = { .subject = { { "O", "ACME" }, { "CN", "TEST SM-DP+" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "subjectKeyIdentifier", "hash" },
			{ "keyUsage", "critical,digitalSignature" },
			{ "certificatePolicies", policy }, { "subjectAltName", "RID:2.999.10" } },
		.serial = 16,
		.days = 365 };
	EVP_PKEY *signing = s->ci_key, *foreign = rspsim_key_new(s->curve);
	X509 *ci = s->ci, *cert, *foreign_ci = NULL;

	policy[strlen(policy) - 1] = role;
	if (form == ROLE)
		policy[strlen(policy) - 1] = role == '4' ? '5' : '4';
	if (form == TLS_ROLE)
		policy[strlen(policy) - 1] = '3';
	if (form == POLICY_NOT_CRITICAL)
		f.extensions[3][1] = role == '4' ? "2.23.146.1.2.1.4" : "2.23.146.1.2.1.5";
	if (form == EXPIRED)
		f.days = -1;
	if (form == NO_USAGE)
		f.extensions[2][1] = "critical,keyAgreement";
	if (form == CA_USAGE)
		f.extensions[2][1] = "critical,digitalSignature,keyCertSign";
	if (form == NO_OID)
		f.extensions[4][1] = "DNS:smdp.test1";
	if (form == OTHER_OID)
		f.extensions[4][1] = "RID:2.999.12";
	if (form == UNKNOWN_CRITICAL)
		f.extensions[5][0] = "2.999.77", f.extensions[5][1] = "critical,DER:0500";
	if (form == NO_AUTHORITY)
		f.extensions[0][0] = "subjectKeyIdentifier", f.extensions[0][1] = "hash",
		f.extensions[1][0] = "crlDistributionPoints", f.extensions[1][1] = "URI:http://x/";
	if (form == FORGED)
		signing = foreign;
	if (form == UNKNOWN_CI) {
		ci = foreign_ci = make_ci(foreign);
		signing = foreign;
	}
	if (form == OTHER_CURVE) {
		EVP_PKEY_free(*key);
		*key = rspsim_key_new(other_curve(s->curve));
	}
	cert = rspsim_cert_issue(&f, *key, ci, signing);
	assert_non_null(cert);
	X509_free(foreign_ci);
	EVP_PKEY_free(foreign);
	return cert;
}

static const struct change unchanged;

static void
server_init(struct server *s, int curve, const struct change *change)
{
	*s = (struct server){ .curve = curve, .change = change ? change : &unchanged };
	arena_init(&s->mem, 1 << 24, NULL, NULL);
	s->ci_key = rspsim_key_new(curve);
	s->auth_key = rspsim_key_new(curve);
	s->pb_key = rspsim_key_new(curve);
	s->eum_key = rspsim_key_new(curve);
	s->ci = make_ci(s->ci_key);
	s->eum = make_eum(s);
	s->auth = make_dp(s, '4', s->change->auth, &s->auth_key);
	s->pb = make_dp(s, '5', s->change->pb, &s->pb_key);
	s->transaction_id =
		SLICE_LIT("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
	s->address = SLICE_LIT("smdp.test1");
}

static void
server_fini(struct server *s)
{
	EVP_PKEY_free(s->ci_key);
	EVP_PKEY_free(s->auth_key);
	EVP_PKEY_free(s->pb_key);
	EVP_PKEY_free(s->eum_key);
	X509_free(s->ci);
	X509_free(s->auth);
	X509_free(s->pb);
	X509_free(s->eum);
	arena_fini(&s->mem);
}

/* A card below the server's CI and EUM. */
static struct rspsim_card *
server_card(struct server *s)
{
	static const char eid[] = "89049032123451234512345678901235";
	const struct rspsim_cert_form form = { .subject = { { "O", "RSP Test EUM" },
						       { "serialNumber", eid } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "keyUsage", "critical,digitalSignature" },
			{ "certificatePolicies", "critical,2.23.146.1.2.1.1" } },
		.serial = 3,
		.days = 365 };
	struct rspsim_card *card = rspsim_card_new(eid);
	EVP_PKEY *key = rspsim_key_new(s->curve);
	X509 *certificate = rspsim_cert_issue(&form, key, s->eum, s->eum_key);

	X509_up_ref(s->ci);
	X509_up_ref(s->eum);
	assert_true(rspsim_card_add_ci(card, s->ci, s->eum, certificate, key));
	return card;
}

/* ---- answers ------------------------------------------------------------------------- */

static struct slice
tlv(struct server *s, uint32_t tag, struct slice value)
{
	return RSPSIM_DER(&s->mem, tag, value);
}

static struct slice
sign(struct server *s, EVP_PKEY *key, struct slice data)
{
	return tlv(s, 0x5f37, rspsim_sign(&s->mem, key, data));
}

static struct slice
server_authenticate(struct server *s, struct slice challenge)
{
	struct slice signed1 =
		RSPSIM_DER(&s->mem, 0x30, part(s, A_ID, tlv(s, 0x80, s->transaction_id)),
			part(s, A_CHALLENGE, tlv(s, 0x81, challenge)),
			part(s, A_ADDRESS, tlv(s, 0x83, s->address)),
			part(s, A_SERVER_CHALLENGE, tlv(s, 0x84, SLICE_LIT("0123456789abcdef"))));
	struct slice signature;

	signed1 = made(s, SIGNED1, signed1);
	signature = sign(s, s->auth_key, signed1);
	return RSPSIM_DER(&s->mem, 0xbf38, part(s, A_SIGNED1, sent(s, SIGNED1, signed1)),
		part(s, A_SIGNATURE, signature),
		part(s, A_CI, tlv(s, 0x04, rspsim_cert_key_id(s->ci))),
		part(s, A_CERT, rspsim_cert_der(&s->mem, s->auth)),
		part(s, A_CONTEXT, SLICE_LIT("\xa0\x0a\xa1\x08\x80\x04\x35\x29\x09\x16\xa1\x00")));
}

/* `response` is the card's AuthenticateServerResponse: smdpSignature2 covers its signature too. */
static struct slice
server_prepare(struct server *s, struct slice response, struct slice one_time)
{
	struct slice signed2, signature, hash = SLICE_NONE;
	struct rspsim_tlv all, good, first = { 0 }, euicc_signature = { 0 };

	if (rspsim_der_read_only(response, 0xbf38, &all) &&
		rspsim_der_read_only(all.value, 0xa0, &good)) {
		rspsim_der_read(&good.value, &first);
		rspsim_der_read(&good.value, &euicc_signature);
	}
	if (one_time.n)
		one_time = tlv(s, 0x5f49, one_time);
	signed2 = RSPSIM_DER(&s->mem, 0x30, part(s, P_ID, tlv(s, 0x80, s->transaction_id)),
		part(s, P_CC,
			s->change->cc ? SLICE_LIT("\x01\x01\xff") : SLICE_LIT("\x01\x01\x00")),
		part(s, P_OTPK, one_time));
	signed2 = made(s, SIGNED2, signed2);
	signature = sign(s, s->pb_key, RSPSIM_DER(&s->mem, 0, signed2, euicc_signature.whole));
	if (s->change->cc)
		hash = tlv(s, 0x04, SLICE_LIT("0123456789abcdef0123456789abcdef"));
	return RSPSIM_DER(&s->mem, 0xbf21, part(s, P_SIGNED2, sent(s, SIGNED2, signed2)),
		part(s, P_SIGNATURE, signature), part(s, P_HASH, hash),
		part(s, P_CERT, rspsim_cert_der(&s->mem, s->pb)));
}

/* ---- the profile package ------------------------------------------------------------- */

static struct slice
element(struct server *s, uint32_t tag, uint8_t number, struct slice content)
{
	uint8_t head[] = { 0xa0, 5, 0x80, 0, 0x81, 1, number };

	return RSPSIM_DER(&s->mem, tag, SLICE_ARRAY(head), content);
}

static struct slice
server_upp(struct server *s)
{
	static const uint8_t filler[2500] = { 0x81, 0x82, 0x09, 0xc0 };
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct slice header, mf, aka;

	header = RSPSIM_DER(&s->mem, 0xa0, part(s, U_MAJOR, SLICE_LIT("\x80\x01\x02")),
		SLICE_LIT("\x81\x01\x03"),
		part(s, U_HEADER_ICCID,
			SLICE_LIT("\x83\x0a\x89\x00\x01\x23\x45\x67\x89\x01\x23\x41")),
		part(s, U_SERVICES, SLICE_LIT("\xa5\x02\x81\x00")));
	mf = RSPSIM_DER(&s->mem, 0xa4,
		part(s, U_FILE, tlv(s, 0x83, slice_of(test_iccid, sizeof test_iccid))));
	aka = RSPSIM_DER(&s->mem, 0xa1,
		RSPSIM_DER(&s->mem, 0xa1, SLICE_LIT("\x80\x01\x03\x81\x01\x01"),
			part(s, U_KEY, tlv(s, 0x82, slice_of(key, sizeof key)))));
	return RSPSIM_DER(&s->mem, 0, header, element(s, 0xb0, 1, mf), element(s, 0xa4, 2, aka),
		element(s, 0xa9, 3, slice_of(filler, sizeof filler)),
		part(s, U_END, element(s, 0xaa, 4, SLICE_NONE)));
}

/* ---- the bound profile package ------------------------------------------------------- */

static struct slice
open_channel(struct server *s, struct rspsim_channel *channel)
{
	static const uint8_t eid[16] = { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34, 0x51, 0x23, 0x45, 0x12,
		0x34, 0x56, 0x78, 0x90, 0x12, 0x35 };
	struct slice host = part(s, O_HOST, SLICE_LIT("\x84\x08TESTHOST")), operation, id, crt,
		     point;
	EVP_PKEY *own = rspsim_key_new(s->curve), *peer;
	uint8_t z[32], keys[48];
	struct slice inner, signature;

	operation = part(s, O_OPERATION, SLICE_LIT("\x82\x01\x01"));
	id = part(s, O_ID, tlv(s, 0x80, s->transaction_id));
	crt = RSPSIM_DER(&s->mem, 0xa6, part(s, O_KEY_TYPE, SLICE_LIT("\x80\x01\x88")),
		part(s, O_KEY_LENGTH, SLICE_LIT("\x81\x01\x10")), host);
	point = part(s, O_POINT, tlv(s, 0x5f49, rspsim_key_point(&s->mem, own)));
	inner = made(s, CHANNEL, RSPSIM_DER(&s->mem, 0, operation, id, crt, point));
	signature = sign(s, s->pb_key,
		RSPSIM_DER(&s->mem, 0, inner,
			part(s, O_OWN_POINT, tlv(s, 0x5f49, s->one_time_point))));
	peer = rspsim_key_from_point(s->curve, s->one_time_point);
	assert_non_null(peer);
	assert_true(rspsim_agree(own, peer, z));
	rspsim_derive(z, rspsim_channel_shared_info(&s->mem, slice_sub(host, 2, 16), eid), keys);
	rspsim_channel_start(channel, keys);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	if (s->change->touch)
		return RSPSIM_DER(&s->mem, 0xbf23, sent(s, CHANNEL, inner), signature);
	return part(s, O_WHOLE,
		RSPSIM_DER(&s->mem, 0xbf23, part(s, O_SENT_OPERATION, operation),
			part(s, O_SENT_ID, id), part(s, O_SENT_CRT, crt),
			part(s, O_SENT_POINT, point), part(s, O_SIGNATURE, signature)));
}

static struct slice
metadata_group(struct server *s, struct rspsim_channel *c)
{
	struct slice plain = part(s, B_METADATA, SLICE_LIT(TEST_METADATA)), first;

	plain = made(s, METADATA, plain);
	if (!s->change->metadata_cut)
		return part(s, B_METADATA_SEGMENT,
			sent_sealed(s, METADATA, seal(c, &s->mem, RSPSIM_METADATA, plain)));
	first = part(
		s, B_METADATA_SEGMENT, seal(c, &s->mem, RSPSIM_METADATA, slice_sub(plain, 0, 20)));
	return RSPSIM_DER(&s->mem, 0, first,
		part(s, B_METADATA_SEGMENT2,
			seal(c, &s->mem, RSPSIM_METADATA, slice_sub(plain, 20, plain.n))));
}

static struct slice
keys_group(struct server *s, struct rspsim_channel *c)
{
	uint8_t keys[48];
	struct slice plain, sealed;

	if (s->change->session_keys)
		return SLICE_NONE;
	for (size_t i = 0; i < sizeof keys; i++)
		keys[i] = (uint8_t)(0x40 + i);
	plain = RSPSIM_DER(&s->mem, 0xbf26, tlv(s, 0x80, slice_of(keys, 16)),
		tlv(s, 0x81, slice_of(keys + 16, 16)), tlv(s, 0x82, slice_of(keys + 32, 16)));
	plain = made(s, KEYS, part(s, B_KEYS, plain));
	sealed = sent_sealed(s, KEYS, seal(c, &s->mem, RSPSIM_COMMAND, plain));
	rspsim_channel_start(c, keys);
	return RSPSIM_DER(&s->mem, 0xa2, part(s, B_KEYS_SEGMENT, sealed));
}

static struct slice
profile_group(struct server *s, struct rspsim_channel *c)
{
	struct slice upp = server_upp(s), out = SLICE_NONE;
	size_t cut = s->change->cut ? s->change->cut : 1007;

	for (size_t at = 0; at < upp.n; at += cut) {
		struct slice segment = seal(c, &s->mem, RSPSIM_PROFILE, slice_sub(upp, at, cut));

		if (at == 0)
			segment = part(s, B_PROFILE_SEGMENT, segment);
		if (at + cut >= upp.n)
			segment = part(s, B_LAST_SEGMENT, segment);
		out = RSPSIM_DER(&s->mem, 0, out, segment);
	}
	return out;
}

static struct slice
server_bpp(struct server *s)
{
	struct rspsim_channel c;
	struct slice opening = open_channel(s, &c), group[4];

	group[0] = made(s, CONFIGURE,
		part(s, B_CONFIGURE, SLICE_LIT("\xbf\x24\x07\xb8\x05\x06\x03\x88\x37\x0a")));
	group[0] = part(s, B_CONFIGURE_SEGMENT,
		sent_sealed(s, CONFIGURE, seal(&c, &s->mem, RSPSIM_COMMAND, group[0])));
	group[0] = part(s, B_GROUP0, tlv(s, 0xa0, group[0]));
	group[1] = part(s, B_GROUP1, tlv(s, 0xa1, metadata_group(s, &c)));
	group[2] = part(s, B_GROUP2, keys_group(s, &c));
	group[3] = part(s, B_GROUP3, tlv(s, 0xa3, profile_group(s, &c)));
	return sent(s, PACKAGE,
		made(s, PACKAGE,
			RSPSIM_DER(&s->mem, 0xbf36, opening, group[0], group[1], group[2], group[3],
				part(s, B_TAIL, SLICE_NONE))));
}

/* Keeps the card's one-time key out of its PrepareDownloadResponse; false when that is an error. */
static bool
server_take_key(struct server *s, struct slice response)
{
	struct rspsim_tlv all, good, signed2, point;

	if (!rspsim_der_read_only(response, 0xbf21, &all) ||
		!rspsim_der_read_only(all.value, 0xa0, &good) ||
		!rspsim_der_find(good.value, 0x30, &signed2) ||
		!rspsim_der_find(signed2.value, 0x5f49, &point))
		return false;
	s->one_time_point = point.value;
	return true;
}

#endif
