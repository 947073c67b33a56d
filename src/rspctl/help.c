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
			o->kind == RSPCTL_LIST || o->kind == RSPCTL_PACKAGES ? " …" : "");
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

/* mdoc(7) wants each sentence on a line of its own, and an end to the last one. */
static void
put_sentences(const char *text, FILE *out)
{
	const char *end = text;

	for (; *text; text = end) {
		const char *stop = strstr(text, ". ");

		end = stop ? stop + 2 : text + strlen(text);
		fprintf(out, "%.*s\n", (int)(stop ? stop + 1 - text : end - text), text);
	}
}

/* "--eid EID" as ".Fl -eid Ar EID", a place as ".Ar ICCID", a literal word as ".Cm off". */
static void
put_option(const struct rspctl_option *o, FILE *out)
{
	if (!is_place(o))
		fprintf(out, "Fl %s", o->name + 1);
	else
		fprintf(out, "%s %s", o->kind == RSPCTL_FLAG ? "Cm" : "Ar", o->name);
	if (o->value)
		fprintf(out, " Ar %s", o->value);
}

static void
put_item(const struct rspctl_verb *verb, FILE *out)
{
	fprintf(out, ".It Cm %s", verb->name);
	for (const struct rspctl_option *o = verb->options; o->name; o++) {
		fputs(o->must ? " " : " Oo ", out);
		put_option(o, out);
		fputs(o->must ? "" : " Oc", out);
		if (o[1].name)
			fputs(" \\\n", out);
	}
	fputc('\n', out);
}

void
rspctl_help_manual(FILE *out)
{
	const struct rspctl_verb *verb;

	fputs(".Bl -tag -width Ds\n", out);
	for (unsigned i = 0; (verb = rspctl_verb_get(i)) != NULL; i++) {
		put_item(verb, out);
		fprintf(out, "%c%s.\n", verb->words[0] - 'a' + 'A', verb->words + 1);
		if (verb->more)
			put_sentences(verb->more, out);
		if (!verb->options->name)
			continue;
		fputs(".Bl -tag -width Ds -compact\n", out);
		for (const struct rspctl_option *o = verb->options; o->name; o++) {
			fputs(".It ", out);
			put_option(o, out);
			fputc('\n', out);
			put_sentences(o->words, out);
		}
		fputs(".El\n", out);
	}
	fputs(".El\n", out);
}
