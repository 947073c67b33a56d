#ifndef ESIPA_ESIPA_H
#define ESIPA_ESIPA_H
/*
 * ESipa (SGP.32 §5.14) in both forms, over whatever transport delivers requests: JSON on
 * /gsma/rsp2/esipa/FUNCTION (§6.1.2), DER on /gsma/rsp2/asn1 (§6.1.1).
 */
#include "loop/request.h"

/* What answers say of themselves when the IPA names no version (§6.1.1). */
#define ESIPA_ADMIN_PROTOCOL "gsma/rsp/v2.1.0"

/* r->binding is a struct eim. */
void esipa_handle(struct request *r);

/*
 * Is this request one of ESipa, on a listener that serves ES9+ too? Told by the path, and on the common one by the
 * first tag: messages of ES9+ stand in an A2.
 */
bool esipa_is_request(const struct request *r);

#endif
