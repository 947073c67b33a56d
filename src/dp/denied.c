/*
 * The deny-lists in memory. Certificates are looked up by a digest of the rule that names them, EIDs by
 * bisection of ranges sorted by their beginning, firmware by a walk: there are few.
 */
#include <stdlib.h>
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "dp/denied.h"

enum { EID = 32 };

struct print {
	uint8_t digest[CRYPTO_SHA256_SIZE];
	int64_t id;
};

struct range {
	char low[EID], high[EID];
	int64_t id;
	size_t widest; /* of this and all before: the one that reaches farthest */
};

struct firmware {
	int32_t low, high;
	char eid_low[EID], eid_high[EID];
	int64_t id;
};

struct dp_denied {
	struct print *prints;
	struct range *ranges;
	struct firmware *firmware;
	size_t print_count, range_count, firmware_count;
	char digest[64];
	size_t digest_n;
};

/* Which certificate, and what of it the rule names. */
enum whose { EUM = 'm', EUICC = 'c' };
enum what { KEY = 'k', SERIAL = 's' };

struct dp_denied *
dp_denied_new(void)
{
	struct dp_denied *d = calloc(1, sizeof *d);

	if (!d)
		abort();
	return d;
}

void
dp_denied_free(struct dp_denied *d)
{
	if (!d)
		return;
	free(d->prints);
	free(d->ranges);
	free(d->firmware);
	free(d);
}

/* One more place in an array that grows by doubling. */
static void *
grow(void *array, size_t n, size_t size)
{
	void *p = array;

	if ((n & (n - 1)) == 0)
		p = realloc(array, (n ? 2 * n : 1) * size);
	if (!p)
		abort();
	return p;
}

static void
digest_of(enum whose whose, enum what what, struct slice a, struct slice b,
	uint8_t out[CRYPTO_SHA256_SIZE])
{
	const uint8_t rule[] = { (uint8_t)whose, (uint8_t)what };
	const struct slice parts[] = { SLICE_ARRAY(rule), a, b };

	crypto_sha256(parts, 3, out);
}

static void
add_print(struct dp_denied *d, const struct store_denied *row)
{
	enum whose whose = slice_eq(row->kind, SLICE_LIT("eum")) ? EUM : EUICC;
	struct print *p;

	d->prints = grow(d->prints, d->print_count, sizeof *d->prints);
	p = &d->prints[d->print_count++];
	p->id = row->id;
	if (row->key_id.p)
		digest_of(whose, KEY, row->key_id, SLICE_NONE, p->digest);
	else
		digest_of(whose, SERIAL, row->issuer_id, row->serial, p->digest);
}

/* Without a range: every EID. */
static void
copy_range(const struct store_denied *row, char low[EID], char high[EID])
{
	memset(low, '0', EID);
	memset(high, '9', EID);
	if (row->eid_low.n == EID && row->eid_high.n == EID) {
		memcpy(low, row->eid_low.p, EID);
		memcpy(high, row->eid_high.p, EID);
	}
}

static void
add_range(struct dp_denied *d, const struct store_denied *row)
{
	struct range *r;

	d->ranges = grow(d->ranges, d->range_count, sizeof *d->ranges);
	r = &d->ranges[d->range_count++];
	r->id = row->id;
	copy_range(row, r->low, r->high);
}

static void
add_firmware(struct dp_denied *d, const struct store_denied *row)
{
	struct firmware *f;

	d->firmware = grow(d->firmware, d->firmware_count, sizeof *d->firmware);
	f = &d->firmware[d->firmware_count++];
	*f = (struct firmware){
		.low = row->firmware_low, .high = row->firmware_high, .id = row->id
	};
	copy_range(row, f->eid_low, f->eid_high);
}

void
dp_denied_add(struct dp_denied *d, const struct store_denied *row)
{
	if (slice_eq(row->kind, SLICE_LIT("eid")))
		add_range(d, row);
	else if (slice_eq(row->kind, SLICE_LIT("firmware")))
		add_firmware(d, row);
	else
		add_print(d, row);
}

