/* order list: page by page when all are wanted; as a table, as JSON, as CSV. */
#include <sysexits.h>
#include "rspctl/csv.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

/* Rows of one request, as the daemon has them when no limit is given. */
enum { PAGE = 200 };

static const struct rspctl_column columns[] = { { "ORDER", "id" }, { "ICCID", "iccid" },
	{ "STATE", "state" }, { "SINCE", "since" }, { "EID", "eid" }, { "TYPE", "type" },
	{ "EXPIRES", "expiresAt" }, { "ERROR", "error" }, { "REUSABLE", "reusable" },
	{ "MATCHING ID", "matchingId" } };
static const struct rspctl_column csv_columns[] = { { "order", "id" }, { "iccid", "iccid" },
	{ "operator", "operator" }, { "type", "type" }, { "state", "state" }, { "since", "since" },
	{ "eid", "eid" }, { "matching_id", "matchingId" },
	{ "confirmation_code", "confirmationCode" }, { "reusable", "reusable" },
	{ "error", "error" }, { "created_at", "createdAt" }, { "expires_at", "expiresAt" } };

static bool
wanted(const char *option)
{
	return json_is_true(json_object_get(rspctl_call.local, option));
}

/* Adds a page; *next is the order to go on before, or 0. */
static int
ask_page(const struct rspctl_verb *verb, json_t *all, json_int_t *next)
{
	const json_t *limit = json_object_get(rspctl_call.args, "limit");
	size_t page = limit ? (size_t)json_integer_value(limit) : PAGE;
	json_t *answer = rspctl_ask(verb->name, rspctl_call.args);
	json_t *orders = json_object_get(json_object_get(answer, "ok"), "orders");
	size_t n = json_array_size(orders);
	int code = rspctl_outcome(answer);

	*next = 0;
	if (!code && n && n >= page)
		*next = json_integer_value(json_object_get(json_array_get(orders, n - 1), "id"));
	if (!code)
		json_array_extend(all, orders);
	json_decref(answer);
	return code;
}

static void
tell(json_t *all)
{
	json_t *ok, *order;
	size_t i;

	if (rspctl_call.json) {
		ok = json_pack("{sO}", "orders", all);
		json_dumpf(ok, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(ok);
	} else if (wanted("csv")) {
		rspctl_csv_head(csv_columns, sizeof csv_columns / sizeof *csv_columns, stdout);
		json_array_foreach(all, i, order) rspctl_csv_row(
			order, csv_columns, sizeof csv_columns / sizeof *csv_columns, stdout);
	} else {
		SHOW_TABLE(all, columns);
	}
}

int
rspctl_orders(const struct rspctl_verb *verb)
{
	json_t *all = json_array();
	json_int_t next;
	int code;

	do {
		code = ask_page(verb, all, &next);
		json_object_set_new(rspctl_call.args, "before", json_integer(next));
	} while (!code && next && wanted("all"));
	if (!code)
		tell(all);
	json_decref(all);
	return code;
}
