/* Results as facts: what is written of them, in JSON for people and programs and in rows for the picture. */
#include "eim/meaning.h"
#include "base/text.h"
#include "eim/package.h"

enum { JSON_MAX = 128 * 1024, ECALL_AGAIN_SECONDS = 300 };

/* ---- JSON ------------------------------------------------------------------------------------------- */

/* Raw octets as the contents of a JSON text; what PostgreSQL or JSON cannot hold is '?'. */
static void
text_put(struct buf *out, struct slice text)
{
	bool utf8 = text_characters(text) != SIZE_MAX;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
			buf_put_u8(out, '?');
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else
			buf_put_u8(out, c);
	}
}

static void
member_put(struct buf *out, const char *name, struct slice text)
{
	if (!text.p)
		return;
	buf_printf(out, ",\"%s\":\"", name);
	text_put(out, text);
	buf_put_u8(out, '"');
}

static struct slice
json_of(struct arena *mem, const char *member, const char *value)
{
	return slice_text(arena_printf(mem, "{\"%s\":\"%s\"}", member, value));
}

/* ---- profiles --------------------------------------------------------------------------------------- */

/* An array of objects that grows. */
struct list {
	struct buf text;
	size_t n;
};

static void
list_init(struct list *l, struct arena *mem)
{
	*l = (struct list){ 0 };
	buf_init(&l->text, mem, JSON_MAX);
	buf_put_u8(&l->text, '[');
}

static struct buf *
list_next(struct list *l)
{
	if (l->n++)
		buf_put_u8(&l->text, ',');
	return &l->text;
}

static struct slice
list_get(struct list *l)
{
	buf_put_u8(&l->text, ']');
	return buf_get(&l->text);
}

static void
profile_put(struct list *l, struct slice iccid, const char *state)
{
	char digits[21];

	if (iccid.n != 10 || !text_bcd_to_iccid(iccid, digits) || strlen(digits) < 18)
		return;
	buf_printf(list_next(l), "{\"iccid\":\"%s\",\"state\":\"%s\"}", digits, state);
}

static void
fallback_put(struct list *l, struct slice iccid)
{
	char digits[21];

	if (iccid.n == 10 && text_bcd_to_iccid(iccid, digits))
		buf_printf(list_next(l), "{\"iccid\":\"%s\",\"fallback\":true}", digits);
}

static void
info_put(struct list *l, const struct codec_profile_info *p)
{
	static const char *const classes[] = { "test", "provisioning", "operational" };
	char digits[21];
	struct buf *out;

	if (p->iccid.n != 10 || !text_bcd_to_iccid(p->iccid, digits) || strlen(digits) < 18)
		return;
	out = list_next(l);
	buf_printf(out, "{\"iccid\":\"%s\",\"state\":\"%s\",\"fallback\":%s", digits,
		p->state == CODEC_PROFILE_ENABLED ? "enabled" : "disabled",
		p->fallback == CODEC_YES ? "true" : "false");
	if (p->profile_class.known && p->profile_class.n >= 0 && p->profile_class.n < 3)
		buf_printf(out, ",\"class\":\"%s\"", classes[p->profile_class.n]);
	member_put(out, "name", p->nickname.n ? p->nickname : p->name);
	member_put(out, "provider", p->provider);
	buf_put_u8(out, '}');
}

/* ---- the result of a package ------------------------------------------------------------------------ */

/* What is gathered from one command's result after the other. */
struct gathering {
	struct arena *mem;
	struct store_eim_result *out;
	struct list results, profiles, listed;
	bool failed, switched;
};

/* Does listProfileInfo ask for all of them? Only then what it does not name is gone. */
static bool
lists_all(const struct codec_eim_command *command)
{
	return command && command->kind == CODEC_PSMO_LIST_PROFILE_INFO &&
		command->list.search == CODEC_PROFILES_ALL;
}

static void
eims_put(struct gathering *g, const struct codec_command_result *r)
{
	struct list eims;

	list_init(&eims, g->mem);
	for (size_t i = 0; i < r->eim_count; i++) {
		struct buf *out = list_next(&eims);

		buf_put_text(out, "{\"id\":\"");
		text_put(out, r->eim[i].eim_id);
		buf_put_u8(out, '"');
		if (r->eim[i].id_type.known && r->eim[i].id_type.n >= 0 &&
			r->eim[i].id_type.n < 1000)
			buf_printf(out, ",\"type\":%lld", (long long)r->eim[i].id_type.n);
		buf_put_u8(out, '}');
	}
	g->out->eims = list_get(&eims);
}

