/*
 * `rspctl pki make-test DIR`: a whole test PKI on both curves (CI, EUM, the three of an SM-DP+, the two of
 * an SM-DS and of an eIM, that of an operator), keys, empty revocation lists, and a configuration that uses
 * them. For laboratories: everybody who reads the folder can issue under its root.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include "base/buf.h"
#include "base/rand.h"
#include "base/secret.h"
#include "base/text.h"
#include "rspctl/pki_int.h"

#define CRL_POINT "http://crl.example.org/ci.crl"
#define ACME "O=ACME,CN=TEST SM-DP+"

static const struct {
	const char *folder;
	enum crypto_curve curve;
	int port;
} trees[] = { { "nist", CURVE_P256, 8443 }, { "brainpool", CURVE_BRAINPOOL_P256R1, 8444 } };
enum { TREES = sizeof trees / sizeof trees[0] };

static const struct {
	const char *file;
	enum pki_role role;
	const char *subject; /* NULL: the first DNS name */
	const char *oid;     /* NULL: the SM-DP+'s */
} certificates[] = {
	{ "ci", PKI_CI, "CN=Test CI,OU=TESTCERT,O=RSPTEST,C=IT", "2.999.1" },
	{ "eum", PKI_EUM, "C=ES,O=RSP Test EUM,CN=EUM Test", "2.999.5" },
	{ "dpauth", PKI_AUTH, ACME, NULL },
	{ "dppb", PKI_PB, ACME, NULL },
	{ "dptls", PKI_TLS, NULL, NULL },
	{ "dsauth", PKI_DS_AUTH, "O=ACME,CN=TEST SM-DS", "2.999.15" },
	{ "dstls", PKI_DS_TLS, NULL, "2.999.15" },
	{ "eim", PKI_EIM, "O=ACME,CN=TEST eIM", "2.999.30" },
	{ "eimtls", PKI_EIM_TLS, NULL, "2.999.30" },
	{ "operator", PKI_OPERATOR, "O=Example Mobile,CN=operator.example.org", "2.999.20" },
};

struct wanted {
	const char *folder, *oid, *range;
	const char *names[PKI_LIST];
	unsigned name_n, force, seen;
};

static bool
names_localhost(const struct wanted *w)
{
	for (unsigned i = 0; i < w->name_n; i++)
		if (strcmp(w->names[i], "localhost") == 0)
			return true;
	return false;
}

/* The SM-DS of a test and the operator's server are beside it, whatever the SM-DP+ is called. */
static struct pki_party
party_of(struct arena *mem, const struct wanted *w, size_t i)
{
	struct pki_party p = { .oid = certificates[i].oid ? certificates[i].oid : w->oid,
		.subject = certificates[i].subject,
		.range = w->range,
		.crl = CRL_POINT };

	if (!certificates[i].subject) {
		p.subject = arena_printf(mem, "O=ACME,CN=%s", w->names[0]);
		memcpy(p.names, w->names, sizeof w->names);
		p.name_n = w->name_n;
	}
	if ((certificates[i].role == PKI_DS_TLS && !names_localhost(w)) ||
		certificates[i].role == PKI_OPERATOR)
		p.names[p.name_n++] = "localhost";
	return p;
}

/* One curve's folder. */
static int
make_tree(struct arena *mem, const struct wanted *w, size_t tree)
{
	const char *folder = arena_printf(mem, "%s/%s", w->folder, trees[tree].folder);
	EVP_PKEY *ci_key = NULL;
	X509 *ci = NULL;
	X509_CRL *crl;

	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return pki_fail(EX_CANTCREAT, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < sizeof certificates / sizeof certificates[0]; i++) {
		struct pki_party party = party_of(mem, w, i);
		const char *file = arena_printf(mem, "%s/%s", folder, certificates[i].file);
		EVP_PKEY *key = pki_key_new(mem, trees[tree].curve);
		X509 *cert = pki_cert_issue(mem, certificates[i].role, &party, key, ci, ci_key);

		if (!cert)
			return pki_fail(EX_USAGE,
				"--dns, --oid or --eum-range holds no usable name, OID or digits");
		if (!pki_file_write(arena_printf(mem, "%s.key", file), 0600,
			    (struct pki_content){ .key = key }) ||
			!pki_file_write(arena_printf(mem, "%s.pem", file), 0644,
				(struct pki_content){ .cert = cert }))
			return pki_fail(EX_CANTCREAT, "%s: %s", file, strerror(errno));
		if (!ci) {
			ci = cert;
			ci_key = key;
		}
	}
	crl = pki_crl_issue(mem, CRL_POINT, ci, ci_key);
	if (!crl ||
		!pki_file_write(arena_printf(mem, "%s/ci.crl.pem", folder), 0644,
			(struct pki_content){ .crl = crl }))
		return pki_fail(EX_CANTCREAT, "%s/ci.crl.pem: %s", folder, strerror(errno));
	return 0;
}

static int
make_symmetric(struct arena *mem, const struct wanted *w, const char *name)
{
	const char *file = arena_printf(mem, "%s/%s", w->folder, name);
	uint8_t key[32];
	const char *text;

	rand_bytes(key, sizeof key);
	text = arena_printf(mem, "%s\n", (const char *)text_hex(mem, SLICE_ARRAY(key)).p);
	explicit_bzero(key, sizeof key);
	if (!pki_file_write(file, 0600, (struct pki_content){ .text = text }))
		return pki_fail(EX_CANTCREAT, "%s: %s", file, strerror(errno));
	return 0;
}

