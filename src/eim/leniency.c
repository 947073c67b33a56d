/* What devices do beside the standard, counted by name. */
#include "codec/leniency.h"
#include "eim/functions.h"
#include "stats/stats.h"

void
eim_leniencies_count(unsigned leniencies)
{
	if (leniencies & CODEC_LENIENT_DER_SIGNATURE)
		stats_add(STATS_lenient_der_signature);
	if (leniencies & CODEC_LENIENT_ARM)
		stats_add(STATS_lenient_choice_arm);
	if (leniencies & CODEC_LENIENT_CERTIFICATE)
		stats_add(STATS_lenient_certificate_form);
	if (leniencies & CODEC_LENIENT_TAG_TWICE)
		stats_add(STATS_lenient_asn1_tag);
	if (leniencies & CODEC_LENIENT_IOT_V1_0)
		stats_add(STATS_lenient_iot_v1_0);
}
