/* Every verb of the control socket: its arguments, its procedure, how that is filled and told. */
#include "ctl/euicc.h"
#include "ctl/operator.h"
#include "ctl/verbs.h"
#include "dp/refusal.h"
#include "eim/queue.h"

static const struct refusal NOT_ORDERED = {
	"NOT_ORDERED", LOG_INFO,
	"there is no such order, or the profile was never ordered or is not known; see order list"
};

static const struct refusal SUBSCRIBER_UNKNOWN = { "SUBSCRIBER_UNKNOWN", LOG_INFO,
	"there is no such subscriber; see subscriber list" };
static const struct refusal NO_CALLBACK = {
	"NO_CALLBACK", LOG_INFO,
	"there is no such operator, or no address for its server yet; see operator list, give --url"
};

/* clang-format off */
#define ARGS(...) (const struct ctl_arg[]){ __VA_ARGS__ { NULL, 0, false } }
#define MUST(name, kind) { name, CTL_##kind, true },
#define MAY(name, kind) { name, CTL_##kind, false },

/* What profiles of a type say of themselves. */
#define METADATA MAY("profileName", TEXT) MAY("provider", TEXT) MAY("class", TEXT) MAY("icon", OCTETS) \
	MAY("owner", TEXT) MAY("ppr1", FLAG) MAY("ppr2", FLAG) MAY("pprUpdate", FLAG) MAY("notify", TEXTS)

/* Who wants something of an eUICC, and how urgent it is. */
#define WISH MUST("eid", EID) MAY("priority", NUMBER) MAY("deadline", TEXT) MAY("why", TEXT)
#define COMMAND(verb, ...) \
	{ .name = verb, .args = ARGS(WISH __VA_ARGS__), .procedure = &eim_queue, .of_eim = true, \
		.read = ctl_euicc_command_read, .write = ctl_euicc_queued_write },

