/* AuthenticateServer (SGP.22 §5.7.13): the card judges the SM-DP+ and signs what it answers. */
#include "base/rand.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/euicc_int.h"

/* The request and serverSigned1, sliced. */
struct request {
	struct rspsim_tlv signed1, signature, ci, certificate, context;
	struct slice transaction_id, challenge, address, server_challenge;
};

static bool
read_signed1(struct slice in, struct request *r)
{
	struct rspsim_tlv id, challenge, address, server_challenge;

	if (!rspsim_der_read_tag(&in, 0x80, &id) || !rspsim_der_read_tag(&in, 0x81, &challenge) ||
		!rspsim_der_read_tag(&in, 0x83, &address) ||
		!rspsim_der_read_tag(&in, 0x84, &server_challenge))
		return false;
	r->transaction_id = id.value;
	r->challenge = challenge.value;
	r->address = address.value;
	r->server_challenge = server_challenge.value;
	return id.value.n >= 1 && id.value.n <= 16 && challenge.value.n == 16 &&
		address.value.n > 0 && server_challenge.value.n == 16;
}

static bool
read_request(struct slice request, struct request *r)
{
	struct rspsim_tlv all;
	struct slice in;

	*r = (struct request){ 0 };
	if (!rspsim_der_read_only(request, 0xbf38, &all))
		return false;
	in = all.value;
	return rspsim_der_read_tag(&in, 0x30, &r->signed1) && read_signed1(r->signed1.value, r) &&
		rspsim_der_read_tag(&in, 0x5f37, &r->signature) &&
		rspsim_der_read_tag(&in, 0x04, &r->ci) &&
		rspsim_der_read_tag(&in, 0x30, &r->certificate) &&
		rspsim_der_read_tag(&in, 0xa0, &r->context) && in.n == 0;
}

static enum rspsim_authenticate_error
certificate_error(enum rspsim_cert_fault fault)
{
	switch (fault) {
	case RSPSIM_CERT_FINE:
		return RSPSIM_AUTHENTICATE_FINE;
	case RSPSIM_CERT_ROLE:
		return RSPSIM_AUTHENTICATE_OID;
	case RSPSIM_CERT_CURVE:
		return RSPSIM_AUTHENTICATE_CURVE;
	case RSPSIM_CERT_INVALID:
		break;
	}
	return RSPSIM_AUTHENTICATE_CERTIFICATE;
}

/* CERT.DPauth (or CERT.DSauth) below a CI of the verification list, and serverSignature1 by it. */
static enum rspsim_authenticate_error
check_certificate(struct rspsim_card *card, const struct request *r, X509 *cert)
{
	struct rspsim_session *s = &card->session;
	struct slice authority = rspsim_cert_authority_id(cert);
	enum rspsim_authenticate_error error;
	enum rspsim_cert_fault fault;

	if (!authority.n)
		return RSPSIM_AUTHENTICATE_CERTIFICATE;
	s->server = rspsim_card_find_ci(card, authority);
	if (!s->server)
		return RSPSIM_AUTHENTICATE_CI;
	s->dp_oid = rspsim_cert_oid(&card->session_mem, cert);
	if (card->trusting)
		return RSPSIM_AUTHENTICATE_FINE;
	fault = rspsim_cert_check(cert, s->server->root, RSPSIM_ROLE_DP_AUTH);
	if (fault == RSPSIM_CERT_ROLE) /* an SM-DS is authenticated in the same way */
		fault = rspsim_cert_check(cert, s->server->root, RSPSIM_ROLE_DS_AUTH);
	error = certificate_error(fault);
	if (error)
		return error;
	if (!rspsim_verify(X509_get0_pubkey(cert), r->signed1.whole, r->signature.value))
		return RSPSIM_AUTHENTICATE_SIGNATURE;
	return RSPSIM_AUTHENTICATE_FINE;
}

