#ifndef CONF_INT_H
#define CONF_INT_H
/* The table behind the configuration, and what a snapshot keeps beside the plain structs. */
#include <stddef.h>
#include "base/arena.h"
#include "conf/conf.h"

#define CONF_TYPES(T) \
	T(TEXT)       \
	T(FILE)       \
	T(NAMES)      \
	T(FILES) T(NUMBER) T(SECONDS) T(OCTETS) T(LEVEL) T(VERSION) T(IP) T(SERVER) T(FLAG) T(ROLE)
#define CONF_TYPE_ENUM(name) TYPE_##name,
enum conf_type { CONF_TYPES(CONF_TYPE_ENUM) };
#undef CONF_TYPE_ENUM

enum conf_need { NEED_DEFAULT, NEED_MUST, NEED_MAY };

struct conf_option {
	const struct conf_section *section;
	const char *name;
	enum conf_type type;
	size_t offset;        /* in the section's struct */
	unsigned least, most; /* of a number, or of the octets of a text */
	const char *unit;
	enum conf_need need;
	const char *value; /* the default; an example when there is none */
	bool restart;
	const char *help;
};

struct conf_section {
	const char *kind;
	bool some;       /* [kind name], at least once; else [kind] */
	bool any;        /* or not at all */
	size_t offset;   /* in struct conf: of the struct, or of the pointer to the array of them */
	size_t offset_n; /* in struct conf: of the array's length */
	size_t size;     /* of the section's struct */
	const char *help;
};

#define SECTION(kind, COUNT, help) SECTION_##kind,
#define OPTION(...)
#define END(kind)
enum {
#include "conf/options.def"
	CONF_SECTIONS
};
#define SECTION(kind, COUNT, help)
#define OPTION(kind, member, ...) OPTION_##kind##_##member,
#define END(kind)
enum {
#include "conf/options.def"
	CONF_OPTIONS
};

extern const struct conf_section conf_sections[CONF_SECTIONS];
extern const struct conf_option conf_options[CONF_OPTIONS];

/* NULL when there is none. */
const struct conf_section *conf_section_find(struct slice kind);
const struct conf_option *conf_option_find(const struct conf_section *s, const char *name);

/* What every section's struct begins with. */
struct conf_head {
	const char *name;
	unsigned line;
} __attribute__((may_alias));

/* One section as it was read. */
struct conf_part {
	const struct conf_section *section;
	struct conf_part *next;
	void *values;                 /* the section's struct */
	unsigned lines[CONF_OPTIONS]; /* where each option was given; 0: it was not */
};

/* The snapshot; `conf` is its first member. */
struct conf_snapshot {
	struct conf conf;
	unsigned holders;
	struct arena mem;
	struct conf_part *parts, **parts_end; /* in the file's order */
	unsigned part_n;
};

/* One more error; `line` 0 when no line is at fault. */
void conf_error_put(struct conf_errors *errors, const char *path, unsigned line, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

/*
 * Reads the text of one option into *at (of the C type that belongs to o->type). False: `why`
 * says what was expected. `folder` is where relative file names begin.
 */
enum { CONF_WHY = 200 };
bool conf_value_read(struct arena *mem, const struct conf_option *o, const char *text,
	const char *folder, void *at, char why[CONF_WHY]);
bool conf_value_eq(enum conf_type type, const void *a, const void *b);
/* "a number from 1 to 65535": for messages, the sample and the manual. */
const char *conf_value_words(const struct conf_option *o, char words[CONF_WHY]);

/* "[listener nist]" */
const char *conf_part_title(const struct conf_part *p, char title[CONF_WHY]);

#endif
