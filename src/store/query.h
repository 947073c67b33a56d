#ifndef STORE_QUERY_H
#define STORE_QUERY_H
/*
 * What the wrappers of this folder are made of, and nobody else's business. A wrapper names a statement
 * of sql/query/, its parameters in order, and where the columns go:
 *
 *	static const struct column bound_columns[] = {
 *		COL_TEXT(struct store_bound, iccid),
 *		COL_BOOL(struct store_bound, first),
 *	};
 *
 *	const struct step *
 *	store_order_bind(struct task *t, struct store *s, int64_t id, struct slice rsp,
 *		struct store_bound *out, const struct step *then)
 *	{
 *		const struct param params[] = { P_INT8(id), P_BYTES(rsp) };
 *
 *		return query_send(t, s, Q_ORDER_BIND, params, ONE_ROW(bound_columns, out), then);
 *	}
 *
 * `then` runs with t->got R_OK, or R_NONE or R_CONFLICT when there was no row, as the statement's own
 * header says; trouble goes to the procedure's `refuse`. What came back lies in the task's arena.
 * Parameters are encoded before query_send returns. Kinds that do not fit the statement are a bug and
 * are asserted, as is a column whose member is not named like the statement's column.
 */
#include "base/slice.h"
#include "loop/task.h"
#include "store/catalog.h"
#include "store/queries.h"
#include "store/store.h"

struct param {
	enum kind kind;
	bool null;
	int64_t number;             /* numbers, booleans, times */
	struct slice octets;        /* text, bytea, uuid, jsonb */
	const int64_t *numbers;     /* arrays: one of these two, and how many */
	const struct slice *slices; /* an absent slice is a NULL element */
	size_t n;
};

/* clang-format off */
#define P_INT8(v)  ((struct param){ .kind = KIND_INT8, .number = (v) })
#define P_INT4(v)  ((struct param){ .kind = KIND_INT4, .number = (v) })
#define P_INT2(v)  ((struct param){ .kind = KIND_INT2, .number = (v) }) /* enums too */
#define P_BOOL(v)  ((struct param){ .kind = KIND_BOOL, .number = (v) })
#define P_TIME(us) ((struct param){ .kind = KIND_TIME, .number = (us) })
/* An absent slice is NULL; an empty one is an empty value. */
#define P_TEXT(s)  ((struct param){ .kind = KIND_TEXT, .octets = (s) })
#define P_BYTES(s) ((struct param){ .kind = KIND_BYTES, .octets = (s) })
#define P_UUID(s)  ((struct param){ .kind = KIND_UUID, .octets = (s) })
#define P_JSON(s)  ((struct param){ .kind = KIND_JSON, .octets = (s) })
/* NULL when the number is STORE_NULL. */
#define P_INT8_OR_NULL(v)  ((struct param){ .kind = KIND_INT8, .number = (v), .null = (v) == STORE_NULL })
#define P_TIME_OR_NULL(us) ((struct param){ .kind = KIND_TIME, .number = (us), .null = (us) == STORE_NULL })
/* An enum store_wish; NULL when it is STORE_KEEP. */
#define P_WISH(v)  ((struct param){ .kind = KIND_BOOL, .number = (v) == STORE_YES, .null = (v) == STORE_KEEP })
/* A NULL of any kind: P_NULL(INT4). */
#define P_NULL(KIND) ((struct param){ .kind = KIND_##KIND, .null = true })
#define P_INT8_ARRAY(v, count)  ((struct param){ .kind = KIND_INT8_ARRAY, .numbers = (v), .n = (count) })
#define P_TEXT_ARRAY(v, count)  ((struct param){ .kind = KIND_TEXT_ARRAY, .slices = (v), .n = (count) })
#define P_BYTES_ARRAY(v, count) ((struct param){ .kind = KIND_BYTES_ARRAY, .slices = (v), .n = (count) })
/* clang-format on */

/* In place of an array of parameters. */
#define NO_PARAMS ((const struct param[]){})

/* How a column is stored in its member. */
enum shape { SHAPE_SLICE, SHAPE_I64, SHAPE_I32, SHAPE_I16, SHAPE_BOOL, SHAPE_ENUM };

