/*
 * What the profiles of a type have in common: the data that all of them and that some of them were given, and the
 * lengths that a template may not be able to take (TCA profile package: keys, algorithm parameters, IMSI).
 * Of a million rows it is a few numbers; a template that fits the numbers fits every row.
 */
#include "profile/given.h"
#include "profile/template_int.h"

enum { ROOM = 16, NETWORK_DIGITS = 6 };

#define OF_FIELD (INT64_C(1) << 32)
#define OF_NETWORK (INT64_C(2) << 32)
#define KIND(detail) ((detail) >> 32 << 32)

/* `guess`: where rows before had it, mostly. */
static void
put_detail(struct profile_given *g, struct arena *mem, size_t guess, int64_t detail)
{
	size_t n = g->detail_count;
	int64_t *grown;

	if (guess < n && g->details[guess] == detail)
		return;
	for (size_t i = 0; i < n; i++)
		if (g->details[i] == detail)
			return;
	/* Full at ROOM and at each doubling of it. */
	if (n == 0 || (n >= ROOM && (n & (n - 1)) == 0)) {
		grown = ARENA_ARRAY(mem, int64_t, n ? 2 * n : ROOM);
		if (n)
			memcpy(grown, g->details, n * sizeof *grown);
		g->details = grown;
	}
	((int64_t *)(uintptr_t)g->details)[n] = detail;
	g->detail_count++;
}

static int64_t
number_of(struct slice digits)
{
	int64_t number = 0;

	for (size_t i = 0; i < NETWORK_DIGITS && i < digits.n; i++)
		number = number * 10 + (digits.p[i] - '0');
	return number;
}

void
profile_given_put(struct profile_given *g, struct arena *mem, const struct profile_personal *row)
{
	static const enum profile_field measured[] = { PERSONAL_IMSI, PERSONAL_K, PERSONAL_OPC };
	struct slice imsi = row->value[PERSONAL_IMSI];
	int64_t fields = 0;
	size_t guess = 0;

	for (int f = 0; f < PERSONAL_FIELDS; f++)
		if (row->value[f].p)
			fields |= INT64_C(1) << f;
	g->all &= fields;
	g->any |= fields;
	for (size_t i = 0; i < sizeof measured / sizeof *measured; i++)
		if (row->value[measured[i]].p)
			put_detail(g, mem, guess++,
				OF_FIELD | (int64_t)measured[i] << 8 |
					(int64_t)row->value[measured[i]].n);
	for (size_t i = 0; i < row->key_count; i++)
		put_detail(g, mem, guess++,
			(int64_t)row->key[i].version << 16 | (int64_t)row->key[i].id << 8 |
				(int64_t)row->key[i].octets.n);
	if (imsi.p)
		put_detail(g, mem, guess, OF_NETWORK | number_of(imsi));
}

/* Of which only the length is looked at. */
static struct slice
octets_of(int64_t detail)
{
	static const uint8_t none[256];

	return slice_of(none, (size_t)(detail & 0xff));
}

/*
 * A profile of this detail alone, and with identities where all have them: what is wrong with it is wrong with
 * those that have the detail.
 */
static bool
detail_fits(const struct profile_given *g, const struct profile_template *t, struct arena *mem,
	bool first, int64_t detail, struct profile_row_fault *fault)
{
	struct profile_personal *row = ARENA_NEW(mem, struct profile_personal);
	uint8_t version = (uint8_t)(detail >> 16), id = (uint8_t)(detail >> 8);

	/* What has no place is told of already, or left out of a variant. */
	if (KIND(detail) == OF_FIELD && (t->info.takes >> id & 1))
		row->value[id] = octets_of(detail);
	if (KIND(detail) == 0 && (first || template_key_find(t, version, id)))
		row->key[row->key_count++] = (struct profile_key){ version, id, octets_of(detail) };
	for (int f = PERSONAL_IMPI; f <= PERSONAL_IMPU; f++)
		if (g->all >> f & 1)
			row->value[f] = octets_of(1);
	return template_keys_hold(t, mem, row, fault) && template_lengths_hold(t, mem, row, fault);
}

bool
profile_given_fits(const struct profile_given *g, const struct profile_template *t,
	struct arena *mem, bool first, struct profile_row_fault *fault)
{
	fault->column = PROFILE_NO_COLUMN;
	if (!g->any)
		return true; /* there is no profile */
	if (!template_needs_hold(t, (uint32_t)g->all, fault))
		return false;
	for (int f = 0; first && f < PERSONAL_FIELDS; f++)
		if ((g->any >> f & 1) && !template_place_holds(t, (enum profile_field)f, fault))
			return false;
	for (size_t i = 0; i < g->detail_count; i++)
		if (!detail_fits(g, t, mem, first, g->details[i], fault))
			return false;
	return true;
}

bool
profile_given_in_network(const struct profile_given *g, struct slice network)
{
	int64_t unit = network.n < NETWORK_DIGITS ? 10 : 1;

	for (size_t i = 0; i < g->detail_count; i++)
		if (KIND(g->details[i]) == OF_NETWORK &&
			(g->details[i] - OF_NETWORK) / unit != number_of(network))
			return false;
	return true;
}
