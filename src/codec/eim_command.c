/*
 * The commands of an eUICC package (SGP.32 §2.11.1): management of profiles (PSMO) and configuration of eIMs
 * (eCO), both ways. Written when they are asked for, read again when their results are.
 */
#include "codec/eim_package.h"

#include "base/text.h"
#include "codec/int.h"

/* All commands of a package: certificates make them long, an eUICC's memory ends far below. */
#define COMMANDS_MAX (1u << 20)
#define COMMAND_MAX 65536u

#define PSMO_LIST 0xa0
#define ECO_LIST 0xa1

static const struct {
	uint32_t tag;
	const char *name;
} kinds[CODEC_EIM_COMMAND_KINDS] = {
	[CODEC_PSMO_ENABLE] = { 0xa3, "enable" },
	[CODEC_PSMO_DISABLE] = { 0xa4, "disable" },
	[CODEC_PSMO_DELETE] = { 0xa5, "delete" },
	[CODEC_PSMO_LIST_PROFILE_INFO] = { 0xbf2d, "listProfileInfo" },
	[CODEC_PSMO_GET_RAT] = { 0xa6, "getRAT" },
	[CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE] = { 0xa7, "configureImmediateEnable" },
	[CODEC_PSMO_SET_FALLBACK_ATTRIBUTE] = { 0xa8, "setFallbackAttribute" },
	[CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE] = { 0xa9, "unsetFallbackAttribute" },
	[CODEC_PSMO_SET_DEFAULT_DP_ADDRESS] = { 0xbf65, "setDefaultDpAddress" },
	[CODEC_ECO_ADD_EIM] = { 0xa8, "addEim" },
	[CODEC_ECO_DELETE_EIM] = { 0xa9, "deleteEim" },
	[CODEC_ECO_UPDATE_EIM] = { 0xaa, "updateEim" },
	[CODEC_ECO_LIST_EIM] = { 0xab, "listEim" },
};

const char *
codec_eim_command_name(enum codec_eim_command_kind kind)
{
	return kinds[kind].name;
}

static bool
is_eco(enum codec_eim_command_kind kind)
{
	return kind >= CODEC_ECO_ADD_EIM;
}

/* searchCriteria of ProfileInfoListRequest (SGP.22 §5.7.15), a CHOICE, so A0 stands around it. */
static const char *
list_put(struct buf *out, const struct codec_eim_command *c)
{
	struct buf search;

	buf_init(&search, out->mem, COMMAND_MAX);
	switch (c->list.search) {
	case CODEC_PROFILES_ALL:
		break;
	case CODEC_PROFILES_AID:
		if (c->list.key.n < 5 || c->list.key.n > 16)
			return "the AID has not 5 to 16 octets";
		codec_der_put(&search, 0x4f, c->list.key);
		break;
	case CODEC_PROFILES_ICCID:
		if (c->list.key.n != 10)
			return "the ICCID has not 10 octets";
		codec_der_put(&search, 0x5a, c->list.key);
		break;
	case CODEC_PROFILES_CLASS:
		codec_der_put_int(&search, 0x95, c->list.search_class);
		break;
	}
	if (search.n > 0)
		codec_der_put(out, 0xa0, buf_get(&search));
	if (c->list.tags.n > 128)
		return "the list of tags has more than 128 octets";
	if (c->list.tags.n > 0)
		codec_der_put(out, 0x5c, c->list.tags);
	return NULL;
}

static const char *
immediate_put(struct buf *out, const struct codec_eim_command *c)
{
	struct slice dotted;

	if (c->immediate.smdp_oid.p &&
		!codec_der_oid_read(out->mem, c->immediate.smdp_oid, &dotted))
		return "the SM-DP+'s OID is none";
	if (c->immediate.smdp_address.p && text_characters(c->immediate.smdp_address) > 255)
		return "the SM-DP+'s address is no text of at most 255 characters";
	if (c->immediate.enable)
		codec_der_put(out, 0x80, SLICE_LIT(""));
	codec_der_put_optional(out, 0x81, c->immediate.smdp_oid);
	codec_der_put_optional(out, 0x82, c->immediate.smdp_address);
	return NULL;
}

static const char *
configuration_put(struct buf *out, const struct codec_eim_configuration *eim,
	enum codec_certificate_form form)
{
	const char *why = NULL;
	struct codec_der tlv;
	struct slice whole;

