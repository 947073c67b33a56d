/* What cards are forgiven (field reality), told apart for the operator's statistics. */
#include "codec/leniency.h"
#include "dp/functions.h"
#include "stats/stats.h"

void
dp_leniencies_count(unsigned leniencies)
{
	if (leniencies & CODEC_LENIENT_DER_SIGNATURE)
		stats_add(STATS_lenient_der_signature);
	if (leniencies & CODEC_LENIENT_ARM)
		stats_add(STATS_lenient_choice_arm);
}
