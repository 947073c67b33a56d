#ifndef RSPSIM_METADATA_H
#define RSPSIM_METADATA_H
/*
 * StoreMetadataRequest (SGP.22 §5.5.3), which authenticateClient announces and the package
 * repeats.
 */
#include "rspsim/card.h"

struct rspsim_metadata {
	struct slice iccid; /* 10 octets as in EF.ICCID */
	struct slice provider, name;
	enum rspsim_profile_class class;
	uint32_t class_number; /* as received; above 2 the class is unknown */
	bool has_owner;
	uint8_t rules;                    /* RSPSIM_PPR… */
	bool fallback_allowed, emergency; /* of an IoT profile (SGP.32) */
	struct slice notifications;       /* content of notificationConfigurationInfo */
};

/* False when it is no StoreMetadataRequest with all mandatory members within their sizes. */
bool rspsim_metadata_read(struct slice tlv, struct rspsim_metadata *out);

/*
 * The next entry of `notifications`; false at the end. Events are RSPSIM_INSTALL and so on,
 * or-ed.
 */
bool rspsim_metadata_next(struct slice *notifications, uint8_t *events, struct slice *address);

#endif
