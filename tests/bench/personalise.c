/*
 * CPU time of one Bound Profile Package that is made of a template (SGP.22 §2.5; TCA profile package): what
 * GetBoundProfilePackage does between finding its rows and recording the binding. Personal data are unsealed
 * and read, the package is made, keys are agreed, segments protected and hashed, InitialiseSecureChannel is
 * signed, all is written. The template is compiled once, as in the daemon. Prints the median of five runs in
 * milliseconds of this thread as JSON.
 *
 *   personalise TEMPLATE
 */
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "crypto/ecdsa.h"
#include "crypto/seal.h"
#include "dp/bpp.h"
#include "profile/template.h"

enum { RUNS = 5, PACKAGES = 1000, TEMPLATE_MAX = 1 << 20, ARENA = 16 << 20 };

#define EID "89049032123451234512345678901235"
#define ICCID "89000123456789012341"

struct bench {
	struct arena mem; /* of what stays */
	struct profile_template *template;
	struct crypto_sealer *sealer;
	struct crypto_private *pb;
	struct crypto_one_time euicc;
	struct slice sealed;
};

static const struct crypto_place place = { "profile.personal", SLICE_LIT(ICCID) };

static void
must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "personalise: %s\n", what);
		exit(70);
	}
}

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
open_template(struct bench *b, const char *path)
{
	static uint8_t octets[TEMPLATE_MAX];
	struct profile_fault fault;
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(octets, 1, sizeof octets, f) : 0;

	must(n > 0, "the template cannot be read");
	fclose(f);
	b->template = profile_template_new(&b->mem, slice_of(octets, n), &fault);
	must(b->template, "the template is none");
}

/* As a row of a load leaves it: sealed. */
static void
make_data(struct bench *b)
{
	static const uint8_t key[CRYPTO_SEAL_KEY_SIZE] = { 1 }, k[16] = { 2 }, opc[16] = { 3 };
	struct profile_personal *row = ARENA_NEW(&b->mem, struct profile_personal);

	row->value[PERSONAL_ICCID] = SLICE_LIT(ICCID);
	row->value[PERSONAL_IMSI] = SLICE_LIT("001010000000001");
	row->value[PERSONAL_K] = SLICE_ARRAY(k);
	row->value[PERSONAL_OPC] = SLICE_ARRAY(opc);
	row->value[PERSONAL_PIN1] = SLICE_LIT("1234");
	row->value[PERSONAL_PUK1] = SLICE_LIT("12345678");
	b->sealer = crypto_sealer_new(SLICE_ARRAY(key), SLICE_NONE);
	b->sealed = crypto_seal(b->sealer, &b->mem, place, profile_record_write(&b->mem, row));
}

static void
make_keys(struct bench *b)
{
	static const uint8_t seed[CRYPTO_SEED_SIZE] = { 4 };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long n;

	must(key && PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), "no key");
	n = BIO_get_mem_data(pem, &text);
	b->pb = crypto_private_new(slice_of(text, (size_t)n));
	crypto_one_time_init(&b->euicc, CURVE_P256, seed);
	BIO_free(pem);
	EVP_PKEY_free(key);
}

static void
make_package(struct bench *b, struct arena *mem, uint32_t number)
{
	static const uint8_t host_id[] = { 0x88, 0x37, 0x0a }, metadata[200];
	struct profile_personal *row = ARENA_NEW(mem, struct profile_personal);
	struct profile_row_fault fault;
	struct slice record, upp, octets, parts[1];
	uint8_t seed[CRYPTO_SEED_SIZE] = { 0 }, signature[CRYPTO_SIGNATURE_SIZE];
	const char *why;
	struct bpp *bpp;

	memcpy(seed, &number, sizeof number);
	must(crypto_open(b->sealer, mem, place, b->sealed, &record) == SEAL_OK, "no record");
	must(profile_record_read(record, row, &why), "a broken record");
	must(profile_template_personalise(b->template, mem, row, &upp, &fault), "no package");
	bpp = bpp_new(mem,
		&(struct bpp_inputs){ .curve = CURVE_P256,
			.seed = seed,
			.otpk = SLICE_ARRAY(b->euicc.public.point),
			.eid = SLICE_LIT(EID),
			.host_id = SLICE_ARRAY(host_id),
			.metadata = SLICE_ARRAY(metadata),
			.upp = upp });
	must(bpp, "no agreement");
	parts[0] = bpp_signed_octets(mem, bpp, SLICE_LIT("0123456789abcdef"));
	crypto_private_sign(b->pb, parts, 1, signature);
	octets = bpp_write(mem, bpp, SLICE_LIT("0123456789abcdef"), SLICE_ARRAY(signature));
	must(octets.n > upp.n, "no octets");
}

int
main(int argc, char **argv)
{
	struct bench b = { .sealer = NULL };
	double ms[RUNS];

	must(argc == 2, "give a template");
	arena_init(&b.mem, ARENA, NULL, NULL);
	open_template(&b, argv[1]);
	make_data(&b);
	make_keys(&b);
	for (uint32_t run = 0; run < RUNS; run++) {
		double began = cpu_ms();

		for (uint32_t i = 0; i < PACKAGES; i++) {
			struct arena mem;

			arena_init(&mem, ARENA, NULL, NULL);
			make_package(&b, &mem, run * PACKAGES + i);
			arena_fini(&mem);
		}
		ms[run] = (cpu_ms() - began) / PACKAGES;
	}
	qsort(ms, RUNS, sizeof *ms, by_size);
	printf("{\"cpu_ms\": %.4f}\n", ms[RUNS / 2]);
	crypto_one_time_fini(&b.euicc);
	crypto_private_free(b.pb);
	crypto_sealer_free(b.sealer);
	profile_template_free(b.template);
	arena_fini(&b.mem);
	return 0;
}
