/* `rspctl pki VERB`: which verb, its options, and the one arena that a command lives in. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include "rspctl/pki.h"
#include "rspctl/pki_int.h"

static const struct {
	const char *verb;
	int (*run)(struct arena *mem, char **argv);
} verbs[] = { { "make-test", pki_make_test }, { "csr", pki_csr }, { "check", pki_check } };

int
pki_fail(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("rspctl pki: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	return code;
}

int
rspctl_pki(int argc, char **argv)
{
	struct arena mem;
	int code = EX_USAGE;

	for (size_t i = 0; argc > 0 && i < sizeof verbs / sizeof verbs[0]; i++) {
		if (strcmp(argv[0], verbs[i].verb) != 0)
			continue;
		arena_init(&mem, 8 << 20, NULL, NULL);
		code = verbs[i].run(&mem, argv + 1);
		arena_fini(&mem);
		return code;
	}
	return pki_fail(code, "say make-test, csr or check; `rspctl help pki` tells more");
}

/* One value, or several split by commas. */
static bool
take(struct arena *mem, const struct pki_option *o, const char *argument)
{
	struct slice rest = slice_text(argument), part;

	for (;;) {
		const uint8_t *comma = o->most > 1 ? memchr(rest.p, ',', rest.n) : NULL;

		part = slice_trim(slice_sub(rest, 0, comma ? (size_t)(comma - rest.p) : rest.n));
		if (part.n == 0 || *o->seen == o->most)
			return false;
		o->value[(*o->seen)++] = arena_string(mem, part);
		if (!comma)
			return true;
		rest = slice_sub(rest, (size_t)(comma - rest.p) + 1, rest.n);
	}
}

static const struct pki_option *
find_option(const struct pki_option *options, const char *name)
{
	for (const struct pki_option *o = options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

bool
pki_options_read(
	struct arena *mem, char **argv, const struct pki_option *options, const char **operand)
{
	for (; *argv; argv++) {
		const struct pki_option *o = find_option(options, *argv);

		if (o && o->most == 0) {
			(*o->seen)++;
		} else if (o) {
			if (!argv[1] || !take(mem, o, argv[1])) {
				pki_fail(0, "%s: a value is missing, or there are too many", *argv);
				return false;
			}
			argv++;
		} else if (operand && !*operand && **argv != '-') {
			*operand = *argv;
		} else {
			pki_fail(0, "%s: unknown here; `rspctl help pki` lists the options", *argv);
			return false;
		}
	}
	return true;
}
