/*
 * The eIM's desk for tests of the IPA: a carrier of the transport layer in the place of the real ones,
 * which answers what a test says and keeps what was asked. Behind it stands the SM-DP+ of
 * rspsim_server.h.
 */
#ifndef RSPSIM_DESK_H
#define RSPSIM_DESK_H
#include "rspsim_eim.h"
#include "rspsim/ipa.h"

#define ENABLE(i) "a30c5a0a" i
#define ENABLE_BACK(i) "a30e5a0a" i "0500"

enum { LETTERS = 24 };

static struct eim eim;
static struct {
	const char *packages[LETTERS]; /* hexadecimal members of GetEimPackageResponse, in order */
	struct slice built[LETTERS];   /* or octets */
	const char *provided;          /* content of ProvideEimPackageResultResponse */
	size_t polls;
	struct slice requests[LETTERS * 2];
	const char *paths[LETTERS * 2];
	size_t count;
	const char *refuse; /* content of the answer to InitiateAuthentication, instead */
	bool no_metadata, hash, drop_ids;
	const char *deny; /* content of the answer to AuthenticateClient, instead */
} desk;

/* ---- the eIM's desk ---------------------------------------------------------------------- */

static struct slice
get_package(void)
{
	size_t i = desk.polls++;
	struct slice one = hex(&eim, "020101");

	if (i < LETTERS && desk.built[i].p)
		one = desk.built[i];
	else if (i < LETTERS && desk.packages[i])
		one = hex(&eim, desk.packages[i]);
	return RSPSIM_DER(&eim.server.mem, 0xbf4f, one);
}

/* Acknowledges every number in the results and notifications that came, or what a test says. */
static void
collect(struct arena *mem, struct slice in, struct slice *out)
{
	struct rspsim_tlv one, data, head, number;

	while (rspsim_der_read(&in, &one)) {
		if (one.tag == 0xbf51 && rspsim_der_find(one.value, 0xa0, &data) &&
			rspsim_der_find(data.value, 0x30, &head) &&
			rspsim_der_find(head.value, 0x83, &number))
			*out = RSPSIM_DER(mem, 0, *out, RSPSIM_DER(mem, 0x80, number.value));
		else if ((one.tag == 0x30 || one.tag == 0xbf37) &&
			rspsim_der_find(one.value, 0xbf27, &data) &&
			rspsim_der_find(data.value, 0xbf2f, &head) &&
			rspsim_der_find(head.value, 0x80, &number))
			*out = RSPSIM_DER(mem, 0, *out, number.whole);
		else if (one.tag == 0x30 && rspsim_der_find(one.value, 0xbf2f, &head) &&
			rspsim_der_find(head.value, 0x80, &number))
			*out = RSPSIM_DER(mem, 0, *out, number.whole);
		else if (one.tag == 0x30 || one.tag == 0xa0 || one.tag == 0xa2 ||
			one.tag == 0xbf52 || one.tag == 0xbf50)
			collect(mem, one.value, out);
	}
}

static struct slice
provided(struct slice request)
{
	struct slice numbers = SLICE_NONE;

	if (desk.provided)
		return RSPSIM_DER(&eim.server.mem, 0xbf50, hex(&eim, desk.provided));
	collect(&eim.server.mem, request, &numbers);
	return RSPSIM_DER(&eim.server.mem, 0xbf50,
		numbers.n ? RSPSIM_DER(&eim.server.mem, 0xbf53, numbers) : SLICE_LIT("\x30\x00"));
}

/* The SM-DP+ of rspsim_server.h behind the eIM; ES9+ answers become ESipa's. */
static struct slice
initiated(struct slice members)
{
	struct arena *mem = &eim.server.mem;
	struct rspsim_tlv challenge, all, context;
	struct slice request, in;

	if (desk.refuse)
		return RSPSIM_DER(mem, 0xbf39, hex(&eim, desk.refuse));
	assert_true(rspsim_der_find(members, 0x81, &challenge));
	request = server_authenticate(&eim.server, challenge.value);
	assert_true(rspsim_der_read_only(request, 0xbf38, &all));
	in = all.value;
	assert_true(rspsim_der_find(in, 0xa0, &context));
	in.n -= context.whole.n;
	return RSPSIM_DER(mem, 0xbf39,
		RSPSIM_DER(mem, 0xa0,
			desk.drop_ids ? SLICE_NONE
				      : RSPSIM_DER(mem, 0x80, eim.server.transaction_id),
			in, RSPSIM_DER(mem, 0x0c, SLICE_LIT("TOKEN"))));
}

