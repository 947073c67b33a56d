/* How each verb's answer is shown to people. */
#include <stdio.h>
#include "rspctl/show.h"

void
rspctl_show_profiles(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "ICCID", "iccid" }, { "TYPE", "type" },
		{ "CLASS", "class" }, { "STATE", "state" }, { "SINCE", "since" },
		{ "ON CARD", "cardState" }, { "EID", "cardEid" }, { "REUSABLE", "reusable" } };

	SHOW_TABLE(json_object_get(ok, "profiles"), columns);
}

void
rspctl_show_types(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "NAME", "name" },
		{ "OPERATOR", "operator" }, { "KEYS", "keys" }, { "ON DELETE", "onDelete" },
		{ "CLASS", "class" }, { "VERSION", "version" }, { "VARIANTS", "variants" },
		{ "STOCK", "stock" }, { "LOW WATER", "lowWater" }, { "LOW", "low" },
		{ "CREATED", "createdAt" } };

	SHOW_TABLE(json_object_get(ok, "types"), columns);
}

void
rspctl_show_type(json_t *ok)
{
	static const struct rspctl_column templates[] = { { "VERSION", "version" },
		{ "VARIANT", "variant" }, { "SAIP", "saipVersion" }, { "OCTETS", "octets" },
		{ "NAME", "name" }, { "PROVIDER", "provider" }, { "CREATED", "createdAt" } };
	static const struct rspctl_column loads[] = { { "LOAD", "load" }, { "VERSION", "version" },
		{ "PROFILES", "profiles" }, { "SOURCE", "source" }, { "AT", "at" } };

	rspctl_show_facts(ok);
	putchar('\n');
	SHOW_TABLE(json_object_get(ok, "templates"), templates);
	putchar('\n');
	SHOW_TABLE(json_object_get(ok, "loads"), loads);
}

void
rspctl_show_operators(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "NAME", "name" },
		{ "REQUESTER", "requester" }, { "CLIENTS", "clients" }, { "TYPES", "types" },
		{ "EXPIRED", "expired" }, { "CALLS", "calls" }, { "CREATED", "createdAt" } };

	SHOW_TABLE(json_object_get(ok, "operators"), columns);
}

void
rspctl_show_clients(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "CLIENT", "client" },
		{ "OPERATOR", "operator" }, { "KIND", "kind" }, { "SUBJECT", "subject" },
		{ "EXPIRES", "expiresAt" }, { "SHA-256", "sha256" } };

	SHOW_TABLE(json_object_get(ok, "clients"), columns);
}

void
rspctl_show_order(json_t *ok)
{
	static const struct rspctl_column sessions[] = { { "AT", "at" }, { "EID", "eid" },
		{ "STATE", "state" }, { "RESULT", "result" }, { "REFUSAL", "refusal" },
		{ "PEER", "peer" }, { "TRANSACTION", "transactionId" } };
	static const struct rspctl_column history[] = { { "AT", "at" }, { "ACT", "act" },
		{ "FROM", "from" }, { "TO", "to" }, { "ACTOR", "actor" }, { "WHY", "why" } };

	json_t *parts = json_pack("{sO sO}", "sessions", json_object_get(ok, "sessions"), "history",
		json_object_get(ok, "history"));

	json_object_del(ok, "sessions");
	json_object_del(ok, "history");
	rspctl_show_facts(ok);
	puts("\nSessions, oldest first:");
	SHOW_TABLE(json_object_get(parts, "sessions"), sessions);
	puts("\nHistory of the profile:");
	SHOW_TABLE(json_object_get(parts, "history"), history);
	json_decref(parts);
}

void
rspctl_show_sessions(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "AT", "at" }, { "EID", "eid" },
		{ "ICCID", "iccid" }, { "STATE", "state" }, { "RESULT", "result" },
		{ "REFUSAL", "refusal" }, { "TAC", "tac" }, { "PEER", "peer" },
		{ "TRANSACTION", "transactionId" }, { "REUSABLE", "reusable" } };

	SHOW_TABLE(json_object_get(ok, "sessions"), columns);
}