/* A command that was done: what is so now. `command` is absent when results and commands do not fit. */
static void
done_put(struct gathering *g, const struct codec_command_result *r,
	const struct codec_eim_command *command)
{
	switch (r->command) {
	case CODEC_PSMO_ENABLE:
	case CODEC_PSMO_DISABLE:
	case CODEC_PSMO_DELETE:
		g->switched = true;
		if (command)
			profile_put(&g->profiles, command->iccid,
				r->command == CODEC_PSMO_ENABLE            ? "enabled"
					: r->command == CODEC_PSMO_DISABLE ? "disabled"
									   : "deleted");
		break;
	case CODEC_PSMO_LIST_PROFILE_INFO:
		list_init(&g->listed, g->mem);
		for (size_t i = 0; i < r->profile_count; i++)
			info_put(&g->listed, &r->profile[i]);
		g->out->complete = lists_all(command);
		break;
	case CODEC_PSMO_SET_FALLBACK_ATTRIBUTE:
		if (command)
			fallback_put(&g->profiles, command->iccid);
		break;
	case CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE:
		g->out->unset_fallback = true;
		break;
	case CODEC_ECO_LIST_EIM:
		eims_put(g, r);
		break;
	case CODEC_PSMO_GET_RAT:
	case CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE:
	case CODEC_PSMO_SET_DEFAULT_DP_ADDRESS:
	case CODEC_ECO_ADD_EIM:
	case CODEC_ECO_DELETE_EIM:
	case CODEC_ECO_UPDATE_EIM:
		break;
	}
}

static const char *
name_of(const struct codec_command_result *r)
{
	switch (r->kind) {
	case CODEC_RESULT_COMMAND:
		return codec_eim_command_name(r->command);
	case CODEC_RESULT_ROLLBACK:
		return "rollback";
	case CODEC_RESULT_TERMINATED:
		return "processingTerminated";
	case CODEC_RESULT_UNKNOWN:
		break;
	}
	return "unknown";
}

static void
result_put(struct gathering *g, const struct codec_command_result *r)
{
	struct buf *out = list_next(&g->results);

	buf_printf(out, "{\"command\":\"%s\",\"code\":%d", name_of(r), r->code);
	/* RULES 5.4: it belongs to the other eIM; shown, never used as ours. */
	if (r->association_token.known)
		buf_printf(out, ",\"associationToken\":%lld", (long long)r->association_token.n);
	if (r->rat.p)
		buf_printf(out, ",\"rat\":\"%s\"", (const char *)text_base64(g->mem, r->rat).p);
	if (r->profile_count)
		buf_printf(out, ",\"profiles\":%zu", r->profile_count);
	buf_put_u8(out, '}');
}

/* The command that a result is of: results come in the order of the commands (§2.11.2). */
static const struct codec_eim_command *
command_of(const struct codec_command_result *r, const struct codec_eim_command *commands, size_t n,
	size_t *at)
{
	if (r->kind != CODEC_RESULT_COMMAND)
		return NULL;
	for (size_t i = *at; i < n; i++)
		if (commands[i].kind == r->command) {
			*at = i + 1;
			return &commands[i];
		}
	return NULL;
}

static void
done_read(struct gathering *g, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found)
{
	struct codec_eim_command *commands =
		ARENA_ARRAY(g->mem, struct codec_eim_command, CODEC_COMMAND_MAX);
	struct store_eim_result *out = g->out;
	size_t n = 0, at = 0;
	const char *why;

	if (!codec_eim_commands_read(g->mem, found->body, commands, &n, &why))
		n = 0;
	for (size_t i = 0; i < result->n; i++) {
		const struct codec_command_result *r = &result->result[i];
		const struct codec_eim_command *command = command_of(r, commands, n, &at);

		result_put(g, r);
		/* What one that was terminated leaves undone, nobody knows: the list tells. */
		if (r->kind == CODEC_RESULT_ROLLBACK)
			out->rollback = r->code == 0;
		else if (r->kind != CODEC_RESULT_COMMAND || r->code != 0)
			g->failed = true;
		else
			done_put(g, r, command);
		/* lastEimDeleted(2) is done as well (§2.11.2). */
		if (r->kind == CODEC_RESULT_COMMAND && r->command == CODEC_ECO_DELETE_EIM &&
			(r->code == 0 || r->code == 2))
			out->farewell = found->farewell;
	}
}

/* Signed by the eUICC: it did not take the package (§2.11.2.1; RULES 5.3). */
static void
error_read(struct arena *mem, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found, int fence_step, struct store_eim_result *out)
{
	out->outcome = SLICE_LIT("failed");
	out->meaning =
		slice_text(arena_printf(mem, "{\"error\":\"refused\",\"code\":%d}", result->error));
	switch (result->error) {
	case CODEC_PACKAGE_REPLAY:
		if (found->times_out > 1) {
			/* Done already: what came of it is stored there. */
			out->outcome = SLICE_LIT("unknown");
			out->want_results = eim_body_results(mem, found->iot_version);
			out->want_profiles = eim_body_profiles(mem, found->iot_version);
			break;
		}
		/* Our counter is behind. */
		out->fence = fence_step;
		out->again_seconds = 0;
		break;
	case CODEC_PACKAGE_ECALL_ACTIVE:
		out->again_seconds = ECALL_AGAIN_SECONDS;
		break;
	default:
		break;
	}
}

