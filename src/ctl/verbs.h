#ifndef CTL_VERBS_H
#define CTL_VERBS_H
/* What the verbs' table (verbs.c) is made of: a read, write, ask or act per verb, named after it. */
#include "ctl/int.h"

/* One statement whose rows are the answer. */
extern const struct procedure ctl_view;
/* No statement: something in the daemon itself. */
extern const struct procedure ctl_control;

extern const struct procedure ctl_order_code, ctl_order_codes, ctl_audit_verify, ctl_key_rotate,
	ctl_deny_add, ctl_deny_remove;

typedef const struct refusal *ctl_read(struct task *t);
typedef void ctl_write(struct task *t, json_t *ok);
typedef const struct step *ctl_ask(struct task *t, struct rows *out, const struct step *then);

ctl_read ctl_profile_import_read, ctl_profile_load_read, ctl_profile_type_create_read,
	ctl_template_add_read;
ctl_write ctl_profile_import_write, ctl_profile_load_write, ctl_profile_type_create_write,
	ctl_template_add_write;

ctl_read ctl_order_create_read, ctl_order_confirm_read, ctl_order_release_read,
	ctl_order_cancel_read, ctl_order_reset_read, ctl_order_code_read;
ctl_write ctl_order_create_write, ctl_order_confirm_write, ctl_order_release_write,
	ctl_order_cancel_write, ctl_order_reset_write, ctl_order_code_write;

ctl_ask ctl_profile_list_ask, ctl_profile_show_ask, ctl_profile_type_list_ask,
	ctl_profile_type_show_ask, ctl_profile_type_set_ask, ctl_order_list_ask, ctl_order_show_ask,
	ctl_session_list_ask, ctl_event_list_ask, ctl_audit_list_ask, ctl_deny_list_ask,
	ctl_key_list_ask;
ctl_ask ctl_deliveries_ask, ctl_event_replay_ask, ctl_operator_callback_ask,
	ctl_subscriber_list_ask, ctl_subscriber_pause_ask, ctl_subscriber_resume_ask,
	ctl_subscriber_remove_ask;
ctl_write ctl_view_write, ctl_profile_show_write, ctl_profile_type_show_write;

ctl_read ctl_audit_verify_read, ctl_key_rotate_read;
ctl_write ctl_audit_verify_write, ctl_key_rotate_write, ctl_key_list_write;

ctl_read ctl_order_codes_read;
ctl_write ctl_order_codes_write;
ctl_ask ctl_profile_history_ask;

ctl_read ctl_deny_add_read, ctl_deny_remove_read;
ctl_write ctl_deny_add_write, ctl_deny_remove_write;

/* Of `control`: what is done, before the answer is told. */
ctl_read ctl_log_act, ctl_trace_act, ctl_reload_act, ctl_drain_act;
ctl_write ctl_stats_write, ctl_tasks_write, ctl_log_write, ctl_trace_write;

#endif
