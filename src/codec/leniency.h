#ifndef CODEC_LENIENCY_H
#define CODEC_LENIENCY_H
/*
 * What eUICCs do that the standard does not say, and that is read all the same. A reader notes it in
 * `leniencies` of what it read, so that who calls it can count it: this folder counts nothing.
 */

/* Bits. */
enum codec_leniency {
	CODEC_LENIENT_DER_SIGNATURE = 1, /* an ECDSA SEQUENCE in place of r and s */
	CODEC_LENIENT_ARM = 2,           /* a CHOICE without the tag of its arm */
	CODEC_LENIENT_CERTIFICATE =
		4,                   /* a whole SEQUENCE inside a tag that should replace its own */
	CODEC_LENIENT_TAG_TWICE = 8, /* a CHOICE's own tag inside the one that should replace it */
	CODEC_LENIENT_IOT_V1_0 = 16  /* a form of SGP.32 v1.0 where v1.2 has another */
};

#endif
