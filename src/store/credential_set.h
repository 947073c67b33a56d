#ifndef STORE_CREDENTIAL_SET_H
#define STORE_CREDENTIAL_SET_H
/* The numbers of credential sets (sql/query/credential_set.sql). */
#include "loop/task.h"
#include "store/store.h"

struct store_set_number {
	int64_t place; /* in the arrays, from 1 */
	int16_t id;    /* 1 … 255 */
};

/* Rows of struct store_set_number; fewer than n: another instance numbers now, ask again. */
const struct step *store_credential_set_number(struct task *t, struct store *s,
	const struct slice *ci, const struct slice *auth, const struct slice *pb, size_t n,
	struct rows *out, const struct step *then) MUST_RETURN;

#endif
