/* A verb's words and options, by its table, into the request. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include "base/text.h"
#include "rspctl/talk.h"
#include "rspctl/verb.h"

struct rspctl_call rspctl_call = { .socket = "/run/rspd/control.sock" };

enum { ICON_MAX = 64 * 1024, PACKAGE_MAX = 1024 * 1024, BASE64_ARENA = 64 * 1024 * 1024 };

json_t *
rspctl_file_read(const char *path, size_t most)
{
	FILE *file = fopen(path, "rb");
	char *octets = malloc(most + 1);
	struct arena mem;
	struct slice base64;
	json_t *out = NULL;
	size_t n;

	if (!octets)
		abort();
	errno = 0;
	n = file ? fread(octets, 1, most + 1, file) : 0;
	if (!file || ferror(file)) {
		rspctl_fail(0, "check the path", "%s: %s", path, strerror(errno));
	} else if (n > most) {
		rspctl_fail(0, "it cannot be used", "%s is larger than %zu octets", path, most);
	} else {
		arena_init(&mem, BASE64_ARENA, NULL, NULL);
		base64 = text_base64(&mem, slice_of(octets, n));
		out = json_stringn((const char *)base64.p, base64.n);
		arena_fini(&mem);
	}
	if (file)
		fclose(file);
	explicit_bzero(octets, most + 1); /* profile packages hold keys */
	free(octets);
	return out;
}

static int
usage(const struct rspctl_verb *verb, const char *words, const char *what)
{
	fprintf(stderr, "rspctl: %s%s%s\n        usage: ", words, what ? " " : "",
		what ? what : "");
	rspctl_synopsis(verb, stderr);
	fprintf(stderr, "        rspctl help %s says more\n", verb->name);
	return EX_USAGE;
}

static bool
is_place(const struct rspctl_option *o)
{
	return o->name[0] != '-';
}

static const struct rspctl_option *
find_option(const struct rspctl_verb *verb, const char *word, size_t n)
{
	for (const struct rspctl_option *o = verb->options; o->name; o++)
		if (!is_place(o) && strlen(o->name) == n && strncmp(o->name, word, n) == 0)
			return o;
	return NULL;
}

/* The place this word belongs to: the first that is still empty. */
static const struct rspctl_option *
find_place(const struct rspctl_verb *verb, int nth)
{
	for (const struct rspctl_option *o = verb->options; o->name; o++)
		if (is_place(o) && nth-- == 0)
			return o;
	return NULL;
}

static json_t *
object_of(const struct rspctl_option *o)
{
	return o->member ? rspctl_call.args : rspctl_call.local;
}

static const char *
key_of(const struct rspctl_option *o)
{
	return o->member ? o->member : o->name + strspn(o->name, "-");
}

/* The array of an option that may be given several times. */
static json_t *
list_of(const struct rspctl_option *o)
{
	json_t *list = json_object_get(object_of(o), key_of(o));

	if (!list) {
		list = json_array();
		json_object_set_new(object_of(o), key_of(o), list);
	}
	return list;
}

static int
put_value(const struct rspctl_verb *verb, const struct rspctl_option *o, const char *value)
{
	json_t *v = NULL;
	char *end;
	long n;

	switch (o->kind) {
	case RSPCTL_TEXT:
		v = json_string(value);
		if (!v)
			return usage(verb, "this is no UTF-8:", o->name);
		break;
	case RSPCTL_NUMBER:
		errno = 0;
		n = strtol(value, &end, 10);
		if (!*value || *end || n < 0 || errno)
			return usage(verb, "a number must follow", o->name);
		v = json_integer(n);
		break;
	case RSPCTL_FLAG:
		if (value && strcmp(value, o->name) != 0)
			return usage(verb, "what is", value);
		v = json_true();
		break;
	case RSPCTL_LIST:
		json_array_append_new(list_of(o), json_string(value));
		return EX_OK;
	case RSPCTL_PACKAGES:
		v = rspctl_file_read(value, PACKAGE_MAX);
		if (!v)
			return EX_NOINPUT;
		json_array_append_new(list_of(o), v);
		return EX_OK;
	case RSPCTL_FILE:
		v = rspctl_file_read(value, ICON_MAX);
		if (!v)
			return EX_NOINPUT;
		break;
	}
	json_object_set_new(object_of(o), key_of(o), v);
	return EX_OK;
}

static int
read_option(const struct rspctl_verb *verb, int argc, char **argv, int *at)
{
	const char *word = argv[*at], *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	const struct rspctl_option *o = find_option(verb, word, n);

	if (!o)
		return usage(verb, "there is no option", word);
	if (o->kind == RSPCTL_FLAG)
		return equals ? usage(verb, "no value goes with", o->name)
			      : put_value(verb, o, NULL);
	if (equals)
		return put_value(verb, o, equals + 1);
	if (*at + 1 >= argc)
		return usage(verb, "a value must follow", o->name);
	return put_value(verb, o, argv[++*at]);
}

int
rspctl_options_read(const struct rspctl_verb *verb, int argc, char **argv)
{
	const struct rspctl_option *place;
	bool only_places = false;
	int code, places = 0;

	for (int i = 0; i < argc; i++) {
		if (!only_places && strcmp(argv[i], "--") == 0) {
			only_places = true;
			continue;
		}
		if (!only_places && strcmp(argv[i], "--json") == 0) {
			rspctl_call.json = true;
			continue;
		}
		if (!only_places && argv[i][0] == '-' && argv[i][1]) { /* "-" alone is a pipe */
			code = read_option(verb, argc, argv, &i);
		} else {
			place = find_place(verb, places++);
			code = place ? put_value(verb, place, argv[i])
				     : usage(verb, "this is too much:", argv[i]);
		}
		if (code)
			return code;
	}
	for (const struct rspctl_option *o = verb->options; o->name; o++)
		if (o->must && !json_object_get(object_of(o), key_of(o)))
			return usage(verb, "missing:", o->name);
	return EX_OK;
}
