/* Bodies in blocks, both ways (RFC 7959), and what bounds them. */
#include "unit/coap_fixture.h"

enum { BLOCK = 1024, SZX = 6 };

static struct server server;
static SSL_CTX *context;
static struct client client;

static int
set_up(void **state)
{
	char why[COAP_WHY];

	(void)state;
	server_start(&server, &easy, identity_of("nist", NULL, 0, why));
	client_open(&client, &server, context);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_int_equal(stats_get(STATS_coap_pending), 0);
	client_close(&client);
	server_stop(&server);
	assert_int_equal(stats_get(STATS_coap_bodies), 0);
	return 0;
}

/* One block of `big`, up to `total` octets. */
static void
put_block1(struct client *c, struct wire *w, const char *path, unsigned num, unsigned szx,
	size_t total, const char *tag)
{
	size_t size = block_size(szx), at = num * size, n = total - at < size ? total - at : size;

	begin(w, CON, CODE_POST, ++c->mid);
	put_path(w, path);
	put_number(w, COAP_OPTION_BLOCK1, block_of(num, at + n < total, szx));
	if (tag)
		put_option(w, COAP_OPTION_RTAG, tag, strlen(tag));
	put_payload(w, big + at, n);
}

static void
send_block1(struct client *c, const char *path, unsigned num, unsigned szx, size_t total,
	const char *tag, struct reply_seen *r)
{
	struct wire w;

	put_block1(c, &w, path, num, szx, total, tag);
	client_ask(c, &w, r);
}

static void
assert_body(size_t n)
{
	assert_int_equal(server.body_n, n);
	assert_int_equal(server.body_sum, sum_of(big, n));
}

/* The blocks of a body from the one on, to the end. */
static void
send_from(unsigned num, unsigned szx, size_t total, const char *tag, struct reply_seen *r)
{
	for (; num * block_size(szx) < total; num++) {
		send_block1(&client, "/x", num, szx, total, tag, r);
		if ((num + 1) * block_size(szx) < total)
			assert_int_equal(r->code, CODE_CONTINUE);
	}
}

static void
test_up(void **state)
{
	struct reply_seen r;

	(void)state;
	send_from(0, SZX, 20000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_int_equal(r.block1, block_of(19, false, SZX));
	assert_body(20000);
	send_from(0, 0, 100, "tag", &r); /* blocks of 16 */
	assert_int_equal(r.code, CODE_CONTENT);
	assert_body(100);
	send_from(0, SZX, 64 * 1024, NULL, &r); /* as much as there may be */
	assert_int_equal(r.code, CODE_CONTENT);
	assert_body(64 * 1024);
	assert_int_equal(server.asked, 3);
}

/* A body of one block that says so. */
static void
test_one(void **state)
{
	struct reply_seen r;

	(void)state;
	send_block1(&client, "/x", 0, SZX, 100, NULL, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_int_equal(r.block1, block_of(0, false, SZX));
	assert_body(100);
}

static void
test_gap(void **state)
{
	int64_t incomplete = stats_get(STATS_coap_408);
	struct reply_seen r;

	(void)state;
	send_block1(&client, "/x", 1, SZX, 5000, NULL, &r); /* without the first */
	assert_int_equal(r.code, CODE_INCOMPLETE);
	send_block1(&client, "/x", 0, SZX, 5000, NULL, &r);
	send_block1(&client, "/x", 2, SZX, 5000, NULL, &r); /* without the second */
	assert_int_equal(r.code, CODE_INCOMPLETE);
	assert_int_equal(stats_get(STATS_coap_408), incomplete + 2);
	send_from(1, SZX, 5000, NULL, &r); /* which may still come */
	assert_int_equal(r.code, CODE_CONTENT);
	assert_body(5000);
	assert_int_equal(server.asked, 1);
}

/* Blocks that come late, after their repetition under another message ID, change nothing. */
static void
test_stale(void **state)
{
	struct reply_seen r;

	(void)state;
	for (unsigned num = 0; num < 3; num++)
		send_block1(&client, "/x", num, SZX, 5000, NULL, &r);
	send_block1(&client, "/x", 1, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	send_block1(&client, "/x", 0, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	send_from(3, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_body(5000);
}

/* A new body replaces the one on its way; a block of the former is refused (RFC 9175 §3). */
static void
test_tags(void **state)
{
	struct reply_seen r;

	(void)state;
	send_block1(&client, "/x", 0, SZX, 3000, "a", &r);
	send_block1(&client, "/x", 0, SZX, 5000, "b", &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	send_block1(&client, "/x", 1, SZX, 3000, "a", &r);
	assert_int_equal(r.code, CODE_INCOMPLETE);
	send_from(1, SZX, 5000, "b", &r);
	assert_int_equal(r.code, CODE_CONTENT);
	assert_body(5000);
	send_block1(&client, "/x", 0, SZX, 3000, NULL, &r);
	send_block1(&client, "/y", 1, SZX, 3000, NULL, &r); /* of another request */
	assert_int_equal(r.code, CODE_INCOMPLETE);
	assert_int_equal(server.asked, 1);
}

static void
test_wrong(void **state)
{
	struct reply_seen r;
	struct wire w;

	(void)state;
	begin(&w, CON, CODE_POST, ++client.mid);
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, SZX));
	put_payload(&w, big, 1000); /* not the last, and not full */
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_BAD_REQUEST);
	begin(&w, CON, CODE_POST, ++client.mid);
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, 2));
	put_payload(&w, big, 100); /* more than it says */
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_BAD_REQUEST);
	begin(&w, CON, CODE_POST, ++client.mid);
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, 7)); /* of TCP */
	put_payload(&w, big, 1024);
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_BAD_REQUEST);
	begin(&w, CON, CODE_POST, ++client.mid);
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, 0));
	put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, 0)); /* twice */
	put_payload(&w, big, 16);
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_BAD_OPTION);
	assert_int_equal(server.asked, 0);
	assert_int_equal(stats_get(STATS_coap_bodies), 0);
}

