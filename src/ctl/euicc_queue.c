/*
 * euicc queue show, cancel, close and euicc result: what is wanted of an eUICC and what became of it (RULES 5.1, 5.2):
 * what was never handed out can be taken back, what is unknown given up, and nothing else.
 */
#include "base/text.h"
#include "ctl/euicc.h"
#include "store/eim.h"

static const struct refusal PACKAGE_UNKNOWN = { "PACKAGE_UNKNOWN", LOG_INFO,
	"there is no package of this number; see euicc queue show" };
static const struct refusal PACKAGE_WENT_OUT = { "PACKAGE_WENT_OUT", LOG_INFO,
	"only what waits and was never handed out can be cancelled; await its result, or close it "
	"when "
	"it is unknown" };
static const struct refusal PACKAGE_NOT_UNKNOWN = { "PACKAGE_NOT_UNKNOWN", LOG_INFO,
	"only a package whose end is unknown can be closed; see euicc result" };

static json_t *
package_json(struct task *t, const struct store_eim_package *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "package", json_integer(p->package_id));
	ctl_put_text(o, "eid", p->eid);
	ctl_put_text(o, "kind", p->kind);
	ctl_put_text(o, "what", p->what);
	ctl_put_text(o, "state", p->state);
	ctl_put_time(o, "since", p->state_since);
	json_object_set_new(o, "priority", json_integer(p->priority));
	ctl_put_text(o, "askedBy", p->asked_by);
	ctl_put_time(o, "askedAt", p->asked_at);
	if (p->why.n)
		ctl_put_text(o, "why", p->why);
	ctl_put_time(o, "deadline", p->deadline);
	ctl_put_number(o, "counter", p->counter);
	if (p->eim_transaction_id.p)
		ctl_put_text(o, "eimTransactionId", text_hex(t->mem, p->eim_transaction_id));
	ctl_put_time(o, "outAt", p->out_at);
	json_object_set_new(o, "timesOut", json_integer(p->times_out));
	ctl_put_number(o, "sequence", p->sequence);
	if (p->meaning.p)
		json_object_set_new(
			o, "result", json_loadb((const char *)p->meaning.p, p->meaning.n, 0, NULL));
	if (p->rolled_back)
		json_object_set_new(o, "rolledBack", json_true());
	ctl_put_number(o, "retriedBy", p->retried_by);
	return o;
}

/* ---- euicc queue show ---- */

/* clang-format off */
#define SHOW_STEPS(S) \
	S(find_euicc)  /* an empty queue is none of an unknown eUICC */ \
	S(find_packages) \
	S(found_packages)
/* clang-format on */
SHOW_STEPS(DECLARE_STEP)
static const struct step *const show_steps[] = { SHOW_STEPS(STEP_REF) NULL };

struct showing {
	struct dp_call call;
	int64_t before;
	struct store_euicc euicc;
	struct rows packages;
};

const struct procedure ctl_queue_show = { "ShowQueue", THEN(find_euicc), NULL, show_steps,
	CTL_DEADLINE_MS, CTL_ARENA, sizeof(struct showing) };

const struct refusal *
ctl_queue_show_read(struct task *t)
{
	struct showing *c = t->state;
	int64_t before = ctl_number_get(t, "before");

	c->before = before < 0 ? STORE_NULL : before;
	return NULL;
}

static const struct step *
find_euicc(struct task *t)
{
	struct showing *c = t->state;

	return store_euicc_find(
		t, c->call.dp->store, c->call.eid, STORE_NULL, &c->euicc, THEN(find_packages));
}

static const struct step *
find_packages(struct task *t)
{
	struct showing *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, &CTL_EUICC_UNKNOWN);
	return store_eim_packages(t, c->call.dp->store, c->call.eid, c->before, STORE_NULL,
		&c->packages, THEN(found_packages));
}

static const struct step *
found_packages(struct task *t)
{
	(void)t;
	FINISH;
}

