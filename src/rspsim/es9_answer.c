/*
 * What a server answers (SGP.22 §6.2, §6.3): HTTP status, one JSON object, the status block of
 * §6.5.1.4 in it. What the other members mean is lpa.c's business.
 */
#include "rspsim/es9.h"

/* §6.5.1.4: what the server says of its own execution. */
static void
read_status(json_t *answer, struct rspsim_call *call)
{
	json_t *execution =
		json_object_get(json_object_get(answer, "header"), "functionExecutionStatus");
	json_t *codes = json_object_get(execution, "statusCodeData");
	const char *status = json_string_value(json_object_get(execution, "status"));
	const char *subject = json_string_value(json_object_get(codes, "subjectCode"));
	const char *reason = json_string_value(json_object_get(codes, "reasonCode"));
	const char *message = json_string_value(json_object_get(codes, "message"));

	call->outcome = RSPSIM_CALL_REFUSED;
	if (!status) {
		call->outcome = RSPSIM_CALL_TRANSPORT;
		snprintf(call->message, sizeof call->message,
			"the answer has no functionExecutionStatus");
		return;
	}
	if (strcmp(status, "Executed-Success") == 0 || strcmp(status, "Executed-WithWarning") == 0)
		call->outcome = RSPSIM_CALL_FINE;
	snprintf(call->subject, sizeof call->subject, "%s", subject ? subject : "");
	snprintf(call->reason, sizeof call->reason, "%s", reason ? reason : "");
	snprintf(call->message, sizeof call->message, "%s", message ? message : "");
}

void
rspsim_es9_answer_read(struct slice body, struct rspsim_call *call, json_t **answer)
{
	call->outcome = RSPSIM_CALL_TRANSPORT;
	if (call->http == 204 && body.n == 0) {
		call->outcome = RSPSIM_CALL_FINE;
		return;
	}
	if (call->http != 200) {
		snprintf(call->message, sizeof call->message, "HTTP status %ld", call->http);
		return;
	}
	*answer = json_loadb(body.p ? (const char *)body.p : "", body.n, 0, NULL);
	if (!json_is_object(*answer)) {
		snprintf(call->message, sizeof call->message, "the answer is no JSON object");
		return;
	}
	read_status(*answer, call);
}
