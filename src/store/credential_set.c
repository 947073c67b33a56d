/* The numbers of credential sets: the wrapper of sql/query/credential_set.sql. */
#include "store/credential_set.h"
#include "store/query.h"

static const struct column number_columns[] = { COL_INT8(struct store_set_number, place),
	COL_INT2(struct store_set_number, id) };

const struct step *
store_credential_set_number(struct task *t, struct store *s, const struct slice *ci,
	const struct slice *auth, const struct slice *pb, size_t n, struct rows *out,
	const struct step *then)
{
	const struct param params[] = { P_BYTES_ARRAY(ci, n), P_BYTES_ARRAY(auth, n),
		P_BYTES_ARRAY(pb, n) };

	return query_send(t, s, Q_CREDENTIAL_SET_NUMBER, params,
		MANY_ROWS(struct store_set_number, number_columns, 255, out), then);
}
