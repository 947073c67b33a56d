/* Bodies of packages and requests, and what becomes of them when they go out (SGP.32 §2.11.1, §2.11). */
#include "eim/package.h"
#include <assert.h>
#include <stdlib.h>
#include "base/text.h"
#include "codec/der.h"
#include "codec/ipa_data.h"

/* EuiccPackageRequest, IpaEuiccDataRequest, ProfileDownloadTriggerRequest. */
enum { PACKAGE = 0xbf51, DATA = 0xbf52, TRIGGER = 0xbf54, SIGNATURE = 0x5f37 };
/* eimTransactionId in the latter two: their last member. */
enum { DATA_TRANSACTION = 0x83, TRIGGER_TRANSACTION = 0x82 };

enum { VERSION_1_1 = 1 << 16 | 1 << 8, REQUEST_MAX = 4096 };

bool
eim_is_v1_0(int32_t iot_version)
{
	return iot_version >= 0 && iot_version < VERSION_1_1;
}

struct slice
eim_body_profiles(struct arena *mem, int32_t iot_version)
{
	const struct codec_eim_command list = { .kind = CODEC_PSMO_LIST_PROFILE_INFO,
		.list = { .search = CODEC_PROFILES_ALL,
			.tags = eim_is_v1_0(iot_version) ? CODEC_PROFILE_TAGS_V1_0
							 : CODEC_PROFILE_TAGS } };
	struct slice body;
	const char *why;

	if (!codec_eim_commands_write(mem, &list, 1, CODEC_CERTIFICATE_IMPLICIT, &body, &why))
		abort();
	return body;
}

static struct slice
data_body(struct arena *mem, uint32_t want, int32_t iot_version)
{
	const struct codec_ipa_data_request request = { .want = want };

	return codec_ipa_data_request_write(
		mem, &request, eim_is_v1_0(iot_version) ? CODEC_IOT_V1_0 : CODEC_IOT_V1_2);
}

/* RULES 5.4: token, capabilities, certificates and device before the first package. */
struct slice
eim_body_facts(struct arena *mem, int32_t iot_version)
{
	return data_body(mem,
		CODEC_WANT_INFO1 | CODEC_WANT_INFO2 | CODEC_WANT_ASSOCIATION_TOKEN |
			CODEC_WANT_EUM_CERTIFICATE | CODEC_WANT_EUICC_CERTIFICATE |
			CODEC_WANT_IPA_CAPABILITIES | CODEC_WANT_DEVICE_INFO,
		iot_version);
}

struct slice
eim_body_results(struct arena *mem, int32_t iot_version)
{
	return data_body(mem, CODEC_WANT_PACKAGE_RESULTS, iot_version);
}

struct slice
eim_body_notifications(struct arena *mem, int32_t iot_version)
{
	return data_body(mem, CODEC_WANT_NOTIFICATIONS, iot_version);
}

struct slice
eim_request_write(
	struct arena *mem, const struct store_eim_head *head, struct slice eim_transaction_id)
{
	bool trigger = slice_eq(head->kind, SLICE_LIT("trigger"));
	uint32_t tag = trigger ? TRIGGER : DATA;
	struct codec_der body;
	struct buf value, out;

	if (!trigger && eim_is_v1_0(head->iot_version))
		return head->body; /* it knows no id there */
	if (!codec_der_read_whole(head->body, tag, &body))
		abort(); /* it was written here */
	buf_init(&value, mem, REQUEST_MAX);
	buf_put(&value, body.value);
	codec_der_put(&value, trigger ? TRIGGER_TRANSACTION : DATA_TRANSACTION, eim_transaction_id);
	buf_init(&out, mem, REQUEST_MAX);
	codec_der_put(&out, tag, buf_get(&value));
	return buf_get(&out);
}

struct slice
eim_package_signed_write(struct arena *mem, const struct eim_world *w, struct slice eid,
	int64_t counter, struct slice eim_transaction_id, struct slice commands)
{
	return codec_euicc_package_signed_write(mem,
		&(struct codec_euicc_package){ .eim_id = w->settings.id,
			.eid = eim_eid_octets(mem, eid),
			.counter = counter,
			.eim_transaction_id = eim_transaction_id,
			.commands = commands });
}

struct codec_number
eim_token(int64_t token)
{
	return (struct codec_number){ token != STORE_NULL, token == STORE_NULL ? 0 : token };
}

struct slice
eim_package_signature(struct slice octets)
{
	struct codec_der package, signature;

	if (!codec_der_read_whole(octets, PACKAGE, &package) ||
		!codec_der_find(package.value, SIGNATURE, &signature))
		return SLICE_NONE;
	return signature.octets;
}

struct slice
eim_eid_octets(struct arena *mem, struct slice digits)
{
	struct slice octets;

	if (!text_unhex(mem, digits, &octets))
		abort(); /* they were checked when they came in */
	return octets;
}
