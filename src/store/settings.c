/*
 * The connection string, judged before anything uses it. In the loop libpq must never look a name up,
 * since that blocks: a socket's path or an address is required, and no service file that could hold
 * something else.
 */
#include <stdio.h>
#include <stdlib.h>
#include "store/int.h"

static const char *
find_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword; options++)
		if (!strcmp(options->keyword, keyword))
			return options->val ? options->val : "";
	return "";
}

/* A list of socket folders, each a path or (Linux) an abstract name. */
static bool
all_sockets(const char *hosts)
{
	for (;; hosts++) {
		if (*hosts != '/' && *hosts != '@')
			return false;
		hosts += strcspn(hosts, ",");
		if (!*hosts)
			return true;
	}
}

/* A list without an empty place: libpq would look up the host's name for that one. */
static bool
all_given(const char *addresses)
{
	size_t n = strlen(addresses);

	return n && *addresses != ',' && addresses[n - 1] != ',' && !strstr(addresses, ",,");
}

bool
store_settings_check(const struct store_settings *settings, char words[STORE_WORDS])
{
	char *error = NULL;
	PQconninfoOption *options = PQconninfoParse(settings->connection, &error);
	bool good;

	if (!options) {
		snprintf(words, STORE_WORDS, "the connection string is wrong: %.*s",
			(int)strcspn(error ? error : "", "\n"), error ? error : "");
		PQfreemem(error);
		return false;
	}
	good = !*find_value(options, "service") &&
		(all_given(find_value(options, "hostaddr")) ||
			all_sockets(find_value(options, "host")));
	if (!good)
		snprintf(words, STORE_WORDS,
			"the connection string needs host=/path/of/the/socket or hostaddr=ADDRESS: "
			"names "
			"are not looked up, service files not read");
	PQconninfoFree(options);
	return good;
}