struct column {
	const char *name; /* the member's, which is the column's */
	enum kind kind;
	enum shape shape;
	size_t offset;
};

/* clang-format off */
/* Does not compile when the condition is false. */
#define ONLY_IF(condition) (0 * sizeof(char[(condition) ? 1 : -1]))
#define COLUMN(kind, shape, type, member, fits) \
	{ #member, kind, shape, offsetof(type, member) + ONLY_IF(fits) }
#define MEMBER_IS(ctype, type, member) \
	__builtin_types_compatible_p(__typeof__(((type *)0)->member), ctype)
/* struct slice; NULL is absent. */
#define COL_TEXT(type, member) \
	COLUMN(KIND_TEXT, SHAPE_SLICE, type, member, MEMBER_IS(struct slice, type, member))
#define COL_BYTES(type, member) \
	COLUMN(KIND_BYTES, SHAPE_SLICE, type, member, MEMBER_IS(struct slice, type, member))
#define COL_UUID(type, member) \
	COLUMN(KIND_UUID, SHAPE_SLICE, type, member, MEMBER_IS(struct slice, type, member))
#define COL_JSON(type, member) \
	COLUMN(KIND_JSON, SHAPE_SLICE, type, member, MEMBER_IS(struct slice, type, member))
/* int64_t; NULL is STORE_NULL. */
#define COL_INT8(type, member) \
	COLUMN(KIND_INT8, SHAPE_I64, type, member, MEMBER_IS(int64_t, type, member))
#define COL_TIME(type, member) \
	COLUMN(KIND_TIME, SHAPE_I64, type, member, MEMBER_IS(int64_t, type, member))
/* These are never NULL: the statement coalesces, else the task hears T_BROKEN. */
#define COL_INT4(type, member) \
	COLUMN(KIND_INT4, SHAPE_I32, type, member, MEMBER_IS(int32_t, type, member))
#define COL_INT2(type, member) \
	COLUMN(KIND_INT2, SHAPE_I16, type, member, MEMBER_IS(int16_t, type, member))
#define COL_BOOL(type, member) \
	COLUMN(KIND_BOOL, SHAPE_BOOL, type, member, MEMBER_IS(bool, type, member))
/* A smallint as an enum (of int's size). */
#define COL_ENUM(type, member) \
	COLUMN(KIND_INT2, SHAPE_ENUM, type, member, sizeof(((type *)0)->member) == sizeof(int))
/* clang-format on */

struct want {
	const struct column *columns;
	size_t column_count;
	size_t row_size;   /* octets of the row's struct */
	void *row;         /* ONE_ROW: filled when there is a row, else left alone */
	struct rows *rows; /* MANY_ROWS: filled in any case */
	size_t max;
};

/* At most one row can come; a second is T_BROKEN. `out` points at the row's struct. */
#define ONE_ROW(cols, out)                                     \
	((struct want){ .columns = (cols),                     \
		.column_count = sizeof(cols) / sizeof *(cols), \
		.row_size = sizeof *(out),                     \
		.row = (out) })

/* Up to `most` rows of `type`; zero rows is R_NONE (or R_CONFLICT) here too. */
#define MANY_ROWS(type, cols, most, out)                       \
	((struct want){ .columns = (cols),                     \
		.column_count = sizeof(cols) / sizeof *(cols), \
		.row_size = sizeof(type),                      \
		.rows = (out),                                 \
		.max = (most) })

/* No columns are read. Without a touched row t->got is as if no row had come. */
#define NO_ROWS ((struct want){ .columns = NULL })

/*
 * The awaitable. `params` is an array (not a pointer) or NO_PARAMS. The lane is the statement's own.
 * T_BUSY at once when its queue is full.
 */
#define query_send(t, s, query, params, want, then) \
	query_start(t, s, query, params, sizeof(params) / sizeof *(params), want, then)
const struct step *
query_start(struct task *t, struct store *s, unsigned query, const struct param *params, size_t n,
	struct want want, const struct step *then) MUST_RETURN;

#endif
