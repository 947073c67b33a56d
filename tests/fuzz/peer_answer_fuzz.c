/*
 * Any answer of an SM-DS (ES12) or of an operator's server (ES2+ callbacks): two octets of HTTP status, then the
 * body. Done is what has nothing wrong with it, and the same answer means the same; RegisterEvent and DeleteEvent
 * differ only in the code that says that it was done before.
 */
#include <stdlib.h>
#include <string.h>
#include "peer/es12.h"
#include "peer/es2_callback.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

typedef enum peer_es12_outcome
judge_function(struct task *t, const struct https_reply *reply, const char **wrong);

static enum peer_es12_outcome
judge(judge_function *function, struct task *t, const struct https_reply *reply)
{
	const char *wrong = NULL, *again = NULL;
	enum peer_es12_outcome outcome = function(t, reply, &wrong);

	if (function(t, reply, &again) != outcome ||
		(wrong == NULL) != (outcome == PEER_ES12_DONE) ||
		(wrong && strcmp(wrong, again) != 0))
		abort();
	if (outcome != PEER_ES12_UNREACHABLE && reply->status != 200)
		abort();
	return outcome;
}

static void
judge_all(struct task *t, const struct https_reply *reply)
{
	enum peer_es12_outcome registered = judge(peer_es12_register_judge, t, reply),
			       deleted = judge(peer_es12_delete_judge, t, reply);

	if (registered != deleted &&
		(registered == PEER_ES12_UNREACHABLE || deleted == PEER_ES12_UNREACHABLE))
		abort();
	if ((peer_es2_progress_judge(t, NULL, reply) == NULL) != (reply->status == 204))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct arena mem;
	struct task task = { .mem = &mem };
	struct https_reply reply = { .wrong = "no answer" };

	if (n < 2 || n > PEER_ANSWER)
		return 0;
	arena_init(&mem, 1u << 20, NULL, NULL);
	reply.status = (unsigned)octets[0] << 8 | octets[1];
	reply.body = slice_of(octets + 2, n - 2);
	judge_all(&task, &reply);
	arena_fini(&mem);
	return 0;
}
