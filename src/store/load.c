/* Bulk loads: the wrappers of sql/query/load.sql, on a session of their own (copy.c). */
#include <stdio.h>
#include "store/int.h"
#include "store/load.h"

static const struct column begun_columns[] = { COL_INT8(struct store_load, load_id) };

const struct step *
store_load_begin(struct task *t, struct store *s, struct store_load *out, const struct step *then)
{
	*out = (struct store_load){ .copy = copy_new(t, s) };
	return copy_ask(
		out->copy, t, Q_LOAD_BEGIN, NO_PARAMS, 0, ONE_ROW(begun_columns, out), then);
}

/* Files mostly come in the order of their IMSIs: then none is twice in them, which saves a look. */
static void
note_imsi(struct store_load *l, struct slice imsi)
{
	uint8_t *first = l->imsi[0], *last = l->imsi[1];

	if (!imsi.p || l->disordered)
		return;
	if (!l->imsi_digits && imsi.n <= sizeof l->imsi[0]) {
		l->imsi_digits = (uint8_t)imsi.n;
		memcpy(first, imsi.p, imsi.n);
	} else if (imsi.n != l->imsi_digits || memcmp(imsi.p, last, imsi.n) <= 0) {
		l->disordered = true;
		return;
	}
	memcpy(last, imsi.p, imsi.n);
}

/* One of the two ends; absent when they do not ascend. */
static struct slice
end_of(const struct store_load *l, bool last)
{
	return l->disordered || !l->imsi_digits ? SLICE_NONE
						: slice_of(l->imsi[last], l->imsi_digits);
}

void
store_load_put(struct store_load *l, const struct store_load_row *row)
{
	struct slice columns[] = { row->iccid, row->imsi, row->personal };

	copy_row_put(l->copy, row->line, columns, 3);
	note_imsi(l, row->imsi);
	l->staged++;
}

bool
store_load_full(const struct store_load *l)
{
	return copy_is_full(l->copy);
}

const struct step *
store_load_flush(struct task *t, struct store_load *l, bool end, const struct step *then)
{
	char command[sizeof l->copy->command];

	snprintf(command, sizeof command,
		"copy profile_staging_%lld (line, iccid, imsi, personal) from stdin (format "
		"binary)",
		(long long)l->load_id);
	copy_command_set(l->copy, command);
	return copy_flush(l->copy, t, end, then);
}

static const struct column duplicate_columns[] = {
	COL_INT8(struct store_load_duplicate, line),
	COL_TEXT(struct store_load_duplicate, datum),
	COL_INT8(struct store_load_duplicate, first),
	COL_INT8(struct store_load_duplicate, total),
};

const struct step *
store_load_duplicates(struct task *t, struct store_load *l, int64_t type_id, int32_t most,
	struct rows *out, const struct step *then)
{
	const struct param params[] = { P_INT8(l->load_id), P_INT8(type_id), P_INT4(most) };

	return copy_ask(l->copy, t, Q_LOAD_DUPLICATES, params, 3,
		MANY_ROWS(
			struct store_load_duplicate, duplicate_columns, STORE_LOAD_DUPLICATES, out),
		then);
}

static const struct column taken_columns[] = { COL_TEXT(struct store_load_taken, outcome) };

const struct step *
store_load_take(struct task *t, struct store_load *l, const struct store_load_facts *facts,
	struct store_load_taken *out, const struct step *then)
{
	const struct param params[] = { P_INT8(l->load_id), P_INT8(facts->type_id),
		P_INT4(facts->template_version), P_TEXT(facts->profile_class), P_INT8(l->staged),
		P_INT8(facts->fields_all), P_INT8(facts->fields_any),
		P_INT8_ARRAY(facts->details, facts->detail_count), P_TEXT(end_of(l, false)),
		P_TEXT(end_of(l, true)), P_TEXT(facts->source), P_TEXT(facts->actor),
		P_TEXT(facts->why) };

	copy_decides(l->copy, t);
	return copy_ask(l->copy, t, Q_LOAD_TAKE, params, sizeof params / sizeof *params,
		ONE_ROW(taken_columns, out), then);
}

const struct step *
store_load_drop(struct task *t, struct store_load *l, const struct step *then)
{
	const struct param params[] = { P_INT8(l->load_id) };

	return copy_ask(l->copy, t, Q_LOAD_DROP, params, 1, NO_ROWS, then);
}

static const struct column swept_columns[] = { COL_INT4(struct store_load_swept, swept) };

const struct step *
store_load_sweep(
	struct task *t, struct store *s, struct store_load_swept *out, const struct step *then)
{
	return query_send(t, s, Q_LOAD_SWEEP, NO_PARAMS, ONE_ROW(swept_columns, out), then);
}
