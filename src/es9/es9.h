#ifndef ES9_ES9_H
#define ES9_ES9_H
/*
 * ES9+ (LPA to SM-DP+, SGP.22 §5.6) over HTTPS in its two bindings, JSON (§6.5) and ASN.1 (§6.6): paths,
 * tags, answers. What the functions do is dp/'s business.
 */
#include "loop/request.h"

struct dp;

/* Version told to clients in X-Admin-Protocol. */
#define ES9_ADMIN_PROTOCOL "gsma/rsp/v2.5.0"

/* Takes a request of a listener whose binding is a struct dp, and answers it now or later. */
void es9_handle(struct request *r);

#endif
