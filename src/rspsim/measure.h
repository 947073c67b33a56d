#ifndef RSPSIM_MEASURE_H
#define RSPSIM_MEASURE_H
/*
 * What a load test counts and tells: times of each function and of whole sessions, failures by
 * name, CPU time of the server's processes; as text for people, as one flat JSON object for
 * programs.
 */
#include <jansson.h>
#include <pthread.h>
#include "base/arena.h"
#include "rspsim/es9.h"

enum { RSPSIM_MEASURE_FUNCTIONS = 8, RSPSIM_MEASURE_FAILURES = 64 };

/* Times in microseconds. */
struct rspsim_times {
	int64_t *us;
	size_t count;
};

struct rspsim_measure {
	const char *what;                                /* "downloads", "polls" */
	const char *functions[RSPSIM_MEASURE_FUNCTIONS]; /* up to the NULL */
	unsigned sessions, clients;
	pthread_barrier_t ready; /* every client, and the clock */
	pthread_mutex_t lock;    /* of what follows */
	size_t room;             /* for times of one function */
	struct rspsim_times times[RSPSIM_MEASURE_FUNCTIONS], session;
	struct {
		char code[64];
		unsigned count;
	} failures[RSPSIM_MEASURE_FAILURES];
	size_t failure_count;
	unsigned done;
	double seconds, cpu, pg_cpu; /* the CPU's in milliseconds */
};

/* `functions` ends with NULL; `calls` is how often one may be called in a session. */
void rspsim_measure_init(struct rspsim_measure *m, struct arena *mem, const char *what,
	const char *const *functions, unsigned sessions, unsigned calls);

/* One session as it went; `failure` NULL when it was done. Takes the lock. */
void rspsim_measure_note(struct rspsim_measure *m, const struct rspsim_call *calls, size_t count,
	int64_t us, const char *failure);

/*
 * Runs `run` in a thread for each client, with its argument, and takes the time and the CPU time of the
 * processes. Each client says by rspsim_measure_ready that it is at the start.
 */
void rspsim_measure_run(struct rspsim_measure *m, void *(*run)(void *), void *const *clients,
	unsigned count, uint32_t server_pid, const char *pg_pids);
void rspsim_measure_ready(struct rspsim_measure *m);

void rspsim_measure_tell(struct rspsim_measure *m, bool json, bool with_cpu);

#endif
