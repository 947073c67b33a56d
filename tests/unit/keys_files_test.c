/*
 * Key files: who may read them, what they hold; signing inside a task; the token bucket for brainpool
 * under a clock that the test moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "keys/keys.h"
#include "loop/loop.h"
/* Behind loop/task.h: it has an R_OK of its own. */
#include <unistd.h>

static int64_t now_us = 1000000000;
static char folder[] = "/tmp/rspd-keys-XXXXXX";

/* This program's clock. */
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

static char *
path_of(const char *name)
{
	static char path[4][128];
	static unsigned at;
	char *p = path[at++ % 4];

	snprintf(p, 128, "%s/%s", folder, name);
	return p;
}

static const char *
write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static const char *
write_key(const char *name, const char *curve)
{
	const char *path = write_file(name, "", 0600);
	EVP_PKEY *key = EVP_EC_gen(curve);
	FILE *f = fopen(path, "w");

	assert_true(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL));
	fclose(f);
	EVP_PKEY_free(key);
	return path;
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "a.key", "b.key", "c.key", "d.key" };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		unlink(path_of(names[i]));
	return rmdir(folder);
}

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define TWOS "2222222222222222222222222222222222222222222222222222222222222222"

static void
files_open_to_others_are_refused(void **state)
{
	struct keys_private *k;
	struct crypto_ring *ring;
	const char *path = write_key("a.key", "P-256");

	(void)state;
	assert_null(keys_private_load(path, &k));
	keys_private_free(k);
	assert_int_equal(chmod(path, 0640), 0);
	assert_null(keys_private_load(path, &k));
	keys_private_free(k);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(chmod(path, i ? 0604 : 0602), 0);
		assert_string_equal(
			keys_private_load(path, &k), "is open to all users: chmod o-rw it");
		assert_null(k);
	}
	assert_string_equal(keys_private_load(path_of("none"), &k),
		"does not exist; `rspctl pki make-test` makes all that a test needs");
	assert_string_equal(keys_private_load(folder, &k), "is not a file");
	path = write_file("b.key", ONES "\n", 0644);
	assert_non_null(keys_ring_load(path, NULL, &ring));
	assert_null(ring);
}

static void
what_holds_no_key_is_refused(void **state)
{
	static const char *const wrong[] = { "", "\n", ONES "1\n", "11\n",
		"111111111111111111111111111111111111111111111111111111111111111g\n" };
	struct keys_private *k;
	struct crypto_ring *ring;
	struct crypto_sealer *sealer;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const char *path = write_file("b.key", wrong[i], 0600);

		assert_non_null(keys_ring_load(path, NULL, &ring));
		assert_non_null(keys_sealer_load(path, NULL, &sealer));
		assert_non_null(keys_private_load(path, &k));
		assert_true(!ring && !sealer && !k);
	}
}

static void
symmetric_keys_load_with_a_former_one(void **state)
{
	const char *one = write_file("b.key", ONES "\n", 0600);
	const char *two = write_file("c.key", TWOS "\r\n", 0400);
	struct crypto_ring *old, *ring;
	struct crypto_sealer *sealer;
	struct crypto_token_facts facts;
	uint8_t id[CRYPTO_TOKEN_SIZE];

	(void)state;
	assert_null(keys_ring_load(one, "", &old));
	assert_null(keys_ring_load(two, one, &ring));
	crypto_token_make(old, 1, 1700000000, id);
	assert_int_equal(crypto_token_check(ring, SLICE_ARRAY(id), 1700000000, &facts), TOKEN_OK);
	crypto_ring_free(ring);
	crypto_ring_free(old);
	assert_non_null(keys_ring_load(one, one, &ring));
	assert_non_null(keys_ring_load(one, path_of("none"), &ring));
	assert_null(keys_sealer_load(two, one, &sealer));
	crypto_sealer_free(sealer);
	assert_non_null(keys_sealer_load(one, one, &sealer));
}

/* A procedure that signs once. */
static struct loop *loop;
static struct keys_private *key;
static enum keys_caller caller = KEYS_VERIFIED;
static enum trouble trouble;
static bool verified;

struct state {
	struct slice signature;
};

#define STEPS(S) S(sign) S(look) S(refuse)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };
static const struct slice parts[] = { { (const uint8_t *)"to be ", 6 },
	{ (const uint8_t *)"signed", 6 } };

