#ifndef DP_DENIED_H
#define DP_DENIED_H
/*
 * What is not served: a list in memory, made of the rows of the deny-lists, asked without a statement.
 * Pure but for the list's own memory.
 */
#include "dp/refusal.h"
#include "store/deny.h"

struct dp_denied;

/* Made, filled row by row, settled once; only then asked. */
struct dp_denied *dp_denied_new(void);
void dp_denied_add(struct dp_denied *d, const struct store_denied *row);
void dp_denied_settle(struct dp_denied *d, struct slice digest);
void dp_denied_free(struct dp_denied *d);

/* The digest that it was settled with; how many entries it has. */
struct slice dp_denied_digest(const struct dp_denied *d);
size_t dp_denied_count(const struct dp_denied *d);

/*
 * May a peer with these certificates (DER; the caller has verified them) and this firmware
 * (major, minor, revision) be served? NULL, or the refusal and the number of the entry.
 */
const struct dp_refusal *dp_denied_peer(const struct dp_denied *d, struct slice eum,
	struct slice euicc, const uint8_t firmware[3], int64_t *entry);

/* The same of an EID alone (32 digits). */
const struct dp_refusal *dp_denied_eid(const struct dp_denied *d, struct slice eid, int64_t *entry);

#endif
