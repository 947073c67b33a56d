#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H
/* What all of GSMA's functions over HTTP have in common (SGP.22 §6.2): header fields, and patience. */
#include <stdbool.h>
#include "base/slice.h"

/*
 * True when the field names this media type, whatever its parameters; odd ones are counted. Nothing said is
 * taken as this.
 */
bool wire_media_type_fits(struct slice content_type, const char *media_type);

/* Counts an X-Admin-Protocol that is missing, malformed, or of a version unknown here. */
void wire_protocol_count(struct slice x_admin_protocol);

/*
 * For Retry-After: two to five seconds, so that those who were turned away together do not come back
 * together.
 */
unsigned wire_retry_after(void);

#endif
