/*
 * `rspctl pki check`: would eUICCs and LPAs take what is configured? Roots, revocation lists, the SM-DP+'s
 * pairs with their keys, TLS certificates with their names. One row each, with what to do; exit code 1 when
 * one is a problem.
 */
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include "base/clock.h"
#include "conf/conf.h"
#include "rspctl/pki_check.h"

#define USUAL "/etc/rspd/rspd.conf"

enum { SOON = 30 * 86400, ROWS = 1024 };

struct pki_row {
	const char *what, *words;
	enum pki_state state;
};

void
pki_row_put(struct pki_report *r, enum pki_state state, const char *what, const char *words)
{
	if (r->n < ROWS)
		r->rows[r->n++] = (struct pki_row){ what, words, state };
	if (state == PKI_PROBLEM)
		r->problems++;
}

const char *
pki_end_day(const struct pki_report *r, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	return arena_printf(r->mem, "%04d-%02d-%02d (%lld days left)", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, (long long)((seconds - r->now) / 86400));
}

void
pki_row_put_end(struct pki_report *r, const char *what, int64_t not_after, const char *facts)
{
	const char *until = pki_end_day(r, not_after);

	if (not_after - r->now > SOON)
		pki_row_put(r, PKI_FINE, what, arena_printf(r->mem, "%s, until %s", facts, until));
	else
		pki_row_put(r, PKI_SOON, what,
			arena_printf(
				r->mem, "%s, ends on %s: have a new one issued", facts, until));
}

bool
pki_secret_is_guarded(struct pki_report *r, const char *what, const char *file)
{
	struct stat st;

	if (stat(file, &st) != 0)
		pki_row_put(r, PKI_PROBLEM, what, arena_printf(r->mem, "%s: cannot be read", file));
	else if (!S_ISREG(st.st_mode))
		pki_row_put(r, PKI_PROBLEM, what, arena_printf(r->mem, "%s: is not a file", file));
	else if (st.st_mode & (S_IROTH | S_IWOTH))
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem, "%s: is open to all users: chmod o-rw it", file));
	else
		return true;
	return false;
}

static void
check_symmetric(struct pki_report *r, const char *what, const char *file)
{
	char line[80] = "";
	FILE *f;

	if (!file || !pki_secret_is_guarded(r, what, file))
		return;
	f = fopen(file, "re");
	if (f && !fgets(line, sizeof line, f))
		line[0] = 0;
	if (f)
		fclose(f);
	if (strspn(line, "0123456789abcdefABCDEF") == 64 &&
		strspn(line + 64, "\r\n") == strlen(line + 64))
		pki_row_put(r, PKI_FINE, what, "64 hexadecimal digits");
	else
		pki_row_put(r, PKI_PROBLEM, what,
			arena_printf(r->mem,
				"%s: does not hold 64 hexadecimal digits: make it with "
				"`openssl rand -hex 32`",
				file));
	explicit_bzero(line, sizeof line);
}

/* Everything that a configuration names. */
static int
check_conf(struct pki_report *r, const char *file)
{
	struct conf_errors errors;
	const struct conf *c = conf_read(file, &errors);

	if (!c) {
		for (unsigned i = 0; i < errors.n && i < CONF_ERRORS; i++)
			pki_fail(0, "%s", errors.text[i]);
		return EX_CONFIG;
	}
	check_symmetric(r, "cluster key", c->rspd.cluster_key);
	check_symmetric(r, "former cluster key", c->rspd.former_cluster_key);
	check_symmetric(r, "seal key", c->rspd.seal_key);
	check_symmetric(r, "former seal key", c->rspd.former_seal_key);
	for (unsigned i = 0; i < c->ci_n; i++)
		pki_check_ci(r, c->cis[i].name, c->cis[i].certificate);
	for (unsigned i = 0; i < c->ci_n; i++)
		for (unsigned j = 0; j < c->cis[i].crl.n; j++)
			pki_check_crl(r, c->cis[i].crl.at[j]);
	for (unsigned i = 0; i < c->credential_n; i++)
		pki_check_pair(r,
			(struct pki_pair){ c->credentials[i].name,
				c->credentials[i].auth_certificate, c->credentials[i].auth_key,
				c->credentials[i].pb_certificate, c->credentials[i].pb_key });
	for (unsigned i = 0; i < c->listener_n; i++)
		pki_check_tls(r,
			(struct pki_tls){ c->listeners[i].name, c->listeners[i].certificate,
				c->listeners[i].key, c->listeners[i].names.at,
				c->listeners[i].names.n });
	if (c->eim.key)
		pki_check_known(r, "eim", c->eim.certificate, c->eim.key);
	for (unsigned i = 0; i < c->coap_n; i++)
		if (c->coaps[i].certificate)
			pki_check_known(r, arena_printf(r->mem, "coap %s", c->coaps[i].name),
				c->coaps[i].certificate, c->coaps[i].key);
	conf_release(c);
	return 0;
}

