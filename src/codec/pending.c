/*
 * Notifications and package results in lists, as an IPA sends them (SGP.32 §5.14.6): taken apart no further than
 * keeping and acknowledging them needs. What they say is read one by one, elsewhere.
 */
#include "codec/eim_result.h"
#include "codec/int.h"
#include "codec/ipa_data.h"

/* seqNumber as the eUICC wrote it. */
static struct slice
sequence_find(struct slice contents, uint32_t tag)
{
	return member_find(contents, tag, 1, 16);
}

/* BF2F is a member of OtherSignedNotification, compact or not, and of an installation's result. */
static struct slice
metadata_sequence_find(struct slice contents)
{
	return sequence_find(member_find(contents, 0xbf2f, 0, MEMBER_MAX), 0x80);
}

bool
codec_pending_read(struct slice octets, struct codec_pending *out)
{
	struct codec_der tlv;

	*out = (struct codec_pending){ .octets = octets };
	if (!codec_der_read(&octets, &tlv) || octets.n > 0)
		return false;
	out->compact = tlv.tag == 0xa0 || tlv.tag == 0xa1;
	switch (tlv.tag) {
	case 0xbf37:
		out->sequence =
			metadata_sequence_find(member_find(tlv.value, 0xbf27, 0, MEMBER_MAX));
		return true;
	case 0xa0:
		out->sequence = sequence_find(member_find(tlv.value, 0xa0, 0, MEMBER_MAX), 0x02);
		return true;
	case 0x30:
	case 0xa1:
		out->sequence = metadata_sequence_find(tlv.value);
		return true;
	}
	return false;
}

/* How many TLVs stand there; false when they are more than `max`, or octets are left over. */
static bool
count_read(struct slice contents, size_t max, size_t *n, const char **why)
{
	struct codec_der tlv;

	for (*n = 0; contents.n > 0; ++*n) {
		if (!codec_der_read(&contents, &tlv)) {
			*why = "a list holds octets that are no TLV";
			return false;
		}
		if (*n == max) {
			*why = "a list has too many entries";
			return false;
		}
	}
	return true;
}

bool
pending_list_read(
	struct arena *mem, struct slice contents, struct codec_pending_list *out, const char **why)
{
	struct codec_pending *pending;
	struct codec_der tlv;
	size_t n;

	if (!count_read(contents, CODEC_PENDING_MAX, &n, why))
		return false;
	pending = ARENA_ARRAY(mem, struct codec_pending, n);
	*out = (struct codec_pending_list){ .pending = pending };
	while (codec_der_read(&contents, &tlv))
		if (codec_pending_read(tlv.octets, &pending[out->n]))
			out->n++;
	return true;
}

bool
result_list_read(
	struct arena *mem, struct slice contents, struct codec_result_list *out, const char **why)
{
	struct slice *result;
	struct codec_der tlv;
	size_t n;

	if (!count_read(contents, CODEC_RESULT_MAX, &n, why))
		return false;
	result = ARENA_ARRAY(mem, struct slice, n);
	*out = (struct codec_result_list){ .result = result };
	while (codec_der_read(&contents, &tlv))
		if (tlv.tag == 0xbf51)
			result[out->n++] = tlv.octets;
	return true;
}

void
retrieved_read(struct slice contents, struct retrieved *out)
{
	struct codec_der arm;

	*out = (struct retrieved){ 0 };
	if (codec_der_read_whole(contents, 0xa0, &arm)) {
		out->notifications = arm.value;
	} else if (codec_der_read_whole(contents, 0xa2, &arm)) {
		out->results = arm.value;
	} else if (codec_der_read_whole(contents, 0xa3, &arm)) {
		out->notifications = member_find(arm.value, 0xa0, 0, MEMBER_MAX);
		out->results = member_find(arm.value, 0xa1, 0, MEMBER_MAX);
	}
}

bool
codec_result_and_notifications_read(struct arena *mem, struct slice octets,
	struct codec_result_and_notifications *out, const char **why)
{
	struct codec_der list;
	struct slice contents;
	struct retrieved old;

	*out = (struct codec_result_and_notifications){ 0 };
	if (!member_outer_read(mem, "ePRAndNotifications", octets, 0x30, &contents, why))
		return false;
	if (!codec_der_read_tag(&contents, 0xbf51, &list)) {
		*why = "ePRAndNotifications: euiccPackageResult is missing";
		return false;
	}
	out->result = list.octets;
	if (codec_der_find(contents, 0xa0, &list))
		return pending_list_read(mem, list.value, &out->notifications, why);
	if (!codec_der_find(contents, 0xbf2b, &list)) {
		*why = "ePRAndNotifications: notificationList is missing";
		return false;
	}
	out->leniencies |= CODEC_LENIENT_IOT_V1_0;
	retrieved_read(list.value, &old);
	return pending_list_read(mem, old.notifications, &out->notifications, why);
}
