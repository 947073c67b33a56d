#ifndef RSPD_PEERS_H
#define RSPD_PEERS_H
/* The configuration as what calls to others need (peer/peer.h). */
#include "conf/conf.h"
#include "peer/peer.h"

enum { PEERS_WORDS = 512 };

/*
 * Loads and checks everything, touches nothing that runs. False: `words` say what is wrong and where. What
 * comes is for peer_settings_set, or is dropped by peers_drop.
 */
bool peers_read(const struct conf *conf, struct peer_settings *out, char words[PEERS_WORDS]);
void peers_drop(struct peer_settings *settings);

/* Calls at a time: those of the outbox, and some that peers of ours wait for. */
unsigned peers_calls(const struct conf *conf);

#endif