/* Size1 is believed only as a reason to refuse: nothing is kept for it. */
static void
test_size1(void **state)
{
	static const uint32_t sizes[] = { 64 * 1024 + 1, UINT32_MAX };
	struct reply_seen r;
	struct wire w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&w, CON, CODE_POST, ++client.mid);
		put_number(&w, COAP_OPTION_BLOCK1, block_of(0, true, SZX));
		put_number(&w, COAP_OPTION_SIZE1, sizes[i]);
		put_payload(&w, big, BLOCK);
		client_ask(&client, &w, &r);
		assert_int_equal(r.code, CODE_TOO_LARGE);
		assert_int_equal(r.size1, 64 * 1024);
		assert_int_equal(stats_get(STATS_coap_bodies), 0);
	}
}

/* Without a Size1 the limit is met on the way. */
static void
test_too_large(void **state)
{
	struct coap_limits small = easy;
	struct reply_seen r;

	(void)state;
	small.body = 3000;
	coap_server_limits_set(server.coap, &small);
	send_block1(&client, "/x", 0, SZX, 5000, NULL, &r);
	send_block1(&client, "/x", 1, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	assert_true(stats_get(STATS_coap_bodies) > 0);
	send_block1(&client, "/x", 2, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_TOO_LARGE);
	assert_int_equal(r.size1, 3000);
	assert_int_equal(stats_get(STATS_coap_bodies), 0);
	send_block1(&client, "/x", 3, SZX, 5000, NULL, &r);
	assert_int_equal(r.code, CODE_TOO_LARGE);
	assert_int_equal(server.asked, 0);
}

/* When the room is full, who was silent longest loses his body. */
static void
test_room(void **state)
{
	int64_t dropped = stats_get(STATS_coap_bodies_dropped);
	struct coap_limits small = easy;
	struct client other;
	struct reply_seen r;

	(void)state;
	small.bodies = 8192;
	coap_server_limits_set(server.coap, &small);
	client_open(&other, &server, context);
	send_block1(&client, "/x", 0, SZX, 9000, NULL, &r);
	send_block1(&other, "/x", 0, SZX, 3000, NULL, &r);
	assert_int_equal(stats_get(STATS_coap_bodies_dropped), dropped);
	for (unsigned num = 1; num < 5; num++)
		send_block1(&client, "/x", num, SZX, 9000, NULL, &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	assert_int_equal(stats_get(STATS_coap_bodies_dropped), dropped + 1);
	send_block1(&other, "/x", 1, SZX, 3000, NULL, &r);
	assert_int_equal(r.code, CODE_INCOMPLETE);
	send_from(5, SZX, 9000, NULL, &r);
	assert_body(9000);
	client_close(&other);
}

static void
ask_block2(const char *path, unsigned num, unsigned szx, struct reply_seen *r)
{
	struct wire w;

	begin(&w, CON, CODE_POST, ++client.mid);
	put_path(&w, path);
	put_number(&w, COAP_OPTION_BLOCK2, block_of(num, false, szx));
	client_ask(&client, &w, r);
}

static void
assert_block2(const struct reply_seen *r, unsigned num, unsigned szx)
{
	size_t size = block_size(szx), at = num * size, n = BIG - at < size ? BIG - at : size;

	assert_int_equal(r->code, CODE_CONTENT);
	assert_int_equal(r->block2, block_of(num, at + n < BIG, szx));
	assert_int_equal(r->payload_n, n);
	assert_memory_equal(r->payload, big + at, n);
}

static void
test_down(void **state)
{
	struct reply_seen r;

	(void)state;
	client_post(&client, "/big", SLICE_NONE, &r);
	assert_block2(&r, 0, SZX);
	assert_int_equal(r.size2, BIG);
	for (unsigned num = 1; num * BLOCK < BIG; num++) {
		ask_block2("/big", num, SZX, &r);
		assert_block2(&r, num, SZX);
	}
	assert_int_equal(server.asked, 1);
	assert_int_equal(stats_get(STATS_coap_bodies), 0); /* the last block has gone */
	ask_block2("/big", 1, SZX, &r);
	assert_int_equal(r.code, CODE_INCOMPLETE);
}

/* The client says in its request, or later, that it wants small blocks. */
static void
test_small_blocks(void **state)
{
	struct reply_seen r;

	(void)state;
	ask_block2("/big", 0, 2, &r);
	assert_block2(&r, 0, 2);
	assert_int_equal(r.size2, BIG);
	ask_block2("/big", 1, 2, &r);
	assert_block2(&r, 1, 2);
	ask_block2("/x", 0, 2, &r); /* what fits is one block all the same */
	assert_int_equal(r.block2, block_of(0, false, 2));
	client_post(&client, "/big", SLICE_NONE, &r);
	ask_block2("/big", 2 * BLOCK / 64, 2, &r);
	assert_block2(&r, 2 * BLOCK / 64, 2);
	send_block1(
		&client, "/big", 0, 3, 100, NULL, &r); /* who sends small ones gets small ones */
	assert_block2(&r, 0, 3);
	assert_int_equal(r.block1, block_of(0, false, 3));
}

/* The answer that waits ends with the next request, and with a question that it does not answer. */
static void
test_next_request(void **state)
{
	struct reply_seen r;

	(void)state;
	client_post(&client, "/big", SLICE_NONE, &r);
	ask_block2("/x", 1, SZX, &r); /* not what was asked */
	assert_int_equal(r.code, CODE_INCOMPLETE);
	ask_block2("/big", 1000, SZX, &r);
	assert_int_equal(r.code, CODE_BAD_REQUEST);
	ask_block2("/big", 1, SZX, &r);
	assert_block2(&r, 1, SZX);
	client_post(&client, "/x", SLICE_NONE, &r);
	ask_block2("/big", 2, SZX, &r);
	assert_int_equal(r.code, CODE_INCOMPLETE);
	assert_int_equal(server.asked, 2);
}

/* A block that was asked for twice comes twice, and the handler is not asked again. */
static void
test_repeated(void **state)
{
	struct reply_seen r;
	struct wire w;

	(void)state;
	put_block1(&client, &w, "/big", 0, SZX, 2000, NULL);
	client_ask(&client, &w, &r);
	client_ask(&client, &w, &r);
	assert_int_equal(r.code, CODE_CONTINUE);
	put_block1(&client, &w, "/big", 1, SZX, 2000, NULL);
	client_ask(&client, &w, &r);
	assert_block2(&r, 0, SZX);
	client_ask(&client, &w, &r);
	assert_block2(&r, 0, SZX);
	assert_int_equal(r.block1, block_of(1, false, SZX));
	assert_int_equal(server.asked, 1);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(up),
		TEST(one),
		TEST(gap),
		TEST(stale),
		TEST(tags),
		TEST(wrong),
		TEST(size1),
		TEST(too_large),
		TEST(room),
		TEST(down),
		TEST(small_blocks),
		TEST(next_request),
		TEST(repeated),
	};
	int failed;

	make_certificates();
	context = client_context();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	SSL_CTX_free(context);
	remove_certificates();
	return failed;
}
