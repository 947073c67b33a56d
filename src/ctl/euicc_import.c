/*
 * euicc import: eUICCs by the hundred thousand, a row each, as EUMs and device makers deliver them. Each row stands
 * for itself: what is right comes in a thousand at a time, what is refused is named by its line, and the same file
 * may be given again, for who is in already is left as he is.
 */
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "ctl/euicc.h"

enum {
	DEADLINE_MS = 6 * 3600 * 1000,  /* silent peers are given up long before */
	ARENA = 512 * 1024 * 1024,      /* answers of the database, 250 octets an eUICC */
	BATCH_ARENA = 64 * 1024 * 1024, /* certificates of a batch */
	TURN_US = 5000,
	COLUMNS = 9,
};

/* clang-format off */
#define STEPS(S) \
	S(begin) \
	S(read_rows)  /* until the batch is full or the turn is over          */ \
	S(send_rows)  /* those of one operator; again until none is left      */ \
	S(check_sent) /* backwards, to send or to read more                   */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

static const char *const column_names[COLUMNS] = { "eid", "certificate", "eum_certificate", "ci",
	"token", "counter", "imei", "inject", "operator" };
enum column { EID, CERTIFICATE, EUM_CERTIFICATE, CI, TOKEN, COUNTER, IMEI, INJECT, OPERATOR };

static const struct refusal IMPORT_ABANDONED = {
	"IMPORT_ABANDONED", LOG_NOTICE,
	"the rows ended before their end was said; import the file again, what is in already stays"
};

struct row {
	struct store_new_euicc in;
	struct slice operator_name;
	int64_t line;
};

struct importing {
	struct dp_call call;
	struct dp_actor actor;
	struct slice operator_name; /* of rows that name none */
	struct dp_rows *rows;
	struct eim_call eim;
	/* read_rows */
	int place[COLUMNS]; /* the column of each cell */
	size_t columns;
	bool ended;
	struct arena batch_mem;
	struct row batch[STORE_EUICC_ADD_MAX]; /* by operator and EID once it is sent */
	size_t batch_n;
	/* send_rows */
	struct store_new_euicc sent[STORE_EUICC_ADD_MAX];
	size_t sent_from, sent_n;
	struct rows answers;
	/* what became of them */
	int64_t read, added, same, refused;
	struct dp_row_fault *faults;
	size_t fault_count;
};

const struct procedure ctl_euicc_import = { "ImportEuiccs", THEN(begin), NULL, steps, DEADLINE_MS,
	ARENA, sizeof(struct importing) };

static void
drop_batch(void *arena)
{
	arena_fini(arena);
}

const struct refusal *
ctl_euicc_import_read(struct task *t)
{
	struct importing *c = t->state;
	struct eim *eim = ctl_call_get(t)->ctl->eim;

	c->actor = ctl_actor_get(t);
	c->operator_name = ctl_operator_get(t);
	c->eim = (struct eim_call){ .eim = eim, .world = eim_world_hold(eim, t) };
	c->rows = ctl_rows_new(t, false);
	c->faults = ARENA_ARRAY(t->mem, struct dp_row_fault, DP_ROW_FAULTS);
	arena_init(&c->batch_mem, BATCH_ARENA, NULL, NULL);
	arena_defer(t->mem, drop_batch, &c->batch_mem);
	return NULL;
}

static const struct step *
begin(struct task *t)
{
	(void)t;
	GO(read_rows);
}

/* Remembered as long as there is room, counted always. */
static void
refuse_row(struct task *t, int64_t line, const char *column, const char *reason)
{
	struct importing *c = t->state;

	if (c->refused++ < DP_ROW_FAULTS)
		c->faults[c->fault_count++] = (struct dp_row_fault){ line, column,
			arena_string(t->mem, slice_text(reason)) };
}

/* ---- rows ---- */

