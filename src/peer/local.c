/* Requests to this rspd's own ES9+, in place of HTTPS. */
#include "peer/local.h"
#include <stdlib.h>
#include <strings.h>
#include "peer/int.h"

/* Held by the task that asks, until its memory goes, and by the one that answers. */
struct local {
	struct request request; /* first: respond and header find the rest by it */
	unsigned holders;
	struct task *asking; /* NULL: it does not wait any more */
	struct https_reply *out;
	char *route, *content_type;
	uint8_t *body, *answer;
};

static void
local_free(void *arg)
{
	struct local *l = arg;

	if (--l->holders)
		return;
	free(l->route);
	free(l->content_type);
	free(l->body);
	free(l->answer);
	free(l);
}

static void *
copy_new(const void *p, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		abort();
	memcpy(copy, p, n);
	copy[n] = 0;
	return copy;
}

static struct slice
header(struct request *r, const char *name)
{
	const struct local *l = (const struct local *)r;

	if (strcasecmp(name, "Content-Type") == 0)
		return slice_text(l->content_type);
	if (strcasecmp(name, "X-Admin-Protocol") == 0)
		return SLICE_LIT("gsma/rsp/v2.5.0");
	return SLICE_NONE;
}

static void
respond(struct request *r, const struct answer *answer)
{
	struct local *l = (struct local *)r;
	struct task *t = l->asking;

	if (t) {
		if (answer->body.n)
			l->answer = copy_new(answer->body.p, answer->body.n);
		*l->out = (struct https_reply){ .status = answer->status,
			.body = slice_of(l->answer, answer->body.n),
			.retry_after = answer->retry_after };
		l->asking = NULL;
		task_wake(t, R_OK, T_NONE);
	}
	local_free(l);
}

static void
abandon(void *arg)
{
	((struct local *)arg)->asking = NULL;
}

void
peer_local_set(struct peer *p, void (*handler)(struct request *r), void *binding)
{
	p->local = handler;
	p->local_binding = binding;
}

const struct step *
peer_local_call(struct task *t, struct peer *p, const char *route, const char *content_type,
	struct slice body, struct https_reply *out, const struct step *then)
{
	const struct step *waiting;
	struct local *l;

	if (!p->local) {
		t->got = R_NONE;
		return peer_fail(out, "this rspd serves no ES9+", then);
	}
	l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->holders = 2;
	l->out = out;
	l->route = copy_new(route, strlen(route));
	l->content_type = copy_new(content_type, strlen(content_type));
	l->body = copy_new(body.p, body.n);
	l->request = (struct request){ .route = slice_text(l->route),
		.body = slice_of(l->body, body.n),
		.peer = SLICE_LIT("local"),
		.header = header,
		.respond = respond,
		.binding = p->local_binding };
	l->asking = t;
	arena_defer(t->mem, local_free, l);
	waiting = task_wait(t, then, abandon, l);
	p->local(&l->request);
	return waiting;
}
