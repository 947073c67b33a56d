/* Tables and lists of facts on a terminal. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rspctl/show.h"

enum { COLUMNS = 16, CELL = RSPCTL_CELL };

/* "2026-11-22T19:35:53.102502Z" is shown as "2026-11-22 19:35:53". */
static void
shorten_time(char *text)
{
	if (strlen(text) == 27 && text[4] == '-' && text[10] == 'T' && text[26] == 'Z') {
		text[10] = ' ';
		text[19] = 0;
	}
}

const char *
rspctl_show_safe(const char *from, char out[CELL])
{
	size_t n = 0;

	for (; from && *from && n < CELL - 1; from++) {
		unsigned char c = (unsigned char)*from;

		/* C1 controls are C2 80 … C2 9F in UTF-8. */
		if (c == 0xc2 && (unsigned char)from[1] < 0xa0) {
			out[n++] = '?';
			from++;
		} else {
			out[n++] = c < ' ' || c == 0x7f ? '?' : (char)c;
		}
	}
	out[n] = 0;
	return out;
}

/* An array of texts or numbers, with blanks between. */
static void
join_values(const json_t *array, char out[CELL])
{
	char all[CELL] = "", number[24];
	const char *text;
	size_t n = 0, i;
	json_t *v;

	json_array_foreach(array, i, v)
	{
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
		text = json_is_integer(v) ? number : json_string_value(v);
		if (text && n + strlen(text) + 2 < CELL)
			n += (size_t)snprintf(all + n, CELL - n, "%s%s", n ? " " : "", text);
	}
	rspctl_show_safe(all, out);
}

static void
cell_text(const json_t *v, char out[CELL])
{
	char *plain;

	*out = 0;
	if (json_is_string(v)) {
		rspctl_show_safe(json_string_value(v), out);
		shorten_time(out);
	} else if (json_is_integer(v)) {
		snprintf(out, CELL, "%lld", (long long)json_integer_value(v));
	} else if (json_is_boolean(v)) {
		snprintf(out, CELL, "%s", json_is_true(v) ? "yes" : "no");
	} else if (json_is_array(v)) {
		join_values(v, out);
	} else if (v) {
		plain = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		rspctl_show_safe(plain ? plain : "", out);
		free(plain);
	}
}

/* Characters, not octets. */
static int
width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
put_cell(const char *text, int width, bool last)
{
	fputs(text, stdout);
	if (!last)
		printf("%*s", width - width_of(text) + 2, "");
}

void
rspctl_show_table(json_t *rows, const struct rspctl_column *columns, size_t n)
{
	int widths[COLUMNS];
	char cell[CELL];
	size_t i;
	json_t *row;

	if (json_array_size(rows) == 0) {
		puts("(none)");
		return;
	}
	for (size_t k = 0; k < n; k++) {
		widths[k] = width_of(columns[k].title);
		json_array_foreach(rows, i, row)
		{
			cell_text(json_object_get(row, columns[k].member), cell);
			if (width_of(cell) > widths[k])
				widths[k] = width_of(cell);
		}
	}
	for (size_t k = 0; k < n; k++)
		put_cell(columns[k].title, widths[k], k + 1 == n);
	putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (size_t k = 0; k < n; k++) {
			cell_text(json_object_get(row, columns[k].member), cell);
			put_cell(cell, widths[k], k + 1 == n);
		}
		putchar('\n');
	}
}

/* "downloadAttemptsLeft" as "download attempts left". */
static void
member_words(const char *member, char out[64])
{
	char safe[CELL];
	size_t n = 0;

	for (member = rspctl_show_safe(member, safe); *member && n < 62; member++) {
		if (isupper((unsigned char)*member) && n)
			out[n++] = ' ';
		out[n++] = (char)tolower((unsigned char)*member);
	}
	out[n] = 0;
}

/* The order in which people want to know; what is not listed comes behind, as it came. */
static const char *const first_members[] = { "id", "orderId", "iccid", "eid", "name", "provider",
	"type", "class", "state", "since", "matchingId", "smds", "registeringAt",
	"confirmationCode", "linkedAt", "linkedBy", "downloadAttempts", "downloadAttemptsLeft",
	"confirmationCodeAttempts", "confirmationCodeAttemptsLeft", "error", "packageOut", "frozen",
	"pending", "cardState", "cardEid", "cardSince", "createdAt", "expiresAt", "cancelledAt" };

static void
show_fact(const char *member, json_t *v, int width)
{
	char words[64], cell[CELL];

	if (!v || json_is_object(v))
		return;
	member_words(member, words);
	cell_text(v, cell);
	put_cell(words, width, false);
	puts(cell);
}

static bool
comes_first(const char *member)
{
	for (size_t i = 0; i < sizeof first_members / sizeof *first_members; i++)
		if (strcmp(first_members[i], member) == 0)
			return true;
	return false;
}

void
rspctl_show_facts(json_t *object)
{
	char words[64];
	const char *member;
	int width = 0;
	json_t *v;

	json_object_foreach(object, member, v)
	{
		member_words(member, words);
		if (!json_is_object(v) && width_of(words) > width)
			width = width_of(words);
	}
	for (size_t i = 0; i < sizeof first_members / sizeof *first_members; i++)
		show_fact(first_members[i], json_object_get(object, first_members[i]), width);
	json_object_foreach(object, member, v) if (!comes_first(member))
		show_fact(member, v, width);
}
