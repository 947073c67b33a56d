/* A line of the control socket: whatever it is, it is one request whose arguments fit, or one error. */
#include <stdlib.h>
#include "ctl/int.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n);

/* What was let through has every argument that is due, and none that the table does not know. */
static void
judge(const struct ctl_verb *verb, const json_t *args)
{
	size_t known = 0;

	for (const struct ctl_arg *a = verb->args; a->name; a++) {
		const json_t *v = json_object_get(args, a->name);

		known += v != NULL;
		if (a->mandatory && !v)
			abort();
		if (a->kind == CTL_EID && v && json_string_length(v) != 32)
			abort();
	}
	if (json_object_size(args) != known)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	json_t *request = json_loadb((const char *)octets, n, JSON_REJECT_DUPLICATES, NULL);
	const struct ctl_verb *verb = NULL;
	json_t *args = NULL, *error = ctl_request_check(request, &verb, &args);

	if (!error)
		judge(verb, args);
	else if (!json_string_value(json_object_get(json_object_get(error, "error"), "advice")))
		abort();
	json_decref(error);
	json_decref(request);
	return 0;
}
