/*
 * Reads rspd.conf: inih takes lines apart into name and value; sections, types, defaults and what must
 * be there come from the table. All errors are gathered, so that one look at the file mends them.
 *
 * Section heads are read here, before inih sees their line, because inih tells nothing of a section
 * without options, of one that comes twice, or of names over 50 octets.
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/int.h"

enum {
	FILE_MAX = 1024 * 1024,     /* octets */
	LINE_LENGTH = 8192,         /* octets, with the line end */
	PARTS_MAX = 256,            /* sections */
	MEMORY_MAX = 64 * FILE_MAX, /* more than the longest file can ask for */
};

struct reader {
	struct conf_snapshot *s;
	struct conf_errors *errors;
	const char *path, *folder;
	struct slice rest; /* of the file */
	unsigned line;
	struct conf_part *part; /* the section that options go to; NULL after a wrong head */
	bool headed;            /* a head was seen */
};

#define COMPLAIN(r, ...) conf_error_put((r)->errors, (r)->path, (r)->line, __VA_ARGS__)

static struct conf_part *
add_part(struct reader *r, const struct conf_section *section, struct slice name)
{
	struct conf_part *p = ARENA_NEW(&r->s->mem, struct conf_part);
	struct conf_head *head;

	p->section = section;
	p->values = section->some ? arena_alloc(&r->s->mem, section->size)
				  : (char *)&r->s->conf + section->offset;
	head = p->values;
	head->name = section->some ? arena_string(&r->s->mem, name) : NULL;
	head->line = r->line;
	*r->s->parts_end = p;
	r->s->parts_end = &p->next;
	r->s->part_n++;
	return p;
}

static struct conf_part *
find_part(struct reader *r, const struct conf_section *section, struct slice name)
{
	for (struct conf_part *p = r->s->parts; p; p = p->next) {
		struct conf_head *head = p->values;

		if (p->section == section &&
			(!section->some || slice_eq(slice_text(head->name), name)))
			return p;
	}
	return NULL;
}

/* Lists of what is known, for messages. */
struct known {
	char text[CONF_WHY];
	size_t n;
};

static void
known_put(struct known *k, const char *head, const char *word, const char *tail)
{
	int n = snprintf(k->text + k->n, sizeof k->text - k->n, "%s%s%s%s", k->n ? ", " : "", head,
		word, tail);

	if (n > 0 && (size_t)n < sizeof k->text - k->n)
		k->n += (size_t)n;
}

static void
complain_of_section(struct reader *r, struct slice kind)
{
	struct known known = { "", 0 };

	for (int i = 0; i < CONF_SECTIONS; i++)
		known_put(
			&known, "[", conf_sections[i].kind, conf_sections[i].some ? " NAME]" : "]");
	COMPLAIN(r, "there is no section [%.*s]; rspd knows %s", SLICE_FMT(slice_sub(kind, 0, 40)),
		known.text);
}

/* "[kind]" or "[kind name]" */
static void
open_section(struct reader *r, struct slice head)
{
	const struct conf_section *section;
	struct slice kind, name;
	struct conf_part *before;
	size_t n = 0;

	r->headed = true;
	r->part = NULL;
	if (head.p[head.n - 1] != ']') {
		COMPLAIN(r, "the section's head has no ] at its end");
		return;
	}
	head = slice_trim(slice_sub(head, 1, head.n - 2));
	while (n < head.n && head.p[n] != ' ' && head.p[n] != '\t')
		n++;
	kind = slice_sub(head, 0, n);
	name = slice_trim(slice_sub(head, n, head.n));
	section = conf_section_find(kind);
	if (!section) {
		complain_of_section(r, kind);
		return;
	}
	if (section->some ? !name.n || name.n > 64 : name.n > 0) {
		COMPLAIN(r,
			section->some ? "[%s] needs a name of its own, at most 64 octets: [%s NAME]"
				      : "[%s] has no name: write [%s]",
			section->kind, section->kind);
		return;
	}
	before = find_part(r, section, name);
	if (before)
		COMPLAIN(r, "[%.*s] stands already in line %u; put its options there",
			SLICE_FMT(head), ((struct conf_head *)before->values)->line);
	else if (r->s->part_n == PARTS_MAX)
		COMPLAIN(r, "more than %d sections", PARTS_MAX);
	else
		r->part = add_part(r, section, name);
}

