#ifndef RSPSIM_VERBS_H
#define RSPSIM_VERBS_H
/* The verbs of the command line; each returns the program's exit code. */
#include "rspsim/lpa.h"

/* Options of all verbs, as given; NULL or 0 when not. */
struct rspsim_options {
	const char *card, *pki, *out, *eid, *svn, *profile_version, *code, *cc, *iccid, *cancel;
	const char *server, *codes, *pg_pids, *forbid;
	const char *listen, *certificate, *key, *ca, *record, *fail;
	const char *requester, *call, *type, *matching_id, *smds, *final;
	uint32_t memory, sessions, clients, server_pid;
	enum rspsim_break fault;
	struct rspsim_es9_options link;
	bool json, keep_notification, trusting, release;
};

int rspsim_verb_euicc_new(const struct rspsim_options *o);
int rspsim_verb_download(const struct rspsim_options *o);
int rspsim_verb_enable(const struct rspsim_options *o);
int rspsim_verb_disable(const struct rspsim_options *o);
int rspsim_verb_delete(const struct rspsim_options *o);
int rspsim_verb_notify(const struct rspsim_options *o);
int rspsim_verb_list(const struct rspsim_options *o);
int rspsim_verb_sm_ds_serve(const struct rspsim_options *o);
int rspsim_verb_discover(const struct rspsim_options *o);
int rspsim_verb_operator_serve(const struct rspsim_options *o);
int rspsim_verb_operator_order(const struct rspsim_options *o);
int rspsim_verb_operator_confirm(const struct rspsim_options *o);
int rspsim_verb_operator_release(const struct rspsim_options *o);
int rspsim_verb_operator_cancel(const struct rspsim_options *o);
int rspsim_verb_operator_cycle(const struct rspsim_options *o);
int rspsim_verb_load(const struct rspsim_options *o);

/* "rspsim: WHAT: WRONG" on standard error; returns `code`. */
int rspsim_complain(int code, const char *what, const char *wrong);

#endif
