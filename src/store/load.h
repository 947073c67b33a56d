#ifndef STORE_LOAD_H
#define STORE_LOAD_H
/*
 * Bulk loads (sql/query/load.sql): rows are staged on a session of their own, many megabytes if need be,
 * and become profiles all at once. The session goes with the task that began it; what it had staged and
 * not taken is swept.
 */
#include "loop/task.h"
#include "store/store.h"

struct copy;

struct store_load {
	struct copy *copy;
	int64_t load_id; /* filled by begin */
	int64_t staged;  /* rows */
	/* as long as their IMSIs ascend: the first and the last, digits */
	bool disordered;
	uint8_t imsi[2][15];
	uint8_t imsi_digits;
};

/* A session more; how many may be at a time is the caller's to bound. */
const struct step *store_load_begin(struct task *t, struct store *s, struct store_load *out,
	const struct step *then) MUST_RETURN;

struct store_load_row {
	int64_t line;          /* of the file, for messages */
	struct slice iccid;    /* digits */
	struct slice imsi;     /* absent: none */
	struct slice personal; /* sealed */
};

/* Copied at once; only while it is not full. A row has at most 16 KiB. */
void store_load_put(struct store_load *l, const struct store_load_row *row);
/* Perhaps no room for another row: flush first. */
bool store_load_full(const struct store_load *l);
/* Waits until there is room again. `end`: until all rows are staged. */
const struct step *store_load_flush(
	struct task *t, struct store_load *l, bool end, const struct step *then) MUST_RETURN;

struct store_load_duplicate {
	int64_t line;
	struct slice datum; /* "iccid" or "imsi" */
	int64_t first;      /* the line that has it already; STORE_NULL: a profile has */
	int64_t total;      /* how many such lines there are */
};

/* Rows of struct store_load_duplicate, by line, at most 1000; all rows must be staged. */
enum { STORE_LOAD_DUPLICATES = 1000 };
const struct step *store_load_duplicates(struct task *t, struct store_load *l, int64_t type_id,
	int32_t most, struct rows *out, const struct step *then) MUST_RETURN;

struct store_load_facts {
	int64_t type_id;
	int32_t template_version; /* for which the rows were judged */
	struct slice profile_class;
	int64_t fields_all, fields_any; /* 1 << enum profile_field: of every row, of one at least */
	const int64_t *details;         /* profile/given.h */
	size_t detail_count;
	struct slice source; /* where the rows come from, for the audit trail */
	struct slice actor, why;
};

struct store_load_taken {
	struct slice outcome; /* done, duplicate, changed, lost */
};

/* All or nothing. T_UNSURE: the server went away before it said. */
const struct step *
store_load_take(struct task *t, struct store_load *l, const struct store_load_facts *facts,
	struct store_load_taken *out, const struct step *then) MUST_RETURN;

/* The rows are not wanted: sooner than they would be swept. */
const struct step *
store_load_drop(struct task *t, struct store_load *l, const struct step *then) MUST_RETURN;

struct store_load_swept {
	int32_t swept;
};

/* Drops what loads left whose session is gone. */
const struct step *store_load_sweep(struct task *t, struct store *s, struct store_load_swept *out,
	const struct step *then) MUST_RETURN;

#endif
