/* What is remembered of a session's requests, and for how long: a clock that we move, and no DTLS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/clock.h"
#include "coap/talk.h"
#include "stats/stats.h"

/* Linked in place of base/clock.c. */
static int64_t now_us = 1;

int64_t
clock_mono_us(void)
{
	return now_us;
}

int64_t
clock_wall_us(void)
{
	return now_us;
}

enum { LIFETIME_S = 247 };

static uint8_t octets[4096];
static struct talk_room room;
static unsigned asked, told, last_code, busy_n;
static bool is_busy;

static void
on_request(struct request *r)
{
	struct answer answer = {
		.status = 200, .content_type = "text/plain", .body = SLICE_ARRAY(octets)
	};

	asked++;
	request_respond(r, &answer);
}

static void
on_reply(struct talk *t, const struct head *to, const struct reply *r)
{
	(void)t;
	(void)to;
	told++;
	last_code = r->code;
}

static void
on_busy(struct talk *t, bool busy)
{
	(void)t;
	assert_int_not_equal(busy, is_busy);
	is_busy = busy;
	busy_n++;
}

static const struct talk_side side = {
	.name = "test", .handler = on_request, .send = on_reply, .busy = on_busy
};

static int
set_up(void **state)
{
	static const struct timeval while_ = { 10, 0 };

	(void)state;
	asked = told = busy_n = 0;
	room = (struct talk_room){
		.most = 1 << 20, .body = 65536, .base = event_base_new(), .answer_time = &while_
	};
	TAILQ_INIT(&room.talks);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	event_base_free(room.base);
	assert_true(TAILQ_EMPTY(&room.talks));
	assert_int_equal(room.kept, 0);
	assert_false(is_busy);
	return 0;
}

static struct message
message_of(uint16_t mid)
{
	return (struct message){ .head = { .con = true, .mid = mid },
		.code = CODE_POST,
		.route = "/x",
		.format = FORMAT_NONE };
}

static void
test_lifetime(void **state)
{
	struct talk t = { 0 };
	struct message m = message_of(7);

	(void)state;
	coap_talk_init(&t, &side, &room, "peer");
	coap_talk_take(&t, &m);
	now_us += (LIFETIME_S - 1) * 1000000LL;
	coap_talk_take(&t, &m); /* the same request */
	assert_int_equal(asked, 1);
	assert_int_equal(told, 2);
	now_us += 2 * 1000000LL;
	coap_talk_take(&t, &m); /* the message ID is free again */
	assert_int_equal(asked, 2);
	assert_int_equal(busy_n, 4);
	coap_talk_fini(&t);
}

/* Eight requests are known, whatever their order; the ninth takes the place of the oldest. */
static void
test_slots(void **state)
{
	struct talk t = { 0 };
	struct message m;

	(void)state;
	coap_talk_init(&t, &side, &room, "peer");
	for (uint16_t mid = 0; mid < TALK_SLOTS; mid++, now_us++) {
		m = message_of(mid);
		coap_talk_take(&t, &m);
	}
	for (uint16_t mid = TALK_SLOTS; mid-- > 0;) {
		m = message_of(mid);
		coap_talk_take(&t, &m);
	}
	assert_int_equal(asked, TALK_SLOTS);
	m = message_of(100);
	coap_talk_take(&t, &m);
	m = message_of(1);
	coap_talk_take(&t, &m);
	assert_int_equal(asked, TALK_SLOTS + 1);
	m = message_of(0);
	coap_talk_take(&t, &m);
	assert_int_equal(asked, TALK_SLOTS + 2);
	coap_talk_fini(&t);
}

/* Bodies that nobody goes on with are forgotten, and so are answers. */
static void
test_sweep(void **state)
{
	struct talk early = { 0 }, late = { 0 };
	struct message m = message_of(1);

	(void)state;
	coap_talk_init(&early, &side, &room, "early");
	coap_talk_init(&late, &side, &room, "late");
	coap_talk_take(&early, &m);
	assert_int_equal(early.out.n, sizeof octets);
	now_us += 10 * 1000000LL;
	m.block1 = (struct block){ .present = true, .more = true, .szx = 6 };
	m.payload = slice_of(octets, 1024);
	coap_talk_take(&late, &m);
	assert_int_equal(last_code, CODE_CONTINUE);
	assert_true(room.kept > sizeof octets);
	now_us += (LIFETIME_S - 10) * 1000000LL;
	coap_talk_sweep(&room);
	assert_null(early.out.p);
	assert_null(early.slots[0].reply.payload.p);
	assert_true(late.in.n);
	now_us += 10 * 1000000LL;
	coap_talk_sweep(&room);
	assert_null(late.in.p);
	assert_true(TAILQ_EMPTY(&room.talks));
	coap_talk_fini(&early);
	coap_talk_fini(&late);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = { TEST(lifetime), TEST(slots), TEST(sweep) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