void
rspctl_show_events(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "AT", "at" }, { "KEY", "key" },
		{ "SEQ", "seq" }, { "TYPE", "type" }, { "STATE", "state" }, { "EID", "eid" },
		{ "WHY", "why" }, { "REUSABLE", "reusable" } };
	json_t *events = json_object_get(ok, "events");
	json_t *event, *data;
	size_t i;

	/* What matters of an event's data, beside its envelope. */
	json_array_foreach(events, i, event)
	{
		data = json_object_get(event, "data");
		if (!json_object_get(event, "subscriber"))
			json_object_set(event, "state", json_object_get(data, "state"));
		json_object_set(event, "eid", json_object_get(data, "eid"));
		json_object_set(event, "reusable", json_object_get(data, "reusable"));
		json_object_set(event, "why",
			json_object_get(event, "error") ? json_object_get(event, "error")
							: json_object_get(data, "why"));
	}
	SHOW_TABLE(events, columns);
}

void
rspctl_show_subscribers(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "NAME", "name" }, { "KIND", "kind" },
		{ "OPERATOR", "operator" }, { "WAITING", "waiting" }, { "DEAD", "dead" },
		{ "OLDEST", "oldest" }, { "PAUSED", "paused" }, { "ADDRESS", "address" },
		{ "LAST ERROR", "lastError" } };

	SHOW_TABLE(json_object_get(ok, "subscribers"), columns);
}

void
rspctl_show_audit(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "ENTRY", "id" }, { "AT", "at" },
		{ "ACTOR", "actor" }, { "ACT", "act" }, { "ICCID", "iccid" }, { "FROM", "from" },
		{ "TO", "to" }, { "WHY", "why" } };

	SHOW_TABLE(json_object_get(ok, "entries"), columns);
}

/* What an entry is about, whatever kind it is. */
static void
fill_history(json_t *entry)
{
	static const char *const acts[] = { "act", "operation", "refusal", "result", "state" };
	static const char *const by[] = { "peer", "subscriber" };

	for (size_t i = 0; i < sizeof acts / sizeof *acts && !json_object_get(entry, "did"); i++)
		if (json_object_get(entry, acts[i]))
			json_object_set(entry, "did", json_object_get(entry, acts[i]));
	for (size_t i = 0; i < sizeof by / sizeof *by && !json_object_get(entry, "actor"); i++)
		json_object_set(entry, "actor", json_object_get(entry, by[i]));
}

void
rspctl_show_history(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "AT", "at" }, { "WHAT", "what" },
		{ "CALL", "call" }, { "DID", "did" }, { "TIMES", "times" }, { "FROM", "from" },
		{ "TO", "to" }, { "EID", "eid" }, { "TAC", "tac" }, { "IMEI", "imei" },
		{ "BY", "actor" }, { "WHY", "why" } };
	json_t *history = json_object_get(ok, "history"), *entry;
	size_t i;

	json_array_foreach(history, i, entry) fill_history(entry);
	SHOW_TABLE(history, columns);
}

void
rspctl_show_keys(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "KEY ID", "keyId" }, { "USE", "use" },
		{ "AWAITED", "awaited" }, { "NEWEST", "newest" } };

	SHOW_TABLE(json_object_get(ok, "keys"), columns);
}

void
rspctl_show_denied(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "ENTRY", "id" }, { "KIND", "kind" },
		{ "KEY ID", "keyId" }, { "ISSUER", "issuer" }, { "SERIAL", "serial" },
		{ "EIDS", "eids" }, { "FIRMWARE", "firmware" }, { "AT", "at" }, { "BY", "by" },
		{ "WHY", "why" } };

	SHOW_TABLE(json_object_get(ok, "entries"), columns);
}

/* An object of objects, a line each: its name, then its members as name=value. */
static void
show_group(json_t *ok, const char *name)
{
	json_t *group = json_object_get(ok, name);
	char safe[RSPCTL_CELL];
	const char *member, *part;
	json_t *v, *w;

	if (json_object_size(group) == 0)
		return;
	printf("\n%s\n", name);
	json_object_foreach(group, member, v)
	{
		printf("  %-36s", rspctl_show_safe(member, safe));
		if (json_is_integer(v))
			printf(" %lld", (long long)json_integer_value(v));
		json_object_foreach(v, part, w) printf(
			" %s=%lld", rspctl_show_safe(part, safe), (long long)json_integer_value(w));
		putchar('\n');
	}
}