/* Gives inih the next line, as fgets does; section heads and lines too long become empty ones. */
static char *
next_line(char *line, int room, void *arg)
{
	struct reader *r = arg;
	const uint8_t *end = r->rest.n ? memchr(r->rest.p, '\n', r->rest.n) : NULL;
	size_t n = end ? (size_t)(end - r->rest.p) + 1 : r->rest.n;
	struct slice text = slice_sub(r->rest, 0, n), trimmed = slice_trim(text);

	if (!n)
		return NULL;
	r->rest = slice_sub(r->rest, n, r->rest.n);
	r->line++;
	if (n > LINE_LENGTH - 3) {
		COMPLAIN(r, "the line is longer than %d octets", LINE_LENGTH - 3);
		text = SLICE_LIT("\n");
	} else if (trimmed.n && memchr(trimmed.p, 0, trimmed.n)) {
		COMPLAIN(r, "the line holds a zero octet: this is no text file");
		text = SLICE_LIT("\n");
	} else if (trimmed.n && trimmed.p[0] == '[') {
		open_section(r, trimmed);
		text = SLICE_LIT("\n");
	}
	if (text.n >= (size_t)room)
		text.n = (size_t)room - 1;
	memcpy(line, text.p, text.n);
	line[text.n] = 0;
	return line;
}

static void
complain_of_option(struct reader *r, const char *name)
{
	struct known known = { "", 0 };
	char title[CONF_WHY];

	for (int i = 0; i < CONF_OPTIONS; i++)
		if (conf_options[i].section == r->part->section)
			known_put(&known, "", conf_options[i].name, "");
	COMPLAIN(r, "%s has no option %.40s; it has %s", conf_part_title(r->part, title), name,
		known.text);
}

/* inih's handler, called while the line is the reader's current one. Returns that all is well. */
static int
take_option(void *arg, const char *section, const char *name, const char *value)
{
	struct reader *r = arg;
	const struct conf_option *o;
	char title[CONF_WHY], why[CONF_WHY];
	size_t i;

	(void)section;
	if (!r->headed)
		COMPLAIN(r, "%.40s stands before the first [section]", name);
	if (!r->part)
		return 1;
	o = conf_option_find(r->part->section, name);
	if (!o) {
		complain_of_option(r, name);
		return 1;
	}
	i = (size_t)(o - conf_options);
	conf_part_title(r->part, title);
	if (!value)
		COMPLAIN(r, "%s %s has no value: write %s = %s", title, name, name, o->value);
	else if (r->part->lines[i])
		COMPLAIN(r, "%s %s is given already in line %u; keep one of the two", title, name,
			r->part->lines[i]);
	else if (!conf_value_read(
			 &r->s->mem, o, value, r->folder, (char *)r->part->values + o->offset, why))
		COMPLAIN(r, "%s %s must be %s", title, name, why);
	r->part->lines[i] = r->line;
	return 1;
}

/* Defaults, and complaints about what must be given and was not. */
static void
complete_part(struct reader *r, struct conf_part *p)
{
	char title[CONF_WHY], why[CONF_WHY];

	r->line = ((struct conf_head *)p->values)->line;
	for (int i = 0; i < CONF_OPTIONS; i++) {
		const struct conf_option *o = &conf_options[i];

		if (o->section != p->section || p->lines[i])
			continue;
		if (o->need == NEED_MUST)
			COMPLAIN(r, "%s lacks %s: add %s = %s", conf_part_title(p, title), o->name,
				o->name, o->value);
		if (o->need == NEED_DEFAULT &&
			!conf_value_read(&r->s->mem, o, o->value, r->folder,
				(char *)p->values + o->offset, why))
			abort(); /* the table itself is wrong */
	}
}

/* Sections of one kind, read one by one, become an array in the file's order. */
static void
gather_parts(struct reader *r, const struct conf_section *section)
{
	struct arena *mem = &r->s->mem;
	unsigned n = 0;
	char *array;

	for (struct conf_part *p = r->s->parts; p; p = p->next)
		n += p->section == section;
	array = arena_alloc(mem, n * section->size);
	*(unsigned *)((char *)&r->s->conf + section->offset_n) = n;
	memcpy((char *)&r->s->conf + section->offset, &array, sizeof array);
	for (struct conf_part *p = r->s->parts; p; p = p->next) {
		if (p->section != section)
			continue;
		memcpy(array, p->values, section->size);
		p->values = array;
		array += section->size;
	}
	r->line = 0;
	if (!n && !section->any)
		COMPLAIN(r, "at least one section [%s NAME] is needed: %s", section->kind,
			section->help);
}

static uint32_t
version_number(struct conf_version v)
{
	return (uint32_t)v.major << 16 | (uint32_t)v.minor << 8 | v.patch;
}

