/*
 * The way into the queue: what is wanted is written and checked now, once, and waits without counter and signature
 * (RULES 5.1). What changes how we sign, or who we are to the eUICC, is marked: it bars what stands behind it
 * (RULES 5.4).
 */
#include "eim/queue.h"
#include "base/rand.h"
#include "base/text.h"

/* clang-format off */
#define STEPS(S) \
	S(write_body) /* the commands, the request or the trigger, encoded */ \
	S(put)        /* into the queue                                    */ \
	S(check_put)  /* … of an eUICC that is there and knows us          */
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

enum { DEADLINE_MS = 10000, ARENA = 256 * 1024, WHAT_MAX = 480, EID_DIGITS = 32 };

const struct procedure eim_queue = { "QueuePackage", THEN(write_body), NULL, steps, DEADLINE_MS,
	ARENA, sizeof(struct eim_queue) };

static void
iccid_put(struct buf *what, struct slice iccid)
{
	char digits[21];

	if (iccid.n == 10 && text_bcd_to_iccid(iccid, digits))
		buf_printf(what, " %s", digits);
}

/* "enable 8949…, listProfileInfo": for people, cut when it is long. */
static struct slice
commands_what(struct task *t)
{
	const struct eim_queue *c = t->state;
	struct buf what;

	buf_init(&what, t->mem, 8192);
	for (size_t i = 0; i < c->command_n; i++) {
		const struct codec_eim_command *command = &c->commands[i];

		buf_printf(&what, "%s%s", i ? ", " : "", codec_eim_command_name(command->kind));
		if (command->kind <= CODEC_PSMO_DELETE ||
			command->kind == CODEC_PSMO_SET_FALLBACK_ATTRIBUTE)
			iccid_put(&what, command->iccid);
	}
	return slice_sub(buf_get(&what), 0, WHAT_MAX);
}

static struct slice
trigger_what(const struct codec_download_trigger *trigger)
{
	switch (trigger->kind) {
	case CODEC_DOWNLOAD_ACTIVATION_CODE:
		return SLICE_LIT("download by activation code");
	case CODEC_DOWNLOAD_DEFAULT_SMDP:
		return SLICE_LIT("download from the default SM-DP+");
	case CODEC_DOWNLOAD_SMDS:
		return SLICE_LIT("download by SM-DS");
	case CODEC_DOWNLOAD_UNSAID:
		break;
	}
	return SLICE_LIT("download");
}

/* An updateEim of our own key, counter or TLS data; and what deletes us. */
static void
marks_put(struct eim_queue *c)
{
	struct slice own = c->call.world->settings.id;

	for (size_t i = 0; i < c->command_n; i++) {
		const struct codec_eim_command *command = &c->commands[i];

		if (command->kind == CODEC_ECO_DELETE_EIM && slice_eq(command->eim_id, own))
			c->wanted.farewell = c->wanted.barrier = true;
		if (command->kind == CODEC_ECO_UPDATE_EIM && slice_eq(command->eim->eim_id, own))
			c->wanted.barrier = true;
	}
}

static bool
body_write(struct task *t)
{
	struct eim_queue *c = t->state;
	struct store_wanted *w = &c->wanted;

	if (c->command_n) {
		w->kind = SLICE_LIT("package");
		w->what = commands_what(t);
		return codec_eim_commands_write(
			t->mem, c->commands, c->command_n, c->form, &w->body, &c->call.note);
	}
	if (c->trigger) {
		w->kind = SLICE_LIT("trigger");
		w->what = trigger_what(c->trigger);
		w->body = codec_download_trigger_write(t->mem, c->trigger);
		return true;
	}
	w->kind = SLICE_LIT("data");
	w->what = SLICE_LIT("data");
	w->body = codec_ipa_data_request_write(
		t->mem, &(struct codec_ipa_data_request){ .want = c->want }, CODEC_IOT_V1_2);
	return true;
}

static const struct step *
write_body(struct task *t)
{
	struct eim_queue *c = t->state;

	c->call.world = eim_world_hold(c->call.eim, t);
	if (!c->call.world)
		return task_refuse(t, &EIM_SWITCHED_OFF.base);
	if (c->in.eid.n != EID_DIGITS || !slice_is_digits(c->in.eid))
		return task_refuse(t, &EIM_EID_INVALID.base);
	eim_eid_set(t, c->in.eid);
	rand_bytes(c->nonce, sizeof c->nonce);
	c->wanted = (struct store_wanted){ .eid = c->in.eid,
		.operator_id = c->in.operator_id,
		.priority = (int16_t)c->in.priority,
		.deadline = c->in.deadline,
		.actor = c->in.actor,
		.why = c->in.why,
		.nonce = SLICE_ARRAY(c->nonce) };
	if (!body_write(t))
		return task_refuse(t, &EIM_COMMANDS_INVALID.base);
	if (c->in.what.p)
		c->wanted.what = slice_sub(c->in.what, 0, WHAT_MAX);
	marks_put(c);
	GO(put);
}

static const struct step *
put(struct task *t)
{
	struct eim_queue *c = t->state;

	return store_eim_queue(t, c->call.eim->store, &c->wanted, &c->out, THEN(check_put));
}

static const struct step *
check_put(struct task *t)
{
	struct eim_queue *c = t->state;

	if (t->got == R_NONE)
		return task_refuse(t, &EIM_EID_UNKNOWN.base);
	if (c->out.closed)
		return task_refuse(t, &EIM_EUICC_CLOSED.base);
	c->call.package_id = c->out.package_id;
	FINISH;
}
