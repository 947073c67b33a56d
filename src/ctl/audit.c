/*
 * The audit trail from the administrator's side: `audit verify` computes a part of the chain of seals
 * anew and says where to go on; and the notes that verbs leave which have no statement of their own.
 */
#include <stdio.h>
#include "ctl/verbs.h"
#include "store/audit.h"

enum { SEALS_AT_A_TIME = 1000 };

/* ---- audit verify ---- */

#define STEPS(S) S(check_chain) S(tell)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct verify {
	struct dp_call call;
	int64_t after;
	struct store_check check;
};

const struct procedure ctl_audit_verify = { "VerifyAudit", THEN(check_chain), NULL, steps,
	CTL_DEADLINE_MS, CTL_ARENA, sizeof(struct verify) };

const struct refusal *
ctl_audit_verify_read(struct task *t)
{
	int64_t after = ctl_number_get(t, "after");

	((struct verify *)t->state)->after = after < 0 ? 0 : after;
	return NULL;
}

static const struct step *
check_chain(struct task *t)
{
	struct verify *c = t->state;

	return store_audit_check(
		t, c->call.dp->store, c->after, SEALS_AT_A_TIME, &c->check, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	(void)t;
	FINISH;
}

void
ctl_audit_verify_write(struct task *t, json_t *ok)
{
	const struct verify *c = t->state;
	bool whole = c->check.broken == STORE_NULL && !c->check.orphans;

	json_object_set_new(ok, "intact", json_boolean(whole));
	json_object_set_new(ok, "seals", json_integer(c->check.seals));
	json_object_set_new(ok, "entries", json_integer(c->check.entries));
	json_object_set_new(ok, "unsealed", json_integer(c->check.unsealed));
	json_object_set_new(ok, "orphans", json_integer(c->check.orphans));
	if (c->check.broken != STORE_NULL)
		json_object_set_new(ok, "broken", json_integer(c->check.broken));
	else if (c->check.seals == SEALS_AT_A_TIME)
		json_object_set_new(ok, "next", json_integer(c->check.last));
}

/* ---- notes ---- */

#define NOTE_STEPS(S) S(write_note) S(noted) S(not_noted)
NOTE_STEPS(DECLARE_STEP)
static const struct step *const note_steps[] = { NOTE_STEPS(STEP_REF) NULL };

struct note {
	struct dp *dp;
	struct slice actor, act, why;
};

static const struct procedure note_procedure = { "Note", THEN(write_note), THEN(not_noted),
	note_steps, CTL_DEADLINE_MS, 16 * 1024, sizeof(struct note) };

static const struct step *
write_note(struct task *t)
{
	struct note *c = t->state;

	return store_audit_note(t, c->dp->store, c->actor, c->act, c->why, THEN(noted));
}

static const struct step *
noted(struct task *t)
{
	(void)t;
	FINISH;
}

static const struct step *
not_noted(struct task *t)
{
	struct note *c = t->state;

	LOG(audit, WARNING, "actor=%.*s act=%.*s did=not-recorded trouble=%s", SLICE_FMT(c->actor),
		SLICE_FMT(c->act), trouble_name(t->bad));
	FINISH;
}

static void
end_note(struct task *t)
{
	(void)t;
}

void
ctl_note(struct ctl *c, const char *actor, const char *act, const char *why)
{
	struct task *t = task_new(c->loop, &note_procedure, NULL, end_note);
	char value[512];

	LOG(audit, NOTICE, "actor=%s act=%s why=%s", actor, act, log_value(slice_text(why), value));
	if (!t)
		return;
	*(struct note *)t->state = (struct note){ c->dp, arena_copy(t->mem, slice_text(actor)),
		arena_copy(t->mem, slice_text(act)), arena_copy(t->mem, slice_text(why)) };
	task_start(t, note_procedure.first);
}
