#ifndef RSPSIM_IOT_FILE_H
#define RSPSIM_IOT_FILE_H
/* The IoT part of the card's file, inside the object that card_file.c writes and reads. */
#include <jansson.h>
#include "base/arena.h"
#include "rspsim/iot.h"

/* A new reference; null for a consumer's card. */
json_t *rspsim_iot_write(const struct rspsim_iot *iot);
/* False when it is damaged; what is missing makes it a consumer's card. Octets in `mem`. */
bool rspsim_iot_read(struct arena *mem, struct rspsim_iot *iot, json_t *o);

#endif
