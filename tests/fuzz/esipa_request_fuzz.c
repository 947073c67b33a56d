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

static struct slice
body_of(uint8_t choice, struct slice rest)
{
	if (!(choice & AS_ANSWER))
		return rest;
	if (choice & JSON)
		return slice_text(arena_printf(&stage.mem,
			"{\"eidValue\":\"" STAGE_EID "\",\"eimPackageResult\":\"%s\"}",
			text_base64(&stage.mem, rest).p));
	return TLV(0xbf50, TLV(0x5a, stage_hex(STAGE_EID)), rest);
}

static void
play(uint8_t choice, struct slice rest)
{
	static const char *const kinds[] = { "package", "data", "trigger" };
	static const char *const paths[] = { "/gsma/rsp2/esipa/getEimPackage",
		"/gsma/rsp2/esipa/provideEimPackageResult", "/gsma/rsp2/esipa/handleNotification" };
	struct slice body = body_of(choice, rest);

	script_clear();
	script.outcomes[1] = (choice >> 3 & 7) % OUTCOMES;
	stage.head = (enum head)(choice % 6);
	stage.kind = kinds[choice % 3];
	stage.turned = false;
	answers = 0;
	eim_peer_ask(choice & JSON ? paths[choice & AS_ANSWER ? 1 : choice % 3] : "/gsma/rsp2/asn1",
		body, on_answer);
	script_play(stage.loop);
	if (answers != 1 || loop_tasks_get(stage.loop))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	if (!n || n > 4096)
		return 0;
	stage_init();
	log_level_set("all", "error");
	play(octets[0], slice_of(octets + 1, n - 1));
	stage_fini();
	return 0;
}
