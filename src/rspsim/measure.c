/*
 * Counting and telling for load tests: percentiles of times, failures by name, and what the server
 * spends, read from /proc before and after.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "rspsim/measure.h"

void
rspsim_measure_init(struct rspsim_measure *m, struct arena *mem, const char *what,
	const char *const *functions, unsigned sessions, unsigned calls)
{
	*m = (struct rspsim_measure){ .what = what,
		.sessions = sessions,
		.room = (size_t)sessions * calls,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	for (size_t i = 0; functions[i]; i++) {
		m->functions[i] = functions[i];
		m->times[i].us = ARENA_ARRAY(mem, int64_t, m->room);
	}
	m->session.us = ARENA_ARRAY(mem, int64_t, m->room);
}

static void
note_time(struct rspsim_times *t, int64_t us, size_t room)
{
	if (t->count < room)
		t->us[t->count++] = us;
}

static void
note_failure(struct rspsim_measure *m, const char *code)
{
	size_t i = 0;

	while (i < m->failure_count && strncmp(m->failures[i].code, code, 63) != 0)
		i++;
	if (i == RSPSIM_MEASURE_FAILURES)
		return;
	if (i == m->failure_count) {
		snprintf(m->failures[i].code, sizeof m->failures[i].code, "%.63s", code);
		m->failure_count++;
	}
	m->failures[i].count++;
}

void
rspsim_measure_note(struct rspsim_measure *m, const struct rspsim_call *calls, size_t count,
	int64_t us, const char *failure)
{
	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < count; i++)
		for (size_t f = 0; m->functions[f]; f++)
			if (strcmp(m->functions[f], calls[i].function) == 0)
				note_time(m->times + f, calls[i].us, m->room);
	note_time(&m->session, us, m->room);
	if (failure)
		note_failure(m, failure);
	else
		m->done++;
	pthread_mutex_unlock(&m->lock);
}

/* ---- CPU time of processes ----------------------------------------------------------- */

/* utime + stime of one process in milliseconds (proc(5)); 0 when it is gone. */
static double
cpu_ms(long pid)
{
	char path[64], text[1024], *after;
	unsigned long user = 0, system = 0;
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	after = strrchr(text, ')');
	if (!after ||
		sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			&system) != 2)
		return 0;
	return (double)(user + system) * 1000 / (double)sysconf(_SC_CLK_TCK);
}

static double
cpu_ms_of_list(const char *pids)
{
	double sum = 0;

	while (pids && *pids) {
		char *end;
		long pid = strtol(pids, &end, 10);

		if (end == pids)
			break;
		sum += cpu_ms(pid);
		pids = *end ? end + 1 : end;
	}
	return sum;
}

void
rspsim_measure_ready(struct rspsim_measure *m)
{
	pthread_barrier_wait(&m->ready);
}

void
rspsim_measure_run(struct rspsim_measure *m, void *(*run)(void *), void *const *clients,
	unsigned count, uint32_t server_pid, const char *pg_pids)
{
	pthread_t *threads = calloc(count, sizeof *threads);
	int64_t from;

	if (!threads)
		abort();
	m->clients = count;
	pthread_barrier_init(&m->ready, NULL, count + 1);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(threads + i, NULL, run, clients[i]) != 0)
			abort();
	m->cpu = cpu_ms(server_pid);
	m->pg_cpu = cpu_ms_of_list(pg_pids);
	from = clock_mono_us();
	pthread_barrier_wait(&m->ready);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	m->seconds = (double)(clock_mono_us() - from) / 1e6;
	m->cpu = cpu_ms(server_pid) - m->cpu;
	m->pg_cpu = cpu_ms_of_list(pg_pids) - m->pg_cpu;
	pthread_barrier_destroy(&m->ready);
	free(threads);
}

/* ---- the report ---------------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* `share` in percent; the times must be sorted. */
static double
percentile_ms(const struct rspsim_times *t, size_t share)
{
	size_t i;

	if (!t->count)
		return 0;
	i = (t->count * share + 99) / 100;
	return (double)t->us[i ? i - 1 : 0] / 1000;
}

static void
put_times(json_t *all, const char *name, const struct rspsim_times *t)
{
	char key[64];

	if (!t->count)
		return;
	snprintf(key, sizeof key, "%s_p50_ms", name);
	json_object_set_new(all, key, json_real(percentile_ms(t, 50)));
	snprintf(key, sizeof key, "%s_p99_ms", name);
	json_object_set_new(all, key, json_real(percentile_ms(t, 99)));
}

static void
tell_json(const struct rspsim_measure *m)
{
	json_t *all = json_object(), *failures = json_object();

	json_object_set_new(all, "sessions", json_integer(m->sessions));
	json_object_set_new(all, "clients", json_integer(m->clients));
	json_object_set_new(all, "completed", json_integer(m->done));
	json_object_set_new(all, "seconds", json_real(m->seconds));
	json_object_set_new(all, "rate", json_real(m->done / m->seconds));
	json_object_set_new(all, "cpu_ms_per_session", json_real(m->cpu / m->sessions));
	json_object_set_new(all, "pg_cpu_ms_per_session", json_real(m->pg_cpu / m->sessions));
	for (size_t i = 0; m->functions[i]; i++)
		put_times(all, m->functions[i], m->times + i);
	put_times(all, "session", &m->session);
	for (size_t i = 0; i < m->failure_count; i++)
		json_object_set_new(
			failures, m->failures[i].code, json_integer(m->failures[i].count));
	json_object_set_new(all, "failures", failures);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(all);
}

static void
print(const struct rspsim_measure *m, bool with_cpu)
{
	printf("%u of %u %s in %.2f s by %u clients: %.1f a second\n", m->done, m->sessions,
		m->what, m->seconds, m->clients, m->done / m->seconds);
	if (with_cpu)
		printf("CPU a session: server %.2f ms, database %.2f ms\n", m->cpu / m->sessions,
			m->pg_cpu / m->sessions);
	for (size_t i = 0; m->functions[i]; i++)
		if (m->times[i].count)
			printf("%-24smedian %8.2f ms  p99 %8.2f ms\n", m->functions[i],
				percentile_ms(m->times + i, 50), percentile_ms(m->times + i, 99));
	for (size_t i = 0; i < m->failure_count; i++)
		printf("failed %u: %s\n", m->failures[i].count, m->failures[i].code);
}

void
rspsim_measure_tell(struct rspsim_measure *m, bool json, bool with_cpu)
{
	for (size_t i = 0; m->functions[i]; i++)
		qsort(m->times[i].us, m->times[i].count, sizeof(int64_t), by_size);
	qsort(m->session.us, m->session.count, sizeof(int64_t), by_size);
	if (json)
		tell_json(m);
	else
		print(m, with_cpu);
}