static const struct step *
sign(struct task *t)
{
	struct state *s = t->state;

	return keys_sign(t, key, caller, parts, 2, &s->signature, THEN(look));
}

static const struct step *
look(struct task *t)
{
	struct state *s = t->state;

	verified = crypto_verify(keys_public_get(key), parts, 2, s->signature);
	FINISH;
}

static const struct step *
refuse(struct task *t)
{
	(void)t;
	FINISH;
}

static void
on_end(struct task *t)
{
	trouble = t->bad;
	loop_stop(loop);
}

static enum trouble
run(void)
{
	static const struct procedure p = { "Sign", THEN(sign), THEN(refuse), steps, 10000,
		64 * 1024, sizeof(struct state) };
	struct task *t = task_new(loop, &p, NULL, on_end);

	assert_non_null(t);
	verified = false;
	task_start(t, p.first);
	loop_run(loop);
	assert_int_equal(verified, trouble == T_NONE);
	return trouble;
}

static void
a_task_signs(void **state)
{
	struct keys_private *other;

	(void)state;
	assert_null(keys_private_load(write_key("a.key", "P-256"), &key));
	assert_null(keys_private_load(write_key("d.key", "P-256"), &other));
	assert_true(keys_private_matches(key, keys_public_get(key)));
	assert_false(keys_private_matches(key, keys_public_get(other)));
	keys_brainpool_limit_set(0); /* is not for P-256 */
	for (int i = 0; i < 50; i++)
		assert_int_equal(run(), T_NONE);
	keys_private_free(key);
	keys_private_free(other);
}

static void
brainpool_signatures_are_rationed(void **state)
{
	(void)state;
	assert_null(keys_private_load(write_key("a.key", "brainpoolP256r1"), &key));
	keys_brainpool_limit_set(5);
	now_us += 10000000;
	for (int i = 0; i < 5; i++)
		assert_int_equal(run(), T_NONE);
	assert_int_equal(run(), T_BUSY);
	now_us += 199999;
	assert_int_equal(run(), T_BUSY);
	now_us += 1;
	assert_int_equal(run(), T_NONE);
	assert_int_equal(run(), T_BUSY);
	now_us += 60000000; /* a minute saves up no more than a second's worth */
	for (int i = 0; i < 5; i++)
		assert_int_equal(run(), T_NONE);
	assert_int_equal(run(), T_BUSY);
	now_us += 60000000;
	keys_brainpool_limit_set(0);
	assert_int_equal(run(), T_BUSY);
	keys_private_free(key);
}

/* How many signatures a caller gets at once. */
static unsigned
run_out(enum keys_caller who)
{
	unsigned n = 0;

	caller = who;
	while (run() == T_NONE)
		n++;
	caller = KEYS_VERIFIED;
	return n;
}

static void
half_is_kept_for_the_verified(void **state)
{
	(void)state;
	assert_null(keys_private_load(write_key("a.key", "brainpoolP256r1"), &key));
	keys_brainpool_limit_set(10);
	now_us += 10000000;
	assert_int_equal(run_out(KEYS_ANONYMOUS), 5);
	assert_int_equal(run_out(KEYS_VERIFIED), 5);
	/* What is earned fills the kept half first. */
	now_us += 500000;
	assert_int_equal(run_out(KEYS_ANONYMOUS), 0);
	now_us += 100000;
	assert_int_equal(run_out(KEYS_ANONYMOUS), 1);
	assert_int_equal(run_out(KEYS_VERIFIED), 5);
	/* There is no half of one. */
	keys_brainpool_limit_set(1);
	now_us += 1000000;
	assert_int_equal(run_out(KEYS_ANONYMOUS), 1);
	keys_private_free(key);
}

static int
start(void **state)
{
	static const struct loop_limits limits = { 10 };

	(void)state;
	loop = loop_new(&limits);
	return loop ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_open_to_others_are_refused),
		cmocka_unit_test(what_holds_no_key_is_refused),
		cmocka_unit_test(symmetric_keys_load_with_a_former_one),
		cmocka_unit_test_setup_teardown(a_task_signs, start, stop),
		cmocka_unit_test_setup_teardown(brainpool_signatures_are_rationed, start, stop),
		cmocka_unit_test_setup_teardown(half_is_kept_for_the_verified, start, stop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("keys_files", tests, setup, teardown);
}
