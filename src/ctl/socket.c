/*
 * The listening socket: its file, and who may speak there. The kernel tells the peer's user and groups
 * when it connects; root, our own user and members of the configured group are served, everybody else
 * is refused and the attempt audited. The peer's user becomes the actor of all that it asks for.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <event2/listener.h>
#include "base/clock.h"
#include "ctl/int.h"
#include "loop/loop.h"

enum { BACKLOG = 16, GROUPS = 256, MINUTE_US = 60000000 };

/* True when a daemon answers there: its socket must not be taken away. */
static bool
somebody_answers(const struct sockaddr_un *where)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers;

	if (fd < 0)
		return true;
	answers = connect(fd, (const struct sockaddr *)where, sizeof *where) == 0 ||
		errno == EAGAIN; /* its queue is full: somebody is there */
	close(fd);
	return answers;
}

/* Nothing in the way, or an orphan that is removed. */
static bool
clear_path(const struct sockaddr_un *where, char words[CTL_WORDS])
{
	struct stat st;

	if (lstat(where->sun_path, &st) < 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(words, CTL_WORDS, "%s exists and is no socket; remove it or set control",
			where->sun_path);
		return false;
	}
	if (somebody_answers(where)) {
		snprintf(words, CTL_WORDS,
			"another daemon answers on %s; stop it or set control to another path",
			where->sun_path);
		return false;
	}
	unlink(where->sun_path);
	return true;
}

static int
bound_socket(struct ctl *c, const struct sockaddr_un *where, char words[CTL_WORDS])
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0117);
	bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)where, sizeof *where) == 0;
	int why = errno;
	struct stat st;

	umask(mask);
	if (bound && c->group >= 0 && chown(where->sun_path, (uid_t)-1, (gid_t)c->group) < 0) {
		why = errno;
		bound = false;
		unlink(where->sun_path);
	}
	if (!bound || listen(fd, BACKLOG) < 0 || stat(where->sun_path, &st) < 0) {
		snprintf(words, CTL_WORDS, "the control socket %s cannot be made: %s",
			where->sun_path, strerror(bound ? errno : why));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	return fd;
}

/* Its groups at the time it connected, as the kernel knows them. */
static bool
in_group(int fd, const struct ucred *peer, long group)
{
	gid_t groups[GROUPS];
	socklen_t n = sizeof groups;

	if (group < 0)
		return false;
	if (peer->gid == (gid_t)group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		return false;
	for (size_t i = 0; i < n / sizeof groups[0]; i++)
		if (groups[i] == (gid_t)group)
			return true;
	return false;
}

static void
name_actor(uid_t uid, char actor[CTL_ACTOR])
{
	char text[1024];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, text, sizeof text, &found) == 0 && found)
		snprintf(actor, CTL_ACTOR, "ctl:uid=%u(%.32s)", uid, found->pw_name);
	else
		snprintf(actor, CTL_ACTOR, "ctl:uid=%u", uid);
}

/* Once a minute for each user; of more users than there is room for the one longest ago is forgotten. */
static bool
is_news(struct ctl *c, uid_t uid)
{
	struct ctl_stranger *at = c->strangers;
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < CTL_STRANGERS; i++) {
		struct ctl_stranger *s = &c->strangers[i];

		if (s->told_us && s->uid == uid) {
			if (now - s->told_us < MINUTE_US)
				return false;
			at = s;
			break;
		}
		if (s->told_us < at->told_us)
			at = s;
	}
	*at = (struct ctl_stranger){ uid, now };
	return true;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int n,
	void *arg)
{
	struct ctl *c = arg;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof peer;
	char actor[CTL_ACTOR];

	(void)listener;
	(void)from;
	(void)n;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		close(fd);
		return;
	}
	name_actor(peer.uid, actor);
	if (peer.uid != 0 && peer.uid != geteuid() && !in_group(fd, &peer, c->group)) {
		if (is_news(c, peer.uid)) {
			LOG(ctl, WARNING, "did=refuse-peer actor=%s pid=%d", actor, (int)peer.pid);
			ctl_note(c, actor, "ctl.refused", "peer is not in the control group");
		}
		ctl_connection_refuse(c, fd, "not-permitted", "you may not use this control socket",
			"become root, the daemon's user, or a member of control_group");
		return;
	}
	if (c->count >= CTL_CONNECTIONS) {
		ctl_connection_refuse(c, fd, "too-many-connections",
			"all control connections are in use", "try again when another has ended");
		return;
	}
	ctl_connection_new(c, fd, actor);
}

static bool
find_group(const char *name, long *out, char words[CTL_WORDS])
{
	const struct group *g;

	*out = -1;
	if (!name || !*name)
		return true;
	g = getgrnam(name);
	if (!g) {
		snprintf(words, CTL_WORDS,
			"control_group: there is no group %s; make it or name another", name);
		return false;
	}
	*out = g->gr_gid;
	return true;
}

struct ctl *
ctl_start(struct loop *l, struct dp *dp, struct eim *eim, const struct ctl_settings *settings,
	const struct ctl_hooks *hooks, char words[CTL_WORDS])
{
	struct sockaddr_un where = { .sun_family = AF_UNIX };
	struct ctl *c = calloc(1, sizeof *c);
	int fd = -1;

	if (!c)
		abort();
	*c = (struct ctl){
		.loop = l, .dp = dp, .eim = eim, .hooks = *hooks, .path = strdup(settings->path)
	};
	if (strlen(settings->path) >= sizeof where.sun_path)
		snprintf(words, CTL_WORDS,
			"control: %s is longer than a socket's path can be (%zu)", settings->path,
			sizeof where.sun_path - 1);
	else if (find_group(settings->group, &c->group, words)) {
		snprintf(where.sun_path, sizeof where.sun_path, "%s", settings->path);
		if (clear_path(&where, words))
			fd = bound_socket(c, &where, words);
	}
	if (fd >= 0)
		c->listener = evconnlistener_new(loop_base_get(l), on_accept, c,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!c->listener) {
		free(c->path);
		free(c);
		return NULL;
	}
	return c;
}

void
ctl_drain(struct ctl *c)
{
	ctl_connections_drain(c);
}

void
ctl_stop(struct ctl *c)
{
	struct stat st;

	if (!c)
		return;
	evconnlistener_free(c->listener);
	if (lstat(c->path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode)
		unlink(c->path);
	ctl_connections_free(c);
	free(c->path);
	free(c);
}
