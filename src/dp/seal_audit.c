/*
 * Seals over the audit trail (docs/audit.md): once a second what is surely complete is chained to what was
 * sealed before. Facts write their entries unchained, for a chain inside their statements would make
 * them wait for each other. One statement a run; the next run takes what this one left.
 */
#include "dp/periodic.h"
#include "store/audit.h"

enum { AT_A_TIME = 20000 };

#define STEPS(S) S(seal) S(tell) S(refuse)
STEPS(DECLARE_STEP)
static const struct step *const steps[] = { STEPS(STEP_REF) NULL };

struct sealing {
	struct dp_periodic_run run;
	struct store_seal seal;
};

const struct procedure dp_seal_audit = { "SealAudit", THEN(seal), THEN(refuse), steps, 60000,
	16 * 1024, sizeof(struct sealing) };

static const struct step *
seal(struct task *t)
{
	struct sealing *c = t->state;

	return store_audit_seal(t, c->run.dp->store, AT_A_TIME, &c->seal, THEN(tell));
}

static const struct step *
tell(struct task *t)
{
	const struct sealing *c = t->state;

	if (t->got == R_OK)
		LOG(audit, DEBUG, "task=SealAudit seal=%lld entries=%d", (long long)c->seal.seal_id,
			c->seal.entries);
	FINISH;
}

static const struct step *
refuse(struct task *t)
{
	LOG(audit, INFO, "task=SealAudit result=%s note=\"tried again in a moment\"",
		trouble_name(t->bad));
	FINISH;
}
