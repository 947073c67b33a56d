#ifndef BASE_TEXT_H
#define BASE_TEXT_H
/* Octets as text and back: hexadecimal, Base64 (RFC 4648 §4), and the swapped digits of 3GPP. */
#include "base/buf.h"

/* Upper-case hexadecimal, zero-terminated, in the arena. */
struct slice text_hex(struct arena *a, struct slice octets);
/* Either case, even number of digits, at least none; false when it is not hexadecimal. */
bool text_unhex(struct arena *a, struct slice hex, struct slice *octets);

/* Padded, unwrapped; into an arena, or appended to a buffer. */
struct slice text_base64(struct arena *a, struct slice octets);
void text_base64_put(struct buf *out, struct slice octets);
/* Blanks and line breaks are skipped, the padding may be missing; anything else is refused. */
bool text_unbase64(struct arena *a, struct slice base64, struct slice *octets);

/*
 * Takes the next PEM block (RFC 7468) of that label ("CERTIFICATE") off `pem`: its octets in the arena.
 * False when there is none any more, or its Base64 is broken.
 */
bool text_unpem(struct arena *a, struct slice *pem, const char *label, struct slice *octets);

/* True when every octet is a printable ASCII character; also for nothing at all. */
bool text_is_printable(struct slice text);

/* Characters of well-formed UTF-8 (no surrogates, no overlong forms); SIZE_MAX when it is none. */
size_t text_characters(struct slice text);

/* The beginning of a text, n octets at most; no character of UTF-8 is cut. */
struct slice text_beginning(struct slice text, size_t n);

/* An ICCID of 18 to 20 digits as EF.ICCID holds it: 10 octets, digits swapped in each, pad F. */
bool text_iccid_to_bcd(struct slice digits, uint8_t bcd[10]);
/* The reverse; the pad is left out. False when an octet holds something else than digits. */
bool text_bcd_to_iccid(struct slice bcd, char digits[21]);
/* True for 18 to 20 digits (a trailing F at most) whose last is the right Luhn digit. */
bool text_iccid_luhn(struct slice digits);

#endif
