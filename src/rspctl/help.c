/* help, help VERB, and the verbs' chapter of the manual: all out of the verbs' table. */
#include <string.h>
#include "rspctl/verb.h"

static bool
is_place(const struct rspctl_option *o)
{
	return o->name[0] != '-';
}

void
rspctl_synopsis(const struct rspctl_verb *verb, FILE *out)
{
	fprintf(out, "rspctl %s", verb->name);
	for (const struct rspctl_option *o = verb->options; o->name; o++)
		fprintf(out, " %s%s%s%s%s%s", o->must ? "" : "[", o->name, o->value ? " " : "",
			o->value ? o->value : "", o->must ? "" : "]",
			o->kind == RSPCTL_LIST ? " …" : "");
	fputc('\n', out);
}

/* Words of at most `width` columns, after `indent` blanks. */
static void
put_paragraph(const char *text, int indent, int width, FILE *out)
{
	int column = 0;

	while (*text) {
		int n = (int)strcspn(text, " ");

		if (column && column + 1 + n > width) {
			fputc('\n', out);
			column = 0;
		}
		if (column)
			fputc(' ', out), column++;
		else
			fprintf(out, "%*s", indent, "");
		fprintf(out, "%.*s", n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void
rspctl_help_all(FILE *out)
{
	const struct rspctl_verb *verb;

	fputs("usage: rspctl [-s SOCKET] [--json] VERB …\n\n", out);
	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++)
		fprintf(out, "  %-20s %s\n", verb->name, verb->words);
	fputs("\n"
	      "  -s SOCKET   the daemon's control socket (default: $RSPD_CONTROL, else\n"
	      "              /run/rspd/control.sock)\n"
	      "  --json      print answers as JSON\n"
	      "  --version   print the version\n\n"
	      "rspctl help VERB says more about one verb; rspctl(1) is the manual.\n",
		out);
}

void
rspctl_help_verb(const struct rspctl_verb *verb, FILE *out)
{
	char head[64];

	rspctl_synopsis(verb, out);
	fputc('\n', out);
	put_paragraph(verb->words, 2, 76, out);
	if (verb->more) {
		fputc('\n', out);
		put_paragraph(verb->more, 2, 76, out);
	}
	if (verb->options->name)
		fputc('\n', out);
	for (const struct rspctl_option *o = verb->options; o->name; o++) {
		snprintf(head, sizeof head, "%s%s%s", o->name, o->value ? " " : "",
			o->value ? o->value : "");
		fprintf(out, "  %-24s %s\n", head, o->words);
	}
}

/* For man(7): hyphens that are to be copied, and dots that would begin a request. */
static void
put_roff(const char *text, FILE *out)
{
	for (const char *p = text; *p; p++)
		if (*p == '-')
			fputs("\\-", out);
		else if (*p == '\\')
			fputs("\\e", out);
		else
			fputc(*p, out);
}

static void
put_roff_option(const struct rspctl_option *o, FILE *out)
{
	fputs(".TP\n", out);
	if (is_place(o) && o->kind != RSPCTL_FLAG) {
		fprintf(out, ".I %s\n", o->name);
	} else {
		fputs(".BR ", out);
		put_roff(o->name, out);
		if (o->value)
			fprintf(out, " \" \\fI%s\\fR\"", o->value);
		fputc('\n', out);
	}
	put_roff(o->words, out);
	fputs(".\n", out);
}

void
rspctl_help_manual(FILE *out)
{
	const struct rspctl_verb *verb;

	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++) {
		fputs(".SS ", out);
		put_roff(verb->name, out);
		fputs("\n", out);
		put_roff(verb->words, out);
		fputs(".\n", out);
		if (verb->more) {
			put_roff(verb->more, out);
			fputs("\n", out);
		}
		for (const struct rspctl_option *o = verb->options; o->name; o++)
			put_roff_option(o, out);
	}
}