/* Only the steps that ran. */
static void
show_steps(json_t *procedures)
{
	char safe[RSPCTL_CELL], step[RSPCTL_CELL];
	const char *name;
	json_t *steps, *s;
	size_t i;

	puts("\nsteps");
	json_object_foreach(procedures, name, steps) json_array_foreach(steps, i, s)
	{
		long long runs = json_integer_value(json_object_get(s, "runs"));
		long long us = json_integer_value(json_object_get(s, "us"));

		if (runs > 0)
			printf("  %-24s %-24s runs=%lld us/run=%lld\n",
				rspctl_show_safe(name, safe),
				rspctl_show_safe(
					json_string_value(json_object_get(s, "step")), step),
				runs, us / runs);
	}
}

static void
show_certificates(json_t *certificates)
{
	json_t *c;
	size_t i;

	puts("\ncertificates");
	json_array_foreach(certificates, i, c) printf("  %-4s %-31s daysLeft=%lld\n",
		json_string_value(json_object_get(c, "what")),
		json_string_value(json_object_get(c, "name")),
		(long long)json_integer_value(json_object_get(c, "daysLeft")));
}

void
rspctl_show_stats(json_t *ok)
{
	static const char *const groups[] = { "process", "tasks", "counters", "refusals",
		"subscribers", "latency", "lanes", "statements" };
	char safe[RSPCTL_CELL];

	printf("rspd %s\n",
		rspctl_show_safe(json_string_value(json_object_get(ok, "version")), safe));
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		show_group(ok, groups[i]);
	show_certificates(json_object_get(ok, "certificates"));
	show_steps(json_object_get(ok, "procedures"));
}

void
rspctl_show_tasks(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "PROCEDURE", "procedure" },
		{ "STEP", "step" }, { "AGE US", "ageUs" }, { "WAITS", "waiting" } };

	SHOW_TABLE(json_object_get(ok, "tasks"), columns);
}

void
rspctl_show_log(json_t *ok)
{
	rspctl_show_facts(json_object_get(ok, "areas"));
}

void
rspctl_show_euicc(json_t *ok)
{
	static const struct rspctl_column profiles[] = { { "ICCID", "iccid" }, { "STATE", "state" },
		{ "FALLBACK", "fallback" }, { "CLASS", "class" }, { "NAME", "name" },
		{ "SINCE", "since" }, { "EVIDENCE", "evidence" }, { "OF", "evidenceAt" },
		{ "PACKAGE", "package" } };
	static const struct rspctl_column eims[] = { { "EIM", "id" }, { "TYPE", "type" },
		{ "OF", "evidenceAt" }, { "PACKAGE", "package" } };
	json_t *facts = json_copy(ok);

	json_object_del(facts, "profiles");
	json_object_del(facts, "eims");
	rspctl_show_facts(facts);
	json_decref(facts);
	puts("\nprofiles");
	SHOW_TABLE(json_object_get(ok, "profiles"), profiles);
	puts("\neIMs");
	SHOW_TABLE(json_object_get(ok, "eims"), eims);
}

void
rspctl_show_queue(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "PACKAGE", "package" },
		{ "STATE", "state" }, { "SINCE", "since" }, { "WHAT", "what" },
		{ "PRIORITY", "priority" }, { "COUNTER", "counter" }, { "OUT", "timesOut" },
		{ "BY", "askedBy" }, { "RESULT", "result" } };

	SHOW_TABLE(json_object_get(ok, "packages"), columns);
}

/* A package with what its result says, a line a command. */
void
rspctl_show_package(json_t *ok)
{
	static const struct rspctl_column columns[] = { { "COMMAND", "command" },
		{ "CODE", "code" }, { "TOKEN", "associationToken" }, { "PROFILES", "profiles" },
		{ "RAT", "rat" } };
	json_t *facts = json_copy(ok);
	json_t *results = json_object_get(json_object_get(ok, "result"), "results");

	if (results)
		json_object_del(facts, "result");
	rspctl_show_facts(facts);
	json_decref(facts);
	if (results) {
		putchar('\n');
		SHOW_TABLE(results, columns);
	}
}

void
rspctl_show_done(json_t *ok)
{
	(void)ok;
	puts("done");
}
