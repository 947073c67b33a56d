/* Configuration snapshots: who holds them, and what may change from one to the next without a restart. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "conf/int.h"

/* The snapshot around the plain struct; its count is not part of what is immutable. */
static struct conf_snapshot *
snapshot_of(const struct conf *c)
{
	return (struct conf_snapshot *)(uintptr_t)c;
}

const struct conf *
conf_hold(const struct conf *c)
{
	snapshot_of(c)->holders++;
	return c;
}

void
conf_release(const struct conf *c)
{
	struct conf_snapshot *s = snapshot_of(c);

	if (!c || --s->holders)
		return;
	arena_fini(&s->mem);
	free(s);
}

void
conf_error_put(struct conf_errors *errors, const char *path, unsigned line, const char *fmt, ...)
{
	char *text = errors->n < CONF_ERRORS ? errors->text[errors->n] : NULL;
	va_list args;
	int n;

	errors->n++;
	if (!text)
		return;
	n = line ? snprintf(text, CONF_ERROR_LENGTH, "%s:%u: ", path, line)
		 : snprintf(text, CONF_ERROR_LENGTH, "%s: ", path);
	if (n < 0 || n >= CONF_ERROR_LENGTH)
		return;
	va_start(args, fmt);
	vsnprintf(text + n, CONF_ERROR_LENGTH - (size_t)n, fmt, args);
	va_end(args);
}

const char *
conf_part_title(const struct conf_part *p, char title[CONF_WHY])
{
	const struct conf_head *head = p->values;

	if (p->section->some)
		snprintf(title, CONF_WHY, "[%s %s]", p->section->kind, head->name);
	else
		snprintf(title, CONF_WHY, "[%s]", p->section->kind);
	return title;
}

static const struct conf_part *
same_part(const struct conf *c, const struct conf_part *wanted)
{
	const struct conf_head *head = wanted->values, *other;

	for (const struct conf_part *p = snapshot_of(c)->parts; p; p = p->next) {
		other = p->values;
		if (p->section == wanted->section &&
			(!p->section->some || strcmp(other->name, head->name) == 0))
			return p;
	}
	return NULL;
}

static void
compare_parts(const struct conf *wanted, const struct conf_part *was, const struct conf_part *is,
	struct conf_errors *errors)
{
	char title[CONF_WHY];

	for (int i = 0; i < CONF_OPTIONS; i++) {
		const struct conf_option *o = &conf_options[i];

		if (o->section != is->section || !o->restart ||
			conf_value_eq(o->type, (const char *)was->values + o->offset,
				(const char *)is->values + o->offset))
			continue;
		conf_error_put(errors, wanted->path, is->lines[i],
			"%s %s cannot change while rspd runs: restart rspd, or put the former "
			"value back",
			conf_part_title(is, title), o->name);
	}
}

bool
conf_reloadable(const struct conf *running, const struct conf *wanted, struct conf_errors *errors)
{
	errors->n = 0;
	for (const struct conf_part *is = snapshot_of(wanted)->parts; is; is = is->next) {
		const struct conf_part *was = same_part(running, is);

		if (was)
			compare_parts(wanted, was, is, errors);
	}
	return errors->n == 0;
}

void
conf_log_apply(const struct conf *c)
{
	log_level_set("all", c->log.level);
	for (int i = 0; i < CONF_OPTIONS; i++) {
		const struct conf_option *o = &conf_options[i];
		const char *level;

		if (o->section != &conf_sections[SECTION_log] || i == OPTION_log_level)
			continue;
		level = *(const char *const *)((const char *)&c->log + o->offset);
		if (level)
			log_level_set(o->name, level);
	}
}
