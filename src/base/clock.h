#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
/* Time. Which implementation is linked is the program's choice: tests link a clock that stands still. */
#include <stdint.h>

int64_t clock_wall_us(void); /* microseconds since 1970, UTC */
int64_t clock_mono_us(void); /* microseconds since some moment, never going back */

#endif
