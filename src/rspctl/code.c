/* order code: the activation code as text and as QR codes. */
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include "rspctl/qr.h"
#include "rspctl/show.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"

static int
write_file(const char *option, bool (*write)(const char *text, FILE *out), const char *text)
{
	const char *path = json_string_value(json_object_get(rspctl_call.local, option));
	FILE *out;
	bool good;

	if (!path)
		return EX_OK;
	out = fopen(path, "wb");
	good = out && write(text, out);
	if (out && fclose(out) == EOF)
		good = false;
	if (!good)
		return rspctl_fail(EX_CANTCREAT, "check the path", "%s cannot be written: %s", path,
			strerror(errno));
	return EX_OK;
}

int
rspctl_code(const struct rspctl_verb *verb)
{
	json_t *answer = rspctl_ask(verb->name, rspctl_call.args);
	json_t *ok = json_object_get(answer, "ok");
	const char *qr = json_string_value(json_object_get(ok, "qr"));
	char safe[RSPCTL_CELL];
	int code = rspctl_outcome(answer);

	if (!code && !qr)
		code = rspctl_fail(EX_PROTOCOL, "is it rspd of this version?",
			"the answer has no activation code");
	if (!code && rspctl_call.json) {
		json_dumpf(ok, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!code) {
		puts(rspctl_show_safe(qr, safe));
		puts(rspctl_show_safe(json_string_value(json_object_get(ok, "iosLink")), safe));
		puts(rspctl_show_safe(json_string_value(json_object_get(ok, "androidLink")), safe));
		if (json_object_get(rspctl_call.local, "qr"))
			(isatty(STDOUT_FILENO) ? rspctl_qr_terminal : rspctl_qr_plain)(qr, stdout);
		if (json_is_true(json_object_get(ok, "confirmationCode")))
			puts("The user needs the Confirmation Code too.");
		if (json_is_true(json_object_get(ok, "reusable")))
			puts("It is reusable: for any number of downloads.");
	}
	if (!code)
		code = write_file("png", rspctl_qr_png, qr);
	if (!code)
		code = write_file("svg", rspctl_qr_svg, qr);
	json_decref(answer);
	return code;
}
