#ifndef RSPD_WORLD_H
#define RSPD_WORLD_H
/* The configuration's certificates, keys and settings as the world of the SM-DP+ (dp/dp.h). */
#include "conf/conf.h"
#include "dp/dp.h"

enum { WORLD_WORDS = 512 };

/* Loads and checks everything, touches nothing that runs. NULL: `words` say what is wrong and where. */
struct dp_world *world_read(const struct conf *conf, char words[WORLD_WORDS]);

/*
 * Reads the revocation lists again when one of their files is another than it was. Bad news: `words` say
 * what is wrong and where, the lists in force stay; it is told once a change.
 */
enum world_news { WORLD_NO_NEWS, WORLD_NEWS, WORLD_BAD_NEWS };
enum world_news world_lists_look(struct dp_world *w, char words[WORLD_WORDS]);

#endif