static int
compare_prints(const void *a, const void *b)
{
	const struct print *x = a, *y = b;

	return memcmp(x->digest, y->digest, sizeof x->digest);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return memcmp(x->low, y->low, EID);
}

void
dp_denied_settle(struct dp_denied *d, struct slice digest)
{
	size_t widest = 0;

	if (d->print_count)
		qsort(d->prints, d->print_count, sizeof *d->prints, compare_prints);
	if (d->range_count)
		qsort(d->ranges, d->range_count, sizeof *d->ranges, compare_ranges);
	for (size_t i = 0; i < d->range_count; i++) {
		if (memcmp(d->ranges[i].high, d->ranges[widest].high, EID) > 0)
			widest = i;
		d->ranges[i].widest = widest;
	}
	digest = slice_sub(digest, 0, sizeof d->digest);
	d->digest_n = digest.n;
	if (digest.n)
		memcpy(d->digest, digest.p, digest.n);
}

struct slice
dp_denied_digest(const struct dp_denied *d)
{
	return slice_of(d->digest, d->digest_n);
}

size_t
dp_denied_count(const struct dp_denied *d)
{
	return d->print_count + d->range_count + d->firmware_count;
}

static bool
find_print(const struct dp_denied *d, enum whose whose, enum what what, struct slice a,
	struct slice b, int64_t *entry)
{
	struct print wanted, *found;

	if (!a.p || (what == SERIAL && !b.p))
		return false;
	digest_of(whose, what, a, b, wanted.digest);
	found = bsearch(&wanted, d->prints, d->print_count, sizeof *d->prints, compare_prints);
	if (found)
		*entry = found->id;
	return found != NULL;
}

static bool
certificate_denied(
	const struct dp_denied *d, enum whose whose, const struct crypto_cert *c, int64_t *entry)
{
	return find_print(d, whose, KEY, c->subject_key_id, SLICE_NONE, entry) ||
		find_print(d, whose, SERIAL, c->authority_key_id, c->serial, entry);
}

const struct dp_refusal *
dp_denied_eid(const struct dp_denied *d, struct slice eid, int64_t *entry)
{
	size_t from = 0, to = d->range_count, middle;
	const struct range *r;

	if (eid.n != EID)
		return NULL;
	/* How many ranges begin at or before it. */
	while (from < to) {
		middle = from + (to - from) / 2;
		if (memcmp(d->ranges[middle].low, eid.p, EID) <= 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (!from)
		return NULL;
	r = &d->ranges[d->ranges[from - 1].widest];
	if (memcmp(r->high, eid.p, EID) < 0)
		return NULL;
	*entry = r->id;
	return &DP_EID_DENIED;
}

static const struct dp_refusal *
firmware_denied(
	const struct dp_denied *d, struct slice eid, const uint8_t firmware[3], int64_t *entry)
{
	int32_t version = firmware[0] << 16 | firmware[1] << 8 | firmware[2];

	for (const struct firmware *f = d->firmware; f < d->firmware + d->firmware_count; f++)
		if (version >= f->low && version <= f->high && eid.n == EID &&
			memcmp(eid.p, f->eid_low, EID) >= 0 &&
			memcmp(eid.p, f->eid_high, EID) <= 0) {
			*entry = f->id;
			return &DP_FIRMWARE_DENIED;
		}
	return NULL;
}

const struct dp_refusal *
dp_denied_peer(const struct dp_denied *d, struct slice eum, struct slice euicc,
	const uint8_t firmware[3], int64_t *entry)
{
	const struct dp_refusal *no;
	struct crypto_cert c;
	struct slice eid;

	if (!dp_denied_count(d))
		return NULL;
	if (d->print_count && crypto_cert_read(&c, eum) && certificate_denied(d, EUM, &c, entry))
		return &DP_EUM_DENIED;
	/* What is no certificate is denied by nothing. */
	if (!crypto_cert_read(&c, euicc))
		return NULL;
	if (d->print_count && certificate_denied(d, EUICC, &c, entry))
		return &DP_EUICC_DENIED;
	eid = crypto_name_find(c.subject, ATTRIBUTE_SERIAL);
	no = dp_denied_eid(d, eid, entry);
	return no ? no : firmware_denied(d, eid, firmware, entry);
}
