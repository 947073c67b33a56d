#ifndef RSPCTL_VERBS_H
#define RSPCTL_VERBS_H
/* Verbs that do more than ask once. */
#include "rspctl/verb.h"

int rspctl_import(const struct rspctl_verb *verb);
int rspctl_load(const struct rspctl_verb *verb);
int rspctl_code(const struct rspctl_verb *verb);
int rspctl_codes(const struct rspctl_verb *verb);
int rspctl_orders(const struct rspctl_verb *verb);
int rspctl_verify(const struct rspctl_verb *verb);
int rspctl_rotate(const struct rspctl_verb *verb);
int rspctl_euicc_want(const struct rspctl_verb *verb);
int rspctl_euicc_list(const struct rspctl_verb *verb);
int rspctl_euicc_import(const struct rspctl_verb *verb);
int rspctl_eim_config(const struct rspctl_verb *verb);

#endif
