#ifndef CTL_OPERATOR_H
#define CTL_OPERATOR_H
/* The verbs `operator …`: what the verbs' table names. */
#include "ctl/int.h"

/* All that change something. */
extern const struct procedure ctl_operator_change;

const struct refusal *ctl_operator_add_read(struct task *t);
const struct refusal *ctl_operator_set_read(struct task *t);
const struct refusal *ctl_operator_remove_read(struct task *t);
const struct refusal *ctl_operator_client_add_read(struct task *t);
const struct refusal *ctl_operator_client_remove_read(struct task *t);
void ctl_operator_write(struct task *t, json_t *ok);
void ctl_operator_client_write(struct task *t, json_t *ok);

const struct step *ctl_operator_list_ask(struct task *t, struct rows *out, const struct step *then);
const struct step *ctl_operator_show_ask(struct task *t, struct rows *out, const struct step *then);
const struct step *
ctl_operator_clients_ask(struct task *t, struct rows *out, const struct step *then);

#endif