/* False when a column is not known, stands twice, or there are no EIDs. */
static bool
take_names(struct task *t)
{
	struct importing *c = t->state;
	unsigned seen = 0;

	c->columns = c->rows->n;
	for (size_t i = 0; i < c->columns; i++) {
		struct slice name = slice_trim(c->rows->texts[i]);
		int k = 0;

		while (k < COLUMNS && !slice_eq_nocase(name, slice_text(column_names[k])))
			k++;
		if (k == COLUMNS || i >= COLUMNS || seen >> k & 1) {
			refuse_row(t, c->rows->line, NULL,
				arena_printf(t->mem,
					"column %zu is not known or stands twice; there are eid, "
					"certificate, eum_certificate, ci, token, counter, imei, "
					"inject, operator",
					i + 1));
			return false;
		}
		seen |= 1u << k;
		c->place[i] = k;
	}
	if (seen & 1u << EID)
		return true;
	refuse_row(t, c->rows->line, NULL, "there is no column eid");
	return false;
}

/* DER in Base64, or PEM in a quoted cell. */
static const char *
read_octets(struct arena *mem, struct slice text, struct slice *out)
{
	*out = text;
	if (!text.n || slice_eq(slice_sub(text, 0, 5), SLICE_LIT("-----")))
		return NULL;
	return text_unbase64(mem, text, out) ? NULL : "is neither Base64 nor PEM";
}

static void
take_row(struct task *t)
{
	struct importing *c = t->state;
	struct arena *mem = &c->batch_mem;
	struct slice text[COLUMNS] = { { NULL, 0 } };
	struct row *row = &c->batch[c->batch_n];
	const char *wrong, *member = column_names[CERTIFICATE];
	struct ctl_new_euicc in;

	c->read++;
	if (c->rows->n != c->columns) {
		refuse_row(t, c->rows->line, NULL, "has more or fewer cells than the first row");
		return;
	}
	for (size_t i = 0; i < c->columns; i++)
		text[c->place[i]] = arena_copy(mem, slice_trim(c->rows->texts[i]));
	in = (struct ctl_new_euicc){ .eid = text[EID],
		.ci = text[CI],
		.token = text[TOKEN],
		.counter = text[COUNTER],
		.imei = text[IMEI],
		.inject = text[INJECT] };
	wrong = read_octets(mem, text[CERTIFICATE], &in.certificate);
	if (!wrong) {
		member = column_names[EUM_CERTIFICATE];
		wrong = read_octets(mem, text[EUM_CERTIFICATE], &in.eum_certificate);
	}
	if (!wrong)
		wrong = ctl_euicc_read(mem, &c->eim, &in, &row->in, &member);
	if (wrong) {
		refuse_row(t, c->rows->line, member, wrong);
		return;
	}
	row->operator_name = text[OPERATOR].n ? text[OPERATOR] : c->operator_name;
	row->line = c->rows->line;
	c->batch_n++;
}

static const struct step *
wrong_file(struct task *t, const char *why)
{
	struct importing *c = t->state;

	if (why)
		refuse_row(t, c->rows->line, NULL, why);
	c->ended = true;
	c->rows->stop(c->rows, t);
	return THEN(send_rows);
}

static const struct step *
read_rows(struct task *t)
{
	struct importing *c = t->state;
	int64_t until = clock_mono_us() + TURN_US;

	do {
		switch (c->rows->next(c->rows)) {
		case DP_ROWS_NAMES:
			if (!take_names(t))
				return wrong_file(t, NULL);
			break;
		case DP_ROWS_ROW:
			take_row(t);
			break;
		case DP_ROWS_BROKEN:
			c->read++;
			refuse_row(t, c->rows->line, NULL, c->rows->why);
			break;
		case DP_ROWS_WRONG:
			return wrong_file(t, c->rows->why);
		case DP_ROWS_WAIT:
			/* Backwards, when more has come. */
			return c->rows->wait(c->rows, t, THEN(read_rows));
		case DP_ROWS_END:
			c->ended = true;
			return THEN(send_rows);
		case DP_ROWS_GONE:
			return task_refuse(t, &IMPORT_ABANDONED);
		}
	} while (c->batch_n < STORE_EUICC_ADD_MAX && (!c->batch_n || clock_mono_us() < until));
	GO(send_rows);
}

/* ---- sending ---- */

