#ifndef BASE_RAND_H
#define BASE_RAND_H
/*
 * Random octets. Which implementation is linked is the program's choice: tests link a repeatable one,
 * so that whole packages compare octet by octet.
 */
#include <stddef.h>

/* Fills n octets from the system's generator; does not return without them (aborts). */
void rand_bytes(void *p, size_t n);

#endif
