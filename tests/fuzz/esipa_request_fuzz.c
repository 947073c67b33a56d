/*
 * A request of ESipa from its body to its answer, on the storm's stage: no transport, no database. The first octet
 * chooses the form, what stands in the queue and how the statements end; the rest is the body as it is, or the
 * answer of an IPA around which the message is made. There is exactly one answer, of a status that the function has.
 */
#include <stdlib.h>
#include "storm/eim_stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

enum { AS_ANSWER = 0x80, JSON = 0x40 };

static unsigned answers;

static void
on_answer(const struct answer *a)
{
	answers++;
	if (a->status != 200 && a->status != 204 && a->status != 400 && a->status != 404 &&
		a->status != 503)
		abort();
	if (a->status == 200 && a->body.n < 5)
		abort();
}

/* ProvideEimPackageResult of the stage's eUICC around an answer. */
static struct slice
body_of(struct arena *mem, uint8_t choice, struct slice rest)
{
	struct buf members, out;
	struct slice eid;

	if (!(choice & AS_ANSWER))
		return rest;
	if (choice & JSON)
		return slice_text(arena_printf(mem,
			"{\"eidValue\":\"" STAGE_EID "\",\"eimPackageResult\":\"%s\"}",
			text_base64(mem, rest).p));
	text_unhex(mem, SLICE_LIT(STAGE_EID), &eid);
	buf_init(&members, mem, 1 << 16);
	codec_der_put(&members, 0x5a, eid);
	buf_put(&members, rest);
	buf_init(&out, mem, 1 << 16);
	codec_der_put(&out, 0xbf50, buf_get(&members));
	return buf_get(&out);
}

static void
play(uint8_t choice, struct slice rest)
{
	static const char *const kinds[] = { "package", "data", "trigger" };
	static const char *const paths[] = { "/gsma/rsp2/esipa/getEimPackage",
		"/gsma/rsp2/esipa/provideEimPackageResult", "/gsma/rsp2/esipa/handleNotification" };
	struct arena mem;

	arena_init(&mem, 16u << 20, NULL, NULL);
	script_clear();
	script.outcomes[1] = (choice >> 3 & 7) % OUTCOMES;
	stage.head = (enum head)(choice % 6);
	stage.kind = kinds[choice % 3];
	stage.turned = false;
	answers = 0;
	eim_peer_ask(choice & JSON ? paths[choice & AS_ANSWER ? 1 : choice % 3] : "/gsma/rsp2/asn1",
		body_of(&mem, choice, rest), on_answer);
	script_play(stage.loop);
	if (answers != 1 || loop_tasks_get(stage.loop))
		abort();
	arena_fini(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (!n || n > 4096)
		return 0;
	if (!stage.loop) {
		stage_init();
		log_level_set("all", "error");
	}
	play(octets[0], slice_of(octets + 1, n - 1));
	return 0;
}
