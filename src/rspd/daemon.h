#ifndef RSPD_DAEMON_H
#define RSPD_DAEMON_H
/* The daemon in service: started, reloaded, drained. */
#include "conf/conf.h"

/* Serves until told to stop. Returns an exit code of sysexits(3). Releases the snapshot. */
int daemon_run(const struct conf *conf);

/* Loads and checks what the configuration names, without a database or a socket; words on a fault. */
int daemon_check(const struct conf *conf);

#endif
