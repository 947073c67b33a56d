/* The types of options: text into the C type behind each, comparison, and the words that describe it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "conf/int.h"

static bool
fits(const struct conf_option *o, size_t n)
{
	return n >= o->least && n <= o->most;
}

static bool
read_text(struct arena *mem, const struct conf_option *o, struct slice text, void *at)
{
	if (!fits(o, text.n))
		return false;
	*(const char **)at = arena_string(mem, text);
	return true;
}

/* systemd hands keys over in a folder of its own (LoadCredential); it is named in the environment. */
static const char variable[] = "$CREDENTIALS_DIRECTORY/";

static bool
is_credential(struct slice text)
{
	return slice_eq(slice_sub(text, 0, sizeof variable - 1), SLICE_LIT(variable));
}

static bool
read_file(struct arena *mem, const struct conf_option *o, struct slice text, const char *folder,
	const char **at)
{
	size_t skip = sizeof variable - 1;

	if (!fits(o, text.n))
		return false;
	if (is_credential(text)) {
		folder = getenv("CREDENTIALS_DIRECTORY");
		if (!folder || text.n == skip)
			return false;
		text = slice_sub(text, skip, text.n);
	} else if (text.p[0] == '/') {
		folder = NULL;
	}
	*at = folder ? arena_printf(mem, "%s/%.*s", folder, SLICE_FMT(text))
		     : arena_string(mem, text);
	return true;
}

/* A host name of DNS as certificates bear it. */
static bool
read_name(struct arena *mem, const struct conf_option *o, struct slice text, const char **at)
{
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
			c != '-' && c != '.' && c != '_')
			return false;
	}
	return read_text(mem, o, text, at);
}

static struct slice
next_item(struct slice *rest)
{
	const uint8_t *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
	struct slice item = slice_trim(slice_sub(*rest, 0, n));

	*rest = slice_sub(*rest, comma ? n + 1 : n, rest->n);
	return item;
}

static bool
read_list(struct arena *mem, const struct conf_option *o, struct slice text, const char *folder,
	struct conf_list *at)
{
	unsigned n = 1;
	const char **items;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == ',';
	items = ARENA_ARRAY(mem, const char *, n);
	for (unsigned i = 0; i < n; i++) {
		struct slice item = next_item(&text);

		if (o->type == TYPE_NAMES ? !read_name(mem, o, item, &items[i])
					  : !read_file(mem, o, item, folder, &items[i]))
			return false;
	}
	*at = (struct conf_list){ items, n };
	return true;
}

static bool
read_number(const struct conf_option *o, struct slice text, unsigned *at)
{
	static const struct {
		const char *suffix;
		uint64_t times;
	} units[] = { { "KiB", 1024 }, { "MiB", 1024 * 1024 }, { "", 1 } };
	size_t digits = 0;
	uint64_t v;

	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	if (!slice_to_u64(slice_sub(text, 0, digits), UINT32_MAX, &v))
		return false;
	for (size_t i = o->type == TYPE_OCTETS ? 0 : 2; i < 3; i++)
		if (slice_eq(slice_trim(slice_sub(text, digits, text.n)),
			    slice_text(units[i].suffix))) {
			v *= units[i].times;
			*at = (unsigned)v;
			return v >= o->least && v <= o->most;
		}
	return false;
}

static bool
read_level(struct arena *mem, struct slice text, const char **at)
{
	*at = arena_string(mem, text);
	for (int level = 0; level <= LOG_DEBUG; level++)
		if (slice_eq(text, slice_text(log_level_name((enum log_level)level))))
			return true;
	return false;
}

static bool
read_version(struct slice text, struct conf_version *at)
{
	uint8_t *parts[] = { &at->major, &at->minor, &at->patch };

	for (int i = 0; i < 3; i++) {
		const uint8_t *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
		size_t n = dot ? (size_t)(dot - text.p) : text.n;
		uint64_t v;

		if ((dot == NULL) != (i == 2) || !slice_to_u64(slice_sub(text, 0, n), 255, &v))
			return false;
		*parts[i] = (uint8_t)v;
		text = slice_sub(text, n + 1, text.n);
	}
	return true;
}

static bool
read_flag(struct slice text, bool *at)
{
	*at = slice_eq(text, SLICE_LIT("yes"));
	return *at || slice_eq(text, SLICE_LIT("no"));
}

static bool
read_ip(struct arena *mem, const struct conf_option *o, struct slice text, const char **at)
{
	struct in6_addr address;

	return read_text(mem, o, text, at) &&
		(inet_pton(AF_INET, *at, &address) == 1 || inet_pton(AF_INET6, *at, &address) == 1);
}

