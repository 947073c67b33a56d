/*
 * What a server, or a user, tells the simulated card and its LPA. The first octet chooses the message; the
 * steps before it are right ones, so that the rest of the input meets a card that waits for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#include "rspsim/activation.h"
#include "rspsim/metadata.h"
#include "rspsim/upp.h"
#include "unit/rspsim_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

enum message { AUTHENTICATE, PREPARE, PACKAGE, CANCEL, ACTIVATION, UPP, METADATA, MESSAGES };

/* The card after the right messages up to `wanted`. */
static void
bring_up(struct server *s, struct rspsim_card *card, enum message wanted)
{
	struct slice challenge = rspsim_euicc_challenge(card, &s->mem), response;

	if (wanted == AUTHENTICATE)
		return;
	response =
		rspsim_euicc_authenticate_server(card, &s->mem, server_authenticate(s, challenge));
	if (wanted == PACKAGE)
		rspsim_euicc_prepare_download(
			card, &s->mem, server_prepare(s, response, SLICE_NONE));
}

static void
tell_card(enum message wanted, struct slice rest)
{
	struct rspsim_card *card;
	struct server s;

	server_init(&s, NID_X9_62_prime256v1, NULL);
	card = server_card(&s);
	bring_up(&s, card, wanted);
	switch (wanted) {
	case AUTHENTICATE:
		rspsim_euicc_authenticate_server(card, &s.mem, rest);
		break;
	case PREPARE:
		rspsim_euicc_prepare_download(card, &s.mem, rest);
		break;
	case PACKAGE:
		/* Without the server's key nothing is installed. */
		rspsim_euicc_load_bpp(card, &s.mem, rest);
		if (card->profiles)
			abort();
		break;
	default:
		rspsim_euicc_cancel_session(card, &s.mem, rest);
	}
	rspsim_card_free(card);
	server_fini(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static const uint8_t highest[2] = { 2, 3 };
	enum message wanted = n ? octets[0] % MESSAGES : METADATA;
	struct slice rest = slice_sub(slice_of(octets, n), 1, n);
	struct rspsim_activation activation;
	struct rspsim_metadata metadata;
	struct rspsim_upp upp;
	struct arena mem;

	arena_init(&mem, 1 << 22, NULL, NULL);
	switch (wanted) {
	case ACTIVATION:
		rspsim_activation_read(&mem, rest, &activation);
		break;
	case UPP:
		rspsim_upp_read(rest, highest, &upp);
		break;
	case METADATA:
		rspsim_metadata_read(rest, &metadata);
		break;
	default:
		tell_card(wanted, rest);
	}
	arena_fini(&mem);
	return 0;
}
