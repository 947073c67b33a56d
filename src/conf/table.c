/* The table of options.def as data. */
#include <string.h>
#include "conf/int.h"

#define CONF_ONE(kind) .offset = offsetof(struct conf, kind)
#define CONF_SOME(kind)                                         \
	.some = true, .offset = offsetof(struct conf, kind##s), \
	.offset_n = offsetof(struct conf, kind##_n)
#define CONF_MAYBE(kind) CONF_ONE(kind), .any = true
#define CONF_ANY(kind) CONF_SOME(kind), .any = true
#define SECTION(id, COUNT, words)                                                              \
	[SECTION_##id] = {                                                                     \
		.kind = #id, CONF_##COUNT(id), .size = sizeof(struct conf_##id), .help = words \
	},
#define OPTION(...)
#define END(kind)
const struct conf_section conf_sections[CONF_SECTIONS] = {
#include "conf/options.def"
};

enum { RELOAD = false, RESTART = true };
#define SECTION(kind, COUNT, help)
#define OPTION(kind, member, TYPE, from, to, units, NEED, text, WHEN, words)                    \
	[OPTION_##kind##_##member] = { &conf_sections[SECTION_##kind], #member, TYPE_##TYPE,    \
		offsetof(struct conf_##kind, member), from, to, units, NEED_##NEED, text, WHEN, \
		words },
#define END(kind)
const struct conf_option conf_options[CONF_OPTIONS] = {
#include "conf/options.def"
};

const struct conf_section *
conf_section_find(struct slice kind)
{
	for (int i = 0; i < CONF_SECTIONS; i++)
		if (slice_eq(kind, slice_text(conf_sections[i].kind)))
			return &conf_sections[i];
	return NULL;
}

const struct conf_option *
conf_option_find(const struct conf_section *s, const char *name)
{
	for (int i = 0; i < CONF_OPTIONS; i++)
		if (conf_options[i].section == s && strcmp(conf_options[i].name, name) == 0)
			return &conf_options[i];
	return NULL;
}
