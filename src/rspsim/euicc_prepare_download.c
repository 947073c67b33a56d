/* PrepareDownload (SGP.22 §5.7.5): the card accepts the offer and gives its one-time key. */
#include "rspsim/cert.h"
#include "rspsim/crypto.h"
#include "rspsim/euicc_int.h"

struct request {
	struct rspsim_tlv signed2, signature, hash_cc, certificate;
	struct slice transaction_id, one_time; /* in smdpSigned2; the latter may be absent */
	bool cc_required;
};

static bool
read_signed2(struct slice in, struct request *r)
{
	struct rspsim_tlv id, cc, point;

	if (!rspsim_der_read_tag(&in, 0x80, &id) || !rspsim_der_read_tag(&in, 0x01, &cc) ||
		cc.value.n != 1)
		return false;
	rspsim_der_read_optional(&in, 0x5f49, &point);
	r->transaction_id = id.value;
	r->cc_required = cc.value.p[0] != 0;
	r->one_time = point.value;
	return true;
}

static bool
read_request(struct slice request, struct request *r)
{
	struct rspsim_tlv all;
	struct slice in;

	*r = (struct request){ 0 };
	if (!rspsim_der_read_only(request, 0xbf21, &all))
		return false;
	in = all.value;
	if (!rspsim_der_read_tag(&in, 0x30, &r->signed2) || !read_signed2(r->signed2.value, r) ||
		!rspsim_der_read_tag(&in, 0x5f37, &r->signature))
		return false;
	rspsim_der_read_optional(&in, 0x04, &r->hash_cc);
	return rspsim_der_read_tag(&in, 0x30, &r->certificate) && in.n == 0 &&
		(!r->hash_cc.whole.p || r->hash_cc.value.n == 32);
}

/* CERT.DPpb stands below the CI of CERT.DPauth and belongs to the same SM-DP+. */
static enum rspsim_download_error
check_certificate(const struct rspsim_card *card, struct arena *mem, X509 *cert)
{
	const struct rspsim_session *s = &card->session;

	if (!slice_eq(rspsim_cert_authority_id(cert), s->server->key_id))
		return RSPSIM_DOWNLOAD_CERTIFICATE;
	switch (rspsim_cert_check(cert, s->server->root, RSPSIM_ROLE_DP_PB)) {
	case RSPSIM_CERT_FINE:
		break;
	case RSPSIM_CERT_CURVE:
		return RSPSIM_DOWNLOAD_CURVE;
	case RSPSIM_CERT_INVALID:
	case RSPSIM_CERT_ROLE:
		return RSPSIM_DOWNLOAD_CERTIFICATE;
	}
	if (!slice_eq(rspsim_cert_oid(mem, cert), s->dp_oid))
		return RSPSIM_DOWNLOAD_CERTIFICATE;
	return RSPSIM_DOWNLOAD_FINE;
}

/* smdpSignature2 binds the offer to what this card has signed in AuthenticateServer. */
static enum rspsim_download_error
check(struct rspsim_card *card, struct arena *mem, const struct request *r)
{
	struct rspsim_session *s = &card->session;
	enum rspsim_download_error error;

	if (s->state != RSPSIM_SESSION_AUTHENTICATED)
		return RSPSIM_DOWNLOAD_NO_SESSION;
	s->dp_pb = rspsim_cert_from_der(r->certificate.whole);
	if (!s->dp_pb)
		return RSPSIM_DOWNLOAD_CERTIFICATE;
	if (!card->trusting) {
		error = check_certificate(card, mem, s->dp_pb);
		if (error)
			return error;
		if (!rspsim_verify(X509_get0_pubkey(s->dp_pb),
			    RSPSIM_DER(mem, 0, r->signed2.whole, s->signature1),
			    r->signature.value))
			return RSPSIM_DOWNLOAD_SIGNATURE;
	}
	if (!slice_eq(r->transaction_id, s->transaction_id))
		return RSPSIM_DOWNLOAD_TRANSACTION;
	if (r->cc_required && !r->hash_cc.whole.p && card->fault != RSPSIM_BREAK_PREPARE_NO_CC)
		return RSPSIM_DOWNLOAD_UNDEFINED;
	return RSPSIM_DOWNLOAD_FINE;
}

