/* The deny-lists in memory: ranges that touch, overlap and hold each other, firmware, certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "crypto/cert.h"
#include "dp/denied.h"
#include "unit/crypto_pki.h"

#define ZEROS "000000000000000000000000"
#define NINES "999999999999999999999999"

static struct arena mem;
static struct dp_denied *list;

static int
setup(void **state)
{
	(void)state;
	arena_init(&mem, 1 << 22, NULL, NULL);
	list = dp_denied_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	dp_denied_free(list);
	arena_fini(&mem);
	return 0;
}

static void
deny_eids(int64_t id, const char *low, const char *high)
{
	dp_denied_add(list,
		&(struct store_denied){ .id = id,
			.kind = SLICE_LIT("eid"),
			.eid_low = slice_text(low),
			.eid_high = slice_text(high),
			.firmware_low = -1,
			.firmware_high = -1 });
}

/* The entry that denies the EID; 0: none. */
static int64_t
entry_of(const char *eid)
{
	int64_t entry = -1;
	const struct dp_refusal *no = dp_denied_eid(list, slice_text(eid), &entry);

	if (!no)
		return 0;
	assert_ptr_equal(no, &DP_EID_DENIED);
	return entry;
}

static void
ranges_are_found_from_end_to_end(void **state)
{
	(void)state;
	deny_eids(1, "89000005" ZEROS, "89000006" NINES);
	deny_eids(2, "89000001" ZEROS, "89000001" NINES);
	deny_eids(3, "89000010" ZEROS, "89000040" NINES); /* the long one … */
	deny_eids(4, "89000012" ZEROS, "89000012" NINES); /* … and two within it */
	deny_eids(5, "89000014" ZEROS, "89000016" NINES);
	dp_denied_settle(list, SLICE_LIT("digest"));
	assert_int_equal(entry_of("89000000" NINES), 0);
	assert_int_equal(entry_of("89000001" ZEROS), 2);
	assert_int_equal(entry_of("89000001" NINES), 2);
	assert_int_equal(entry_of("89000002" ZEROS), 0);
	assert_int_equal(entry_of("89000005" ZEROS), 1);
	assert_int_equal(entry_of("89000006" NINES), 1);
	assert_int_equal(entry_of("89000007" ZEROS), 0);
	assert_int_equal(entry_of("89000013" ZEROS), 3);
	assert_int_equal(entry_of("89000012" ZEROS), 3);
	assert_int_equal(entry_of("89000017" ZEROS), 3);
	assert_int_equal(entry_of("89000040" NINES), 3);
	assert_int_equal(entry_of("89000041" ZEROS), 0);
	assert_int_equal(entry_of("8900001"), 0);
	assert_int_equal(dp_denied_count(list), 5);
	assert_true(slice_eq(dp_denied_digest(list), SLICE_LIT("digest")));
}

static void
an_empty_list_denies_nobody(void **state)
{
	int64_t entry;

	(void)state;
	dp_denied_settle(list, SLICE_LIT(""));
	assert_int_equal(entry_of("89000001" ZEROS), 0);
	assert_null(dp_denied_peer(
		list, SLICE_LIT("x"), SLICE_LIT("y"), (const uint8_t[]){ 1, 2, 3 }, &entry));
}

#define IDS "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
#define EID "89000001" ZEROS

/* An EUM and an eUICC, as far as names and key identifiers go. */
static void
issue(struct pki_node **eum, struct pki_node **euicc)
{
	struct pki_node *ci = pki_issue(&mem, "P-256",
		(struct pki_order){
			.subject = "CN=CI", .extensions = "subjectKeyIdentifier=hash\n" });

	*eum = pki_issue(&mem, "P-256",
		(struct pki_order){
			.subject = "O=EUM", .extensions = IDS, .serial = 7, .issuer = ci });
	*euicc = pki_issue(&mem, "P-256",
		(struct pki_order){ .subject = "O=EUM,serialNumber=" EID,
			.extensions = IDS,
			.serial = 9,
			.issuer = *eum });
}

