/* OPc against the test sets of TS 35.207 §4 (and 35.208 §4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/text.h"
#include "crypto/milenage.h"

static const struct {
	const char *k, *op, *opc;
} set[] = {
	{ "465b5ce8b199b49faa5f0a2ee238a6bc", "cdc202d5123e20f62b6d676ac72cb318",
		"cd63cb71954a9f4e48a5994e37a02baf" },
	{ "fec86ba6eb707ed08905757b1bb44b8f", "dbc59adcb6f9a0ef735477b7fadf8374",
		"1006020f0a478bf6b699f15c062e42b3" },
	{ "9e5944aea94b81165c82fbf9f32db751", "223014c5806694c007ca1eeef57f004f",
		"a64a507ae1a2a98bb88eb4210135dc87" },
	{ "4ab1deb05ca6ceb051fc98e77d026a84", "2d16c5cd1fdf6b22383584e3bef2a8d8",
		"dcf07cbd51855290b92a07a9891e523e" },
	{ "6c38a116ac280c454f59332ee35c8c4f", "1ba00a1a7c6700ac8c3ff3e96ad08725",
		"3803ef5363b947c6aaa225e58fae3934" },
	{ "2d609d4db0ac5bf0d2c0de267014de0d", "460a48385427aa39264aac8efc9e73e8",
		"c35a0ab0bcbfc9252caff15f24efbde0" },
};

static void
opc_is_that_of_the_standard(void **state)
{
	struct slice k, op, opc;
	struct arena mem;
	uint8_t out[16];

	(void)state;
	arena_init(&mem, 1 << 16, NULL, NULL);
	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
		assert_true(text_unhex(&mem, slice_text(set[i].k), &k));
		assert_true(text_unhex(&mem, slice_text(set[i].op), &op));
		assert_true(text_unhex(&mem, slice_text(set[i].opc), &opc));
		crypto_milenage_opc(k.p, op.p, out);
		assert_memory_equal(out, opc.p, 16);
	}
	arena_fini(&mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(opc_is_that_of_the_standard) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
