/*
 * euicc enable, disable, …, send, data, download: what administrators want of an eUICC or its IPA becomes a package
 * in its queue (SGP.32 §2.11.1, §3.3, §3.2.3.1). Here words become commands; eim/queue.h checks, writes and
 * queues them.
 */
#include "base/text.h"
#include "ctl/euicc.h"
#include "eim/queue.h"

enum { PRIORITY_MAX = 100, CODE_MAX = 255, OID_MAX = 64 };

/* Who asks for it, and how urgent it is: arguments of all these verbs. */
static const struct refusal *
read_wish(struct task *t)
{
	struct eim_queue *c = t->state;
	struct dp_actor actor = ctl_actor_get(t);
	int64_t priority = ctl_number_get(t, "priority");

	c->in = (struct eim_wish){ .eid = ctl_text_get(t, "eid"),
		.operator_id = STORE_NULL,
		.priority = priority < 0 ? 0 : (int)priority,
		.actor = actor.name,
		.why = actor.why };
	if (priority > PRIORITY_MAX)
		return ctl_refuse(t, "priority is more than 100; give 0 to 100");
	if (!ctl_time_get(t, "deadline", &c->in.deadline))
		return ctl_refuse(
			t, "deadline is no time; give it as 2026-11-22 or 2026-11-22T21:00:00Z");
	return NULL;
}

/* ---- commands ---- */

/* What stands behind the name of a command. */
enum words { NO_WORD, ICCID, ICCID_AND_ROLLBACK, ON_OR_OFF, ADDRESS, EIM_ID };

static const struct {
	const char *verb; /* of the control socket */
	const char *name; /* in euicc send; NULL: not there */
	enum codec_eim_command_kind kind;
	enum words words;
} commands[] = {
	{ "euicc enable", "enable", CODEC_PSMO_ENABLE, ICCID_AND_ROLLBACK },
	{ "euicc disable", "disable", CODEC_PSMO_DISABLE, ICCID },
	{ "euicc delete", "delete", CODEC_PSMO_DELETE, ICCID },
	{ "euicc list-profiles", "list-profiles", CODEC_PSMO_LIST_PROFILE_INFO, NO_WORD },
	{ "euicc rat", "rat", CODEC_PSMO_GET_RAT, NO_WORD },
	{ "euicc fallback set", "fallback-set", CODEC_PSMO_SET_FALLBACK_ATTRIBUTE, ICCID },
	{ "euicc fallback unset", "fallback-unset", CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE, NO_WORD },
	{ "euicc immediate-enable", "immediate-enable", CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE,
		ON_OR_OFF },
	{ "euicc default-dp", "default-dp", CODEC_PSMO_SET_DEFAULT_DP_ADDRESS, ADDRESS },
	{ "euicc add-eim", NULL, CODEC_ECO_ADD_EIM, NO_WORD },
	{ "euicc delete-eim", "delete-eim", CODEC_ECO_DELETE_EIM, EIM_ID },
	{ "euicc update-eim", NULL, CODEC_ECO_UPDATE_EIM, NO_WORD },
	{ "euicc list-eim", "list-eim", CODEC_ECO_LIST_EIM, NO_WORD },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const char *
put_iccid(struct arena *mem, struct slice digits, struct codec_eim_command *out)
{
	uint8_t *bcd = arena_alloc(mem, 10);

	if (!text_iccid_to_bcd(digits, bcd))
		return "needs an ICCID of 18 to 20 digits behind it";
	out->iccid = slice_of(bcd, 10);
	return NULL;
}

/* The word behind a command's name, and one more. NULL, or what is wrong. */
static const char *
put_words(struct arena *mem, enum words kind, struct slice word, struct slice more,
	struct codec_eim_command *out)
{
	const char *wrong = NULL;

	switch (kind) {
	case NO_WORD:
		if (out->kind == CODEC_PSMO_LIST_PROFILE_INFO)
			out->list.tags = CODEC_PROFILE_TAGS;
		return word.n ? "has nothing behind it" : NULL;
	case ICCID_AND_ROLLBACK:
		wrong = put_iccid(mem, word, out);
		out->rollback = slice_eq(more, SLICE_LIT("rollback"));
		return wrong                       ? wrong
			: more.n && !out->rollback ? "has an ICCID behind it, and perhaps rollback"
						   : NULL;
	case ICCID:
		wrong = put_iccid(mem, word, out);
		break;
	case ON_OR_OFF:
		out->immediate.enable = slice_eq(word, SLICE_LIT("on"));
		if (!out->immediate.enable && !slice_eq(word, SLICE_LIT("off")))
			return "needs on or off behind it";
		break;
	case ADDRESS:
		out->dp_address = word.p ? word : SLICE_LIT("");
		break;
	case EIM_ID:
		out->eim_id = word;
		wrong = word.n ? NULL : "needs the id of an eIM behind it";
		break;
	}
	return wrong ? wrong : more.n ? "has too many words behind it" : NULL;
}

/* Up to the first blank; `rest` is what follows. */
static struct slice
next_word(struct slice *rest)
{
	const uint8_t *blank;
	struct slice word;

	*rest = slice_trim(*rest);
	word = *rest;
	blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	if (blank)
		word.n = (size_t)(blank - rest->p);
	*rest = slice_trim(slice_sub(*rest, word.n, rest->n));
	return word;
}

/* "enable 8949… rollback". NULL, or what is wrong. */
static const char *
read_command(struct arena *mem, struct slice text, struct codec_eim_command *out)
{
	struct slice name = next_word(&text), word = next_word(&text);
	const char *wrong;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (!commands[i].name || !slice_eq(name, slice_text(commands[i].name)))
			continue;
		out->kind = commands[i].kind;
		wrong = put_words(mem, commands[i].words, word, text, out);
		return wrong ? arena_printf(mem, "%s %s", commands[i].name, wrong) : NULL;
	}
	return "there is no such command; see rspctl help euicc send";
}