	if (codec_eim_configuration_write(out->mem, eim, form, &whole, &why) &&
		codec_der_read_whole(whole, 0x30, &tlv))
		buf_put(out, tlv.value);
	return why;
}

/* The contents of one command; the reason when it cannot be. */
static const char *
contents_put(struct buf *out, const struct codec_eim_command *c, enum codec_certificate_form form)
{
	switch (c->kind) {
	case CODEC_PSMO_ENABLE:
	case CODEC_PSMO_DISABLE:
	case CODEC_PSMO_DELETE:
	case CODEC_PSMO_SET_FALLBACK_ATTRIBUTE:
		if (c->iccid.n != 10)
			return "the ICCID has not 10 octets";
		codec_der_put(out, 0x5a, c->iccid);
		if (c->kind == CODEC_PSMO_ENABLE && c->rollback)
			codec_der_put(out, 0x05, SLICE_LIT(""));
		return NULL;
	case CODEC_PSMO_LIST_PROFILE_INFO:
		return list_put(out, c);
	case CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE:
		return immediate_put(out, c);
	case CODEC_PSMO_SET_DEFAULT_DP_ADDRESS:
		if (text_characters(c->dp_address) > 255)
			return "the SM-DP+'s address is no text of at most 255 characters";
		codec_der_put(out, 0x80, c->dp_address);
		return NULL;
	case CODEC_ECO_ADD_EIM:
	case CODEC_ECO_UPDATE_EIM:
		return configuration_put(out, c->eim, form);
	case CODEC_ECO_DELETE_EIM:
		if (c->eim_id.n == 0 || text_characters(c->eim_id) > 128)
			return "the eimId is no text of 1 to 128 characters";
		codec_der_put(out, 0x80, c->eim_id);
		return NULL;
	case CODEC_PSMO_GET_RAT:
	case CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE:
	case CODEC_ECO_LIST_EIM:
		return NULL;
	}
	return "no such command";
}

/* What no package may be, whatever its commands say. */
static const char *
mixture_fault(const struct codec_eim_command *command, size_t n)
{
	size_t enables = 0;

	if (n == 0 || n > CODEC_COMMAND_MAX)
		return "a package has 1 to 64 commands";
	for (size_t i = 0; i < n; i++) {
		if (is_eco(command[i].kind) != is_eco(command[0].kind))
			return "commands for profiles and for eIMs do not go into one package";
		enables += command[i].kind == CODEC_PSMO_ENABLE;
	}
	/* §3.4.1: one profile is switched to, when the package is done. */
	return enables > 1 ? "a package enables one profile at most" : NULL;
}

bool
codec_eim_commands_write(struct arena *mem, const struct codec_eim_command *command, size_t n,
	enum codec_certificate_form form, struct slice *out, const char **why)
{
	struct buf list, contents;

	*why = mixture_fault(command, n);
	buf_init(&list, mem, COMMANDS_MAX);
	for (size_t i = 0; i < n && !*why; i++) {
		buf_init(&contents, mem, COMMAND_MAX);
		*why = contents_put(&contents, &command[i], form);
		if (!*why)
			codec_der_put(&list, kinds[command[i].kind].tag, buf_get(&contents));
	}
	if (!*why && list.overflow)
		*why = "the commands take too many octets";
	if (*why)
		return false;
	*out = codec_der_write(mem, is_eco(command[0].kind) ? ECO_LIST : PSMO_LIST, buf_get(&list));
	return true;
}

