#ifndef RSPCTL_PROGRESS_H
#define RSPCTL_PROGRESS_H
/*
 * How far a long verb is, on standard error: a bar on a terminal, else a line for each tenth.
 */
void rspctl_progress(long long done, long long of);
/* Takes the bar away again, before something else is printed. */
void rspctl_progress_clear(void);

#endif