static const char conf_head[] = "# rspd with a test PKI. Never use it outside a laboratory; see "
				"rspd.conf(5) for all options.\n"
				"[rspd]\n"
				"control = control.sock\n"
				"cluster_key = cluster.key\n"
				"seal_key = seal.key\n"
				"\n"
				"[database]\n"
				"connection = host=/run/postgresql dbname=rspd\n";
static const char conf_tree[] = "\n"
				"[ci %1$s]\n"
				"certificate = %1$s/ci.pem\n"
				"crl = %1$s/ci.crl.pem\n"
				"\n"
				"[credential %1$s]\n"
				"auth_certificate = %1$s/dpauth.pem\n"
				"auth_key = %1$s/dpauth.key\n"
				"pb_certificate = %1$s/dppb.pem\n"
				"pb_key = %1$s/dppb.key\n"
				"\n"
				"[listener %1$s]\n"
				"address = 127.0.0.1\n"
				"port = %2$d\n"
				"names = %3$s\n"
				"certificate = %1$s/dptls.pem\n"
				"key = %1$s/dptls.key\n"
				"esipa = yes\n";

static const char conf_others[] =
	"\n"
	"# Operators call here (ES2+). `rspctl operator client add` says who is one:\n"
	"# nist/operator.pem is an example's certificate, for calls and its server.\n"
	"[listener operators]\n"
	"role = es2\n"
	"address = 127.0.0.1\n"
	"port = 8445\n"
	"names = %1$s\n"
	"certificate = nist/dptls.pem\n"
	"key = nist/dptls.key\n"
	"\n"
	"# As whom rspd calls their servers.\n"
	"[client main]\n"
	"certificate = nist/dptls.pem\n"
	"key = nist/dptls.key\n"
	"\n"
	"# rspsim sm-ds serve --pki DIR --listen 127.0.0.1:8446\n"
	"[smds test]\n"
	"address = localhost:8446\n"
	"\n"
	"# The eIM: IPAs poll at the listeners above and over CoAP. `rspctl euicc add` says which "
	"eUICCs it\n"
	"# manages, `rspctl eim config` prints what they must know of it.\n"
	"[eim]\n"
	"id = %2$s\n"
	"fqdn = %2$s\n"
	"certificate = nist/eim.pem\n"
	"key = nist/eim.key\n"
	"\n"
	"[coap devices]\n"
	"address = 127.0.0.1\n"
	"certificate = nist/eimtls.pem\n"
	"key = nist/eimtls.key\n";

static int
make_conf(struct arena *mem, const struct wanted *w)
{
	const char *file = arena_printf(mem, "%s/rspd.conf", w->folder), *names = w->names[0];
	struct buf b;

	for (unsigned i = 1; i < w->name_n; i++)
		names = arena_printf(mem, "%s, %s", names, w->names[i]);
	buf_init(&b, mem, 65536);
	buf_put_text(&b, conf_head);
	for (size_t i = 0; i < TREES; i++)
		buf_printf(&b, conf_tree, trees[i].folder, trees[i].port, names);
	buf_printf(&b, conf_others, names, w->names[0]);
	if (!pki_file_write(
		    file, 0644, (struct pki_content){ .text = (const char *)buf_get(&b).p }))
		return pki_fail(EX_CANTCREAT, "%s: %s", file, strerror(errno));
	return 0;
}

static bool
is_empty(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			n++;
	if (d)
		closedir(d);
	return n == 0;
}

static int
read_wanted(struct arena *mem, char **argv, struct wanted *w)
{
	unsigned oid_n = 0, range_n = 0;
	const struct pki_option options[] = { { "--dns", w->names, PKI_LIST, &w->name_n },
		{ "--oid", &w->oid, 1, &oid_n }, { "--eum-range", &w->range, 1, &range_n },
		{ "--force", NULL, 0, &w->force }, { 0 } };

	if (!pki_options_read(mem, argv, options, &w->folder))
		return EX_USAGE;
	if (!w->folder)
		return pki_fail(EX_USAGE, "make-test: say in which folder");
	if (!w->name_n)
		w->names[w->name_n++] = "localhost";
	if (!w->oid)
		w->oid = "2.999.10";
	if (!w->range)
		w->range = "89049032";
	if (!slice_is_digits(slice_text(w->range)) || strlen(w->range) > 32)
		return pki_fail(EX_USAGE, "--eum-range: 1 to 32 digits, the first of an EID");
	return 0;
}

int
pki_make_test(struct arena *mem, char **argv)
{
	struct wanted w = { 0 };
	int code = read_wanted(mem, argv, &w);

	if (code)
		return code;
	if (mkdir(w.folder, 0755) != 0 && errno != EEXIST)
		return pki_fail(EX_CANTCREAT, "%s: %s", w.folder, strerror(errno));
	if (!w.force && !is_empty(w.folder))
		return pki_fail(EX_CANTCREAT,
			"%s is not empty: take another folder, or --force to replace its files",
			w.folder);
	for (size_t i = 0; !code && i < TREES; i++)
		code = make_tree(mem, &w, i);
	if (!code)
		code = make_symmetric(mem, &w, "cluster.key");
	if (!code)
		code = make_symmetric(mem, &w, "seal.key");
	if (!code)
		code = make_conf(mem, &w);
	if (!code)
		printf("%s: a test PKI on both curves; start with: rspd -c %s/rspd.conf\n",
			w.folder, w.folder);
	return code;
}
