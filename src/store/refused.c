/* Refused calls about a profile: the wrappers of sql/query/refused.sql. */
#include "store/query.h"
#include "store/refused.h"

static const struct column times_columns[] = { COL_INT8(struct store_refused_times, times) };

const struct step *
store_refused_put(struct task *t, struct store *s, const struct store_refused *in,
	struct store_refused_times *out, const struct step *then)
{
	const struct param params[] = { P_TEXT(in->iccid), P_TEXT(in->matching_id), P_TEXT(in->eid),
		P_TEXT(in->caller), P_TEXT(in->function), P_TEXT(in->refusal), P_TEXT(in->why),
		P_BYTES(in->transaction_id), P_TEXT(in->tac), P_TEXT(in->imei), P_TEXT(in->peer) };

	return query_send(t, s, Q_REFUSED_PUT, params, ONE_ROW(times_columns, out), then);
}

static const struct column swept_columns[] = { COL_INT8(struct store_refused_swept, swept) };

const struct step *
store_refused_sweep(struct task *t, struct store *s, int32_t most, struct store_refused_swept *out,
	const struct step *then)
{
	const struct param params[] = { P_INT4(most) };

	return query_send(t, s, Q_REFUSED_SWEEP, params, ONE_ROW(swept_columns, out), then);
}
