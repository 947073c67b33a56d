/*
 * A request of ES9+ from its body to its answer, on the storm's stage: no transport, no database. The first
 * octet chooses the function, the form of the rest and how the statements end; the rest is the body as it
 * is, or one member's octets around which the body is made. 32 letters T stand for a transaction of now.
 * There is exactly one answer, of a status that the function has.
 */
#include <stdlib.h>
#include "storm/es9_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const struct {
	const char *path, *member;
} functions[] = {
	{ "initiateAuthentication", "euiccInfo1" },
	{ "authenticateClient", "authenticateServerResponse" },
	{ "getBoundProfilePackage", "prepareDownloadResponse" },
	{ "handleNotification", "pendingNotification" },
	{ "cancelSession", "cancelSessionResponse" },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, MARK = 32, AS_MEMBER = 0x80 };

static unsigned answers;
static bool notification;

static void
on_answer(const struct answer *a)
{
	answers++;
	if (a->status != 503 && a->status != 400 && a->status != (notification ? 204 : 200))
		abort();
	if (a->status == 200 && (a->body.n < 2 || a->body.p[a->body.n - 1] != '}'))
		abort();
}

/* The transaction in place of the first mark. */
static void
put_transaction(struct arena *mem, struct slice body)
{
	char mark[MARK + 1] = { 0 };
	uint8_t *at;

	memset(mark, 'T', MARK);
	at = memmem(body.p, body.n, mark, MARK);
	if (at)
		memcpy(at, text_hex(mem, stage.transaction_id).p, MARK);
}

static void
play(uint8_t choice, struct slice rest)
{
	unsigned f = choice % 8 % FUNCTIONS;
	struct arena mem;
	struct slice body;

	arena_init(&mem, 16u << 20, NULL, NULL);
	script_clear();
	script.outcomes[1] = (choice >> 3 & 15) % OUTCOMES;
	if (choice & AS_MEMBER)
		body = slice_text(arena_printf(&mem,
			"{\"transactionId\":\"TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT\",\"smdpAddress\":"
			"\"smdp.example.org\",\"euiccChallenge\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"%"
			"s\":\"%s\"}",
			functions[f].member, text_base64(&mem, rest).p));
	else
		body = slice_of(arena_string(&mem, rest), rest.n);
	put_transaction(&mem, body);
	notification = f == 3;
	answers = 0;
	es9_peer_ask(functions[f].path, body, on_answer);
	script_play(stage.loop);
	if (answers != 1 || loop_tasks_get(stage.loop))
		abort();
	arena_fini(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (!stage.loop) {
		stage_init();
		log_level_set("es9", "error");
	}
	stage_transaction_renew();
	if (n)
		play(octets[0], slice_of(octets + 1, n - 1));
	return 0;
}