void
ctl_queue_show_write(struct task *t, json_t *ok)
{
	const struct showing *c = t->state;
	const struct store_eim_package *p = c->packages.first;
	json_t *list = json_array();

	for (size_t i = 0; i < c->packages.n; i++)
		json_array_append_new(list, package_json(t, &p[i]));
	ctl_put_text(ok, "eid", c->call.eid);
	json_object_set_new(ok, "packages", list);
}

/* ---- euicc result ---- */

#define RESULT_STEPS(S) S(find_package) S(found_package)
RESULT_STEPS(DECLARE_STEP)
static const struct step *const result_steps[] = { RESULT_STEPS(STEP_REF) NULL };

struct looking {
	struct dp_call call;
	int64_t package_id;
	struct store_eim_package package;
};

const struct procedure ctl_queue_result = { "ShowPackage", THEN(find_package), NULL, result_steps,
	CTL_DEADLINE_MS, 256 * 1024, sizeof(struct looking) };

const struct refusal *
ctl_queue_result_read(struct task *t)
{
	((struct looking *)t->state)->package_id = ctl_number_get(t, "package");
	return NULL;
}

static const struct step *
find_package(struct task *t)
{
	struct looking *c = t->state;

	return store_eim_package_find(
		t, c->call.dp->store, c->package_id, STORE_NULL, &c->package, THEN(found_package));
}

static const struct step *
found_package(struct task *t)
{
	if (t->got == R_NONE)
		return task_refuse(t, &PACKAGE_UNKNOWN);
	FINISH;
}

void
ctl_queue_result_write(struct task *t, json_t *ok)
{
	const struct looking *c = t->state;
	json_t *package = package_json(t, &c->package);

	json_object_update(ok, package);
	json_decref(package);
}

/* ---- euicc queue cancel, euicc queue close ---- */

#define MOVE_STEPS(S) S(move) S(moved)
MOVE_STEPS(DECLARE_STEP)
static const struct step *const move_steps[] = { MOVE_STEPS(STEP_REF) NULL };

typedef const struct step *store_eim_move(struct task *t, struct store *s, int64_t package_id,
	int64_t operator_id, struct slice actor, struct slice why, struct store_package_state *out,
	const struct step *then);

struct moving {
	struct dp_call call;
	struct dp_actor actor;
	/* by the verb */
	store_eim_move *send;
	const char *wanted; /* the state that it has when it was allowed */
	const struct refusal *otherwise;
	int64_t package_id;
	/* move */
	struct store_package_state out;
};

const struct procedure ctl_queue_move = { "MovePackage", THEN(move), NULL, move_steps,
	CTL_DEADLINE_MS, 64 * 1024, sizeof(struct moving) };

static const struct refusal *
read_move(struct task *t, store_eim_move *send, const char *wanted, const struct refusal *otherwise)
{
	struct moving *c = t->state;

	c->actor = ctl_actor_get(t);
	c->package_id = ctl_number_get(t, "package");
	c->send = send;
	c->wanted = wanted;
	c->otherwise = otherwise;
	return NULL;
}

const struct refusal *
ctl_queue_cancel_read(struct task *t)
{
	return read_move(t, store_eim_cancel, "cancelled", &PACKAGE_WENT_OUT);
}

const struct refusal *
ctl_queue_close_read(struct task *t)
{
	return read_move(t, store_eim_close, "failed", &PACKAGE_NOT_UNKNOWN);
}

static const struct step *
move(struct task *t)
{
	struct moving *c = t->state;

	return c->send(t, c->call.dp->store, c->package_id, STORE_NULL, c->actor.name, c->actor.why,
		&c->out, THEN(moved));
}

static const struct step *
moved(struct task *t)
{
	struct moving *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, &PACKAGE_UNKNOWN);
	if (slice_eq(c->out.state, slice_text(c->wanted)))
		FINISH;
	c->call.note = arena_printf(t->mem, "it is %.*s", SLICE_FMT(c->out.state));
	return task_refuse(t, c->otherwise);
}

void
ctl_queue_move_write(struct task *t, json_t *ok)
{
	const struct moving *c = t->state;

	json_object_set_new(ok, "package", json_integer(c->package_id));
	ctl_put_text(ok, "state", c->out.state);
}
