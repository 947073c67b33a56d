#ifndef STORM_CALL_SCRIPT_H
#define STORM_CALL_SCRIPT_H
/*
 * In place of the HTTPS client: calls of ours are waits of the same script as statements. The stage says what
 * is answered; otherwise there is no answer (NO_ROW), another one than is due (CONFLICTING), or trouble.
 */
#include "https/client.h"
#include "storm/script.h"

static struct {
	struct https_reply answer; /* as written */
	bool parked;               /* nothing is ever answered */
	unsigned calls;
} call_script;

struct https_client *
https_client_new(struct loop *l, unsigned calls)
{
	(void)calls;
	return (struct https_client *)l;
}

void
https_client_limit_set(struct https_client *c, unsigned calls)
{
	(void)c;
	(void)calls;
}

void
https_client_free(struct https_client *c)
{
	(void)c;
}

const struct step *
https_client_post(struct task *t, struct https_client *c, const struct https_call *call,
	struct https_reply *out, const struct step *then)
{
	unsigned wait = ++script.waits;
	enum outcome outcome = wait <= SCRIPT_WAITS ? script.outcomes[wait] : AS_WRITTEN;
	const struct step *waiting;

	(void)c;
	assert_non_null(call->url);
	assert_true(call->body.n > 0);
	call_script.calls++;
	arena_alloc(t->mem, call->answer_most); /* as the client does */
	*out = outcome == AS_WRITTEN     ? call_script.answer
		: outcome == CONFLICTING ? (struct https_reply){ .status = 500, .retry_after = 7 }
					 : (struct https_reply){ .wrong = "nobody is there" };
	if (outcome == BUSY)
		return task_trouble(t, T_BUSY);
	waiting = task_wait(t, then, script_on_abandon, NULL);
	if (call_script.parked)
		return waiting;
	if (wait == script.late) {
		script.held = t;
		script.held_outcome = outcome;
		event_active(((struct running *)t)->deadline, EV_TIMEOUT, 0);
	} else {
		script_answer(t, outcome == CONFLICTING ? AS_WRITTEN : outcome);
	}
	return waiting;
}

#endif
