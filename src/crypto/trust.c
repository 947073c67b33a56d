/*
 * What the SM-DP+ trusts: CI roots known by their key identifiers, their revocation lists, and a short
 * memory of EUM certificates, so that a session pays only for the eUICC certificate's signature.
 */
#include <stdlib.h>
#include "crypto/int.h"
#include "crypto/trust.h"
#include "crypto/x509.h"

struct crypto_trust *
crypto_trust_new(void)
{
	struct crypto_trust *t = calloc(1, sizeof *t);

	must(t);
	return t;
}

static void
forget_eums(struct crypto_trust *t)
{
	for (size_t i = 0; i < EUM_MEMORY; i++) {
		free(t->eum[i].der);
		t->eum[i].der = NULL;
	}
}

static void
drop_crls(struct crl *crl, size_t n)
{
	for (size_t i = 0; i < n; i++)
		trust_crl_fini(&crl[i]);
	free(crl);
}

void
crypto_trust_free(struct crypto_trust *t)
{
	if (!t)
		return;
	forget_eums(t);
	for (size_t i = 0; i < t->roots; i++)
		free(t->root[i].der);
	drop_crls(t->crl, t->crls);
	free(t->root);
	free(t);
}

static uint8_t *
copy(struct slice s)
{
	uint8_t *p = malloc(s.n + 1);

	must(p);
	memcpy(p, s.p, s.n);
	return p;
}

static const char *
check_root(const struct crypto_cert *c)
{
	struct crypto_public key;

	if (!c->ca || !(c->usage & CRYPTO_USAGE_CERT_SIGN))
		return "not a CA certificate";
	if (c->subject_key_id.n != CRYPTO_KEY_ID_SIZE)
		return "no subject key identifier of 20 octets";
	if (!crypto_public_init(&key, c->key.curve, SLICE_ARRAY(c->key.point)))
		return "its public key is not on its curve";
	if (!crypto_verify_der(&c->key, c->tbs, c->signature))
		return "not signed by itself: a root is wanted here";
	return NULL;
}

static struct root *
find_root(const struct crypto_trust *t, struct slice id)
{
	for (size_t i = 0; i < t->roots; i++)
		if (slice_eq(id, SLICE_ARRAY(t->root[i].facts.id)))
			return &t->root[i];
	return NULL;
}

static void
set_root(struct root *r, const struct crypto_cert *c)
{
	free(r->der);
	r->der = copy(c->der);
	r->subject = slice_of(r->der + (c->subject.p - c->der.p), c->subject.n);
	memcpy(r->facts.id, c->subject_key_id.p, CRYPTO_KEY_ID_SIZE);
	r->facts.key = c->key;
	r->facts.not_before = c->not_before;
	r->facts.not_after = c->not_after;
}

const char *
crypto_trust_add_root(struct crypto_trust *t, struct slice der)
{
	struct crypto_cert c;
	const char *wrong;
	struct root *r;

	if (!crypto_cert_read(&c, der))
		return "not an X.509 version 3 certificate on P-256 or brainpoolP256r1";
	wrong = check_root(&c);
	if (wrong)
		return wrong;
	forget_eums(t);
	r = find_root(t, c.subject_key_id);
	if (r) {
		if (!crypto_public_eq(&r->facts.key, &c.key))
			return "another root has the same key identifier";
		if (c.not_after > r->facts.not_after)
			set_root(r, &c);
		return NULL;
	}
	t->root = realloc(t->root, (t->roots + 1) * sizeof *t->root);
	must(t->root);
	r = &t->root[t->roots++];
	*r = (struct root){ 0 };
	set_root(r, &c);
	return NULL;
}

/* What the roots say of their lists; and EUM certificates are judged anew. */
static void
on_crls_changed(struct crypto_trust *t)
{
	for (size_t i = 0; i < t->roots; i++) {
		struct root *r = &t->root[i];

		r->facts.crls = 0;
		r->facts.crl_next_update = 0;
		for (size_t j = 0; j < t->crls; j++) {
			const struct crl *c = &t->crl[j];
			int64_t next = c->facts.next_update, *first = &r->facts.crl_next_update;

			if (!slice_eq(SLICE_ARRAY(c->facts.issuer_id), SLICE_ARRAY(r->facts.id)))
				continue;
			r->facts.crls++;
			if (next && (!*first || next < *first))
				*first = next;
		}
	}
	forget_eums(t);
}

const char *
crypto_trust_add_crl(struct crypto_trust *t, struct slice der)
{
	struct crl crl;
	const char *wrong = trust_crl_read(&crl, der);
	struct root *r;

	if (wrong)
		return wrong;
	r = find_root(t, SLICE_ARRAY(crl.facts.issuer_id));
	if (r && !crypto_verify_der(&r->facts.key, crl.tbs, crl.signature)) {
		trust_crl_fini(&crl);
		return "its signature is not its issuer's";
	}
	if (r)
		crl.state = CRL_GOOD;
	t->crl = realloc(t->crl, (t->crls + 1) * sizeof *t->crl);
	must(t->crl);
	t->crl[t->crls++] = crl;
	on_crls_changed(t);
	return NULL;
}

const char *
crypto_trust_replace_crls(struct crypto_trust *t, const struct slice *ders, size_t n, size_t *bad)
{
	struct crl *former = t->crl;
	size_t formers = t->crls;
	const char *wrong = NULL;

	t->crl = NULL;
	t->crls = 0;
	for (*bad = 0; *bad < n; ++*bad) {
		wrong = crypto_trust_add_crl(t, ders[*bad]);
		if (wrong)
			break;
	}
	if (wrong) {
		drop_crls(t->crl, t->crls);
		t->crl = former;
		t->crls = formers;
	} else {
		drop_crls(former, formers);
	}
	on_crls_changed(t);
	return wrong;
}

size_t
crypto_trust_crl_count(const struct crypto_trust *t)
{
	return t->crls;
}

const struct crypto_crl *
crypto_trust_crl_get(const struct crypto_trust *t, size_t i)
{
	return &t->crl[i].facts;
}

size_t
crypto_trust_count(const struct crypto_trust *t)
{
	return t->roots;
}

const struct crypto_root *
crypto_trust_get(const struct crypto_trust *t, size_t i)
{
	return &t->root[i].facts;
}

const struct root *
trust_root_find(const struct crypto_trust *t, struct slice id)
{
	return find_root(t, id);
}

const struct crypto_root *
crypto_trust_find(const struct crypto_trust *t, struct slice id)
{
	const struct root *r = find_root(t, id);

	return r ? &r->facts : NULL;
}

struct eum *
trust_eum_find(struct crypto_trust *t, const uint8_t hash[CRYPTO_SHA256_SIZE])
{
	t->uses++;
	for (struct eum *e = t->eum; e < t->eum + EUM_MEMORY; e++)
		if (e->der && memcmp(e->hash, hash, sizeof e->hash) == 0) {
			e->used = t->uses;
			return e;
		}
	return NULL;
}

const struct eum *
trust_eum_add(struct crypto_trust *t, const uint8_t hash[CRYPTO_SHA256_SIZE], struct slice der)
{
	struct eum *oldest = t->eum;

	for (struct eum *e = t->eum; e < t->eum + EUM_MEMORY && oldest->der; e++)
		if (!e->der || e->used < oldest->used)
			oldest = e;
	free(oldest->der);
	oldest->der = copy(der);
	memcpy(oldest->hash, hash, sizeof oldest->hash);
	oldest->used = t->uses;
	must(crypto_cert_read(&oldest->cert, slice_of(oldest->der, der.n)));
	return oldest;
}
