/* ZIP files, stored: a local header before each member, the directory behind the last (APPNOTE 6.3, §4.3). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#include "base/clock.h"
#include "rspctl/zip.h"

enum { VERSION = 20, UTF8 = 0x0800, STORED = 0 };

struct member {
	char *name;
	uint32_t crc, size, at;
};

struct rspctl_zip {
	FILE *out;
	struct member *members;
	size_t n, room;
	uint64_t written;
	uint16_t time, date; /* of all members: now */
	bool failed;
};

struct rspctl_zip *
rspctl_zip_new(FILE *out)
{
	struct rspctl_zip *z = calloc(1, sizeof *z);
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;

	if (!z)
		abort();
	gmtime_r(&now, &tm);
	z->out = out;
	z->time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
	z->date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
	return z;
}

static void
put_octets(struct rspctl_zip *z, const void *octets, size_t n)
{
	z->written += n;
	/* Sizes and places have 32 bits. */
	if (z->written > UINT32_MAX || fwrite(octets, 1, n, z->out) != n)
		z->failed = true;
}

/* Little endian, `octets` of them. */
static void
put_number(struct rspctl_zip *z, uint32_t number, int octets)
{
	uint8_t le[4] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
		(uint8_t)(number >> 24) };

	put_octets(z, le, (size_t)octets);
}

/* What the local header and the directory say alike. */
static void
put_facts(struct rspctl_zip *z, const struct member *m)
{
	put_number(z, VERSION, 2);
	put_number(z, UTF8, 2);
	put_number(z, STORED, 2);
	put_number(z, z->time, 2);
	put_number(z, z->date, 2);
	put_number(z, m->crc, 4);
	put_number(z, m->size, 4);
	put_number(z, m->size, 4);
	put_number(z, (uint32_t)strlen(m->name), 2);
	put_number(z, 0, 2); /* extra field */
}

bool
rspctl_zip_put(struct rspctl_zip *z, const char *name, const void *octets, size_t n)
{
	struct member *m;

	if (z->n == RSPCTL_ZIP_MOST || n > UINT32_MAX || z->failed)
		return false;
	if (z->n == z->room) {
		z->room = z->room ? z->room * 2 : 64;
		z->members = realloc(z->members, z->room * sizeof *z->members);
		if (!z->members)
			abort();
	}
	m = &z->members[z->n++];
	*m = (struct member){ .name = strdup(name),
		.crc = (uint32_t)crc32(0, octets, (uInt)n),
		.size = (uint32_t)n,
		.at = (uint32_t)z->written };
	if (!m->name)
		abort();
	put_number(z, 0x04034b50, 4);
	put_facts(z, m);
	put_octets(z, name, strlen(name));
	put_octets(z, octets, n);
	return !z->failed;
}

static void
put_entry(struct rspctl_zip *z, const struct member *m)
{
	put_number(z, 0x02014b50, 4);
	put_number(z, VERSION, 2); /* made by */
	put_facts(z, m);
	put_number(z, 0, 2); /* comment */
	put_number(z, 0, 2); /* disk */
	put_number(z, 0, 2); /* internal attributes */
	put_number(z, 0, 4); /* external attributes */
	put_number(z, m->at, 4);
	put_octets(z, m->name, strlen(m->name));
}

bool
rspctl_zip_free(struct rspctl_zip *z)
{
	uint32_t directory = (uint32_t)z->written;
	bool good;

	for (size_t i = 0; i < z->n; i++) {
		put_entry(z, &z->members[i]);
		free(z->members[i].name);
	}
	put_number(z, 0x06054b50, 4);
	put_number(z, 0, 4); /* disks */
	put_number(z, (uint32_t)z->n, 2);
	put_number(z, (uint32_t)z->n, 2);
	put_number(z, (uint32_t)z->written - 12 - directory, 4);
	put_number(z, directory, 4);
	put_number(z, 0, 2); /* comment */
	good = !z->failed;
	free(z->members);
	free(z);
	return good;
}