static struct slice
authenticated(struct slice members)
{
	struct arena *mem = &eim.server.mem;
	struct rspsim_tlv response, all, hash;
	struct slice prepare, in, front;

	assert_true(rspsim_der_find(members, 0xbf38, &response));
	if (desk.deny)
		return RSPSIM_DER(mem, 0xbf3b, hex(&eim, desk.deny));
	prepare = server_prepare(&eim.server, response.whole, SLICE_NONE);
	assert_true(rspsim_der_read_only(prepare, 0xbf21, &all));
	in = all.value;
	front = in;
	if (rspsim_der_find(
		    in, 0x04, &hash)) /* the server's own helper puts it before the certificate */
		front = RSPSIM_DER(mem, 0, slice_of(in.p, (size_t)(hash.whole.p - in.p)),
			slice_sub(in, (size_t)(hash.whole.p - in.p) + hash.whole.n, in.n));
	return RSPSIM_DER(mem, 0xbf3b,
		RSPSIM_DER(mem, 0xa0,
			desk.drop_ids ? SLICE_NONE
				      : RSPSIM_DER(mem, 0x80, eim.server.transaction_id),
			desk.no_metadata ? SLICE_NONE : SLICE_LIT(TEST_METADATA), front,
			desk.hash ? hash.whole : SLICE_NONE));
}

static struct slice
get_bpp(struct slice members)
{
	struct rspsim_tlv response, all, arm;
	struct arena *mem = &eim.server.mem;

	assert_true(rspsim_der_find(members, 0xbf21, &response));
	if (rspsim_der_read_only(
		    response.value, 0xa2, &arm)) { /* compact: put back what was left out */
		assert_true(rspsim_der_read(&arm.value, &all));
		response.whole = RSPSIM_DER(mem, 0xbf21,
			RSPSIM_DER(mem, 0xa0,
				RSPSIM_DER(mem, 0x30,
					RSPSIM_DER(mem, 0x80, eim.server.transaction_id),
					all.value),
				arm.value));
	}
	server_take_key(&eim.server, response.whole);
	return RSPSIM_DER(mem, 0xbf3a,
		RSPSIM_DER(mem, 0xa0,
			desk.drop_ids ? SLICE_NONE
				      : RSPSIM_DER(mem, 0x80, eim.server.transaction_id),
			server_bpp(&eim.server)));
}

static struct slice
answer(struct slice request, long *status)
{
	struct rspsim_tlv all;
	struct slice in = request;

	*status = 200;
	assert_true(rspsim_der_read(&in, &all));
	switch (all.tag) {
	case 0xbf4f:
		return get_package();
	case 0xbf50:
		return provided(request);
	case 0xbf39:
		return initiated(all.value);
	case 0xbf3b:
		return authenticated(all.value);
	case 0xbf3a:
		return get_bpp(all.value);
	case 0xbf41:
		return SLICE_LIT("\xbf\x41\x02\xa0\x00");
	default:
		*status = 204;
		return SLICE_NONE;
	}
}

static void *
start(const struct rspsim_esipa_options *options, const char **wrong)
{
	(void)options;
	(void)wrong;
	return &desk;
}

static void
stop(void *carrier)
{
	(void)carrier;
}

static void
post(void *carrier, struct arena *mem, struct rspsim_exchange *x)
{
	(void)carrier;
	(void)mem;
	assert_true(desk.count < LETTERS * 2);
	desk.paths[desk.count] = x->path;
	desk.requests[desk.count++] = arena_copy(&eim.server.mem, x->body);
	x->answer = answer(x->body, &x->status);
	snprintf(x->answer_type, sizeof x->answer_type, "%s", "application/x-gsma-rsp-asn1");
}

/* In the place of the real ones. */
const struct rspsim_carrier rspsim_carrier_https = { start, post, stop };
const struct rspsim_carrier rspsim_carrier_coap = { start, post, stop };

/* ---- helpers ----------------------------------------------------------------------------- */

static void
begin(void)
{
	eim_init(&eim);
	memset(&desk, 0, sizeof desk);
}

static struct rspsim_ipa_report
run_with(const struct rspsim_ipa_options *options)
{
	struct rspsim_esipa_options link = { .transport = RSPSIM_HTTPS, .server = "eim.test" };
	static struct rspsim_ipa_report report;
	const char *wrong = NULL;
	struct rspsim_esipa *esipa = rspsim_esipa_new(&link, &wrong);

	rspsim_ipa_run(eim.card, esipa, options, &report);
	rspsim_esipa_free(esipa);
	return report;
}

static struct rspsim_ipa_report
run(void)
{
	return run_with(&(struct rspsim_ipa_options){ 0 });
}

static struct slice
package(const char *commands)
{
	return package_of(&eim, rspsim_der_u32(&eim.server.mem, 0x81, ++eim.counter), 0xa0,
		hex(&eim, commands));
}

/* The EimPackageResult of the request number `i`, behind the right EID. */
static struct slice
result_in(size_t i)
{
	struct rspsim_tlv all, eid;

	assert_true(i < desk.count);
	assert_true(rspsim_der_read_only(desk.requests[i], 0xbf50, &all));
	assert_true(rspsim_der_read_tag(&all.value, 0x5a, &eid));
	assert_hex(&eim, eid.value, EID);
	return all.value;
}

#endif
