#ifndef DP_CLIENTS_H
#define DP_CLIENTS_H
/*
 * Whose certificate is it: the clients of all operators in memory, asked for each call of ES2+ without a
 * statement (SGP.22 §5.3: the SM-DP+ knows the operator by its TLS client).
 */
#include "crypto/client.h"
#include "store/operator.h"

struct dp_clients;

/* Made, filled row by row, settled once; only then asked. */
struct dp_clients *dp_clients_new(void);
void dp_clients_add(struct dp_clients *c, const struct store_client *row);
void dp_clients_settle(struct dp_clients *c, struct slice digest);
void dp_clients_free(struct dp_clients *c);

/* The digest that it was settled with; how many clients it has. */
struct slice dp_clients_digest(const struct dp_clients *c);
size_t dp_clients_count(const struct dp_clients *c);

/*
 * The client that shows these certificates (DER, its own first; `own` was read from them) at this time
 * (seconds since 1970), or NULL with `*why`. It is borrowed until the loop's next turn.
 */
const struct store_client *dp_clients_find(struct dp_clients *c, struct slice certificates,
	const struct crypto_client *own, int64_t now, const char **why);

/*
 * Is this functionRequesterIdentifier agreed with another operator that has clients? Each is one
 * operator's alone; one without clients cannot be taken for another here.
 */
bool dp_clients_requester_is_others(
	const struct dp_clients *c, struct slice requester, int64_t operator_id);

#endif
