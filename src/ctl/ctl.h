#ifndef CTL_CTL_H
#define CTL_CTL_H
/*
 * The control socket: a Unix stream socket on which an administrator's rspctl asks for what the
 * operator's verbs do. A line of JSON is a request, a line of JSON its answer (docs/control-socket.md).
 */
#include <stdbool.h>

struct ctl;
struct dp;
struct eim;
struct loop;
struct outbox;

/* What belongs to the program as a whole. */
struct ctl_hooks {
	void *arg;
	/* Reads configuration and certificates again. False with words for the administrator. */
	bool (*reload)(void *arg, char words[512]);
	/* Begins to end the program: no new work, what runs is finished. */
	void (*drain)(void *arg);
	/* Who is told of events; NULL before there is service. */
	const struct outbox *(*outbox)(void *arg);
};

struct ctl_settings {
	const char *path;  /* of the socket */
	const char *group; /* its members may ask too; NULL or empty: root and our own user alone */
};

enum { CTL_WORDS = 512 }; /* octets of a message for people, with its zero */

/*
 * Makes the socket, in place of one that no daemon answers on any more. NULL with words when it cannot
 * be made or another daemon answers. Everything given is borrowed until ctl_stop.
 */
struct ctl *ctl_start(struct loop *l, struct dp *dp, struct eim *eim,
	const struct ctl_settings *settings, const struct ctl_hooks *hooks, char words[CTL_WORDS]);

/* What is being sent to us is given up: the end of the program does not wait for it. */
void ctl_drain(struct ctl *c);

/* Removes the socket and leaves every connection. Only when the loop runs no tasks any more. */
void ctl_stop(struct ctl *c);

#endif
