/* The log: key=value lines on standard error, a level per area, traces by EID. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

#define NAME(name) #name,
static const char *const area_names[] = { LOG_AREAS(NAME) };
#undef NAME
static const char *const level_names[] = { "error", "warning", "notice", "info", "debug" };
static const int priorities[] = { 3, 4, 5, 6, 7 }; /* syslog's */

#define LEVEL(name) LOG_NOTICE,
static enum log_level levels[LOG_AREA_COUNT] = { LOG_AREAS(LEVEL) };
#undef LEVEL

enum { TRACES = 8, EID_DIGITS = 32 };
static char traces[TRACES][EID_DIGITS + 1];
static unsigned traced;

bool
log_wanted(enum log_area area, enum log_level level)
{
	return level <= levels[area];
}

const char *
log_area_name(enum log_area area)
{
	return area_names[area];
}

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

enum log_level
log_level_get(enum log_area area)
{
	return levels[area];
}

bool
log_level_set(const char *area, const char *level)
{
	bool found = false;
	int wanted = -1;

	for (int i = 0; i <= LOG_DEBUG; i++)
		if (strcmp(level, level_names[i]) == 0)
			wanted = i;
	if (wanted < 0)
		return false;
	for (int i = 0; i < LOG_AREA_COUNT; i++)
		if (strcmp(area, "all") == 0 || strcmp(area, area_names[i]) == 0) {
			levels[i] = (enum log_level)wanted;
			found = true;
		}
	return found;
}

/* The journal sets JOURNAL_STREAM; it adds the time itself and reads the priority from "<n>". */
static int
put_head(char *line, size_t room, enum log_area area, enum log_level level)
{
	static int journal = -1;
	int64_t now = clock_wall_us();
	time_t seconds = (time_t)(now / 1000000);
	struct tm tm;
	char when[32];

	if (journal < 0)
		journal = getenv("JOURNAL_STREAM") != NULL;
	if (journal)
		return snprintf(line, room, "<%d>level=%s area=%s ", priorities[level],
			level_names[level], area_names[area]);
	gmtime_r(&seconds, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(line, room, "time=%s.%03dZ level=%s area=%s ", when,
		(int)(now / 1000 % 1000), level_names[level], area_names[area]);
}

void
log_line(enum log_area area, enum log_level level, const char *fmt, ...)
{
	char line[4096];
	va_list args;
	int n = put_head(line, sizeof line, area, level), more;
	ssize_t written;

	va_start(args, fmt);
	more = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, args);
	va_end(args);
	n += more < 0 ? 0 : more;
	if ((size_t)n > sizeof line - 2)
		n = sizeof line - 2;
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	line[n++] = '\n';
	/* A log that cannot be written must not stop the daemon. */
	written = write(STDERR_FILENO, line, (size_t)n);
	(void)written;
}

static int
trace_index(const char *eid, size_t n)
{
	for (int i = 0; i < TRACES; i++)
		if (traces[i][0] && n == EID_DIGITS && memcmp(traces[i], eid, n) == 0)
			return i;
	return -1;
}

bool
log_trace_add(const char *eid)
{
	if (strlen(eid) != EID_DIGITS)
		return false;
	if (trace_index(eid, EID_DIGITS) >= 0)
		return true;
	for (int i = 0; i < TRACES; i++)
		if (!traces[i][0]) {
			memcpy(traces[i], eid, EID_DIGITS + 1);
			traced++;
			return true;
		}
	return false;
}

bool
log_trace_remove(const char *eid)
{
	int i = trace_index(eid, strlen(eid));

	if (i < 0)
		return false;
	traces[i][0] = 0;
	traced--;
	return true;
}

bool
log_traced(struct slice eid)
{
	return traced && trace_index((const char *)eid.p, eid.n) >= 0;
}

const char *
log_value(struct slice value, char out[512])
{
	bool quote = value.n == 0;
	size_t n = 0;

	if (value.n > 200)
		value.n = 200;
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] == '"' || value.p[i] == '=' ||
			value.p[i] == '\\')
			quote = true;
	if (quote)
		out[n++] = '"';
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];

		if (c == '"' || c == '\\')
			out[n++] = '\\';
		out[n++] = c < ' ' || c >= 127 ? '?' : (char)c;
	}
	if (quote)
		out[n++] = '"';
	out[n] = 0;
	return out;
}

const char *
log_masked(struct slice identifier, char out[LOG_MASKED])
{
	if (identifier.n < 16)
		snprintf(out, LOG_MASKED, "%s", identifier.n ? "..." : "");
	else
		snprintf(out, LOG_MASKED, "%.6s...%.4s", (const char *)identifier.p,
			(const char *)identifier.p + identifier.n - 4);
	return out;
}
