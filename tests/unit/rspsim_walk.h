/*
 * Walks every TLV of an answer at any depth. A path names the tags from the outside in, as in "30/80"; the
 * second of the same tag among its siblings is "86#2".
 */
#ifndef RSPSIM_WALK_H
#define RSPSIM_WALK_H
#include <stdio.h>
#include "rspsim/der.h"

enum { WALK_NODES = 64, WALK_PATH = 64 };

struct walk {
	struct arena *mem;
	const char *leave_out; /* path, or NULL */
	const char *leaf;      /* path whose inside is walked apart, or NULL */
	struct slice whole;    /* what is walked */
	struct {
		char path[WALK_PATH];
		size_t end; /* offset behind its last octet */
	} nodes[WALK_NODES];
	size_t count;
};

static void
walk_path(
	const char *prefix, struct slice before, const struct rspsim_tlv *tlv, char out[WALK_PATH])
{
	struct rspsim_tlv sibling;
	unsigned same = 1;

	while (rspsim_der_read(&before, &sibling) && sibling.whole.p < tlv->whole.p)
		same += sibling.tag == tlv->tag;
	snprintf(out, WALK_PATH, same > 1 ? "%s%s%x#%u" : "%s%s%x", prefix, *prefix ? "/" : "",
		tlv->tag, same);
}

/* What is left of `in`. */
static struct slice
walk_level(struct walk *w, struct slice in, const char *prefix)
{
	struct slice rest = in, out = SLICE_NONE;
	struct rspsim_tlv tlv;
	char path[WALK_PATH];

	while (rspsim_der_read(&rest, &tlv)) {
		walk_path(prefix, in, &tlv, path);
		if (w->count < WALK_NODES) {
			memcpy(w->nodes[w->count].path, path, sizeof path);
			w->nodes[w->count++].end = (size_t)(tlv.whole.p + tlv.whole.n - w->whole.p);
		}
		if (w->leave_out && strcmp(path, w->leave_out) == 0)
			continue;
		if (tlv.whole.p[0] & 0x20 && !(w->leaf && strcmp(path, w->leaf) == 0))
			tlv.whole = RSPSIM_DER(w->mem, tlv.tag, walk_level(w, tlv.value, path));
		out = RSPSIM_DER(w->mem, 0, out, tlv.whole);
	}
	return out;
}

static struct slice
walk_octets(struct walk *w, struct slice octets)
{
	w->count = 0;
	w->whole = octets;
	return walk_level(w, octets, "");
}

/* The offset behind a node; 0 when there is none. */
static size_t
walk_end(const struct walk *w, const char *path)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->nodes[i].path, path) == 0)
			return w->nodes[i].end;
	return 0;
}

#endif
