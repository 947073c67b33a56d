#ifndef RSPSIM_VERBS_H
#define RSPSIM_VERBS_H
/* The verbs of the command line; each returns the program's exit code. */
#include "rspsim/ipa.h"

/* Options of all verbs, as given; NULL or 0 when not. */
struct rspsim_options {
	const char *card, *pki, *out, *eid, *svn, *profile_version, *code, *cc, *iccid, *cancel;
	const char *server, *codes, *pg_pids, *forbid;
	const char *listen, *certificate, *key, *ca, *record, *fail;
	const char *eim, *eim_config, *eim_connect, *psk, *features, *act, *mark, *default_dp,
		*eids, *cards;
	const char *requester, *call, *type, *matching_id, *smds, *final;
	uint32_t memory, sessions, clients, server_pid;
	uint32_t count, rounds, interval, lose, lose_results;
	enum rspsim_transport transport;
	enum rspsim_connections connections;
	enum rspsim_break fault;
	struct rspsim_es9_options link;
	bool json, keep_notification, trusting, release;
	bool ipa, v10, repeat_result, resend, no_connectivity, indirect;
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
int rspsim_load_ipa(const struct rspsim_options *o); /* load --ipa */
int rspsim_verb_ipa_new(const struct rspsim_options *o);
int rspsim_verb_ipa_associate(const struct rspsim_options *o);
int rspsim_verb_ipa_poll(const struct rspsim_options *o);
int rspsim_verb_ipa_run(const struct rspsim_options *o);
int rspsim_verb_ipa_show(const struct rspsim_options *o);
int rspsim_verb_ipa_serve(const struct rspsim_options *o);

/* A card below the PKI of the options, or opened; NULL with an exit code after a complaint. */
struct rspsim_card *rspsim_make_card(const struct rspsim_options *o, int *code);
struct rspsim_card *rspsim_open_card(const struct rspsim_options *o, int *code);
struct rspsim_card *rspsim_open_iot(const struct rspsim_options *o, int *code); /* an IoT one */

/* Parts of what is printed; the lists are new references. */
const char *rspsim_outcome_name(enum rspsim_call_outcome outcome);
json_t *rspsim_list_profiles(const struct rspsim_card *card);
json_t *rspsim_list_notifications(const struct rspsim_card *card);

/*
 * How the eIM of the card is reached by these options; false after a complaint with the exit code.
 */
bool rspsim_esipa_options_read(const struct rspsim_options *o, struct arena *mem,
	const struct rspsim_card *card, struct rspsim_esipa_options *out, int *code);

/* "rspsim: WHAT: WRONG" on standard error; returns `code`. */
int rspsim_complain(int code, const char *what, const char *wrong);

#endif
