/* EimConfigurationData (SGP.32 §3.5), both ways: by what an eUICC knows an eIM, and an IPA the eIM's server. */
#include "codec/eim_package.h"

#include "base/text.h"
#include "codec/int.h"

/* Two certificates of any sensible size. */
#define CONFIGURATION_MAX 65536u

/* True for well-formed UTF-8 of that many characters. */
static bool
is_text(struct slice s, size_t min, size_t max)
{
	size_t n = text_characters(s);

	return n >= min && n <= max;
}

static bool
is_sequence(struct slice octets)
{
	struct codec_der tlv;

	return !octets.p || codec_der_read_whole(octets, 0x30, &tlv);
}

/* Why it cannot be written, or NULL. */
static const char *
fault(const struct codec_eim_configuration *in)
{
	if (!is_text(in->eim_id, 1, 128))
		return "the eimId is no text of 1 to 128 characters";
	if (in->fqdn.p && !is_text(in->fqdn, 1, 255))
		return "the eimFqdn is no text of 1 to 255 characters";
	if (in->id_type > CODEC_EIM_ID_PROPRIETARY)
		return "the eimIdType is none";
	if (in->counter.known && in->counter.n < 0)
		return "the counterValue is negative";
	if (in->association_token.known && in->association_token.n < -1)
		return "the associationToken is negative and not -1";
	if ((in->key.certificate.p && in->key.public_key.p) ||
		(in->tls.certificate.p && in->tls.public_key.p))
		return "a key and a certificate are given for one purpose";
	if (!is_sequence(in->key.certificate) || !is_sequence(in->key.public_key) ||
		!is_sequence(in->tls.certificate) || !is_sequence(in->tls.public_key))
		return "a key or a certificate is no SEQUENCE";
	if (in->ci_pkid.p && in->ci_pkid.n != 20)
		return "the euiccCiPKId has not 20 octets";
	return NULL;
}

/* The CHOICE of a public key and a certificate. */
static void
key_put(struct buf *out, uint32_t tag, const struct codec_eim_key *key,
	enum codec_certificate_form form)
{
	struct slice octets = key->certificate.p ? key->certificate : key->public_key;
	uint32_t arm = key->certificate.p ? 0xa1 : 0xa0;
	struct codec_der whole;

	if (!octets.p || !codec_der_read_whole(octets, 0x30, &whole))
		return;
	if (form == CODEC_CERTIFICATE_IMPLICIT)
		octets = whole.value;
	codec_der_put(out, tag, codec_der_write(out->mem, arm, octets));
}

static void
number_put(struct buf *out, uint32_t tag, struct codec_number number)
{
	if (number.known)
		codec_der_put_int(out, tag, number.n);
}

bool
codec_eim_configuration_write(struct arena *mem, const struct codec_eim_configuration *in,
	enum codec_certificate_form form, struct slice *out, const char **why)
{
	struct buf contents;

	*why = fault(in);
	if (*why)
		return false;
	buf_init(&contents, mem, CONFIGURATION_MAX);
	codec_der_put(&contents, 0x80, in->eim_id);
	codec_der_put_optional(&contents, 0x81, in->fqdn);
	if (in->id_type != CODEC_EIM_ID_UNSAID)
		codec_der_put_int(&contents, 0x82, in->id_type);
	number_put(&contents, 0x83, in->counter);
	number_put(&contents, 0x84, in->association_token);
	key_put(&contents, 0xa5, &in->key, form);
	key_put(&contents, 0xa6, &in->tls, form);
	if (in->protocols_known)
		codec_der_put_bits(&contents, 0x87, in->protocols);
	codec_der_put_optional(&contents, 0x88, in->ci_pkid);
	if (in->indirect_download)
		codec_der_put(&contents, 0x89, SLICE_LIT(""));
	if (contents.overflow) {
		*why = "the keys and certificates take too many octets";
		return false;
	}
	*out = codec_der_write(mem, 0x30, buf_get(&contents));
	return true;
}

static bool
key_read(struct arena *mem, struct slice contents, struct codec_eim_key *out, const char **why)
{
	struct codec_der arm;
	unsigned leniencies = 0;

	*out = (struct codec_eim_key){ 0 };
	if (!contents.p)
		return true;
	if (codec_der_read_whole(contents, 0xa0, &arm))
		out->public_key = member_sequence_read(mem, arm.value, 2, &leniencies);
	else if (codec_der_read_whole(contents, 0xa1, &arm))
		out->certificate = member_sequence_read(mem, arm.value, 3, &leniencies);
	if (out->public_key.p || out->certificate.p)
		return true;
	*why = "EimConfigurationData: neither a public key nor a certificate";
	return false;
}

/* The members that are numbers or bits. */
static bool
numbers_read(struct slice id_type, struct slice protocols, struct codec_eim_configuration *out)
{
	int64_t number = CODEC_EIM_ID_UNSAID;

	if (id_type.p && !codec_der_int_read(id_type, &number))
		return false;
	if (number < CODEC_EIM_ID_UNSAID || number > CODEC_EIM_ID_PROPRIETARY)
		return false;
	out->id_type = (enum codec_eim_id_type)number;
	out->protocols_known = protocols.p;
	return !protocols.p || member_bits_read(protocols, &out->protocols);
}

bool
codec_eim_configuration_read(struct arena *mem, struct slice octets,
	struct codec_eim_configuration *out, const char **why)
{
	struct slice id_type, counter, token, key, tls, protocols, indirect;
	struct codec_der tlv;
	const struct member table[] = {
		{ 0x80, "eimId", 1, 512, false, &out->eim_id, NULL },
		{ 0x81, "eimFqdn", 0, 1024, true, &out->fqdn, NULL },
		{ 0x82, "eimIdType", 1, 4, true, &id_type, NULL },
		{ 0x83, "counterValue", 1, 8, true, &counter, NULL },
		{ 0x84, "associationToken", 1, 8, true, &token, NULL },
		{ 0xa5, "eimPublicKeyData", 1, MEMBER_MAX, true, &key, NULL },
		{ 0xa6, "trustedPublicKeyDataTls", 1, MEMBER_MAX, true, &tls, NULL },
		{ 0x87, "eimSupportedProtocol", 1, 8, true, &protocols, NULL },
		{ 0x88, "euiccCiPKId", 1, 20, true, &out->ci_pkid, NULL },
		{ 0x89, "indirectProfileDownload", 0, 0, true, &indirect, NULL },
	};

	*out = (struct codec_eim_configuration){ 0 };
	if (!codec_der_read_whole(octets, 0x30, &tlv) &&
		!codec_der_read_whole(octets, 0xa8, &tlv) &&
		!codec_der_read_whole(octets, 0xaa, &tlv)) {
		*why = "EimConfigurationData: not one TLV of tag 30, A8 or AA";
		return false;
	}
	if (!MEMBER_READ(mem, tlv.value, table, why))
		return false;
	if (!numbers_read(id_type, protocols, out)) {
		*why = "EimConfigurationData: eimIdType or eimSupportedProtocol is none";
		return false;
	}
	out->counter = member_number_read(counter);
	out->association_token = member_number_read(token);
	out->indirect_download = indirect.p;
	return key_read(mem, key, &out->key, why) && key_read(mem, tls, &out->tls, why);
}
