/*
 * Verbs about the daemon itself: log levels, traces, reload, drain, and the tasks that run. They work
 * without the database; what they change is noted in the audit trail beside.
 */
#include <stdio.h>
#include "ctl/verbs.h"
#include "loop/loop.h"

#define STEPS(S) S(act)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct control {
	struct dp_call call;
};

const struct procedure ctl_control = { "Control", THEN(act), NULL, steps, CTL_DEADLINE_MS,
	CTL_ARENA, sizeof(struct control) };

static const struct refusal RELOAD_REFUSED = { "RELOAD_REFUSED", LOG_WARNING,
	"nothing was reloaded; mend what is named and try again" };

static const struct step *
act(struct task *t)
{
	const struct ctl_verb *verb = ctl_call_get(t)->verb;
	const struct refusal *no = verb->act ? verb->act(t) : NULL;

	return no ? task_refuse(t, no) : NULL;
}

static void
note(struct task *t, const char *what, const char *why)
{
	struct ctl_call *call = ctl_call_get(t);

	ctl_note(call->ctl, call->actor, what, why);
}

const struct refusal *
ctl_log_act(struct task *t)
{
	struct slice area = ctl_text_get(t, "area"), level = ctl_text_get(t, "level");

	if (!area.p && !level.p)
		return NULL;
	if (!area.p || !level.p)
		return ctl_refuse(t, "area and level go together; leave both out to see them all");
	if (!log_level_set((const char *)area.p, (const char *)level.p))
		return ctl_refuse(
			t, "there is no such area or level; log without arguments lists them");
	note(t, "log.level", arena_printf(t->mem, "%s=%s", area.p, level.p));
	return NULL;
}

void
ctl_log_write(struct task *t, json_t *ok)
{
	json_t *areas = json_object();

	(void)t;
	for (int i = 0; i < LOG_AREA_COUNT; i++)
		json_object_set_new(areas, log_area_name((enum log_area)i),
			json_string(log_level_name(log_level_get((enum log_area)i))));
	json_object_set_new(ok, "areas", areas);
}

const struct refusal *
ctl_trace_act(struct task *t)
{
	struct slice eid = ctl_text_get(t, "eid");
	bool off = ctl_flag_get(t, "off");

	if (off && !log_trace_remove((const char *)eid.p))
		return ctl_refuse(t, "this EID is not traced; nothing to end");
	if (!off && !log_traced(eid) && !log_trace_add((const char *)eid.p))
		return ctl_refuse(t, "eight EIDs are traced already; end one with off");
	note(t, off ? "trace.end" : "trace.begin", (const char *)eid.p);
	return NULL;
}

void
ctl_trace_write(struct task *t, json_t *ok)
{
	struct slice eid = ctl_text_get(t, "eid");

	ctl_put_text(ok, "eid", eid);
	json_object_set_new(ok, "traced", json_boolean(log_traced(eid)));
}

const struct refusal *
ctl_reload_act(struct task *t)
{
	struct ctl_hooks *hooks = &ctl_call_get(t)->ctl->hooks;
	char words[CTL_WORDS] = "";
	bool done = hooks->reload(hooks->arg, words);

	note(t, "reload", done ? "" : words);
	if (done)
		return NULL;
	((struct control *)t->state)->call.note = arena_printf(t->mem, "%s", words);
	return &RELOAD_REFUSED;
}

const struct refusal *
ctl_drain_act(struct task *t)
{
	struct ctl_hooks *hooks = &ctl_call_get(t)->ctl->hooks;

	note(t, "drain", "");
	hooks->drain(hooks->arg);
	return NULL;
}

static bool
add_task(void *arg, const struct task_view *v)
{
	json_array_append_new(arg,
		json_pack("{ss ss sI sb}", "procedure", v->procedure, "step", v->step, "ageUs",
			(json_int_t)v->age_us, "waiting", v->waiting));
	return true;
}

void
ctl_tasks_write(struct task *t, json_t *ok)
{
	struct loop *l = ctl_call_get(t)->ctl->loop;
	json_t *tasks = json_array();

	task_each(l, add_task, tasks);
	json_object_set_new(ok, "tasks", tasks);
	json_object_set_new(ok, "running", json_integer(loop_tasks_get(l)));
	json_object_set_new(ok, "peak", json_integer(loop_tasks_peak_get(l)));
}
