/*
 * `rspctl pki csr`: a request to a CI for one of the server's certificates, with the extensions that the
 * role needs (SGP.22 §4.5.2), and the private key when there is none yet.
 */
#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspctl/pki_int.h"

static const struct {
	const char *name, *file; /* what key and request are called when nobody says */
	enum pki_role role;
	bool oid, dns; /* must be given */
} roles[] = {
	{ "auth", "dpauth", PKI_AUTH, true, false },
	{ "pb", "dppb", PKI_PB, true, false },
	{ "tls", "dptls", PKI_TLS, true, true },
	{ "eim", "eim", PKI_EIM, false, true },
};
enum { ROLES = sizeof roles / sizeof roles[0] };

struct wanted {
	const char *role, *curve, *key, *out;
	struct pki_party party;
	size_t at; /* in roles */
	enum crypto_curve on;
};

static int
judge(struct arena *mem, struct wanted *w)
{
	while (w->at < ROLES && (!w->role || strcmp(w->role, roles[w->at].name) != 0))
		w->at++;
	if (w->at == ROLES)
		return pki_fail(EX_USAGE, "--role: auth, pb, tls or eim");
	if (!w->key)
		w->key = arena_printf(mem, "%s.key", roles[w->at].file);
	if (!w->out)
		w->out = arena_printf(mem, "%s.csr", roles[w->at].file);
	if (roles[w->at].oid && !w->party.oid)
		return pki_fail(EX_USAGE, "--oid: the OID of the SM-DP+ is needed for this role");
	if (roles[w->at].dns && !w->party.name_n)
		return pki_fail(EX_USAGE, "--dns: the server's name is needed for this role");
	if (w->curve && strcmp(w->curve, "brainpool") == 0)
		w->on = CURVE_BRAINPOOL_P256R1;
	else if (w->curve && strcmp(w->curve, "nist") != 0)
		return pki_fail(EX_USAGE, "--curve: nist or brainpool");
	if (!w->party.subject)
		w->party.subject = arena_printf(
			mem, "CN=%s", w->party.name_n ? w->party.names[0] : w->party.oid);
	return 0;
}

static int
read_wanted(struct arena *mem, char **argv, struct wanted *w)
{
	unsigned n[6] = { 0 };
	const struct pki_option options[] = { { "--role", &w->role, 1, &n[0] },
		{ "--oid", &w->party.oid, 1, &n[1] },
		{ "--dns", w->party.names, PKI_LIST, &w->party.name_n },
		{ "--curve", &w->curve, 1, &n[2] }, { "--key", &w->key, 1, &n[3] },
		{ "--out", &w->out, 1, &n[4] }, { "--subject", &w->party.subject, 1, &n[5] },
		{ 0 } };

	return pki_options_read(mem, argv, options, NULL) ? judge(mem, w) : EX_USAGE;
}

/* The key in the file, or a new one put there. */
static int
get_key(struct arena *mem, const struct wanted *w, EVP_PKEY **key)
{
	char group[64] = "";

	if (access(w->key, F_OK) == 0) {
		*key = pki_key_load(mem, w->key);
		if (!*key)
			return pki_fail(EX_NOINPUT,
				"%s: no readable private key without passphrase", w->key);
		EVP_PKEY_get_group_name(*key, group, sizeof group, NULL);
		if (strcmp(group, w->on == CURVE_P256 ? "prime256v1" : "brainpoolP256r1") != 0)
			return pki_fail(EX_NOINPUT, "%s: not on %s; choose another key or --curve",
				w->key, crypto_curve_name(w->on));
		return 0;
	}
	*key = pki_key_new(mem, w->on);
	if (!*key || !pki_file_write(w->key, 0600, (struct pki_content){ .key = *key }))
		return pki_fail(EX_CANTCREAT, "%s: %s", w->key, strerror(errno));
	printf("%s: a new private key on %s; keep it\n", w->key, crypto_curve_name(w->on));
	return 0;
}

int
pki_csr(struct arena *mem, char **argv)
{
	struct wanted w = { 0 };
	X509_REQ *request;
	EVP_PKEY *key;
	int code = read_wanted(mem, argv, &w);

	if (!code)
		code = get_key(mem, &w, &key);
	if (code)
		return code;
	request = pki_request_new(mem, roles[w.at].role, &w.party, key);
	if (!request)
		return pki_fail(EX_USAGE, "--oid, --dns or --subject: not usable in a certificate");
	if (!pki_file_write(w.out, 0644, (struct pki_content){ .request = request }))
		return pki_fail(EX_CANTCREAT, "%s: %s", w.out, strerror(errno));
	printf("%s: a request for the %s certificate; send it to the CI\n", w.out, w.role);
	return 0;
}
