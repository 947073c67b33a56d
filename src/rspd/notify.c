/* systemd's Type=notify protocol, when the library was there at build time. */
#include "rspd/notify.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

void
notify_ready(void)
{
	sd_notify(0, "READY=1\nSTATUS=serving");
}

void
notify_reloading(void)
{
	sd_notify(0, "RELOADING=1\nSTATUS=reading the configuration again");
}

void
notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=finishing requests in progress");
}

void
notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

uint32_t
notify_watchdog_ms(void)
{
	uint64_t us;

	return sd_watchdog_enabled(0, &us) > 0 ? (uint32_t)(us / 2000) : 0;
}
#else
void
notify_ready(void)
{
}

void
notify_reloading(void)
{
}

void
notify_stopping(void)
{
}

void
notify_watchdog(void)
{
}

uint32_t
notify_watchdog_ms(void)
{
	return 0;
}
#endif