struct rspsim_one_time *
rspsim_euicc_find_one_time(const struct rspsim_card *card, struct slice oid, int curve)
{
	struct rspsim_one_time *k = card->one_times;

	while (k && !(slice_eq(k->oid, oid) && rspsim_key_curve(k->key) == curve))
		k = k->next;
	return k;
}

void
rspsim_euicc_forget_one_time(struct rspsim_card *card, struct rspsim_one_time *key)
{
	struct rspsim_one_time **link = &card->one_times;

	while (*link && *link != key)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = key->next;
	EVP_PKEY_free(key->key);
	key->key = NULL;
}

/*
 * The former pair when the server offers it and the card still holds it, else a new one (§3.1.3.2
 * step 3).
 */
static struct rspsim_one_time *
one_time_key(struct rspsim_card *card, struct arena *mem, const struct request *r)
{
	const struct rspsim_session *s = &card->session;
	int curve = rspsim_key_curve(X509_get0_pubkey(s->dp_pb));
	struct rspsim_one_time *k = rspsim_euicc_find_one_time(card, s->dp_oid, curve);

	if (k && slice_eq(rspsim_key_point(mem, k->key), r->one_time) &&
		card->fault != RSPSIM_BREAK_PREPARE_NEW_KEY)
		return k;
	if (k)
		rspsim_euicc_forget_one_time(card, k);
	k = ARENA_NEW(&card->state_mem, struct rspsim_one_time);
	k->oid = arena_copy(&card->state_mem, s->dp_oid);
	k->key = rspsim_key_new(curve);
	k->next = card->one_times;
	card->one_times = k;
	return k;
}

static struct slice
refuse(struct arena *mem, struct slice transaction_id, enum rspsim_download_error error)
{
	return RSPSIM_DER(mem, 0xbf21,
		RSPSIM_DER(mem, 0xa1, RSPSIM_DER(mem, 0x80, transaction_id),
			rspsim_der_u32(mem, 0x02, error)));
}

static struct slice
answer(struct rspsim_card *card, struct arena *mem, const struct request *r)
{
	struct rspsim_session *s = &card->session;
	struct slice id = s->transaction_id, point, hash = SLICE_NONE, signed2, signature;

	point = rspsim_key_point(mem, s->one_time->key);
	if (card->fault == RSPSIM_BREAK_PREPARE_OFF_CURVE)
		point = rspsim_break_flip(mem, point, 1);
	if (card->fault == RSPSIM_BREAK_PREPARE_INNER)
		id = rspsim_break_flip(mem, id, 1);
	if (r->hash_cc.whole.p && card->fault == RSPSIM_BREAK_PREPARE_CC)
		hash = rspsim_break_flip(mem, r->hash_cc.whole, 1);
	else if (card->fault != RSPSIM_BREAK_PREPARE_NO_CC)
		hash = r->hash_cc.whole;
	signed2 = RSPSIM_DER(
		mem, 0x30, RSPSIM_DER(mem, 0x80, id), RSPSIM_DER(mem, 0x5f49, point), hash);
	signature = rspsim_euicc_sign(mem, s->own, RSPSIM_DER(mem, 0, signed2, r->signature.whole));
	if (card->fault == RSPSIM_BREAK_PREPARE_SIGNATURE)
		signature = rspsim_break_flip(mem, signature, 1);
	if (card->fault == RSPSIM_BREAK_PREPARE_SIGNED)
		signed2 = rspsim_break_flip(mem, signed2, 1 + hash.n);
	return RSPSIM_DER(mem, 0xbf21, RSPSIM_DER(mem, 0xa0, signed2, signature));
}

struct slice
rspsim_euicc_prepare_download(struct rspsim_card *card, struct arena *mem, struct slice request)
{
	enum rspsim_download_error error = RSPSIM_DOWNLOAD_UNDEFINED;
	struct request r;

	if (read_request(request, &r))
		error = check(card, mem, &r);
	if (card->fault == RSPSIM_BREAK_PREPARE_ERROR)
		error = RSPSIM_DOWNLOAD_UNDEFINED;
	if (error)
		return refuse(mem, r.transaction_id, error);
	card->session.one_time = one_time_key(card, mem, &r);
	card->session.state = RSPSIM_SESSION_PREPARED;
	return answer(card, mem, &r);
}