static bool
list_read(struct arena *mem, struct slice contents, struct codec_eim_command *out, const char **why)
{
	struct slice search;
	struct codec_der key;
	int64_t class;
	const struct member table[] = {
		{ 0xa0, "searchCriteria", 1, MEMBER_MAX, true, &search, NULL },
		{ 0x5c, "tagList", 1, 128, true, &out->list.tags, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	if (!search.p)
		return true;
	if (codec_der_read_whole(search, 0x4f, &key)) {
		out->list.search = CODEC_PROFILES_AID;
		out->list.key = key.value;
	} else if (codec_der_read_whole(search, 0x5a, &key)) {
		out->list.search = CODEC_PROFILES_ICCID;
		out->list.key = key.value;
	} else if (codec_der_read_whole(search, 0x95, &key) &&
		codec_der_int_read(key.value, &class) && class >= CODEC_CLASS_TEST &&
		class <= CODEC_CLASS_OPERATIONAL) {
		out->list.search = CODEC_PROFILES_CLASS;
		out->list.search_class = (enum codec_class) class;
	} else {
		*why = "searchCriteria are unknown";
		return false;
	}
	return true;
}

static bool
iccid_read(
	struct arena *mem, struct slice contents, struct codec_eim_command *out, const char **why)
{
	struct slice rollback;
	const struct member table[] = {
		{ 0x5a, "iccid", 10, 10, false, &out->iccid, NULL },
		{ 0x05, "rollbackFlag", 0, 0, true, &rollback, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	out->rollback = rollback.p;
	return true;
}

static bool
immediate_read(
	struct arena *mem, struct slice contents, struct codec_eim_command *out, const char **why)
{
	struct slice flag;
	const struct member table[] = {
		{ 0x80, "immediateEnableFlag", 0, 0, true, &flag, NULL },
		{ 0x81, "defaultSmdpOid", 1, 128, true, &out->immediate.smdp_oid, NULL },
		{ 0x82, "defaultSmdpAddress", 0, 1024, true, &out->immediate.smdp_address, NULL },
	};

	if (!MEMBER_READ(mem, contents, table, why))
		return false;
	out->immediate.enable = flag.p;
	return true;
}

/* Commands whose one member is a text under 80. */
static bool
text_read(struct arena *mem, struct slice contents, struct slice *out, const char **why)
{
	const struct member table[] = {
		{ 0x80, "the command's text", 0, 1024, false, out, NULL },
	};

	return MEMBER_READ(mem, contents, table, why);
}

static bool
contents_read(struct arena *mem, const struct codec_der *tlv, struct codec_eim_command *out,
	const char **why)
{
	struct codec_eim_configuration *eim;

	switch (out->kind) {
	case CODEC_PSMO_ENABLE:
	case CODEC_PSMO_DISABLE:
	case CODEC_PSMO_DELETE:
	case CODEC_PSMO_SET_FALLBACK_ATTRIBUTE:
		return iccid_read(mem, tlv->value, out, why);
	case CODEC_PSMO_LIST_PROFILE_INFO:
		return list_read(mem, tlv->value, out, why);
	case CODEC_PSMO_CONFIGURE_IMMEDIATE_ENABLE:
		return immediate_read(mem, tlv->value, out, why);
	case CODEC_PSMO_SET_DEFAULT_DP_ADDRESS:
		return text_read(mem, tlv->value, &out->dp_address, why);
	case CODEC_ECO_DELETE_EIM:
		return text_read(mem, tlv->value, &out->eim_id, why);
	case CODEC_ECO_ADD_EIM:
	case CODEC_ECO_UPDATE_EIM:
		eim = ARENA_NEW(mem, struct codec_eim_configuration);
		out->eim = eim;
		return codec_eim_configuration_read(mem, tlv->octets, eim, why);
	case CODEC_PSMO_GET_RAT:
	case CODEC_PSMO_UNSET_FALLBACK_ATTRIBUTE:
	case CODEC_ECO_LIST_EIM:
		return true;
	}
	return false;
}

/* A8 and A9 mean one thing among PSMOs and another among eCOs. */
static bool
kind_find(uint32_t tag, bool eco, enum codec_eim_command_kind *out)
{
	for (size_t i = 0; i < CODEC_EIM_COMMAND_KINDS; i++)
		if (kinds[i].tag == tag && is_eco((enum codec_eim_command_kind)i) == eco) {
			*out = (enum codec_eim_command_kind)i;
			return true;
		}
	return false;
}

bool
codec_eim_commands_read(struct arena *mem, struct slice octets, struct codec_eim_command *command,
	size_t *n, const char **why)
{
	struct codec_der whole, tlv;
	bool eco = codec_der_read_whole(octets, ECO_LIST, &whole);

	*n = 0;
	*why = "no list of known commands";
	if (!eco && !codec_der_read_whole(octets, PSMO_LIST, &whole))
		return false;
	while (whole.value.n > 0) {
		enum codec_eim_command_kind kind;

		if (*n == CODEC_COMMAND_MAX || !codec_der_read(&whole.value, &tlv) ||
			!kind_find(tlv.tag, eco, &kind))
			return false;
		command[*n] = (struct codec_eim_command){ .kind = kind };
		if (!contents_read(mem, &tlv, &command[*n], why))
			return false;
		++*n;
	}
	return true;
}
