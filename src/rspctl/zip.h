#ifndef RSPCTL_ZIP_H
#define RSPCTL_ZIP_H
/* A ZIP file with members that are stored as they are: pictures do not compress (APPNOTE 6.3, §4.3). */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RSPCTL_ZIP_MOST = 65535 }; /* members of one file */

struct rspctl_zip;

/* `out` is borrowed. */
struct rspctl_zip *rspctl_zip_new(FILE *out);
/* False when it cannot be written, or is one too many. The name is UTF-8, without a leading slash. */
bool rspctl_zip_put(struct rspctl_zip *z, const char *name, const void *octets, size_t n);
/* Writes the directory. False when that or anything before it failed. */
bool rspctl_zip_free(struct rspctl_zip *z);

#endif
