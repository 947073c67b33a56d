#ifndef DP_PERIODIC_H
#define DP_PERIODIC_H
/* Work that nobody asks for (loop/periodic.h). Its state begins with a struct dp_periodic_run. */
#include "dp/dp.h"
#include "loop/periodic.h"

struct dp_periodic_run {
	struct dp *dp;
};

/* As loop_periodic_start; dp is borrowed until stop. */
struct loop_periodic *
dp_periodic_start(struct dp *dp, const struct procedure *procedure, uint32_t ms);

/* Orders whose lifetime is over, every ten seconds. */
extern const struct procedure dp_expire_orders;
enum { DP_EXPIRE_ORDERS_MS = 10000 };

/* Seals over the audit trail, every second. */
extern const struct procedure dp_seal_audit;
enum { DP_SEAL_AUDIT_MS = 1000 };

/* Sessions that serve nobody, notifications that were not applied: every minute. */
extern const struct procedure dp_housekeep;
enum { DP_HOUSEKEEP_MS = 60000 };

/* The deny-lists in memory, as the database has them: twice a second, and when one was changed. */
extern const struct procedure dp_load_denied;
enum { DP_LOAD_DENIED_MS = 500 };

/* What ends soon: every hour, and when it was read anew. */
extern const struct procedure dp_watch_certificates;
enum { DP_WATCH_CERTIFICATES_MS = 3600 * 1000 };

/* eUICCs that seem to be several: every minute. */
extern const struct procedure dp_watch_clones;
enum { DP_WATCH_CLONES_MS = 60000 };

/* The operators' clients in memory: the same. */
extern const struct procedure dp_load_clients;
enum { DP_LOAD_CLIENTS_MS = 2000 };

#endif
