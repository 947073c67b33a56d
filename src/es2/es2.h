#ifndef ES2_ES2_H
#define ES2_ES2_H
/*
 * ES2+ (operator to SM-DP+, SGP.22 §5.3) over HTTPS with mutual TLS, in JSON (§6.5): paths, members, whose
 * certificate it is, the status block. What the functions do is dp/'s business.
 */
#include "loop/request.h"

struct dp;

/* Octets of a request's body at most: the longest sensible one has some 700. */
enum { ES2_BODY = 64 * 1024 };

/* Takes a request of a listener whose binding is a struct dp, and answers it now or later. */
void es2_handle(struct request *r);

#endif