static bool
read_server(struct arena *mem, const struct conf_option *o, struct slice text, const char **at)
{
	struct slice host;
	unsigned port;

	return slice_read_server(text, 443, &host, &port) && read_text(mem, o, text, at);
}

static bool
read_role(struct arena *mem, struct slice text, const char **at)
{
	*at = arena_string(mem, text);
	return slice_eq(text, SLICE_LIT("es9")) || slice_eq(text, SLICE_LIT("es2")) ||
		slice_eq(text, SLICE_LIT("esipa"));
}

bool
conf_value_read(struct arena *mem, const struct conf_option *o, const char *text,
	const char *folder, void *at, char why[CONF_WHY])
{
	struct slice s = slice_text(text);
	bool right = false;

	switch (o->type) {
	case TYPE_TEXT:
		right = read_text(mem, o, s, at);
		break;
	case TYPE_FILE:
		right = read_file(mem, o, s, folder, at);
		break;
	case TYPE_NAMES:
	case TYPE_FILES:
		right = read_list(mem, o, s, folder, at);
		break;
	case TYPE_NUMBER:
	case TYPE_SECONDS:
	case TYPE_OCTETS:
		right = read_number(o, s, at);
		break;
	case TYPE_LEVEL:
		right = read_level(mem, s, at);
		break;
	case TYPE_VERSION:
		right = read_version(s, at);
		break;
	case TYPE_IP:
		right = read_ip(mem, o, s, at);
		break;
	case TYPE_SERVER:
		right = read_server(mem, o, s, at);
		break;
	case TYPE_FLAG:
		right = read_flag(s, at);
		break;
	case TYPE_ROLE:
		right = read_role(mem, s, at);
		break;
	}
	if (!right && o->type == TYPE_FILE && is_credential(s))
		snprintf(why, CONF_WHY,
			"a file name: $CREDENTIALS_DIRECTORY is set only by systemd "
			"(LoadCredential=)");
	else if (!right)
		conf_value_words(o, why);
	return right;
}

static bool
text_eq(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
list_eq(const struct conf_list *a, const struct conf_list *b)
{
	for (unsigned i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->at[i], b->at[i]) != 0)
			return false;
	return a->n == b->n;
}

bool
conf_value_eq(enum conf_type type, const void *a, const void *b)
{
	switch (type) {
	case TYPE_NAMES:
	case TYPE_FILES:
		return list_eq(a, b);
	case TYPE_NUMBER:
	case TYPE_SECONDS:
	case TYPE_OCTETS:
		return *(const unsigned *)a == *(const unsigned *)b;
	case TYPE_VERSION:
		return memcmp(a, b, sizeof(struct conf_version)) == 0;
	case TYPE_FLAG:
		return *(const bool *)a == *(const bool *)b;
	case TYPE_TEXT:
	case TYPE_FILE:
	case TYPE_LEVEL:
	case TYPE_IP:
	case TYPE_SERVER:
	case TYPE_ROLE:
		break;
	}
	return text_eq(*(const char *const *)a, *(const char *const *)b);
}

const char *
conf_value_words(const struct conf_option *o, char words[CONF_WHY])
{
	static const char *const plain[] = {
		[TYPE_NAMES] = "host names, split by commas",
		[TYPE_FILE] = "a file name",
		[TYPE_FILES] = "file names, split by commas",
		[TYPE_LEVEL] = "error, warning, notice, info or debug",
		[TYPE_VERSION] = "a version such as 2.2.1",
		[TYPE_IP] = "an IPv4 or IPv6 address",
		[TYPE_SERVER] = "a host name, perhaps with a colon and a port",
		[TYPE_FLAG] = "yes or no",
		[TYPE_ROLE] = "es9, es2 or esipa",
	};

	switch (o->type) {
	case TYPE_TEXT:
		snprintf(words, CONF_WHY, "text of %u to %u octets", o->least, o->most);
		break;
	case TYPE_NUMBER:
		snprintf(words, CONF_WHY, "a number from %u to %u%s%s", o->least, o->most,
			o->unit[0] ? " " : "", o->unit);
		break;
	case TYPE_SECONDS:
		snprintf(words, CONF_WHY, "a number of seconds from %u to %u", o->least, o->most);
		break;
	case TYPE_OCTETS:
		snprintf(words, CONF_WHY,
			"a number of octets from %u to %u (KiB and MiB are known)", o->least,
			o->most);
		break;
	default:
		snprintf(words, CONF_WHY, "%s", plain[o->type]);
	}
	return words;
}
