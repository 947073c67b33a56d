#ifndef EIM_EIM_H
#define EIM_EIM_H
/*
 * The eIM (SGP.32): what its procedures share. One `struct eim` a process; what a reload may change lives in a
 * `struct eim_world`, which is immutable, counted by the tasks that began with it, and swapped whole.
 */
#include "codec/eim_package.h"
#include "crypto/chain.h"
#include "loop/task.h"

struct eim_gather;
struct eim_pace;
struct keys_private;
struct peer;
struct store;

enum { EIM_DOMAINS = 32, EIM_NAMES = 32 };

/* EIDs that begin so are let in when they can show certificates of their EUM. */
struct eim_domain {
	struct slice prefix; /* digits */
};

/* What a reload may change. All octets live as long as the world. */
struct eim_settings {
	struct slice id; /* eimId */
	enum codec_eim_id_type id_type;
	struct slice fqdn;
	struct slice certificate;     /* CERT.EIM, or absent: eUICCs know the bare key */
	struct slice tls_certificate; /* by which IPAs know the server, or absent */
	uint32_t protocols;           /* CODEC_RETRIEVE_*: how IPAs reach us; 0: not at all */
	int interval_seconds;         /* of the budget, between two hand-outs that count */
	int budget;                   /* intervals that something is handed out */
	int fence_step;               /* by which a counter that is behind is lifted */
	unsigned polls_per_minute;    /* of one eUICC that get nothing new; 0: any number */
	struct eim_domain
		domains[EIM_DOMAINS]; /* unknown eUICCs that are let in; none: nobody is */
	size_t domain_n;
	struct slice operator_name;    /* whose they are then */
	struct slice names[EIM_NAMES]; /* of this house's own SM-DP+, lower case, without port */
	size_t name_n;
};

struct eim_world {
	unsigned references;
	void *owner;               /* what the octets below live in … */
	void (*drop)(void *owner); /* … and how it goes */
	struct crypto_trust *trust;
	struct keys_private *key; /* EIMsign */
	struct eim_settings settings;
};

/*
 * Why an eUICC is not served, or NULL. Certificates are verified by the caller, or absent: then the EID alone
 * (32 digits) is asked about.
 */
typedef const char *eim_denied(
	void *arg, struct slice eum_certificate, struct slice euicc_certificate, struct slice eid);
/* Is this CI (its id of 20 octets) one whose private key is public? */
typedef bool eim_test_ci(void *arg, struct slice ci_id);

struct eim {
	struct loop *loop;
	struct store *store;
	struct peer *peer;       /* other servers, and the SM-DP+ of this house */
	struct eim_world *world; /* NULL: this instance is no eIM */
	struct eim_gather *gather;
	struct eim_pace *pace;
	eim_denied *denied;
	eim_test_ci *test_ci;
	void *arg; /* of both */
};

/* Makes what the struct holds by itself; loop, store, peer and the hooks are set before. */
void eim_init(struct eim *eim);
void eim_fini(struct eim *eim);

/* The world of tasks from now on; NULL: no eIM any more. Takes the reference over. */
void eim_world_set(struct eim *eim, struct eim_world *w);
void eim_world_release(struct eim_world *w);
/* The current world, held until the task ends; NULL when there is none. */
struct eim_world *eim_world_hold(struct eim *eim, struct task *t);

/* Is this address (any case, perhaps with a port) one of this house's SM-DP+? */
bool eim_address_ours(const struct eim_world *w, struct slice address);

/*
 * What every call begins with, so that its binding can log it in one way. The slices point into the task's arena
 * or the request.
 */
struct eim_call {
	struct eim *eim;
	struct eim_world *world;
	struct slice eid; /* digits, when known */
	struct slice eim_transaction_id;
	int64_t package_id; /* 0: not known */
	const char *note;   /* one more thing worth a line, or NULL */
	bool ignored;       /* answered, yet not taken: the note says why */
	void *binding;      /* the binding's own */
};

/* The task's call is about this eUICC (32 digits): it is logged, and its steps are when it is traced. */
static inline void
eim_eid_set(struct task *t, struct slice eid)
{
	((struct eim_call *)t->state)->eid = eid;
	t->traced = log_traced(eid);
}

#endif
