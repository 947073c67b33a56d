/*
 * Import: an unprotected profile package becomes a profile in stock. The package is read and judged
 * whole, described by what the administrator says and what it says itself, sealed, and written with its
 * metadata in one statement. A known ICCID is refused; another may be written into the package first.
 */
#include "dp/functions.h"
#include "dp/orders.h"
#include "dp/wishes.h"
#include "profile/metadata.h"
#include "profile/upp.h"

enum { DEADLINE_MS = 60000, ARENA = 4 * 1024 * 1024, TYPE_NAME_MAX = 100 };

/* clang-format off */
#define STEPS(S) \
	S(judge_package) /* PE by PE; with another ICCID if asked      */ \
	S(describe)      /* metadata                                   */ \
	S(seal)          /* what is secret stays so in the database    */ \
	S(keep)          /* profile, package, audit: once              */ \
	S(answer)        /* or find out why not                        */ \
	S(explain)
/* clang-format on */
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

/* What the first steps find and later ones use. */
struct import {
	struct dp_import_profile base;
	struct profile_upp upp;
};

const struct procedure dp_import_profile = { "ImportProfile", THEN(judge_package), NULL, steps,
	DEADLINE_MS, ARENA, sizeof(struct import) };

static const struct step *
judge_package(struct task *t)
{
	struct import *c = t->state;
	struct dp_import_profile *in = &c->base;
	struct profile_fault fault;
	struct slice octets = in->in.package;

	in->call.world = dp_world_hold(in->call.dp, t);
	if (!in->call.world)
		return task_trouble(t, T_BUSY);
	if (!profile_upp_read(t->mem, octets, &c->upp, &fault)) {
		in->call.note = fault.reason;
		return task_refuse(t, REFUSE(PACKAGE_INVALID));
	}
	if (in->call.iccid.p) {
		if (!profile_upp_rewrite_iccid(t->mem, &c->upp, in->call.iccid, &octets))
			return task_refuse(t, REFUSE(ICCID_INVALID));
		if (!profile_upp_read(t->mem, octets, &c->upp, &fault)) {
			in->call.note = fault.reason;
			return task_refuse(t, REFUSE(PACKAGE_INVALID));
		}
	}
	in->call.iccid = arena_copy(t->mem, slice_text(c->upp.iccid));
	GO(describe);
}

/* The type that was named, what the package calls itself, or "default". */
static struct slice
choose_type(const struct import *c)
{
	struct slice own = slice_trim(c->upp.type);

	if (c->base.in.type_name.n)
		return c->base.in.type_name;
	return own.n && own.n <= TYPE_NAME_MAX ? own : SLICE_LIT("default");
}

static const struct step *
describe(struct task *t)
{
	struct import *c = t->state;
	struct dp_import_profile *in = &c->base;
	struct codec_metadata m;
	struct slice metadata;

	profile_metadata_init(t->mem, &c->upp, in->call.world->settings.address, &m);
	if (!dp_wishes_apply(t->mem, &in->in.wishes, &m, &in->call.note) ||
		!profile_metadata_write(t->mem, &c->upp, &m, &metadata, &in->call.note))
		return task_refuse(t, REFUSE(METADATA_INVALID));
	in->import = (struct store_import){ .iccid = in->call.iccid,
		.type_name = choose_type(c),
		.profile_class = dp_class_name(m.profile_class),
		.imsi = c->upp.imsi[0] ? slice_text(c->upp.imsi) : SLICE_NONE,
		.saip_version = c->upp.major * 256 + c->upp.minor,
		.services = (int64_t)c->upp.services,
		.upp_octets = (int32_t)c->upp.octets.n,
		.metadata = metadata,
		.actor = in->in.actor.name,
		.why = in->in.actor.why,
		.operator_name = in->in.operator_name };
	GO(seal);
}

static const struct step *
seal(struct task *t)
{
	struct import *c = t->state;
	struct crypto_place place = { "profile_package.upp", c->base.call.iccid };

	c->base.import.upp = crypto_seal(c->base.call.world->sealer, t->mem, place, c->upp.octets);
	GO(keep);
}

static const struct step *
keep(struct task *t)
{
	struct dp_import_profile *c = t->state;

	return store_profile_import(t, c->call.dp->store, &c->import, &c->out, THEN(answer));
}

static const struct step *
answer(struct task *t)
{
	struct dp_import_profile *c = t->state;

	if (t->got == R_CONFLICT)
		return store_profile_find(
			t, c->call.dp->store, c->call.iccid, &c->known, THEN(explain));
	if (!c->out.iccid.p)
		return task_refuse(t, REFUSE(OPERATOR_UNKNOWN));
	FINISH;
}

static const struct step *
explain(struct task *t)
{
	struct dp_import_profile *c = t->state;

	if (t->got == R_OK) {
		c->call.note = arena_string(t->mem, c->call.iccid);
		return task_refuse(t, REFUSE(ICCID_KNOWN));
	}
	/* Backward, once: another import made the profile type at the same moment; now it is there. */
	if (c->tries++ == 0)
		GO(keep);
	return task_trouble(t, T_BUSY);
}
