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
#include "dp/templates.h"
#include "dp/wishes.h"
#include "peer/es12.h"
#include "store/order.h"
#include "store/load.h"
#include "store/profile.h"
#include "store/template.h"

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
		int64_t lifetime;           /* seconds; 0: as configured */
		bool reusable;              /* for any number of eUICCs; test profiles only */
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
	struct slice smds;         /* in.smds_address as it is configured */
	struct store_confirmation confirmation;
	/* reserve, when there is an SM-DS */
	struct store_reserved reserved;
	/* register_event */
	bool registering;
	uint8_t call_id[16];
	struct https_reply reply;
	/* confirm, twice when the order changed under us */
	unsigned tries;
	/* explain */
	struct store_standing standing;
	const struct refusal *no; /* NULL: it changed again meanwhile */
	/* take_back */
	struct store_unreserved unreserved;
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
		struct dp_wishes wishes;
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

/* A profile type comes to be, perhaps with the templates of its first version. */
struct dp_create_type {
	struct dp_call call;
	struct dp_templates templates; /* none: its profiles are imported */
	struct {
		struct dp_actor actor;
		struct slice keys, on_delete;     /* given */
		int32_t low_water;                /* 0: none */
		struct slice imsi_low, imsi_high; /* digits of one length; absent: any */
		bool shared_imsi;                 /* profiles may have IMSIs of others */
	} in;
	struct store_type out;
};
extern const struct procedure dp_create_type;

/* Templates for a type that is there: a new version, or variants of the newest. */
struct dp_add_template {
	struct dp_call call;
	struct dp_templates templates;
	struct {
		struct dp_actor actor;
		bool variant;
	} in;
	struct store_template_added out;
	/* add, again when the type changed under us */
	unsigned tries;
};
extern const struct procedure dp_add_template;

/* ---- bulk load ---- */

enum dp_rows_got {
	DP_ROWS_NAMES,  /* texts[0 … n) are the columns' names from here on */
	DP_ROWS_ROW,    /* texts[0 … n), absent where nothing stands */
	DP_ROWS_BROKEN, /* this row is refused: why, and at which column (or -1) */
	DP_ROWS_WRONG,  /* all is refused: why */
	DP_ROWS_WAIT,   /* nothing is there yet */
	DP_ROWS_END,
	DP_ROWS_GONE, /* whoever sent them has left before the end */
};

/* Rows that come by and by. What a call gave lives until the next. */
struct dp_rows {
	enum dp_rows_got (*next)(struct dp_rows *rows);
	/* after DP_ROWS_WAIT */
	const struct step *(*wait)(struct dp_rows *rows, struct task *t, const struct step *then);
	/* Nothing more is wanted of them: who waits goes on, and the next is DP_ROWS_GONE. */
	void (*stop)(struct dp_rows *rows, struct task *t);
	const struct slice *texts;
	size_t n;
	int64_t line;
	int column;
	struct slice
		name; /* of the column at fault, when it stands in the row itself; else absent */
	const char *why;
};

/* Why a row was refused; nothing here repeats a value. */
struct dp_row_fault {
	int64_t line;
	const char *column, *reason; /* column: NULL when it is about the whole row */
};
enum { DP_ROW_FAULTS = 1000 };

/* Personal data become profiles of a type, all or none. */
struct dp_load_profiles {
	struct dp_call call;
	struct {
		struct dp_actor actor;
		struct slice type_name, operator_name;
		struct slice source;      /* as it is called, for the audit trail */
		const struct slice *maps; /* "column=datum" each; the datum "-" skips it */
		size_t map_count;
		bool dry_run;
		struct dp_rows *rows;
	} in;
	struct {
		int64_t profiles;            /* that came into stock */
		int64_t rows;                /* that were read */
		int64_t refused;             /* of them */
		bool file_refused;           /* no row was looked at: it begins with what is none */
		struct dp_row_fault *faults; /* the first of these, by line */
		size_t fault_count;
	} out;
};
extern const struct procedure dp_load_profiles;

#endif