/* Which refusal and entry an eUICC with this firmware meets. */
static const struct dp_refusal *
judged(const struct pki_node *eum, const struct pki_node *euicc, uint8_t revision, int64_t *entry)
{
	*entry = 0;
	return dp_denied_peer(
		list, eum->der, euicc->der, (const uint8_t[]){ 1, 2, revision }, entry);
}

static void
firmware_goes_by_version_and_maker(void **state)
{
	struct pki_node *eum, *euicc;
	int64_t entry;

	(void)state;
	issue(&eum, &euicc);
	dp_denied_add(list,
		&(struct store_denied){ .id = 1,
			.kind = SLICE_LIT("firmware"),
			.firmware_low = 0x010203,
			.firmware_high = 0x010205 });
	dp_denied_add(list,
		&(struct store_denied){ .id = 2,
			.kind = SLICE_LIT("firmware"),
			.eid_low = SLICE_LIT("89000002" ZEROS),
			.eid_high = SLICE_LIT("89000002" NINES),
			.firmware_low = 0x010207,
			.firmware_high = 0x010207 });
	dp_denied_add(list,
		&(struct store_denied){ .id = 3,
			.kind = SLICE_LIT("firmware"),
			.eid_low = SLICE_LIT("89000001" ZEROS),
			.eid_high = SLICE_LIT("89000001" NINES),
			.firmware_low = 0x010208,
			.firmware_high = 0x010208 });
	dp_denied_settle(list, SLICE_NONE);
	assert_null(judged(eum, euicc, 2, &entry));
	assert_ptr_equal(judged(eum, euicc, 3, &entry), &DP_FIRMWARE_DENIED);
	assert_int_equal(entry, 1);
	assert_ptr_equal(judged(eum, euicc, 5, &entry), &DP_FIRMWARE_DENIED);
	assert_null(judged(eum, euicc, 6, &entry));
	assert_null(judged(eum, euicc, 7, &entry));
	assert_ptr_equal(judged(eum, euicc, 8, &entry), &DP_FIRMWARE_DENIED);
	assert_int_equal(entry, 3);
}

static void
certificates_go_by_what_their_holder_cannot_change(void **state)
{
	struct pki_node *eum, *euicc, *others, *theirs;
	struct crypto_cert c;
	int64_t entry;

	(void)state;
	issue(&eum, &euicc);
	issue(&others, &theirs);
	assert_true(crypto_cert_read(&c, euicc->der));
	dp_denied_add(list,
		&(struct store_denied){ .id = 1,
			.kind = SLICE_LIT("euicc"),
			.issuer_id = c.authority_key_id,
			.serial = c.serial });
	assert_true(crypto_cert_read(&c, others->der));
	dp_denied_add(list,
		&(struct store_denied){
			.id = 2, .kind = SLICE_LIT("eum"), .key_id = c.subject_key_id });
	dp_denied_settle(list, SLICE_NONE);
	assert_ptr_equal(judged(eum, euicc, 1, &entry), &DP_EUICC_DENIED);
	assert_int_equal(entry, 1);
	assert_ptr_equal(judged(others, theirs, 1, &entry), &DP_EUM_DENIED);
	assert_int_equal(entry, 2);
	/* The same serial number of another issuer, and the EUM's entry for an eUICC: neither counts. */
	assert_null(judged(eum, theirs, 1, &entry));
	assert_null(judged(eum, others, 1, &entry));
	/* What is no certificate is the chain's to refuse. */
	assert_null(dp_denied_peer(
		list, SLICE_LIT("x"), SLICE_LIT("y"), (const uint8_t[]){ 1, 2, 3 }, &entry));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranges_are_found_from_end_to_end, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_list_denies_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			firmware_goes_by_version_and_maker, setup, teardown),
		cmocka_unit_test_setup_teardown(
			certificates_go_by_what_their_holder_cannot_change, setup, teardown),
	};

	return cmocka_run_group_tests_name("dp_denied", tests, NULL, NULL);
}
