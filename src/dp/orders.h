#ifndef DP_ORDERS_H
#define DP_ORDERS_H
/*
 * What operators and administrators do with profiles: import, and the functions of ES2+ (SGP.22 §5.3) as
 * procedures. A binding makes a task of one, fills call.dp, call.iccid, call.eid (digits, absent when not
 * given) and the members under `in`, and finds the answer under `out` when the task ended without
 * refusal or trouble. Every call may be repeated with the same content: it is answered as the first time.
 */
#include "dp/dp.h"
#include "dp/refusal.h"
#include "store/order.h"
#include "store/profile.h"

/*
 * Who asks, as it will stand in the audit trail ("ctl:uid=0(root)"), and for which operator. To another
 * than the owner a profile or type is refused (8.2.1/1.2, 8.2.5/1.2); an administrator, whose `call` is all
 * zero, may touch all.
 */
struct dp_actor {
	struct slice name, why; /* why: empty when nothing is said */
	struct store_call call;
};

static inline bool
dp_actor_owns(const struct dp_actor *actor, int64_t operator_id)
{
	return !actor->call.operator_id || actor->call.operator_id == operator_id;
}

/* §5.3.1. With call.iccid, in.type_name or both. */
struct dp_download_order {
	struct dp_call call;
	struct {
		struct dp_actor actor;
		struct slice type_name;     /* absent: not given */
		struct slice operator_name; /* whose type an administrator means */
		int64_t lifetime;           /* seconds; STORE_NULL: as configured */
	} in;
	struct store_moved out;
	/* find_stock */
	struct store_prepared prepared;
	/* reserve, twice when the profile changed under us */
	unsigned tries;
};
extern const struct procedure dp_download_order;

/* §5.3.2 */
struct dp_confirm_order {
	struct dp_call call;
	struct {
		struct dp_actor actor;
		struct slice matching_id;       /* absent: one is made; empty: default SM-DP+ */
		struct slice confirmation_code; /* as the user will type it; absent: none */
		struct slice smds_address;      /* where the event is registered; absent: nowhere */
		bool release;
	} in;
	struct store_moved out;
	/* check */
	struct slice smdp_address; /* to be told with the MatchingID */
	struct store_confirmation confirmation;
	/* confirm, twice when the order changed under us */
	unsigned tries;
	/* explain */
	struct store_standing standing;
};
extern const struct procedure dp_confirm_order;

/* §5.3.4 */
struct dp_release_profile {
	struct dp_call call;
	struct {
		struct dp_actor actor;
	} in;
	struct store_moved out;
	/* release, twice when the order changed under us */
	unsigned tries;
	/* explain */
	struct store_standing standing;
};
extern const struct procedure dp_release_profile;

/* §5.3.3 */
struct dp_cancel_order {
	struct dp_call call;
	struct {
		struct dp_actor actor;
		struct slice matching_id; /* absent: not given */
		bool available;           /* back into stock, else Unavailable for good */
		bool administrator;       /* need not give EID and MatchingID … */
		bool force;               /* … and may take a Downloaded one away */
	} in;
	struct store_moved out;
	/* cancel, twice when the order changed under us */
	struct store_order_end end;
	unsigned tries;
	/* explain */
	struct store_standing standing;
};
extern const struct procedure dp_cancel_order;

/* An administrator's: Error or Downloaded become Released again, with all counters at zero. */
struct dp_reset_order {
	struct dp_call call;
	struct {
		struct dp_actor actor;
	} in;
	struct store_moved out;
	/* reset, twice when the order changed under us */
	unsigned tries;
	/* explain */
	struct store_standing standing;
};
extern const struct procedure dp_reset_order;

/* A profile package becomes a profile in stock. call.iccid: another ICCID for it, or absent. */
struct dp_import_profile {
	struct dp_call call;
	struct {
		struct dp_actor actor;
		struct slice package;       /* UPP */
		struct slice operator_name; /* whose it will be */
		struct slice type_name;     /* absent: what the package says, or "default" */
		struct slice name;          /* of the profile, for the user; absent: default */
		struct slice provider;      /* absent: default */
		struct slice profile_class; /* "test", …; absent: by the package's keys */
		struct slice icon;          /* PNG or JPEG; absent: none */
		struct slice owner;         /* "MCCMNC[:GID1[:GID2]]"; absent: by the IMSI if due */
		uint8_t rules;              /* CODEC_PPR_* */
		const struct slice *notify; /* "ADDRESS=EVENT+EVENT" each; none: ourselves */
		size_t notify_count;
	} in;
	struct store_imported out;
	/* describe */
	struct store_import import;
	/* keep, twice when its type was made at the same moment */
	unsigned tries;
	/* explain */
	struct store_profile known;
};
extern const struct procedure dp_import_profile;

#endif
