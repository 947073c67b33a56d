/*
 * Revocation lists from files: read with the world, and read again by themselves when a file is another
 * one than it was. Either all are taken or none: a broken file keeps the lists that are in force.
 */
#include <stdlib.h>
#include "base/text.h"
#include "rspd/int.h"

enum { LISTS_MEMORY = 64 * 1024 * 1024 };

/* What all files hold now. */
struct found {
	struct slice ders[WORLD_LISTS];
	unsigned from[WORLD_LISTS];
	size_t n;
};

static bool
file_lists_read(
	struct arena *mem, struct owner *o, unsigned i, struct found *out, char words[WORLD_WORDS])
{
	struct list_file *file = &o->lists[i];
	size_t before = out->n;
	struct slice pem;

	memset(&file->seen, 0, sizeof file->seen);
	if (!world_file_read(mem, file->path, &pem, &file->seen, words))
		return false;
	while (out->n < WORLD_LISTS && text_unpem(mem, &pem, "X509 CRL", &out->ders[out->n]))
		out->from[out->n++] = i;
	if (out->n == WORLD_LISTS)
		return world_complain(
			words, file->path, "is beyond the 255 revocation lists there may be");
	if (out->n == before || memmem(pem.p, pem.n, "-----BEGIN", 10))
		return world_complain(
			words, file->path, "is no file of revocation lists in PEM form");
	return true;
}

/* Every file is looked at, also behind one that is broken, so that it is known how each was. */
static bool
all_lists_read(struct owner *o, char words[WORLD_WORDS])
{
	struct found *found = calloc(1, sizeof *found);
	const char *wrong = NULL;
	struct arena mem;
	bool ok = true;
	size_t bad;

	if (!found)
		abort();
	arena_init(&mem, LISTS_MEMORY, NULL, NULL);
	for (unsigned i = 0; i < o->list_count; i++)
		ok = file_lists_read(&mem, o, i, found, words) && ok;
	if (ok)
		wrong = crypto_trust_replace_crls(o->world.trust, found->ders, found->n, &bad);
	if (wrong)
		ok = world_complain(words, o->lists[found->from[bad]].path, wrong);
	if (ok)
		memcpy(o->list_from, found->from, sizeof o->list_from);
	arena_fini(&mem);
	free(found);
	return ok;
}

bool
lists_read(struct owner *o, const struct conf *conf, char words[WORLD_WORDS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < conf->ci_n; i++)
		n += conf->cis[i].crl.n;
	o->lists = arena_alloc(&o->mem, (n + 1) * sizeof *o->lists);
	for (unsigned i = 0; i < conf->ci_n; i++)
		for (unsigned j = 0; j < conf->cis[i].crl.n; j++)
			o->lists[o->list_count++] = (struct list_file){
				.path = arena_printf(&o->mem, "%s", conf->cis[i].crl.at[j]),
				.name = slice_text(
					arena_printf(&o->mem, "ci %s", conf->cis[i].name)),
			};
	return all_lists_read(o, words);
}

/* Is it the file that was read? Who replaces one changes its inode, who writes into one its times. */
static bool
is_as_seen(const struct list_file *file)
{
	const struct stat *was = &file->seen;
	struct stat is;

	if (stat(file->path, &is) < 0)
		memset(&is, 0, sizeof is);
	return is.st_dev == was->st_dev && is.st_ino == was->st_ino && is.st_size == was->st_size &&
		is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
		is.st_mtim.tv_nsec == was->st_mtim.tv_nsec &&
		is.st_ctim.tv_sec == was->st_ctim.tv_sec &&
		is.st_ctim.tv_nsec == was->st_ctim.tv_nsec;
}

enum world_news
world_lists_look(struct dp_world *w, char words[WORLD_WORDS])
{
	struct owner *o = w->owner;

	for (unsigned i = 0; i < o->list_count; i++)
		if (!is_as_seen(&o->lists[i])) {
			if (!all_lists_read(o, words))
				return WORLD_BAD_NEWS;
			dates_set_lists(o);
			return WORLD_NEWS;
		}
	return WORLD_NO_NEWS;
}
