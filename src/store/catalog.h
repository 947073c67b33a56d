#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H
/* What the program carries of sql/: statements and migrations, as src/store/sql.py writes them. */
#include <stdbool.h>
#include <stddef.h>
#include "loop/task.h"

/* PostgreSQL's types, as far as statements may use them. */
enum kind {
	KIND_INT8,
	KIND_INT4,
	KIND_INT2,
	KIND_TEXT,
	KIND_BYTES,
	KIND_BOOL,
	KIND_TIME, /* timestamptz: microseconds since 1970, UTC */
	KIND_UUID, /* 16 octets */
	KIND_JSON, /* jsonb: its text */
	KIND_INT8_ARRAY,
	KIND_TEXT_ARRAY,
	KIND_BYTES_ARRAY,
	KIND_COUNT
};

/* Statements of LANE_LOAD run on the connection of a bulk load, which belongs to no lane. */
enum lane_id { LANE_ONLINE, LANE_BACKGROUND, LANE_COUNT, LANE_LOAD = LANE_COUNT };

enum { STATEMENT_PARAMS = 32 }; /* at most */

/* A parameter or a column. */
struct field {
	const char *name;
	enum kind kind;
};

struct statement {
	const char *name; /* it is prepared under this name */
	enum lane_id lane;
	bool writes;
	enum got zero; /* what a wrapper's task gets when no row comes */
	const struct field *params;
	size_t param_count;
	const struct field *columns;
	size_t column_count;
	const char *text;
};

struct migration {
	unsigned number; /* from 1, without gaps */
	const char *title, *text;
};

struct catalog {
	const struct statement *statements; /* by enum query */
	size_t statement_count;
	const struct migration *migrations;
	size_t migration_count;
};

/* That of sql/. */
extern const struct catalog store_catalog;

#endif
