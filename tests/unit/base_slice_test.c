/* Servers as people name them: a host, perhaps with a port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/slice.h"

static void
servers_are_hosts_perhaps_with_a_port(void **state)
{
	static const struct {
		const char *text, *host; /* host NULL: it is none */
		unsigned port;
	} rows[] = {
		{ "ds.example.org", "ds.example.org", 443 },
		{ "ds.example.org:8443", "ds.example.org", 8443 },
		{ "LocalHost:065535", "LocalHost", 65535 },
		{ "a-b.c_d.e9", "a-b.c_d.e9", 443 },
		{ "192.0.2.1:1", "192.0.2.1", 1 },
		{ "x--y", "x--y", 443 },
		{ "", NULL, 0 },
		{ ":", NULL, 0 },
		{ ":443", NULL, 0 },
		{ "ds.example.org:", NULL, 0 },
		{ "ds.example.org:0", NULL, 0 },
		{ "ds.example.org:65536", NULL, 0 },
		{ "ds.example.org:44x", NULL, 0 },
		{ "ds.example.org:443:1", NULL, 0 },
		{ "ds.example.org.", NULL, 0 },
		{ ".ds", NULL, 0 },
		{ "ds..org", NULL, 0 },
		{ "-ds", NULL, 0 },
		{ "a.-ds", NULL, 0 },
		{ "https://ds", NULL, 0 },
		{ "ds/x", NULL, 0 },
		{ "user@ds", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "no such name", NULL, 0 },
		{ "d\xc3\xa4.example", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice host = SLICE_NONE;
		unsigned port = 0;
		bool is = slice_read_server(slice_text(rows[i].text), 443, &host, &port);

		if (is != (rows[i].host != NULL) ||
			(is && (!slice_eq(host, slice_text(rows[i].host)) || port != rows[i].port)))
			fail_msg("%s: %d %.*s %u", rows[i].text, is, SLICE_FMT(host), port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		servers_are_hosts_perhaps_with_a_port) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("base_slice", tests, NULL, NULL);
}
