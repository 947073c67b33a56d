/*
 * The head of a request of ES9+ as a listener hands it on: path, Content-Type and X-Admin-Protocol, a line
 * each; the rest is the body. A line "-" is a header that was not sent. There is exactly one answer, and only
 * a path of ES9+ is answered otherwise than 404.
 */
#include <stdlib.h>
#include "storm/es9_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static unsigned answers, status;

static void
on_answer(const struct answer *a)
{
	answers++;
	status = a->status;
}

/* Up to the next line end, which is taken away too. */
static struct slice
take_line(struct slice *rest)
{
	const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct slice line = slice_sub(*rest, 0, end ? (size_t)(end - rest->p) : rest->n);

	*rest = slice_sub(*rest, line.n + 1, rest->n);
	return line;
}

/* A listener's headers are text: they end at the first zero. */
static const char *
header(struct arena *mem, struct slice line)
{
	return slice_eq(line, SLICE_LIT("-")) ? NULL : arena_string(mem, line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const char prefix[] = "/gsma/rsp2/es9plus/", asn1[] = "/gsma/rsp2/asn1";
	struct slice rest = slice_of(octets, n), route;
	struct arena mem;

	if (!stage.loop) {
		stage_init();
		log_level_set("es9", "info");
		stderr = fopen("/dev/null", "w"); /* the lines are written, and nobody reads them */
	}
	stage_transaction_renew();
	script_clear();
	arena_init(&mem, 16u << 20, NULL, NULL);
	route = take_line(&rest);
	es9_peer.content_type = header(&mem, take_line(&rest));
	es9_peer.protocol = header(&mem, take_line(&rest));
	answers = 0;
	es9_peer_ask_at(route, rest, on_answer);
	script_play(stage.loop);
	if (answers != 1 || loop_tasks_get(stage.loop))
		abort();
	if (status != 404 && !slice_eq(route, slice_text(asn1)) &&
		(route.n < sizeof prefix || memcmp(route.p, prefix, sizeof prefix - 1) != 0))
		abort();
	arena_fini(&mem);
	return 0;
}
