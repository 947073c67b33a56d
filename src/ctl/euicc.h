#ifndef CTL_EUICC_H
#define CTL_EUICC_H
/* The verbs `euicc …` and `eim …`: what the verbs' table names, and what these files share. */
#include "ctl/verbs.h"
#include "eim/eim.h"
#include "store/euicc.h"

extern const struct procedure ctl_euicc_change, ctl_euicc_add, ctl_euicc_import, ctl_euicc_show,
	ctl_euicc_list, ctl_queue_show, ctl_queue_result, ctl_queue_move, ctl_eim_config;

ctl_read ctl_euicc_add_read, ctl_euicc_set_read, ctl_euicc_remove_read, ctl_euicc_import_read,
	ctl_euicc_list_read, ctl_euicc_command_read, ctl_euicc_send_read, ctl_euicc_data_read,
	ctl_euicc_download_read, ctl_queue_show_read, ctl_queue_result_read, ctl_queue_cancel_read,
	ctl_queue_close_read, ctl_eim_fence_read, ctl_eim_config_read;
ctl_write ctl_euicc_add_write, ctl_euicc_change_write, ctl_euicc_import_write, ctl_euicc_show_write,
	ctl_euicc_list_write, ctl_euicc_queued_write, ctl_queue_show_write, ctl_queue_result_write,
	ctl_queue_move_write, ctl_eim_fence_write, ctl_eim_config_write;

extern const struct refusal CTL_EUICC_UNKNOWN;

/* A time as 2026-11-22T21:00:00.000000Z, a number that may be missing: nothing when it is STORE_NULL. */
void ctl_put_time(json_t *object, const char *name, int64_t us);
void ctl_put_number(json_t *object, const char *name, int64_t number);

/* What is said of a new eUICC; certificates as octets, PEM or DER, the rest as texts; absent or empty: not said. */
struct ctl_new_euicc {
	struct slice eid;
	struct slice certificate; /* of the eUICC; as PEM the EUM's may follow in it */
	struct slice eum_certificate;
	struct slice ci;      /* 40 hexadecimal digits: under which CI it is */
	struct slice token;   /* a number, or "none" */
	struct slice counter; /* the last one that was used */
	struct slice imei, inject;
};

/*
 * As it goes into the store; certificates are verified up to a CI that is trusted. NULL, or what is wrong, in words
 * that follow *member. `call` has eim and world.
 */
const char *ctl_euicc_read(struct arena *mem, const struct eim_call *call,
	const struct ctl_new_euicc *in, struct store_new_euicc *out, const char **member);

/* "none" and digits as the store has a token; false: it is neither. */
bool ctl_token_read(struct slice text, struct slice *out);

#endif
