/*
 * ProfileInfo (SGP.22 §5.7.15, with SGP.32's fallback and emergency members): what an eUICC says of one profile.
 * It never refuses: the result that holds it was executed already, and a member that is odd is as good as one
 * that is not there.
 */
#include "codec/eim_result.h"
#include "codec/int.h"

static enum codec_said
said_read(struct slice contents, uint32_t tag)
{
	struct slice value = member_find(contents, tag, 1, 1);

	return !value.p ? CODEC_UNSAID : value.p[0] ? CODEC_YES : CODEC_NO;
}

static enum codec_profile_state
state_read(struct slice contents)
{
	struct codec_number state = member_number_read(member_find(contents, 0x9f70, 1, 4));

	if (!state.known || state.n < 0 || state.n > 1)
		return CODEC_PROFILE_UNSAID;
	return state.n ? CODEC_PROFILE_ENABLED : CODEC_PROFILE_DISABLED;
}

static void
notify_read(struct arena *mem, struct slice contents, struct codec_profile_info *out)
{
	struct codec_notify *notify;
	const char *why;

	if (contents.n == 0)
		return;
	notify = ARENA_ARRAY(mem, struct codec_notify, CODEC_NOTIFY_MAX);
	if (member_notify_read(mem, contents, notify, &out->notify_count, &why))
		out->notify = notify;
	else
		out->notify_count = 0;
}

void
profile_info_read(struct arena *mem, const struct codec_der *e3, struct codec_profile_info *out)
{
	struct slice owner = member_find(e3->value, 0xb7, 0, MEMBER_MAX);
	uint32_t rules = 0;

	*out = (struct codec_profile_info){
		.octets = e3->octets,
		.iccid = member_find(e3->value, 0x5a, 10, 10),
		.aid = member_find(e3->value, 0x4f, 1, 16),
		.state = state_read(e3->value),
		.nickname = member_find(e3->value, 0x90, 0, 256),
		.provider = member_find(e3->value, 0x91, 0, 128),
		.name = member_find(e3->value, 0x92, 0, 256),
		.profile_class = member_number_read(member_find(e3->value, 0x95, 1, 4)),
		.mcc_mnc = member_find(owner, 0x80, 3, 3),
		.gid1 = member_find(owner, 0x81, 0, 255),
		.gid2 = member_find(owner, 0x82, 0, 255),
		.rules_known = member_bits_read(member_find(e3->value, 0x99, 1, 8), &rules),
		.fallback = said_read(e3->value, 0x9f26),
		.fallback_allowed = said_read(e3->value, 0x9f67),
		.ecall = said_read(e3->value, 0x9f7b),
	};
	out->rules = (uint8_t)rules;
	notify_read(mem, member_find(e3->value, 0xb6, 0, MEMBER_MAX), out);
}