const struct refusal *
ctl_euicc_send_read(struct task *t)
{
	struct eim_queue *c = t->state;
	struct slice *texts = ARENA_ARRAY(t->mem, struct slice, CODEC_COMMAND_MAX);
	struct codec_eim_command *out =
		ARENA_ARRAY(t->mem, struct codec_eim_command, CODEC_COMMAND_MAX);
	const struct refusal *no = read_wish(t);
	size_t n = ctl_texts_get(t, "commands", texts, CODEC_COMMAND_MAX);
	const char *wrong = NULL;

	if (no)
		return no;
	if (!n || n > CODEC_COMMAND_MAX)
		return ctl_refuse(t, "commands must be 1 to 64; see rspctl help euicc send");
	for (size_t i = 0; i < n && !wrong; i++)
		wrong = read_command(t->mem, texts[i], &out[i]);
	c->commands = out;
	c->command_n = n;
	return wrong ? ctl_refuse(t, wrong) : NULL;
}

/* A dotted object identifier as its contents octets (X.690 §8.19). */
static bool
read_oid(struct arena *mem, struct slice text, struct slice *out)
{
	struct buf octets;
	uint64_t part = 0, first = 0;
	size_t parts = 0;
	bool digit = false;

	buf_init(&octets, mem, OID_MAX);
	for (size_t i = 0; i <= text.n; i++) {
		uint8_t c = i < text.n ? text.p[i] : '.';

		if (c >= '0' && c <= '9') {
			part = part * 10 + (uint64_t)(c - '0');
			digit = true;
			if (part > UINT32_MAX)
				return false;
			continue;
		}
		if (c != '.' || !digit || parts > 16)
			return false;
		if (parts == 0 && (first = part) > 2)
			return false;
		if (parts == 1) {
			if (first < 2 && part > 39)
				return false;
			part += first * 40;
		}
		for (int shift = 35; parts && shift >= 0; shift -= 7)
			if (part >> shift || !shift)
				buf_put_u8(&octets,
					(uint8_t)((part >> shift & 0x7f) | (shift ? 0x80 : 0)));
		parts++;
		part = 0;
		digit = false;
	}
	*out = buf_get(&octets);
	return parts >= 2;
}

/* What a verb has beside the words. */
static const char *
read_more(struct task *t, struct codec_eim_command *out)
{
	struct codec_eim_configuration *eim = ARENA_NEW(t->mem, struct codec_eim_configuration);
	struct slice octets, oid = ctl_text_get(t, "smdpOid");
	const char *why;

	switch (out->kind) {
	case CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE:
		out->immediate.smdp_address = ctl_text_get(t, "smdpAddress");
		if (oid.p && !read_oid(t->mem, oid, &out->immediate.smdp_oid))
			return "smdpOid is no object identifier; give it as 1.3.6.1.4.1.1";
		return NULL;
	case CODEC_PSMO_LIST_PROFILE_INFO:
		if (ctl_flag_get(t, "v10"))
			out->list.tags = CODEC_PROFILE_TAGS_V1_0;
		return NULL;
	case CODEC_ECO_ADD_EIM:
	case CODEC_ECO_UPDATE_EIM:
		if (!ctl_octets_get(t, "config", &octets))
			return "config is no Base64; send EimConfigurationData in Base64";
		if (!codec_eim_configuration_read(t->mem, octets, eim, &why))
			return arena_printf(t->mem,
				"config is no EimConfigurationData (%s); give what the other eIM "
				"exports, as DER",
				why);
		out->eim = eim;
		return NULL;
	default:
		return NULL;
	}
}

/* The word that a verb has in an argument of its own. */
static struct slice
word_of(struct task *t, enum words kind)
{
	switch (kind) {
	case ICCID:
	case ICCID_AND_ROLLBACK:
		return ctl_text_get(t, "iccid");
	case ON_OR_OFF:
		return ctl_flag_get(t, "off") ? SLICE_LIT("off") : SLICE_LIT("on");
	case ADDRESS:
		return ctl_text_get(t, "address");
	case EIM_ID:
		return ctl_text_get(t, "eimId");
	case NO_WORD:
		break;
	}
	return SLICE_NONE;
}

