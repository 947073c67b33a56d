#ifndef RSPD_EIMS_H
#define RSPD_EIMS_H
/* The configuration's [eim] as the world of the eIM (eim/eim.h). */
#include "conf/conf.h"
#include "dp/dp.h"
#include "eim/eim.h"

enum { EIMS_WORDS = 512 };

/*
 * Loads and checks the key and its certificate, touches nothing that runs. Trust in CIs is the SM-DP+'s, whose world
 * is held. False: `words` say what is wrong and where. NULL in `out`: there is no [eim].
 */
bool eims_read(const struct conf *conf, struct dp_world *world, struct eim_world **out,
	char words[EIMS_WORDS]);

/* The hooks of an eIM beside this SM-DP+: deny-lists and test CIs are those of the house. `arg` is a struct dp. */
const char *eims_denied(
	void *arg, struct slice eum_certificate, struct slice euicc_certificate, struct slice eid);
bool eims_test_ci(void *arg, struct slice ci_id);

#endif