static const struct ctl_verb verbs[] = {
	{ .name = "profile import",
		.args = ARGS(MUST("package", OCTETS) MAY("iccid", ICCID) MAY("operator", TEXT)
			MAY("type", TEXT) MAY("name", TEXT) MAY("provider", TEXT)
			MAY("class", TEXT) MAY("icon", OCTETS) MAY("owner", TEXT) MAY("ppr1", FLAG)
			MAY("ppr2", FLAG) MAY("pprUpdate", FLAG) MAY("notify", TEXTS) MAY("why", TEXT)),
		.procedure = &dp_import_profile, .acts = true, .read = ctl_profile_import_read,
		.write = ctl_profile_import_write },
	{ .name = "profile list",
		.args = ARGS(MAY("operator", TEXT) MAY("type", TEXT) MAY("state", TEXT)
			MAY("after", ICCID) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_profile_list_ask,
		.list = "profiles", .write = ctl_view_write },
	{ .name = "profile show",
		.args = ARGS(MUST("iccid", ICCID)),
		.procedure = &ctl_view, .ask = ctl_profile_show_ask,
		.none = REFUSE(ICCID_UNKNOWN), .write = ctl_profile_show_write },
	{ .name = "profile history",
		.args = ARGS(MUST("iccid", ICCID) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_profile_history_ask,
		.list = "history", .write = ctl_view_write },
	{ .name = "profile-type list",
		.args = ARGS(MAY("operator", TEXT)),
		.procedure = &ctl_view, .ask = ctl_profile_type_list_ask,
		.list = "types", .write = ctl_view_write },
	{ .name = "profile-type show",
		.args = ARGS(MUST("name", TEXT) MAY("operator", TEXT)),
		.procedure = &ctl_view, .ask = ctl_profile_type_show_ask,
		.none = REFUSE(TYPE_UNKNOWN), .write = ctl_profile_type_show_write },
	{ .name = "profile-type create",
		.args = ARGS(MUST("name", TEXT) MAY("operator", TEXT) MAY("keys", TEXT) MAY("onDelete", TEXT)
			MAY("lowWater", COUNT) MAY("imsiRange", TEXT) MAY("sharedImsi", FLAG)
			MAY("templates", TEXTS) METADATA MAY("why", TEXT)),
		.procedure = &dp_create_type, .read = ctl_profile_type_create_read,
		.write = ctl_profile_type_create_write },
	{ .name = "profile-type set",
		.args = ARGS(MUST("name", TEXT) MAY("operator", TEXT) MAY("lowWater", COUNT)
			MAY("imsiRange", TEXT) MAY("anyImsi", FLAG) MAY("sharedImsi", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_profile_type_set_ask,
		.none = REFUSE(TYPE_UNKNOWN), .write = ctl_view_write },
	{ .name = "profile-type template add",
		.args = ARGS(MUST("name", TEXT) MAY("operator", TEXT) MUST("templates", TEXTS)
			MAY("variant", FLAG) METADATA MAY("why", TEXT)),
		.procedure = &dp_add_template, .read = ctl_template_add_read,
		.write = ctl_template_add_write },
	{ .name = "profile load",
		.args = ARGS(MUST("type", TEXT) MAY("operator", TEXT) MAY("format", TEXT) MAY("map", TEXTS)
			MAY("dryRun", FLAG) MAY("source", TEXT) MAY("why", TEXT)),
		.procedure = &dp_load_profiles, .read = ctl_profile_load_read,
		.write = ctl_profile_load_write, .stream = true },
	{ .name = "operator add",
		.args = ARGS(MUST("name", TEXT) MAY("requester", TEXT) MAY("expired", TEXT)
			MAY("calls", TEXT) MAY("testCi", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_operator_change, .read = ctl_operator_add_read,
		.write = ctl_operator_write },
	{ .name = "operator set",
		.args = ARGS(MUST("name", TEXT) MAY("requester", TEXT) MAY("anyRequester", FLAG)
			MAY("expired", TEXT) MAY("calls", TEXT) MAY("testCi", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_operator_change, .read = ctl_operator_set_read,
		.write = ctl_operator_write },
	{ .name = "operator remove",
		.args = ARGS(MUST("name", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_operator_change, .read = ctl_operator_remove_read,
		.write = ctl_operator_write },
	{ .name = "operator list", .args = ARGS(),
		.procedure = &ctl_view, .ask = ctl_operator_list_ask,
		.list = "operators", .write = ctl_view_write },
	{ .name = "operator show",
		.args = ARGS(MUST("name", TEXT)),
		.procedure = &ctl_view, .ask = ctl_operator_show_ask,
		.none = REFUSE(OPERATOR_UNKNOWN), .write = ctl_view_write },
	{ .name = "operator client add",
		.args = ARGS(MUST("name", TEXT) MAY("certificate", OCTETS) MAY("ca", OCTETS)
			MAY("subject", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_operator_change, .read = ctl_operator_client_add_read,
		.write = ctl_operator_client_write },
	{ .name = "operator client remove",
		.args = ARGS(MUST("name", TEXT) MUST("client", NUMBER) MAY("why", TEXT)),
		.procedure = &ctl_operator_change, .read = ctl_operator_client_remove_read,
		.write = ctl_operator_client_write },
	{ .name = "operator client list",
		.args = ARGS(MAY("name", TEXT)),
		.procedure = &ctl_view, .ask = ctl_operator_clients_ask,
		.list = "clients", .write = ctl_view_write },
	{ .name = "order create",
		.args = ARGS(MAY("iccid", ICCID) MAY("operator", TEXT) MAY("type", TEXT) MAY("eid", EID)
			MAY("reusable", FLAG) MAY("expiresDays", NUMBER) MAY("why", TEXT)),
		.procedure = &dp_download_order, .acts = true, .read = ctl_order_create_read,
		.write = ctl_order_create_write },
	{ .name = "order confirm",
		.args = ARGS(MUST("iccid", ICCID) MAY("eid", EID) MAY("matchingId", TEXT)
			MAY("confirmationCode", TEXT)
			MAY("smds", TEXT) MAY("release", FLAG) MAY("why", TEXT)),
		.procedure = &dp_confirm_order, .acts = true, .read = ctl_order_confirm_read,
		.write = ctl_order_confirm_write },
	{ .name = "order release",
		.args = ARGS(MUST("iccid", ICCID) MAY("why", TEXT)),
		.procedure = &dp_release_profile, .acts = true, .read = ctl_order_release_read,
		.write = ctl_order_release_write },
	{ .name = "order cancel",
		.args = ARGS(MUST("iccid", ICCID) MUST("final", TEXT) MAY("force", FLAG)
			MAY("eid", EID) MAY("matchingId", TEXT) MAY("why", TEXT)),
		.procedure = &dp_cancel_order, .acts = true, .read = ctl_order_cancel_read,
		.write = ctl_order_cancel_write },
	{ .name = "order reset",
		.args = ARGS(MUST("iccid", ICCID) MAY("why", TEXT)),
		.procedure = &dp_reset_order, .acts = true, .read = ctl_order_reset_read,
		.write = ctl_order_reset_write },
	{ .name = "order show",
		.args = ARGS(MAY("iccid", ICCID) MAY("id", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_order_show_ask,
		.none = &NOT_ORDERED, .write = ctl_view_write },
	{ .name = "order list",
		.args = ARGS(MAY("state", TEXT) MAY("operator", TEXT) MAY("type", TEXT) MAY("eid", EID)
			MAY("since", TEXT) MAY("until", TEXT)
			MAY("error", TEXT) MAY("before", NUMBER) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_order_list_ask,
		.list = "orders", .write = ctl_view_write },
	{ .name = "order code",
		.args = ARGS(MUST("iccid", ICCID) MAY("withOid", FLAG)),
		.procedure = &ctl_order_code, .read = ctl_order_code_read,
		.write = ctl_order_code_write },
	{ .name = "order codes",
		.args = ARGS(MAY("iccids", TEXTS) MAY("state", TEXT) MAY("operator", TEXT)
			MAY("type", TEXT) MAY("withOid", FLAG) MAY("before", NUMBER)
			MAY("limit", NUMBER)),
		.procedure = &ctl_order_codes, .read = ctl_order_codes_read,
		.write = ctl_order_codes_write },
	{ .name = "deny add",
		.args = ARGS(MUST("kind", TEXT) MAY("certificate", OCTETS) MAY("keyId", TEXT)
			MAY("issuer", TEXT) MAY("serial", TEXT) MAY("eids", TEXT) MAY("firmware", TEXT)
			MUST("why", TEXT)),
		.procedure = &ctl_deny_add, .read = ctl_deny_add_read, .write = ctl_deny_add_write },
	{ .name = "deny remove",
		.args = ARGS(MUST("id", NUMBER) MAY("why", TEXT)),
		.procedure = &ctl_deny_remove, .read = ctl_deny_remove_read,
		.write = ctl_deny_remove_write },
	{ .name = "deny list",
		.args = ARGS(MAY("kind", TEXT) MAY("after", NUMBER) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_deny_list_ask,
		.list = "entries", .write = ctl_view_write },
	{ .name = "session list",
		.args = ARGS(MAY("operator", TEXT) MAY("eid", EID) MAY("iccid", ICCID) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_session_list_ask,
		.list = "sessions", .write = ctl_view_write },
	{ .name = "event list",
		.args = ARGS(MAY("operator", TEXT) MAY("iccid", ICCID) MAY("eid", EID)
			MAY("subscriber", TEXT) MAY("state", TEXT) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_event_list_ask,
		.list = "events", .write = ctl_view_write },
	{ .name = "event replay",
		.args = ARGS(MUST("subscriber", TEXT) MAY("iccid", ICCID) MAY("from", TEXT)
			MAY("to", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_event_replay_ask,
		.none = &SUBSCRIBER_UNKNOWN, .write = ctl_view_write },
	{ .name = "operator callback",
		.args = ARGS(MUST("name", TEXT) MAY("url", TEXT) MAY("ca", OCTETS)
			MAY("certificate", TEXT) MAY("cardEvents", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_operator_callback_ask,
		.none = &NO_CALLBACK, .write = ctl_view_write },
	{ .name = "subscriber list",
		.args = ARGS(),
		.procedure = &ctl_view, .ask = ctl_subscriber_list_ask,
		.list = "subscribers", .write = ctl_view_write },
	{ .name = "subscriber show",
		.args = ARGS(MUST("name", TEXT)),
		.procedure = &ctl_view, .ask = ctl_subscriber_list_ask,
		.none = &SUBSCRIBER_UNKNOWN, .write = ctl_view_write },
	{ .name = "subscriber pause",
		.args = ARGS(MUST("name", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_subscriber_pause_ask,
		.none = &SUBSCRIBER_UNKNOWN, .write = ctl_view_write },
	{ .name = "subscriber resume",
		.args = ARGS(MUST("name", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_subscriber_resume_ask,
		.none = &SUBSCRIBER_UNKNOWN, .write = ctl_view_write },
	{ .name = "subscriber remove",
		.args = ARGS(MUST("name", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_view, .ask = ctl_subscriber_remove_ask,
		.none = &SUBSCRIBER_UNKNOWN, .write = ctl_view_write },
	{ .name = "stats", .args = ARGS(), .procedure = &ctl_control, .write = ctl_stats_write },
	{ .name = "tasks", .args = ARGS(), .procedure = &ctl_control, .write = ctl_tasks_write },
	{ .name = "log",
		.args = ARGS(MAY("area", TEXT) MAY("level", TEXT)),
		.procedure = &ctl_control, .act = ctl_log_act, .write = ctl_log_write },
	{ .name = "trace eid",
		.args = ARGS(MUST("eid", EID) MAY("off", FLAG)),
		.procedure = &ctl_control, .act = ctl_trace_act, .write = ctl_trace_write },
	{ .name = "reload", .args = ARGS(), .procedure = &ctl_control, .act = ctl_reload_act },
	{ .name = "drain", .args = ARGS(), .procedure = &ctl_control, .act = ctl_drain_act },
	{ .name = "audit list",
		.args = ARGS(MAY("iccid", ICCID) MAY("eid", EID)
			MAY("before", NUMBER) MAY("limit", NUMBER)),
		.procedure = &ctl_view, .ask = ctl_audit_list_ask,
		.list = "entries", .write = ctl_view_write },
	{ .name = "audit verify",
		.args = ARGS(MAY("after", NUMBER)),
		.procedure = &ctl_audit_verify, .read = ctl_audit_verify_read,
		.write = ctl_audit_verify_write },
	{ .name = "euicc add",
		.args = ARGS(MUST("eid", EID) MAY("operator", TEXT) MAY("certificate", OCTETS)
			MAY("eumCertificate", OCTETS) MAY("ci", TEXT) MAY("token", TEXT)
			MAY("counter", NUMBER) MAY("imei", TEXT) MAY("inject", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_euicc_add, .read = ctl_euicc_add_read, .write = ctl_euicc_add_write },
	{ .name = "euicc import",
		.args = ARGS(MAY("operator", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_euicc_import, .read = ctl_euicc_import_read,
		.write = ctl_euicc_import_write, .stream = true },
	{ .name = "euicc set",
		.args = ARGS(MUST("eid", EID) MAY("operator", TEXT) MAY("token", TEXT)
			MAY("counter", NUMBER) MAY("inject", TEXT) MAY("why", TEXT)),
		.procedure = &ctl_euicc_change, .read = ctl_euicc_set_read,
		.write = ctl_euicc_change_write },
	{ .name = "euicc remove",
		.args = ARGS(MUST("eid", EID) MAY("why", TEXT)),
		.procedure = &ctl_euicc_change, .read = ctl_euicc_remove_read,
		.write = ctl_euicc_change_write },
	{ .name = "euicc show",
		.args = ARGS(MUST("eid", EID)),
		.procedure = &ctl_euicc_show, .write = ctl_euicc_show_write },
	{ .name = "euicc list",
		.args = ARGS(MAY("operator", TEXT) MAY("prefix", TEXT) MAY("silentHours", NUMBER)
			MAY("unknown", FLAG) MAY("after", EID) MAY("limit", NUMBER)),
		.procedure = &ctl_euicc_list, .read = ctl_euicc_list_read,
		.write = ctl_euicc_list_write },
	COMMAND("euicc enable", MUST("iccid", ICCID) MAY("rollback", FLAG))
	COMMAND("euicc disable", MUST("iccid", ICCID))
	COMMAND("euicc delete", MUST("iccid", ICCID))
	COMMAND("euicc list-profiles", MAY("v10", FLAG))
	COMMAND("euicc rat", )
	COMMAND("euicc fallback set", MUST("iccid", ICCID))
	COMMAND("euicc fallback unset", )
	COMMAND("euicc immediate-enable", MAY("off", FLAG) MAY("smdpOid", TEXT) MAY("smdpAddress", TEXT))
	COMMAND("euicc default-dp", MUST("address", TEXT))
	COMMAND("euicc add-eim", MUST("config", OCTETS) MAY("whole", FLAG))
	COMMAND("euicc delete-eim", MUST("eimId", TEXT))
	COMMAND("euicc update-eim", MUST("config", OCTETS) MAY("whole", FLAG))
	COMMAND("euicc list-eim", )
	{ .name = "euicc send",
		.args = ARGS(WISH MUST("commands", TEXTS)),
		.procedure = &eim_queue, .of_eim = true, .read = ctl_euicc_send_read,
		.write = ctl_euicc_queued_write },
	{ .name = "euicc data",
		.args = ARGS(WISH MAY("tags", TEXTS)),
		.procedure = &eim_queue, .of_eim = true, .read = ctl_euicc_data_read,
		.write = ctl_euicc_queued_write },
	{ .name = "euicc download",
		.args = ARGS(WISH MAY("code", TEXT) MAY("default", FLAG) MAY("smds", TEXT)),
		.procedure = &eim_queue, .of_eim = true, .read = ctl_euicc_download_read,
		.write = ctl_euicc_queued_write },
	{ .name = "euicc queue show",
		.args = ARGS(MUST("eid", EID) MAY("before", NUMBER)),
		.procedure = &ctl_queue_show, .read = ctl_queue_show_read,
		.write = ctl_queue_show_write },
	{ .name = "euicc queue cancel",
		.args = ARGS(MUST("package", NUMBER) MAY("why", TEXT)),
		.procedure = &ctl_queue_move, .read = ctl_queue_cancel_read,
		.write = ctl_queue_move_write },
	{ .name = "euicc queue close",
		.args = ARGS(MUST("package", NUMBER) MUST("why", TEXT)),
		.procedure = &ctl_queue_move, .read = ctl_queue_close_read,
		.write = ctl_queue_move_write },
	{ .name = "euicc result",
		.args = ARGS(MUST("package", NUMBER)),
		.procedure = &ctl_queue_result, .read = ctl_queue_result_read,
		.write = ctl_queue_result_write },
	{ .name = "eim config",
		.args = ARGS(MAY("eid", EID) MAY("noTls", FLAG) MAY("noToken", FLAG)),
		.procedure = &ctl_eim_config, .read = ctl_eim_config_read,
		.write = ctl_eim_config_write },
	{ .name = "eim fence",
		.args = ARGS(MAY("eid", EID) MAY("all", FLAG) MUST("why", TEXT)),
		.procedure = &ctl_euicc_change, .read = ctl_eim_fence_read,
		.write = ctl_eim_fence_write },
	{ .name = "key list",
		.args = ARGS(),
		.procedure = &ctl_view, .ask = ctl_key_list_ask,
		.list = "keys", .write = ctl_key_list_write },
	{ .name = "key rotate",
		.args = ARGS(MAY("after", TEXT)),
		.procedure = &ctl_key_rotate, .read = ctl_key_rotate_read,
		.write = ctl_key_rotate_write },
};
/* clang-format on */

const struct ctl_verb *
ctl_verb_get(unsigned i)
{
	return i < sizeof verbs / sizeof *verbs ? &verbs[i] : NULL;
}

const struct ctl_verb *
ctl_verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}
