#ifndef KEYS_FILE_H
#define KEYS_FILE_H
/* Reading a file that holds a secret. */
#include "base/slice.h"

/*
 * Reads it whole, at most 16 KiB, into memory for the caller to give to keys_file_wipe. NULL when done, else
 * what is wrong. Refuses what others may read or write.
 */
const char *keys_file_read(const char *file, struct slice *out);
void keys_file_wipe(struct slice octets);

#endif