static bool
is_one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text && strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* The eIM: what its section must hold when it is there, and who needs it. */
static void
check_eim(struct reader *r, const struct conf *c)
{
	static const char *const types[] = { "oid", "fqdn", "proprietary" };
	static const char *const admissions[] = { "known", "eum" };

	r->line = c->eim.line;
	if (r->line && (!c->eim.id || !c->eim.key))
		COMPLAIN(r, "[eim] lacks id or key: add id = eim.example.org, key = eim.key");
	if (!is_one_of(c->eim.id_type, types, 3))
		COMPLAIN(r, "[eim] id_type must be oid, fqdn or proprietary");
	if (!is_one_of(c->eim.euicc_admission, admissions, 2))
		COMPLAIN(r, "[eim] euicc_admission must be known or eum");
	for (unsigned i = 0; i < c->eim.eum_ranges.n; i++)
		if (!slice_is_digits(slice_text(c->eim.eum_ranges.at[i])))
			COMPLAIN(r, "[eim] eum_ranges must be digits with which EIDs begin");
	for (unsigned i = 0; i < c->listener_n && !c->eim.line; i++) {
		r->line = c->listeners[i].line;
		if (c->listeners[i].esipa ||
			is_one_of(c->listeners[i].role, (const char *const[]){ "esipa" }, 1))
			COMPLAIN(r, "[listener %s] serves IPAs: add a section [eim]",
				c->listeners[i].name);
	}
}

/* What no single option can know. */
static void
check_whole(struct reader *r, struct conf *c)
{
	r->line = c->dp.line;
	if (version_number(c->dp.svn_lowest) > version_number(c->dp.svn_highest))
		COMPLAIN(r, "[dp] svn_lowest is above svn_highest");
	r->line = c->outbox.line;
	if (c->outbox.lease_seconds < c->outbox.call_seconds + 2)
		COMPLAIN(r, "[outbox] lease_seconds must exceed call_seconds by 2 at least");
	for (unsigned i = 0; i < c->listener_n; i++)
		for (unsigned j = 0; j < i; j++) {
			const struct conf_listener *a = &c->listeners[i], *b = &c->listeners[j];

			r->line = a->line;
			if (a->address && b->address && a->port == b->port &&
				strcmp(a->address, b->address) == 0)
				COMPLAIN(r,
					"[listener %s] has the address and port of [listener %s]",
					a->name, b->name);
		}
	check_eim(r, c);
	if (!c->dp.address && c->listener_n && c->listeners[0].names.n)
		c->dp.address = c->listeners[0].names.at[0];
}

static void
read_parts(struct reader *r)
{
	ini_use_stack = false;
	ini_max_line = LINE_LENGTH;
	ini_initial_alloc = LINE_LENGTH;
	ini_allow_multiline = false;
	ini_allow_no_value = true;
	ini_allow_inline_comments = true;
	ini_stop_on_first_error = false;
	if (ini_parse_stream(next_line, r, take_option, r) == -2)
		abort(); /* no memory */
	r->line = 0;
	for (int i = 0; i < CONF_SECTIONS; i++)
		if (!conf_sections[i].some && !find_part(r, &conf_sections[i], SLICE_NONE))
			add_part(r, &conf_sections[i], SLICE_NONE);
	for (struct conf_part *p = r->s->parts; p; p = p->next)
		complete_part(r, p);
	for (int i = 0; i < CONF_SECTIONS; i++)
		if (conf_sections[i].some)
			gather_parts(r, &conf_sections[i]);
	check_whole(r, &r->s->conf);
}

const struct conf *
conf_read_text(struct slice text, const char *path, struct conf_errors *errors)
{
	struct conf_snapshot *s = calloc(1, sizeof *s);
	const char *slash = strrchr(path, '/');
	struct reader r = { .s = s, .errors = errors, .rest = text };

	if (!s)
		abort();
	errors->n = 0;
	s->holders = 1;
	s->parts_end = &s->parts;
	arena_init(&s->mem, MEMORY_MAX, NULL, NULL);
	r.path = s->conf.path = arena_string(&s->mem, slice_text(path));
	r.folder = slash ? arena_string(&s->mem, slice_of(path, (size_t)(slash - path))) : ".";
	if (text.n > FILE_MAX)
		COMPLAIN(&r, "the file is longer than %d octets", FILE_MAX);
	else
		read_parts(&r);
	if (!errors->n)
		return &s->conf;
	conf_release(&s->conf);
	return NULL;
}

/* NULL and the text, at most an octet more than a file may have; else why not. Never waits, as for a pipe. */
static const char *
read_file(const char *path, uint8_t text[FILE_MAX + 1], size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong = NULL;
	struct stat st;
	ssize_t got = 1;

	if (fd < 0)
		return strerror(errno);
	*n = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		wrong = "it is not a regular file";
	while (!wrong && *n <= FILE_MAX && got > 0) {
		got = read(fd, text + *n, FILE_MAX + 1 - *n);
		if (got < 0)
			wrong = strerror(errno);
		else
			*n += (size_t)got;
	}
	close(fd);
	return wrong;
}

const struct conf *
conf_read(const char *path, struct conf_errors *errors)
{
	const struct conf *c = NULL;
	uint8_t *text = malloc(FILE_MAX + 1);
	const char *wrong;
	size_t n = 0;

	if (!text)
		abort();
	errors->n = 0;
	wrong = read_file(path, text, &n);
	if (wrong)
		conf_error_put(errors, path, 0, "cannot be read: %s", wrong);
	else
		c = conf_read_text(slice_of(text, n), path, errors);
	free(text);
	return c;
}