/*
 * A list in the package that switches is of before: the switch comes when all commands are done (§3.4). What a
 * rollback took back did not happen; which profile is enabled then, the eUICC says itself.
 */
static void
picture_put(struct gathering *g)
{
	struct store_eim_result *out = g->out;

	if (out->rollback) {
		out->outcome = SLICE_LIT("failed");
		out->complete = out->unset_fallback = false;
	} else if (g->switched || !g->listed.text.mem) {
		out->complete = false;
		if (g->profiles.n)
			out->profiles = list_get(&g->profiles);
	} else {
		out->profiles = list_get(&g->listed);
		out->evidence = SLICE_LIT("list");
	}
}

void
eim_meaning_of_result(struct arena *mem, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found, int fence_step, struct store_eim_result *out)
{
	struct gathering g = { .mem = mem, .out = out };

	out->again_seconds = -1;
	out->evidence = SLICE_LIT("result");
	if (result->arm != CODEC_PACKAGE_DONE) {
		error_read(mem, result, found, fence_step, out);
		return;
	}
	list_init(&g.results, mem);
	list_init(&g.profiles, mem);
	done_read(&g, result, found);
	out->outcome = g.failed ? SLICE_LIT("failed") : SLICE_LIT("done");
	out->meaning = slice_text(
		arena_printf(mem, "{\"results\":%s}", (const char *)list_get(&g.results).p));
	picture_put(&g);
	if (out->rollback || g.failed || (g.switched && g.listed.text.mem))
		out->want_profiles = eim_body_profiles(mem, found->iot_version);
}

/* ---- what is not signed as a whole ------------------------------------------------------------------ */

void
eim_meaning_of_data(
	struct arena *mem, const struct codec_ipa_data *data, struct store_eim_result *out)
{
	out->again_seconds = -1;
	out->evidence = SLICE_LIT("result");
	if (!data->ok) {
		out->outcome = SLICE_LIT("failed");
		out->meaning = slice_text(arena_printf(
			mem, "{\"error\":\"refused-unsigned\",\"code\":%d}", data->error));
		if (data->error == CODEC_IPA_DATA_ECALL_ACTIVE)
			out->again_seconds = ECALL_AGAIN_SECONDS;
		return;
	}
	out->outcome = SLICE_LIT("done");
	out->meaning =
		slice_text(arena_printf(mem, "{\"notifications\":%zu,\"packageResults\":%zu}",
			data->notifications.n, data->results.n));
}

void
eim_meaning_of_trigger(struct arena *mem, const struct codec_download_result *result,
	const struct codec_notification *installation, struct store_eim_result *out)
{
	struct list profiles;
	char digits[21] = "";

	out->again_seconds = -1;
	out->evidence = SLICE_LIT("installation");
	if (installation && installation->iccid.n == 10 &&
		!text_bcd_to_iccid(installation->iccid, digits))
		*digits = 0;
	if (installation && installation->installed) {
		list_init(&profiles, mem);
		profile_put(&profiles, installation->iccid, "disabled");
		out->profiles = list_get(&profiles);
		out->outcome = SLICE_LIT("done");
		out->meaning = json_of(mem, "installed", digits);
		return;
	}
	out->outcome = SLICE_LIT("failed");
	if (installation)
		out->meaning = slice_text(arena_printf(mem,
			"{\"error\":\"not-installed\",\"iccid\":\"%s\",\"command\":%d,\"reason\":%"
			"d}",
			digits, installation->command, installation->reason));
	else
		out->meaning = slice_text(
			arena_printf(mem, "{\"error\":\"refused-unsigned\",\"code\":%lld}",
				result->reason.known ? (long long)result->reason.n : 127LL));
	if (!installation && result->reason.known && result->reason.n == CODEC_PACKAGE_ECALL_ACTIVE)
		out->again_seconds = ECALL_AGAIN_SECONDS;
}

void
eim_meaning_of_error(struct arena *mem, int code, struct store_eim_result *out)
{
	out->again_seconds = -1;
	out->evidence = SLICE_LIT("result");
	out->outcome = SLICE_LIT("failed");
	out->meaning =
		slice_text(arena_printf(mem, "{\"error\":\"refused-unsigned\",\"code\":%d}", code));
}
