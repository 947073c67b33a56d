/* rspd.conf with any content: a snapshot whose invariants hold, or errors. */
#include <stdlib.h>
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	static struct conf_errors errors, none;
	const struct conf *c = conf_read_text(slice_of(octets, n), "fuzz.conf", &errors);

	if ((c == NULL) != (errors.n > 0))
		abort();
	if (!c)
		return 0;
	if (!c->ci_n || !c->credential_n || !c->listener_n || !c->listeners[0].names.n)
		abort();
	if (!c->dp.address || !conf_reloadable(c, c, &none))
		abort();
	conf_release(c);
	return 0;
}