static enum rspsim_authenticate_error
check(struct rspsim_card *card, const struct request *r)
{
	enum rspsim_authenticate_error error;
	X509 *cert;

	if (card->session.state != RSPSIM_SESSION_CHALLENGED)
		return RSPSIM_AUTHENTICATE_NO_SESSION;
	card->session.own = rspsim_card_find_ci(card, r->ci.value);
	if (!card->session.own)
		return RSPSIM_AUTHENTICATE_CI;
	cert = rspsim_cert_from_der(r->certificate.whole);
	if (!cert)
		return RSPSIM_AUTHENTICATE_CERTIFICATE;
	error = check_certificate(card, r, cert);
	X509_free(cert);
	if (error)
		return error;
	if (!slice_eq(r->challenge, SLICE_ARRAY(card->session.challenge)))
		return RSPSIM_AUTHENTICATE_CHALLENGE;
	return RSPSIM_AUTHENTICATE_FINE;
}

static struct slice
refuse(struct arena *mem, struct slice transaction_id, enum rspsim_authenticate_error error)
{
	return RSPSIM_DER(mem, 0xbf38,
		RSPSIM_DER(mem, 0xa1, RSPSIM_DER(mem, 0x80, transaction_id),
			rspsim_der_u32(mem, 0x02, error)));
}

/* A bit in the certificate's own signature, its last member. */
static struct slice
certificate(struct arena *mem, struct slice der, bool broken)
{
	return broken ? rspsim_break_flip(mem, der, 1) : der;
}

static struct slice
answer(struct rspsim_card *card, struct arena *mem, const struct request *r)
{
	const struct rspsim_ci *own = card->session.own;
	enum rspsim_break fault = card->fault;
	struct slice id = r->transaction_id, challenge = r->server_challenge;
	struct slice signed1, signature, euicc, eum;

	if (fault == RSPSIM_BREAK_AUTHENTICATE_INNER)
		id = rspsim_break_flip(mem, id, 1);
	if (fault == RSPSIM_BREAK_AUTHENTICATE_CHALLENGE)
		challenge = rspsim_break_flip(mem, challenge, 1);
	signed1 = RSPSIM_DER(mem, 0x30, RSPSIM_DER(mem, 0x80, id),
		RSPSIM_DER(mem, 0x83, r->address), RSPSIM_DER(mem, 0x84, challenge),
		rspsim_euicc_info2(card, mem), r->context.whole);
	signature = rspsim_euicc_sign(mem, own, signed1);
	if (fault == RSPSIM_BREAK_AUTHENTICATE_SIGNATURE)
		signature = rspsim_break_flip(mem, signature, 1);
	if (fault == RSPSIM_BREAK_AUTHENTICATE_SIGNED)
		signed1 = rspsim_break_flip(mem, signed1, 1);
	card->session.signature1 = arena_copy(&card->session_mem, signature);
	euicc = certificate(
		mem, own->certificate_der, fault == RSPSIM_BREAK_AUTHENTICATE_EUICC_CERT);
	eum = certificate(mem, own->eum_der, fault == RSPSIM_BREAK_AUTHENTICATE_EUM_CERT);
	if (fault == RSPSIM_BREAK_AUTHENTICATE_SWAP)
		return RSPSIM_DER(
			mem, 0xbf38, RSPSIM_DER(mem, 0xa0, signed1, signature, eum, euicc));
	return RSPSIM_DER(mem, 0xbf38, RSPSIM_DER(mem, 0xa0, signed1, signature, euicc, eum));
}

struct slice
rspsim_euicc_authenticate_server(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	struct rspsim_session *s = &card->session;
	enum rspsim_authenticate_error error = RSPSIM_AUTHENTICATE_UNDEFINED;
	struct request r;

	if (read_request(request, &r))
		error = check(card, &r);
	if (card->fault == RSPSIM_BREAK_AUTHENTICATE_ERROR)
		error = RSPSIM_AUTHENTICATE_UNDEFINED;
	if (error) {
		rspsim_card_end_session(card);
		return refuse(mem, r.transaction_id, error);
	}
	s->transaction_id = arena_copy(&card->session_mem, r.transaction_id);
	s->address = arena_string(&card->session_mem, r.address);
	s->state = RSPSIM_SESSION_AUTHENTICATED;
	return answer(card, mem, &r);
}
