/*
 * Writes what the option table says: `sample` the annotated rspd.conf, `manual` the option chapter of
 * rspd.conf(5) in mdoc. Runs while rspd is built.
 */
#include <stdio.h>
#include "conf/int.h"

/* The name that stands for an operator's own in "[listener nist]". */
#define EXAMPLE_NAME "nist"

/* A comment of lines up to 79 columns. */
static void
put_comment(const char *text)
{
	enum { COLUMNS = 79 };
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > COLUMNS) {
			putchar('\n');
			column = 0;
		}
		column += (size_t)printf("%s%.*s", column ? " " : "# ", (int)n, text);
		text += n + strspn(text + n, " ");
	}
	putchar('\n');
}

static void
sample_option(const struct conf_option *o)
{
	static const char *const needs[] = { "Default as below.", "Must be given.",
		"May be left out." };
	char words[CONF_WHY], text[2 * CONF_WHY];

	putchar('\n');
	put_comment(o->help);
	snprintf(text, sizeof text, "Value: %s. %s%s", conf_value_words(o, words), needs[o->need],
		o->restart ? " A change needs a restart." : "");
	put_comment(text);
	printf("%s%s = %s\n", o->need == NEED_MUST && !o->section->any ? "" : "#", o->name,
		o->value);
}

static void
sample_section(const struct conf_section *s)
{
	printf("\n\n");
	put_comment(s->help);
	if (s->some && s->any)
		printf("#[%s main]\n", s->kind);
	else if (s->some)
		printf("[%s " EXAMPLE_NAME "]\n", s->kind);
	else
		printf("%s[%s]\n", s->any ? "#" : "", s->kind);
	for (int i = 0; i < CONF_OPTIONS; i++)
		if (conf_options[i].section == s)
			sample_option(&conf_options[i]);
}

static void
sample(void)
{
	put_comment("rspd.conf: the configuration of rspd, see rspd.conf(5).");
	put_comment(
		"What follows a # or ; at the start of a line, or a ; behind a blank, is a "
		"comment. "
		"Options that are commented out show their default or an example. "
		"File names are relative to this file's folder; $CREDENTIALS_DIRECTORY/NAME is a "
		"credential that systemd hands over. Sections with a name may stand several times, "
		"each with its own name. "
		"`rspd -c FILE --check-config` says whether a file is right.");
	puts("#");
	put_comment("The files that are named here do not come with this one. For a test, say");
	puts("#     rspctl pki make-test pki --dns smdp.example.org");
	put_comment(
		"in this file's folder: it makes both shared keys, a CI and rspd's certificates. "
		"Real certificates are asked for with `rspctl pki csr`. Then make the database "
		"(`createdb rspd`) and its tables (`rspd -c FILE --migrate`), and see that rspd's "
		"user may listen on port 443 and make its control socket, or choose others.");
	for (int i = 0; i < CONF_SECTIONS; i++)
		sample_section(&conf_sections[i]);
}

/* A backslash would be an escape; backquotes become a pair of quotes. */
static void
manual_text(const char *text)
{
	bool quoted = false;

	for (; *text; text++)
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '`')
			fputs((quoted = !quoted) ? "\\(oq" : "\\(cq", stdout);
		else
			putchar(*text);
	putchar('\n');
}

static void
manual_option(const struct conf_option *o)
{
	static const char *const needs[] = { "The default is", "It must be given, for example",
		"It may be left out; an example is" };
	char words[CONF_WHY];

	printf(".It Cm %s\n", o->name);
	manual_text(o->help);
	printf("The value is %s.\n%s\n.Ql %s .\n", conf_value_words(o, words), needs[o->need],
		o->value);
	if (o->restart)
		puts("A change needs a restart.");
}

static void
manual(void)
{
	for (int i = 0; i < CONF_SECTIONS; i++) {
		const struct conf_section *s = &conf_sections[i];

		printf(".Ss [%s%s]\n", s->kind, s->some ? " NAME" : "");
		manual_text(s->help);
		puts(".Bl -tag -width Ds");
		for (int j = 0; j < CONF_OPTIONS; j++)
			if (conf_options[j].section == s)
				manual_option(&conf_options[j]);
		puts(".El");
	}
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sample") == 0)
		sample();
	else if (argc == 2 && strcmp(argv[1], "manual") == 0)
		manual();
	else
		return 64;
	return fflush(stdout) ? 71 : 0;
}