struct files {
	const char *config, *ci[PKI_LIST], *crl[PKI_LIST], *dns[PKI_LIST];
	const char *auth_certificate, *auth_key, *pb_certificate, *pb_key, *tls_certificate,
		*tls_key;
	unsigned ci_n, crl_n, dns_n, json;
};

static int
check_files(struct pki_report *r, const struct files *f)
{
	if (!f->auth_certificate != !f->pb_certificate)
		return pki_fail(
			EX_USAGE, "check: --auth-certificate and --pb-certificate go together");
	for (unsigned i = 0; i < f->ci_n; i++)
		pki_check_ci(r, f->ci[i], f->ci[i]);
	for (unsigned i = 0; i < f->crl_n; i++)
		pki_check_crl(r, f->crl[i]);
	if (f->auth_certificate)
		pki_check_pair(r,
			(struct pki_pair){ f->auth_certificate, f->auth_certificate, f->auth_key,
				f->pb_certificate, f->pb_key });
	if (f->tls_certificate)
		pki_check_tls(r,
			(struct pki_tls){ f->tls_certificate, f->tls_certificate, f->tls_key,
				f->dns, f->dns_n });
	return 0;
}

static const char *const state_names[] = { "ok", "soon", "problem" };

static void
print_table(const struct pki_report *r)
{
	int width = 0;

	for (unsigned i = 0; i < r->n; i++)
		if ((int)strlen(r->rows[i].what) > width)
			width = (int)strlen(r->rows[i].what);
	for (unsigned i = 0; i < r->n; i++)
		printf("%-*s  %-7s  %s\n", width, r->rows[i].what, state_names[r->rows[i].state],
			r->rows[i].words);
	if (r->problems)
		printf("%u problem%s\n", r->problems, r->problems == 1 ? "" : "s");
}

static void
print_json(const struct pki_report *r)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < r->n; i++)
		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:s}", "what", r->rows[i].what, "state",
				state_names[r->rows[i].state], "words", r->rows[i].words));
	json_dumpf(rows, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(rows);
}

static int
read_files(struct arena *mem, char **argv, struct files *f)
{
	unsigned n[7] = { 0 };
	const struct pki_option options[] = { { "--config", &f->config, 1, &n[0] },
		{ "--ci", f->ci, PKI_LIST, &f->ci_n }, { "--crl", f->crl, PKI_LIST, &f->crl_n },
		{ "--dns", f->dns, PKI_LIST, &f->dns_n },
		{ "--auth-certificate", &f->auth_certificate, 1, &n[1] },
		{ "--auth-key", &f->auth_key, 1, &n[2] },
		{ "--pb-certificate", &f->pb_certificate, 1, &n[3] },
		{ "--pb-key", &f->pb_key, 1, &n[4] },
		{ "--tls-certificate", &f->tls_certificate, 1, &n[5] },
		{ "--tls-key", &f->tls_key, 1, &n[6] }, { "--json", NULL, 0, &f->json }, { 0 } };
	const char *operand = NULL;

	if (!pki_options_read(mem, argv, options, &operand))
		return EX_USAGE;
	if (operand && f->config)
		return pki_fail(EX_USAGE, "check: one configuration at a time");
	if (operand)
		f->config = operand;
	else if (!f->config && !f->ci_n)
		f->config = USUAL;
	return 0;
}

int
pki_check(struct arena *mem, char **argv)
{
	struct files f = { 0 };
	struct pki_report r = { .mem = mem,
		.now = clock_wall_us() / 1000000,
		.rows = ARENA_ARRAY(mem, struct pki_row, ROWS),
		.trust = crypto_trust_new() };
	int code = read_files(mem, argv, &f);

	if (!code)
		code = f.config ? check_conf(&r, f.config) : check_files(&r, &f);
	crypto_trust_free(r.trust);
	if (code)
		return code;
	if (f.json)
		print_json(&r);
	else
		print_table(&r);
	return r.problems ? 1 : 0;
}
