#ifndef LOOP_TASK_H
#define LOOP_TASK_H
/*
 * A procedure is a list of named steps, each of which returns the next. A step that must wait returns
 * what an awaitable returned (every awaitable ends with a `then` parameter); the runner takes the task
 * up again when the awaited thing wakes it. Steps run from the loop only, never from inside a call.
 *
 * Three kinds of error, never mixed. A refusal is an answer of the standard, a pointer to its constant
 * row. Trouble is the world being unwell: it never reaches a step, the runner goes to the procedure's
 * `refuse`. A bug is an assertion.
 */
#include <stdbool.h>
#include "base/arena.h"
#include "base/log.h"

/* access(2) has an R_OK of its own, which nobody here needs: taken away before ours comes. */
#include <unistd.h>
#undef R_OK

struct loop;
struct request;
struct task;

enum got { R_OK, R_NONE, R_CONFLICT };
enum trouble { T_NONE, T_BUSY, T_UNSURE, T_BROKEN, T_NOMEM, T_LATE };

/* What every refusal has; the owner of a row may put columns of its own behind. */
struct refusal {
	const char *name; /* TRANSACTION_UNKNOWN */
	enum log_level level;
	const char *words; /* for people: what is wrong and what to do */
};

/* Both zero: fine. */
struct verdict {
	const struct refusal *no;
	enum trouble bad;
};

struct step_stats {
	uint64_t runs, us; /* how often it ran, and for how long in all */
};

struct step {
	const char *name;
	const struct step *(*run)(struct task *t);
	struct step_stats *stats;
};

/* STEPS(S) lists a procedure's steps; STEPS(DECLARE_STEP) declares them, STEPS(STEP_REF) their table. */
#define DECLARE_STEP(name)                              \
	static const struct step *name(struct task *t); \
	static struct step_stats stats_##name;          \
	static const struct step step_##name = { #name, name, &stats_##name };
#define STEP_REF(name) &step_##name,

#define THEN(name) (&step_##name)
#define MUST_RETURN __attribute__((warn_unused_result))

struct procedure {
	const char *name; /* the standard's */
	const struct step *first;
	const struct step *refuse; /* where refusals and trouble lead; NULL: straight to the end */
	const struct step *const *steps; /* in order, NULL-terminated, for statistics */
	uint32_t deadline_ms;
	size_t arena_cap;  /* octets */
	size_t state_size; /* of the procedure's struct, zeroed at the start */
};

struct task {
	struct arena *mem;
	void *state;             /* the procedure's struct */
	struct request *request; /* the peer; NULL for a task that nobody asked for */
	const struct procedure *procedure;
	enum got got;             /* how the last wait ended */
	const struct refusal *no; /* why it is refused */
	enum trouble bad;         /* or what is unwell */
	bool traced;              /* log every step, whatever the area's level */
	bool writing;             /* a write went out: past this a deadline drops only the answer */
	unsigned waits;           /* how often it waited, statements mostly */
	int64_t began_us;         /* clock_mono_us */
};

/*
 * Called once, when the last step is done or the deadline came after a write: makes the answer out of
 * t->state, t->no and t->bad. It may take memory from t->mem (a small reserve exists for T_NOMEM). NULL: nobody
 * wants one.
 */
typedef void task_end(struct task *t);

/*
 * NULL: no room for another task (answer 503) or no memory. The arena is usable at once: the first 3 KiB of it
 * are there, and the procedure's cap holds from task_start on, whatever was put into it before. Beyond that a
 * lack of memory ends the daemon while no step runs, for there is nobody yet who could refuse.
 */
struct task *task_new(struct loop *l, const struct procedure *p, struct request *r, task_end *end);

/* Runs it from the loop, beginning with `first` (the binding's reading step or p->first). */
void task_start(struct task *t, const struct step *first);

/* What a step returns: the next step at once, the end, or a refusal on its way to `refuse`. */
#define GO(name) return THEN(name)
#define FINISH return NULL
const struct step *task_refuse(struct task *t, const struct refusal *no) MUST_RETURN;
const struct step *task_trouble(struct task *t, enum trouble bad) MUST_RETURN;
/* On with `then` when the verdict is fine, else to `refuse`. */
const struct step *
task_judge(struct task *t, struct verdict v, const struct step *then) MUST_RETURN;

/*
 * For awaitables. task_wait is what they return; `abandon(arg)` is called if the task stops waiting
 * before it is woken (its deadline): after it the awaitable must not touch the task. task_wake queues
 * the task; trouble other than T_NONE diverts it to `refuse`.
 */
const struct step *task_wait(
	struct task *t, const struct step *then, void (*abandon)(void *arg), void *arg) MUST_RETURN;
void task_wake(struct task *t, enum got got, enum trouble bad);

/* Whatever the task waits for, it goes to `refuse` with this trouble. One that does not wait goes on. */
void task_stop(struct task *t, enum trouble bad);

const char *trouble_name(enum trouble bad);

/* For `tasks`: every task alive, with the step it stands at. Stops when `visit` returns false. */
struct task_view {
	const char *procedure, *step;
	struct slice peer;
	int64_t age_us;
	bool waiting;
};
void task_each(struct loop *l, bool (*visit)(void *arg, const struct task_view *v), void *arg);

/* For `stats`: every procedure that ever ran. */
void procedure_each(struct loop *l, void (*visit)(void *arg, const struct procedure *p), void *arg);

#endif