static int
by_eid(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	size_t n = x->operator_name.n, m = y->operator_name.n;
	int order = (n > m) - (n < m);

	if (!order)
		order = memcmp(x->operator_name.p, y->operator_name.p, n);
	if (!order)
		order = memcmp(x->in.eid.p, y->in.eid.p, x->in.eid.n);
	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool
same_eid(const struct row *a, const struct row *b)
{
	return memcmp(a->in.eid.p, b->in.eid.p, a->in.eid.n) == 0;
}

/* What stands in the batch twice goes in once. */
static void
sort_batch(struct task *t)
{
	struct importing *c = t->state;
	size_t n = 0;

	qsort(c->batch, c->batch_n, sizeof *c->batch, by_eid);
	for (size_t i = 0; i < c->batch_n; i++) {
		bool again = n &&
			slice_eq(c->batch[i].operator_name, c->batch[n - 1].operator_name) &&
			same_eid(&c->batch[i], &c->batch[n - 1]);

		if (again)
			refuse_row(t, c->batch[i].line, column_names[EID],
				arena_printf(t->mem, "stands in line %lld already",
					(long long)c->batch[n - 1].line));
		else
			c->batch[n++] = c->batch[i];
	}
	c->batch_n = n;
}

static const struct step *
send_rows(struct task *t)
{
	struct importing *c = t->state;
	struct slice operator_name;

	if (!c->sent_from)
		sort_batch(t);
	if (c->sent_from == c->batch_n) {
		arena_fini(&c->batch_mem);
		arena_init(&c->batch_mem, BATCH_ARENA, NULL, NULL);
		c->batch_n = c->sent_from = 0;
		/* Backwards: there is more to read. */
		return c->ended ? NULL : THEN(read_rows);
	}
	operator_name = c->batch[c->sent_from].operator_name;
	for (c->sent_n = 0; c->sent_from + c->sent_n < c->batch_n; c->sent_n++) {
		const struct row *row = &c->batch[c->sent_from + c->sent_n];

		if (!slice_eq(row->operator_name, operator_name))
			break;
		c->sent[c->sent_n] = row->in;
	}
	return store_euicc_add(t, c->call.dp->store, operator_name, c->sent, c->sent_n,
		c->actor.name, c->actor.why, &c->answers, THEN(check_sent));
}

static const struct store_euicc_added *
answer_of(const struct importing *c, struct slice eid)
{
	const struct store_euicc_added *answers = c->answers.first;
	size_t low = 0, high = c->answers.n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = memcmp(eid.p, answers[middle].eid.p, eid.n);

		if (order == 0)
			return &answers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct step *
check_sent(struct task *t)
{
	struct importing *c = t->state;

	for (size_t i = 0; i < c->sent_n; i++) {
		const struct row *row = &c->batch[c->sent_from + i];
		const struct store_euicc_added *answer = answer_of(c, row->in.eid);

		if (!answer)
			refuse_row(
				t, row->line, column_names[OPERATOR], "there is no such operator");
		else if (slice_eq(answer->outcome, SLICE_LIT("known")))
			refuse_row(t, row->line, column_names[EID],
				"is managed already, for another operator or with another "
				"certificate or "
				"token");
		else if (slice_eq(answer->outcome, SLICE_LIT("added")))
			c->added++;
		else
			c->same++;
	}
	c->sent_from += c->sent_n;
	/* Backwards: there may be rows of another operator. */
	GO(send_rows);
}

static int
by_line(const void *a, const void *b)
{
	const struct dp_row_fault *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

void
ctl_euicc_import_write(struct task *t, json_t *ok)
{
	struct importing *c = t->state;
	json_t *faults = json_array(), *o;

	qsort(c->faults, c->fault_count, sizeof *c->faults, by_line);
	json_object_set_new(ok, "rows", json_integer(c->read));
	json_object_set_new(ok, "added", json_integer(c->added));
	json_object_set_new(ok, "same", json_integer(c->same));
	json_object_set_new(ok, "refused", json_integer(c->refused));
	for (size_t i = 0; i < c->fault_count; i++) {
		o = json_object();
		json_object_set_new(o, "line", json_integer(c->faults[i].line));
		if (c->faults[i].column)
			json_object_set_new(o, "column", json_string(c->faults[i].column));
		json_object_set_new(o, "reason", json_string(c->faults[i].reason));
		json_array_append_new(faults, o);
	}
	json_object_set_new(ok, "faults", faults);
}
