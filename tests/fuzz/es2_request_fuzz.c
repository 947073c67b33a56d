/*
 * Any body as a request of ES2+: the object, its header, members of every form, and the hash by which the
 * call is recognised. What was taken fits its form; the same body has the same hash.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "dp/refusal.h"
#include "es2/json.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

struct request {
	struct slice iccid, eid, type, matching_id;
	bool release, available;
};

#define MEMBER(name, form, at)                                                         \
	{                                                                              \
		name, form, offsetof(struct request, at), NULL, REFUSE(MEMBER_INVALID) \
	}
static const struct es2_member members[] = {
	MEMBER("iccid", ES2_ICCID, iccid),
	MEMBER("eid", ES2_EID, eid),
	MEMBER("profileType", ES2_TEXT, type),
	MEMBER("matchingId", ES2_ANY_TEXT, matching_id),
	MEMBER("releaseFlag", ES2_FLAG, release),
	MEMBER("finalProfileStatusIndicator", ES2_FINAL, available),
};
enum { MEMBERS = sizeof members / sizeof *members };

static bool
take(struct arena *mem, struct slice body, uint8_t key[CRYPTO_SHA256_SIZE])
{
	struct request r = { 0 };
	struct es2_header header;
	const char *name;
	json_t *root = wire_json_object_read(mem, body);

	if (!root || es2_header_read(mem, root, &header, &name) ||
		es2_members_read(mem, root, members, MEMBERS, &r, &name))
		return false;
	if (r.iccid.p && (r.iccid.n < 18 || r.iccid.n > 20 || !slice_is_digits(r.iccid)))
		abort();
	if (r.eid.p && (r.eid.n != 32 || !slice_is_digits(r.eid)))
		abort();
	es2_key_make("DownloadOrder", &header, members, MEMBERS, &r, key);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	uint8_t key[CRYPTO_SHA256_SIZE], again[CRYPTO_SHA256_SIZE];
	struct arena mem;

	arena_init(&mem, 1u << 20, NULL, NULL);
	if (take(&mem, slice_of(octets, n), key) &&
		(!take(&mem, slice_of(octets, n), again) || memcmp(key, again, sizeof key) != 0))
		abort();
	arena_fini(&mem);
	return 0;
}
