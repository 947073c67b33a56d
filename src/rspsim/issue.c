/*
 * Cards for a test PKI: an eUICC certificate under the EUM of each curve that the PKI holds,
 * formed as the SGP.26 ones are (SGP.22 §4.5.2.1.0.3).
 */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <unistd.h>
#include "base/rand.h"
#include "rspsim/card.h"
#include "rspsim/cert.h"
#include "rspsim/crypto.h"

enum { EUICC_DAYS = 2000000 };

/*
 * The folders of a PKI in which a curve's tree may be: those of the two curves, else the PKI
 * itself.
 */
static const char *const trees[] = { "nist", "brainpool", "." };

/* One curve's files; what is missing is NULL. */
struct tree {
	X509 *ci, *eum;
	EVP_PKEY *eum_key;
};

static struct tree
read_tree(const char *pki, const char *folder)
{
	struct arena mem;
	struct tree t;

	arena_init(&mem, 1 << 16, NULL, NULL);
	t.ci = rspsim_cert_read(arena_printf(&mem, "%s/%s/ci.pem", pki, folder));
	t.eum = rspsim_cert_read(arena_printf(&mem, "%s/%s/eum.pem", pki, folder));
	t.eum_key = rspsim_key_read(arena_printf(&mem, "%s/%s/eum.key", pki, folder));
	arena_fini(&mem);
	return t;
}

static void
drop_tree(struct tree *t)
{
	X509_free(t->ci);
	X509_free(t->eum);
	EVP_PKEY_free(t->eum_key);
}

static X509 *
issue_certificate(const struct tree *t, const char *eid, EVP_PKEY *key)
{
	struct rspsim_eum_range range;
	struct rspsim_cert_form form = {
		.subject = { { "C", "ES" }, { "O", "" }, { "serialNumber", eid },
			{ "CN", "Simulated eUICC" } },
		.extensions = { { "authorityKeyIdentifier", "keyid" },
			{ "subjectKeyIdentifier", "hash" },
			{ "keyUsage", "critical,digitalSignature" },
			{ "certificatePolicies", "critical,2.23.146.1.2.1.1" } },
		.days = EUICC_DAYS,
	};

	rspsim_eum_range(t->eum, &range);
	form.subject[1][1] = range.organization[0] ? range.organization : "RSP Test EUM";
	rand_bytes(&form.serial, sizeof form.serial);
	form.serial >>= 1;
	return rspsim_cert_issue(&form, key, t->eum, t->eum_key);
}

static const char *
add_tree(struct rspsim_card *card, struct tree *t)
{
	EVP_PKEY *key;
	X509 *certificate;

	if (!t->eum || !t->eum_key || X509_check_private_key(t->eum, t->eum_key) != 1)
		return "eum.pem and eum.key beside ci.pem are missing or do not fit each other";
	key = rspsim_key_new(rspsim_key_curve(t->eum_key));
	certificate = issue_certificate(t, card->eid, key);
	if (!certificate) {
		EVP_PKEY_free(key);
		return "the eUICC certificate could not be made";
	}
	X509_up_ref(t->ci);
	X509_up_ref(t->eum);
	if (!rspsim_card_add_ci(card, t->ci, t->eum, certificate, key))
		return "the card holds four CIs already, or the CI has no subject key identifier";
	return NULL;
}

const char *
rspsim_card_issue(struct rspsim_card *card, const char *pki)
{
	size_t before = card->ci_count;

	for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i++) {
		struct tree t = read_tree(pki, trees[i]);
		const char *wrong = t.ci ? add_tree(card, &t) : NULL;

		drop_tree(&t);
		if (wrong)
			return wrong;
	}
	return card->ci_count > before ? NULL
				       : "no ci.pem in the folder, its nist/ or its brainpool/";
}

void
rspsim_pki_prefix(const char *pki, char prefix[33])
{
	struct rspsim_eum_range range = { "", "" };

	for (size_t i = 0; i < sizeof trees / sizeof trees[0] && !range.prefix[0]; i++) {
		struct tree t = read_tree(pki, trees[i]);

		if (t.eum)
			rspsim_eum_range(t.eum, &range);
		drop_tree(&t);
	}
	snprintf(prefix, 33, "%s", range.prefix[0] ? range.prefix : "89049032");
}
