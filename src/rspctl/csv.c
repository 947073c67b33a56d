/* CSV as RFC 4180 has it; names in it come from outside, and spreadsheets obey what begins as a formula. */
#include <string.h>
#include "rspctl/csv.h"

static void
put_text(const char *text, FILE *out)
{
	const char *quoted = strpbrk(text, ",\"\r\n");

	if (quoted)
		putc('"', out);
	if (*text && strchr("=+-@\t\r", *text))
		putc('\'', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	if (quoted)
		putc('"', out);
}

void
rspctl_csv_head(const struct rspctl_column *columns, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			putc(',', out);
		put_text(columns[i].title, out);
	}
	fputs("\r\n", out);
}

void
rspctl_csv_row(json_t *row, const struct rspctl_column *columns, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(row, columns[i].member);

		if (i)
			putc(',', out);
		if (json_is_string(v))
			put_text(json_string_value(v), out);
		else if (json_is_integer(v))
			fprintf(out, "%lld", (long long)json_integer_value(v));
		else if (json_is_boolean(v))
			fputs(json_is_true(v) ? "yes" : "no", out);
	}
	fputs("\r\n", out);
}
