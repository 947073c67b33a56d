/*
 * The files that rspsim is given: a card, or the matching ids of a load. The first octet chooses. A card that
 * was read can speak, and is read again as it is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "rspsim/codes.h"
#include "rspsim/euicc.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

static void
use_card(struct rspsim_card *card)
{
	static char folder[] = "/tmp/rspsim-fuzz-XXXXXX";
	static bool made;
	struct rspsim_card *again;
	char path[64];
	struct arena mem;

	if (!made && !mkdtemp(folder))
		abort();
	made = true;
	snprintf(path, sizeof path, "%s/card", folder);
	if (rspsim_card_write(card, path) || rspsim_card_read(path, &again))
		abort();
	if (strcmp(card->eid, again->eid) != 0 || card->ci_count != again->ci_count ||
		!card->profiles != !again->profiles || card->sequence != again->sequence)
		abort();
	rspsim_card_free(again);
	unlink(path);
	arena_init(&mem, 1 << 22, NULL, NULL);
	rspsim_euicc_challenge(card, &mem);
	rspsim_euicc_info1(card, &mem);
	for (const struct rspsim_profile *p = card->profiles, *next; p; p = next) {
		next = p->next;
		rspsim_euicc_enable(card, p->iccid);
		rspsim_euicc_disable(card, p->iccid);
		rspsim_euicc_delete(card, p->iccid);
	}
	arena_fini(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct rspsim_card *card;
	struct rspsim_codes codes;
	struct arena mem;
	char path[32];
	int fd;

	if (n < 1)
		return 0;
	fd = memfd_create("given", 0);
	if (fd < 0 || write(fd, octets + 1, n - 1) != (ssize_t)n - 1)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (octets[0] & 1) {
		arena_init(&mem, 1 << 24, NULL, NULL);
		if (rspsim_codes_read(&mem, path, &codes) && !codes.text[codes.count - 1][0])
			abort();
		arena_fini(&mem);
	} else if (!rspsim_card_read(path, &card)) {
		use_card(card);
		rspsim_card_free(card);
	}
	close(fd);
	return 0;
}
