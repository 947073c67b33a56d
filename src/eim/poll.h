#ifndef EIM_POLL_H
#define EIM_POLL_H
/*
 * Polls that come together are looked up together (SGP.32 §3.1.1.1): one statement for up to 64 of them, and what
 * is written of them comes from the same statement.
 */
#include "loop/task.h"

struct eim;
struct eim_gather;

struct eim_gather *eim_gather_new(struct eim *eim);
/* Only when no task waits for it. */
void eim_gather_free(struct eim_gather *g);

struct eim_polled {
	bool waiting; /* something may be there for it */
};

/* R_NONE: the EID (32 digits, in the task's arena) is unknown. */
const struct step *eim_poll(struct task *t, struct eim *eim, struct slice eid,
	struct eim_polled *out, const struct step *then) MUST_RETURN;

#endif
