#ifndef PEER_ES2_CALLBACK_H
#define PEER_ES2_CALLBACK_H
/* ES2+ HandleDownloadProgressInfo (SGP.22 §5.3.5, §6.5.2.5), called at the server of an operator. */
#include "peer/peer.h"

/*
 * `data` of an event es2.progress holds the function's members but for its header. The subscriber's
 * address is the server's URL; without a path the standard's is put behind it.
 */
peer_send peer_es2_progress_send MUST_RETURN;
/* 204 and nothing else. */
peer_judge peer_es2_progress_judge;
/* Whether the configuration has [client NAME], or (name absent) any: TLS is mutual. */
bool peer_es2_client_known(const struct peer *p, struct slice name);

#endif
