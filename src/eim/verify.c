/* Signatures of eUICCs over what they tell an eIM. */
#include "eim/verify.h"
#include "base/clock.h"
#include "eim/package.h"

bool
eim_key_find(const struct store_eim_found *found, struct crypto_public *out)
{
	return found->point.p &&
		crypto_public_init(out, (enum crypto_curve)found->curve, found->point);
}

/* Over the data and the token's TLV (§2.11.1.2). */
static bool
verify_with_token(struct arena *mem, const struct crypto_public *key,
	const struct codec_euicc_package_result *result, int64_t token)
{
	const struct slice parts[] = { result->signed_part,
		codec_association_token_write(mem, eim_token(token)) };

	return crypto_verify(key, parts, 2, result->signature);
}

static bool
verify_tokens(struct arena *mem, const struct crypto_public *key,
	const struct codec_euicc_package_result *result, const struct store_eim_found *found,
	struct store_eim_result *out)
{
	const int64_t tokens[] = { found->package_token, found->token,
		found->candidate_state.p ? found->candidate : STORE_NULL, STORE_NULL };

	for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
		bool tried = false;

		for (size_t j = 0; j < i; j++)
			tried |= tokens[j] == tokens[i];
		if (tried || !verify_with_token(mem, key, result, tokens[i]))
			continue;
		out->form = SLICE_LIT("token");
		out->token = tokens[i];
		return true;
	}
	return false;
}

/* Over the data and the package's eimSignature, as v1.0 had it. */
static bool
verify_with_signature(const struct crypto_public *key,
	const struct codec_euicc_package_result *result, const struct store_eim_found *found,
	struct store_eim_result *out)
{
	const struct slice parts[] = { result->signed_part, eim_package_signature(found->octets) };

	if (!parts[1].p || !crypto_verify(key, parts, 2, result->signature))
		return false;
	out->form = SLICE_LIT("signature");
	out->token = found->package_token;
	return true;
}

bool
eim_result_verify(struct arena *mem, const struct codec_euicc_package_result *result,
	const struct store_eim_found *found, struct store_eim_result *out)
{
	bool former = slice_eq(found->signature_form, SLICE_LIT("signature"));
	struct crypto_public key;

	if (!eim_key_find(found, &key))
		return false;
	return (former && verify_with_signature(&key, result, found, out)) ||
		verify_tokens(mem, &key, result, found, out) ||
		(!former && verify_with_signature(&key, result, found, out));
}

const char *
eim_chain_verify(const struct eim_call *call, struct slice eum_certificate,
	struct slice euicc_certificate, struct slice eid, struct crypto_euicc *out)
{
	const char *why;

	if (crypto_chain_euicc_verify(call->world->trust, clock_wall_us() / 1000000,
		    eum_certificate, euicc_certificate, SLICE_NONE, out, &why) != CHAIN_OK)
		return why;
	if (eid.p && !slice_eq(eid, slice_text(out->eid)))
		return "certificate-of-another-euicc";
	return call->eim->denied(
		call->eim->arg, eum_certificate, euicc_certificate, slice_text(out->eid));
}

const char *
eim_notification_verify(const struct eim_call *call, const struct codec_notification *n,
	const struct crypto_public *key, struct slice eid, struct crypto_euicc *out)
{
	if (n->kind == CODEC_OTHER_NOTIFICATION) {
		const char *wrong =
			eim_chain_verify(call, n->eum_certificate, n->euicc_certificate, eid, out);

		if (wrong)
			return wrong;
		key = &out->key;
	}
	if (!key)
		return "key-unknown";
	return crypto_verify(key, &n->signed_part, 1, n->signature) ? NULL : "wrong-signature";
}