const struct refusal *
ctl_euicc_command_read(struct task *t)
{
	struct eim_queue *c = t->state;
	struct codec_eim_command *out = ARENA_NEW(t->mem, struct codec_eim_command);
	const char *verb = ctl_call_get(t)->verb->name, *wrong;
	const struct refusal *no = read_wish(t);
	size_t i = 0;

	if (no)
		return no;
	while (strcmp(commands[i].verb, verb) != 0)
		i++;
	out->kind = commands[i].kind;
	wrong = put_words(t->mem, commands[i].words, word_of(t, commands[i].words),
		ctl_flag_get(t, "rollback") ? SLICE_LIT("rollback") : SLICE_NONE, out);
	if (wrong)
		wrong = arena_printf(t->mem, "%s %s", verb, wrong);
	else
		wrong = read_more(t, out);
	c->commands = out;
	c->command_n = 1;
	c->form = ctl_flag_get(t, "whole") ? CODEC_CERTIFICATE_WHOLE : CODEC_CERTIFICATE_IMPLICIT;
	return wrong ? ctl_refuse(t, wrong) : NULL;
}

/* ---- data ---- */

static const struct {
	const char *name;
	uint32_t want;
} tags[] = { { "all", CODEC_WANT_ALL }, { "notifications", CODEC_WANT_NOTIFICATIONS },
	{ "default-smdp", CODEC_WANT_DEFAULT_SMDP },
	{ "package-results", CODEC_WANT_PACKAGE_RESULTS }, { "info1", CODEC_WANT_INFO1 },
	{ "info2", CODEC_WANT_INFO2 }, { "root-smds", CODEC_WANT_ROOT_SMDS },
	{ "association-token", CODEC_WANT_ASSOCIATION_TOKEN },
	{ "eum-certificate", CODEC_WANT_EUM_CERTIFICATE },
	{ "euicc-certificate", CODEC_WANT_EUICC_CERTIFICATE },
	{ "ipa-capabilities", CODEC_WANT_IPA_CAPABILITIES },
	{ "device-info", CODEC_WANT_DEVICE_INFO } };
enum { TAGS = sizeof tags / sizeof *tags };

const struct refusal *
ctl_euicc_data_read(struct task *t)
{
	struct eim_queue *c = t->state;
	struct slice names[TAGS];
	const struct refusal *no = read_wish(t);
	size_t n = ctl_texts_get(t, "tags", names, TAGS), k;

	if (no)
		return no;
	if (n > TAGS)
		return ctl_refuse(t, "tags has more than 12 entries; say all instead");
	for (size_t i = 0; i < n; i++) {
		for (k = 0; k < TAGS && !slice_eq(names[i], slice_text(tags[k].name)); k++)
			;
		if (k == TAGS)
			return ctl_refuse(t, "there is no such tag; see rspctl help euicc data");
		c->want |= tags[k].want;
	}
	/* Notifications and results are taken out of the eUICC only when somebody asks for them. */
	if (!n)
		c->want = CODEC_WANT_ALL & ~(CODEC_WANT_NOTIFICATIONS | CODEC_WANT_PACKAGE_RESULTS);
	return NULL;
}

/* ---- download ---- */

const struct refusal *
ctl_euicc_download_read(struct task *t)
{
	struct eim_queue *c = t->state;
	struct codec_download_trigger *trigger = ARENA_NEW(t->mem, struct codec_download_trigger);
	struct slice code = ctl_text_get(t, "code"), smds = ctl_text_get(t, "smds");
	bool preset = ctl_flag_get(t, "default");
	const struct refusal *no = read_wish(t);

	if (no)
		return no;
	if ((code.p != NULL) + (smds.p != NULL) + preset != 1)
		return ctl_refuse(t, "a download is by code, by default or by smds; give one");
	if (code.p && (!code.n || code.n > CODE_MAX))
		return ctl_refuse(
			t, "code must have 1 to 255 octets; give LPA:1$ADDRESS$MATCHING-ID");
	if (code.n && slice_eq_nocase(slice_sub(code, 0, 4), SLICE_LIT("LPA:")))
		code = slice_sub(code, 4, code.n);
	if (code.n && !slice_eq(slice_sub(code, 0, 2), SLICE_LIT("1$")))
		return ctl_refuse(t, "code is no activation code; give LPA:1$ADDRESS$MATCHING-ID");
	trigger->kind = preset ? CODEC_DOWNLOAD_DEFAULT_SMDP
		: code.p       ? CODEC_DOWNLOAD_ACTIVATION_CODE
			       : CODEC_DOWNLOAD_SMDS;
	trigger->text = code.p ? code : smds.n ? smds : SLICE_NONE;
	c->trigger = trigger;
	return NULL;
}

void
ctl_euicc_queued_write(struct task *t, json_t *ok)
{
	const struct eim_queue *c = t->state;

	json_object_set_new(ok, "package", json_integer(c->out.package_id));
	ctl_put_text(ok, "eid", c->in.eid);
	ctl_put_text(ok, "what", c->wanted.what);
}
