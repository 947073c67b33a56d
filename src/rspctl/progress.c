/* How far a long verb is. */
#include <stdio.h>
#include <unistd.h>
#include "rspctl/progress.h"

enum { WIDTH = 40 };

static long long told_tenth = -1;
static int shown;

static void
draw_bar(long long done, long long of)
{
	int full = (int)(done * WIDTH / of);

	fputs("\r[", stderr);
	for (int i = 0; i < WIDTH; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %lld of %lld", done, of);
	fflush(stderr);
	shown = 1;
}

void
rspctl_progress(long long done, long long of)
{
	if (of <= 0)
		return;
	if (isatty(STDERR_FILENO)) {
		draw_bar(done, of);
		return;
	}
	if (done * 10 / of == told_tenth)
		return;
	told_tenth = done * 10 / of;
	fprintf(stderr, "%lld of %lld (%lld %%)\n", done, of, done * 100 / of);
}

void
rspctl_progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = 0;
}
