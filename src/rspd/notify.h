#ifndef RSPD_NOTIFY_H
#define RSPD_NOTIFY_H
/* What systemd is told (sd_notify(3)); nothing happens without it. */
#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);

/* How often notify_watchdog is due, in milliseconds; 0: never. */
uint32_t notify_watchdog_ms(void);

#endif
