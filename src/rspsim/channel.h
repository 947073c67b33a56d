#ifndef RSPSIM_CHANNEL_H
#define RSPSIM_CHANNEL_H
/*
 * The card's end of the SCP03t channel that protects a bound profile package (SGP.22 §2.5.3,
 * §2.5.4; SGP.02 §4.1.3.3): one chain and one counter run through all its segments.
 */
#include "base/arena.h"

#define RSPSIM_SEGMENT_MAX 1020 /* octets with tag, length and MAC */

enum rspsim_segment { RSPSIM_PROFILE = 0x86, RSPSIM_COMMAND = 0x87, RSPSIM_METADATA = 0x88 };
enum rspsim_channel_fault {
	RSPSIM_CHANNEL_FINE,
	RSPSIM_CHANNEL_STRUCTURE,
	RSPSIM_CHANNEL_SECURITY
};

struct rspsim_channel {
	uint8_t chain[16], enc[16], mac[16];
	uint32_t counter; /* of the next segment; the first is 1 */
};

/* SharedInfo of the derivation: 88 10 ‖ host id ‖ EID, both with a length octet (Annex G). */
struct slice
rspsim_channel_shared_info(struct arena *mem, struct slice host_id, const uint8_t eid[16]);

/* `keys`: initial chaining value, S-ENC, S-MAC as derived, or those of ReplaceSessionKeys. */
void rspsim_channel_start(struct rspsim_channel *c, const uint8_t keys[48]);
void rspsim_channel_fini(struct rspsim_channel *c);

/* Checks and opens one whole segment; its plain content is in `mem` or within the segment. */
enum rspsim_channel_fault rspsim_channel_open(struct rspsim_channel *c, struct arena *mem,
	enum rspsim_segment kind, struct slice segment, struct slice *plain);

#endif
