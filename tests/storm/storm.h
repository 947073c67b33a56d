#ifndef STORM_STORM_H
#define STORM_STORM_H
/*
 * The storm: each scene is played once as written, to count its waits; then with every wait, and every two
 * waits, ended in every way there is; with the deadline at every wait, before and after the statement was
 * sent; and with memory that is full at every size. Whatever happens there is exactly one end and no task
 * stays; what leaks or is touched too late is for the sanitizers to find.
 */
#include "storm/script.h"

enum ending { SUCCEEDED, REFUSED, UNWELL };

struct scene {
	const char *name;
	void (*start)(const struct scene *s); /* makes a task and starts it */
	unsigned waits;                       /* of a run that nothing disturbs */
	const struct procedure *procedure;
	void (*fill)(struct task *t);
	bool with_code;
};

/* How the scene ended; `storm_end` is called by whoever hears it. */
static struct {
	unsigned ends;
	enum ending how;
	char words[128];
} ended;

static inline void
storm_end(enum ending how, const char *words)
{
	ended.ends++;
	ended.how = how;
	snprintf(ended.words, sizeof ended.words, "%s", words ? words : "");
}

/* `cap`: octets of the task's arena; 0: as its procedure says. */
static inline void
storm_play(struct loop *l, const struct scene *s, size_t cap)
{
	script.waits = script.abandoned = 0;
	script.held = NULL;
	ended.ends = 0;
	s->start(s);
	if (cap && l->newest)
		l->newest->arena.cap = cap;
	script_play(l);
	if (ended.ends != 1 || loop_tasks_get(l) != 0)
		fail_msg("%s: %u ends, %u tasks left after %u waits", s->name, ended.ends,
			loop_tasks_get(l), script.waits);
}

static inline void
storm_undisturbed(struct loop *l, const struct scene *scenes, size_t n)
{
	for (const struct scene *s = scenes; s < scenes + n; s++) {
		script_clear();
		storm_play(l, s, 0);
		if (ended.how != SUCCEEDED)
			fail_msg("%s: %s", s->name, ended.words);
		if (script.waits != s->waits)
			fail_msg("%s: %u statements, not %u", s->name, script.waits, s->waits);
	}
}

static inline void
storm_must_be(const struct scene *s, enum ending how)
{
	if (ended.how != how)
		fail_msg("%s: ended %d (%s), not %d", s->name, ended.how, ended.words, how);
}

/* Every wait in every way; and after what does not end the run, every later one too. */
static inline void
storm_outcomes(struct loop *l, const struct scene *scenes, size_t n)
{
	for (const struct scene *s = scenes; s < scenes + n; s++)
		for (unsigned i = 1; i <= s->waits; i++)
			for (enum outcome first = NO_ROW; first < OUTCOMES; first++) {
				unsigned waits;

				script_clear();
				script.outcomes[i] = first;
				storm_play(l, s, 0);
				waits = script.waits;
				if (first >= BUSY)
					storm_must_be(s, UNWELL);
				for (unsigned j = i + 1; j <= waits && j <= SCRIPT_WAITS; j++)
					for (enum outcome o = NO_ROW; o < OUTCOMES; o++) {
						script_clear();
						script.outcomes[i] = first;
						script.outcomes[j] = o;
						storm_play(l, s, 0);
						if (o >= BUSY)
							storm_must_be(s, UNWELL);
					}
			}
}

/* The deadline at every wait. What was sent may be answered afterwards, in any way. */
static inline void
storm_deadlines(struct loop *l, const struct scene *scenes, size_t n)
{
	for (const struct scene *s = scenes; s < scenes + n; s++)
		for (unsigned i = 1; i <= s->waits; i++)
			for (enum moment m = LATE_QUEUED; m < MOMENTS; m++)
				for (enum outcome o = AS_WRITTEN; o < OUTCOMES; o++) {
					script_clear();
					script.late = i;
					script.moment = m;
					script.outcomes[i] = o;
					storm_play(l, s, 0);
					storm_must_be(s, UNWELL);
				}
}

static inline void
storm_memory(struct loop *l, const struct scene *scenes, size_t n)
{
	script_clear();
	for (const struct scene *s = scenes; s < scenes + n; s++) {
		size_t cap = 1;

		do {
			storm_play(l, s, cap);
			assert_int_not_equal(ended.how, REFUSED);
			cap += 331;
			assert_true(cap < 4u << 20);
		} while (ended.how != SUCCEEDED);
	}
}

/* The four tests over a file's table of scenes, each on a fresh stage. */
#define STORM_TESTS(loop, scenes)                                                \
	static void an_undisturbed_run_succeeds(void **state)                    \
	{                                                                        \
		(void)state;                                                     \
		storm_undisturbed(loop, scenes, sizeof scenes / sizeof *scenes); \
	}                                                                        \
	static void every_wait_may_end_in_every_way(void **state)                \
	{                                                                        \
		(void)state;                                                     \
		storm_outcomes(loop, scenes, sizeof scenes / sizeof *scenes);    \
	}                                                                        \
	static void a_deadline_may_come_at_every_wait(void **state)              \
	{                                                                        \
		(void)state;                                                     \
		storm_deadlines(loop, scenes, sizeof scenes / sizeof *scenes);   \
	}                                                                        \
	static void memory_may_end_anywhere(void **state)                        \
	{                                                                        \
		(void)state;                                                     \
		storm_memory(loop, scenes, sizeof scenes / sizeof *scenes);      \
	}

#define STORM_RUN                                                                             \
	STORM_TEST(an_undisturbed_run_succeeds), STORM_TEST(every_wait_may_end_in_every_way), \
		STORM_TEST(a_deadline_may_come_at_every_wait), STORM_TEST(memory_may_end_anywhere)
#define STORM_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

#endif
