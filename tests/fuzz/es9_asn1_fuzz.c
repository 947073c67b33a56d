/*
 * A request of ES9+ in ASN.1 from its body to its answer, on the storm's stage: no transport, no database. The
 * first octet says how the statements end and the form of the rest: with its highest bit the body as it is,
 * else what stands under the tag of a function. 16 letters T stand for a transaction of now. There is exactly one
 * answer: none is anything but DER of the module, and only a request gets one.
 */
#include <stdlib.h>
#include "storm/es9_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static const uint8_t functions[] = { 0x39, 0x3a, 0x3b, 0x3d, 0x41 };
enum { FUNCTIONS = sizeof functions, MARK = 16, AS_BODY = 0x80 };

static unsigned answers;

/* A2, its length, BFxx, its length, A0 or 81. */
static bool
is_answer(struct slice body)
{
	size_t at = 1;

	if (body.n < 8 || body.p[0] != 0xa2)
		return false;
	at += body.p[at] < 0x80 ? 1 : 1 + (body.p[at] & 0x7fu);
	if (at + 3 >= body.n || body.p[at] != 0xbf)
		return false;
	at += 2;
	at += body.p[at] < 0x80 ? 1 : 1 + (body.p[at] & 0x7fu);
	return at < body.n && (body.p[at] == 0xa0 || body.p[at] == 0x81);
}

static void
on_answer(const struct answer *a)
{
	answers++;
	if (a->status != 503 && a->status != 400 && a->status != 204 && a->status != 200)
		abort();
	if (a->status == 200 ? !is_answer(a->body) : a->body.n > 0)
		abort();
}

/* The octets with so many in front, in which a head finds room. */
static uint8_t *
body_new(struct arena *mem, struct slice rest, size_t front)
{
	uint8_t *body = arena_alloc(mem, front + rest.n + 1), *at;
	char mark[MARK];

	memcpy(body + front, rest.p, rest.n);
	memset(mark, 'T', MARK);
	at = memmem(body + front, rest.n, mark, MARK);
	if (at)
		memcpy(at, stage.transaction_id.p, MARK);
	return body;
}

static void
put_length(uint8_t *at, size_t n)
{
	at[0] = 0x83;
	at[1] = (uint8_t)(n >> 16);
	at[2] = (uint8_t)(n >> 8);
	at[3] = (uint8_t)n;
}

static void
play(uint8_t choice, struct slice rest)
{
	size_t front = choice & AS_BODY ? 0 : 1 + 4 + 2 + 4;
	struct arena mem;
	uint8_t *body;

	arena_init(&mem, 16u << 20, NULL, NULL);
	body = body_new(&mem, rest, front);
	if (front) {
		body[0] = 0xa2;
		put_length(body + 1, 6 + rest.n);
		body[5] = 0xbf;
		body[6] = functions[(choice & 7) % FUNCTIONS];
		put_length(body + 7, rest.n);
	}
	script_clear();
	script.outcomes[1] = (choice >> 3 & 15) % OUTCOMES;
	es9_peer.content_type = "application/x-gsma-rsp-asn1";
	answers = 0;
	es9_peer_ask_at(SLICE_LIT("/gsma/rsp2/asn1"), slice_of(body, front + rest.n), on_answer);
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
