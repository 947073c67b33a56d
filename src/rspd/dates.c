/*
 * When our own certificates and the revocation lists end, noted in the world for who watches it: CIs,
 * CERT.DPauth, CERT.DPpb, what listeners, [coap] sections and clients show, the eIM's certificate, and the next
 * updates of lists.
 */
#include <openssl/x509.h>
#include <stdlib.h>
#include <time.h>
#include "base/text.h"
#include "rspd/int.h"

static struct dp_certificate *
append(struct owner *o)
{
	struct dp_world *w = &o->world;

	w->certificates =
		realloc(w->certificates, (w->certificate_count + 1) * sizeof *w->certificates);
	if (!w->certificates)
		abort();
	return &w->certificates[w->certificate_count++];
}

static int64_t
seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) : 0;
}

/* OpenSSL reads it, for operators' certificates are on any curve, or RSA. */
void
dates_add(struct owner *o, const char *what, struct slice name, struct slice der)
{
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	struct dp_certificate *c;

	if (!x)
		return;
	c = append(o);
	*c = (struct dp_certificate){ .what = what,
		.name = name,
		.not_before = seconds_of(X509_get0_notBefore(x)),
		.not_after = seconds_of(X509_get0_notAfter(x)) };
	crypto_sha256(&der, 1, c->sha256);
	X509_free(x);
	o->fixed = o->world.certificate_count;
}

void
dates_set_lists(struct owner *o)
{
	const struct crypto_trust *trust = o->world.trust;

	o->world.certificate_count = o->fixed;
	for (size_t i = 0; i < crypto_trust_crl_count(trust); i++) {
		const struct crypto_crl *crl = crypto_trust_crl_get(trust, i);
		struct dp_certificate *c;

		if (!crl->next_update)
			continue;
		c = append(o);
		*c = (struct dp_certificate){ .what = "crl",
			.name = o->lists[o->list_from[i]].name,
			.not_before = crl->this_update,
			.not_after = crl->next_update };
		crypto_sha256(&crl->der, 1, c->sha256);
	}
}

static bool
chain_read(struct owner *o, const char *what, const char *section, const char *path,
	char words[WORLD_WORDS])
{
	struct slice pem, der;

	if (!path)
		return true;
	if (!world_file_read(&o->mem, path, &pem, NULL, words))
		return false;
	while (text_unpem(&o->mem, &pem, "CERTIFICATE", &der))
		dates_add(o, what, slice_text(section), der);
	return true;
}

/* What a section shows in TLS or DTLS. */
static bool
shown_read(struct owner *o, const char *kind, const char *name, const char *path,
	char words[WORLD_WORDS])
{
	return chain_read(o, "tls", arena_printf(&o->mem, "%s %s", kind, name), path, words);
}

bool
dates_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS])
{
	for (unsigned i = 0; i < conf->listener_n; i++)
		if (!shown_read(o, "listener", conf->listeners[i].name,
			    conf->listeners[i].certificate, words))
			return false;
	for (unsigned i = 0; i < conf->client_n; i++)
		if (!shown_read(o, "client", conf->clients[i].name, conf->clients[i].certificate,
			    words))
			return false;
	for (unsigned i = 0; i < conf->coap_n; i++)
		if (!shown_read(o, "coap", conf->coaps[i].name, conf->coaps[i].certificate, words))
			return false;
	return !conf->eim.line || chain_read(o, "eim", "eim", conf->eim.certificate, words);
}
