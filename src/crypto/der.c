/* Reading DER (X.690) element by element; times as RFC 5280 §4.1.2.5 has them. */
#include "crypto/der.h"
#include "base/tlv.h"

bool
der_next(struct slice *in, struct der *out)
{
	struct tlv tlv;

	if (in->n == 0)
		return false;
	if (!tlv_read(in, TLV_DER, &tlv) || tlv.tag > 0xff) {
		*in = SLICE_NONE;
		return false;
	}
	*out = (struct der){ (uint8_t)tlv.tag, tlv.value, tlv.octets };
	return true;
}

bool
der_read(struct slice *in, uint8_t tag, struct slice *content)
{
	struct der d;

	if (!der_next(in, &d))
		return false;
	if (d.tag != tag) {
		*in = SLICE_NONE;
		return false;
	}
	*content = d.content;
	return true;
}

bool
der_read_optional(struct slice *in, uint8_t tag, struct slice *content)
{
	*content = SLICE_NONE;
	return in->n == 0 || in->p[0] != tag || der_read(in, tag, content);
}

bool
der_read_bits(struct slice *in, struct slice *octets)
{
	struct slice content;

	if (!der_read(in, DER_BIT_STRING, &content) || content.n == 0 || content.p[0] != 0)
		return false;
	*octets = slice_of(content.p + 1, content.n - 1);
	return true;
}

/* `n` decimal digits at p. */
static bool
read_number(const uint8_t *p, size_t n, int *out)
{
	uint64_t v;

	if (!slice_is_digits(slice_of(p, n)) || !slice_to_u64(slice_of(p, n), 9999, &v))
		return false;
	*out = (int)v;
	return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = year - (month <= 2); /* the year begins in March, February's leap day ends it */
	int64_t era_year = y % 400, era = y / 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + day_of_year - 719468;
}

bool
der_read_time(struct slice *in, int64_t *seconds)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct der d;
	size_t year_n;
	int year, v[5]; /* month, day, hour, minute, second */

	if (!der_next(in, &d))
		return false;
	year_n = d.tag == DER_GENERALIZED_TIME ? 4 : 2;
	if ((d.tag != DER_UTC_TIME && d.tag != DER_GENERALIZED_TIME) ||
		d.content.n != year_n + 11 || d.content.p[year_n + 10] != 'Z' ||
		!read_number(d.content.p, year_n, &year))
		return false;
	if (d.tag == DER_UTC_TIME)
		year += year < 50 ? 2000 : 1900;
	for (size_t i = 0; i < 5; i++)
		if (!read_number(d.content.p + year_n + 2 * i, 2, &v[i]))
			return false;
	if (v[0] < 1 || v[0] > 12 || v[1] < 1 || v[1] > days[v[0] - 1] || v[2] > 23 || v[3] > 59 ||
		v[4] > 59)
		return false;
	*seconds = ((days_of(year, v[0], v[1]) * 24 + v[2]) * 60 + v[3]) * 60 + v[4];
	return true;
}
