/* The table of verbs, and finding one in it. */
#include <string.h>
#include "rspctl/show.h"
#include "rspctl/verbs.h"

/* clang-format off */
#define OPTIONS(...) (const struct rspctl_option[]){ __VA_ARGS__ { .name = NULL } }
#define PLACE(name, member, words) { name, NULL, member, RSPCTL_TEXT, true, words },
#define PLACE_MAY(name, member, words) { name, NULL, member, RSPCTL_TEXT, false, words },
#define NUMBER_PLACE(name, member, words) { name, NULL, member, RSPCTL_NUMBER, true, words },
#define WORD(name, member, words) { name, NULL, member, RSPCTL_FLAG, false, words },
#define MUST(name, value, member, words) { name, value, member, RSPCTL_TEXT, true, words },
#define TEXT(name, value, member, words) { name, value, member, RSPCTL_TEXT, false, words },
#define NUMBER(name, value, member, words) { name, value, member, RSPCTL_NUMBER, false, words },
#define FLAG(name, member, words) { name, NULL, member, RSPCTL_FLAG, false, words },
#define LIST(name, value, member, words) { name, value, member, RSPCTL_LIST, false, words },
#define FILE_OF(name, value, member, words) { name, value, member, RSPCTL_FILE, false, words },

#define WHY TEXT("--why", "TEXT", "why", "a reason for the audit trail")
#define LIMIT NUMBER("--limit", "N", "limit", "at most this many (default 200, at most 1000)")
#define ONLY_OPERATOR TEXT("--operator", "NAME", "operator", "only this operator's")
#define WHOSE_TYPE \
	TEXT("--operator", "NAME", "operator", "the operator whose type it is (default: default)")
#define REQUESTER \
	TEXT("--requester", "ID", "requester", \
		"functionRequesterIdentifier that its calls must bear, usually an OID (default: any)")
#define EXPIRED \
	TEXT("--expired", "WHAT", "expired", \
		"pinned certificates past their expiry: refuse (default) or accept")
#define CALLS \
	TEXT("--calls", "WHAT", "calls", \
		"remember (default): the same call again gets the first answer; forget: for clients that " \
		"send a constant functionCallIdentifier")
#define TEST_CI \
	TEXT("--test-ci", "WHAT", "testCi", \
		"its profiles on eUICCs of a test CI: refuse (default) or accept")
#define ICCID_PLACE PLACE("ICCID", "iccid", "the profile")

#define PACKAGES(name, member, words) { name, "FILE", member, RSPCTL_PACKAGES, false, words },
#define METADATA \
	TEXT("--profile-name", "TEXT", "profileName", "the profiles' name, as the user sees it") \
	TEXT("--provider", "TEXT", "provider", "the provider's name, as the user sees it") \
	TEXT("--class", "CLASS", "class", "test, provisioning or operational (default: operational)") \
	FILE_OF("--icon", "FILE", "icon", "a PNG or JPEG of at most 1024 octets") \
	TEXT("--owner", "MCCMNC[:GID1[:GID2]]", "owner", "the owner (default: none)") \
	FLAG("--ppr1", "ppr1", "policy rule: the profiles cannot be disabled") \
	FLAG("--ppr2", "ppr2", "policy rule: the profiles cannot be deleted") \
	FLAG("--ppr-update", "pprUpdate", "policy rules may be updated later") \
	LIST("--notify", "ADDRESS=EVENT+EVENT", "notify", \
		"also tell this server (install, enable, disable, delete)")

#define EID_PLACE PLACE("EID", "eid", "the eUICC")
#define WISH \
	NUMBER("--priority", "N", "priority", "0 (default) to 100: higher goes first") \
	TEXT("--deadline", "TIME", "deadline", "not handed out any more from then on") \
	FLAG("--wait", NULL, "until the result is in; exits with 1 when it is none that was wanted") \
	NUMBER("--timeout", "SECONDS", NULL, "wait so long at most, then exit with 75") \
	WHY
#define COMMAND(verb, words, more, ...) \
	{ verb, words, more, OPTIONS(EID_PLACE __VA_ARGS__ WISH), rspctl_euicc_want, NULL },
#define CONFIG_FILE \
	{ "FILE", NULL, "config", RSPCTL_FILE, true, "EimConfigurationData of the eIM, DER" }, \
	FLAG("--whole", "whole", "certificates whole under their tags, for cards that want it so")

static const struct rspctl_verb verbs[] = {
	{ "profile import", "import a profile package, or every one in a directory",
		"The file holds an unprotected profile package (UPP, DER). It is validated whole and refused with "
		"the profile element and the reason when it cannot be offered. An ICCID that is known already is "
		"refused; --iccid writes another one into the package and its metadata. Of a directory every "
		"*.der and *.upp is taken; the rest is skipped.",
		OPTIONS(PLACE("PATH", NULL, "the file or directory")
			TEXT("--type", "NAME", "type",
				"the profile type, made if new (default: what the package says)")
			WHOSE_TYPE
			TEXT("--iccid", "ICCID", "iccid", "import with this ICCID instead of the package's")
			TEXT("--name", "TEXT", "name", "the profile's name, as the user sees it")
			TEXT("--provider", "TEXT", "provider", "the provider's name, as the user sees it")
			TEXT("--class", "CLASS", "class",
				"test, provisioning or operational (default: by the package's keys)")
			FILE_OF("--icon", "FILE", "icon", "a PNG or JPEG of at most 1024 octets")
			TEXT("--owner", "MCCMNC[:GID1[:GID2]]", "owner",
				"the owner (default with policy rules: by the IMSI)")
			FLAG("--ppr1", "ppr1", "policy rule: the profile cannot be disabled")
			FLAG("--ppr2", "ppr2", "policy rule: the profile cannot be deleted")
			FLAG("--ppr-update", "pprUpdate", "policy rules may be updated later")
			LIST("--notify", "ADDRESS=EVENT+EVENT", "notify",
				"also tell this server (install, enable, disable, delete)")
			WHY),
		rspctl_import, NULL },
	{ "profile list", "list profiles by ICCID", NULL,
		OPTIONS(ONLY_OPERATOR
			TEXT("--type", "NAME", "type", "only of this type")
			TEXT("--state", "STATE", "state", "only in this state")
			TEXT("--after", "ICCID", "after", "begin behind this one")
			LIMIT),
		NULL, rspctl_show_profiles },
	{ "profile show", "show one profile", NULL, OPTIONS(ICCID_PLACE), NULL, rspctl_show_facts },
	{ "profile history", "show all that happened with a profile, the newest last",
		"Calls of eUICCs with EID and what the device told (TAC, IMEI), refused ones too, notifications, moves "
		"and acts, in one list by time.",
		OPTIONS(ICCID_PLACE LIMIT), NULL, rspctl_show_history },
	{ "profile-type list",
		"list profile types and what is in stock", NULL, OPTIONS(ONLY_OPERATOR), NULL, rspctl_show_types },
	{ "profile-type show", "show a profile type: stock, templates, loads", NULL,
		OPTIONS(PLACE("NAME", "name", "its name") WHOSE_TYPE), NULL, rspctl_show_type },
	{ "profile-type create", "make a profile type",
		"With --template, profiles of the type are personal data alone (profile load); each gets its package "
		"when it is downloaded. Several templates are variants: an eUICC gets the first that it can take.",
		OPTIONS(PLACE("NAME", "name", "its name")
			WHOSE_TYPE
			TEXT("--keys", "KIND", "keys",
				"session: packages under session keys (default); ppk: under protection keys")
			TEXT("--on-delete", "WHAT", "onDelete",
				"after a delete on the card: keep (default), reissue to it, or available")
			NUMBER("--low-water", "N", "lowWater", "alert.stock-low when fewer are in stock")
			TEXT("--imsi-range", "LOW-HIGH", "imsiRange", "only profiles with IMSIs between these")
			FLAG("--shared-imsi", "sharedImsi",
				"its profiles may have IMSIs that others have, and others theirs")
			PACKAGES("--template", "templates", "a profile package as template")
			METADATA WHY),
		NULL, rspctl_show_facts },
	{ "profile-type set", "change the stock level or the IMSIs of a profile type",
		"For the orders and loads to come; what is in stock stays.",
		OPTIONS(PLACE("NAME", "name", "the profile type")
			WHOSE_TYPE
			NUMBER("--low-water", "N", "lowWater", "alert.stock-low when fewer are in stock; 0: never")
			TEXT("--imsi-range", "LOW-HIGH", "imsiRange", "only profiles with IMSIs between these")
			FLAG("--any-imsi", "anyImsi", "no range from now on")
			TEXT("--shared-imsi", "yes|no", "sharedImsi", "may IMSIs be those of others")
			WHY),
		NULL, rspctl_show_facts },
	{ "profile-type template add", "give a profile type another template",
		"The template is a new version, for the orders to come: an order keeps to the version that was the "
		"newest when it was placed. With --also, variants of the version come with it; with --variant, the "
		"template becomes the last variant of the newest version instead.",
		OPTIONS(PLACE("NAME", "name", "the profile type")
			{ "FILE", NULL, "templates", RSPCTL_PACKAGES, true, "the profile package" },
			PACKAGES("--also", "templates", "another variant, behind those before")
			FLAG("--variant", "variant", "a variant of the newest version, no new version")
			WHOSE_TYPE METADATA WHY),
		NULL, rspctl_show_facts },
	{ "profile load", "load profiles of a type, all rows of a file or none",
		"The file has a row a profile: CSV with the names of the data in its first row, or JSON lines "
		"(--format json, or *.json, *.jsonl, *.ndjson); - is standard input. Every row is checked; when one "
		"is refused, "
		"nothing is loaded, and the rows that are wrong are named. docs/profile-types.md lists the data.",
		OPTIONS(PLACE("FILE", NULL, "the file, or -")
			MUST("--type", "NAME", "type", "the profile type")
			WHOSE_TYPE
			LIST("--map", "COLUMN=DATUM", "map", "what a column of another name is; - skips it")
			TEXT("--format", "FORMAT", "format", "csv or json (default: by the file's name)")
			FLAG("--dry-run", "dryRun", "check everything, load nothing")
			WHY),
		rspctl_load, NULL },
	{ "operator add", "make an operator (tenant)",
		"An operator has profile types, profiles, orders and events of its own, and touches no other's. Its "
		"servers come over ES2+ with certificates that operator client add makes known.",
		OPTIONS(PLACE("NAME", "name", "its name")
			REQUESTER EXPIRED CALLS TEST_CI WHY),
		NULL, rspctl_show_facts },
	{ "operator set", "change what an operator may", NULL,
		OPTIONS(PLACE("NAME", "name", "the operator")
			REQUESTER
			FLAG("--any-requester", "anyRequester", "take any functionRequesterIdentifier from now on")
			EXPIRED CALLS TEST_CI WHY),
		NULL, rspctl_show_facts },
	{ "operator remove", "remove an operator that has no profile types", NULL,
		OPTIONS(PLACE("NAME", "name", "the operator") WHY), NULL, rspctl_show_facts },
	{ "operator list", "list operators", NULL, OPTIONS(), NULL, rspctl_show_operators },
	{ "operator show", "show one operator", NULL,
		OPTIONS(PLACE("NAME", "name", "the operator")), NULL, rspctl_show_facts },
	{ "operator client add", "let a certificate call for an operator",
		"Either --certificate, which pins this very certificate (it may be self-signed), or --ca and "
		"--subject: any certificate under that CA with that subject, written as `openssl x509 -noout "
		"-subject -nameopt RFC2253` prints it. All instances know it within a second.",
		OPTIONS(PLACE("NAME", "name", "the operator")
			FILE_OF("--certificate", "FILE", "certificate", "the client's certificate, PEM or DER")
			FILE_OF("--ca", "FILE", "ca", "the certificate of the CA that issues the client's")
			TEXT("--subject", "DN", "subject", "the subject of the client's certificate")
			WHY),
		NULL, rspctl_show_facts },
	{ "operator client remove", "let a certificate call no more", NULL,
		OPTIONS(PLACE("NAME", "name", "the operator")
			NUMBER_PLACE("CLIENT", "client", "its number, of operator client list")
			WHY),
		NULL, rspctl_show_facts },
	{ "operator client list", "list the certificates of an operator, or of all", NULL,
		OPTIONS(PLACE_MAY("NAME", "name", "the operator")), NULL, rspctl_show_clients },
	{ "order create", "reserve a profile",
		"DownloadOrder of ES2+. Name the profile or a type; any of it is taken then.",
		OPTIONS(TEXT("--iccid", "ICCID", "iccid", "this profile")
			TEXT("--type", "NAME", "type", "any profile of this type")
			WHOSE_TYPE
			TEXT("--eid", "EID", "eid", "for this eUICC alone")
			FLAG("--reusable", "reusable",
				"for any number of downloads; test profiles in laboratories only")
			NUMBER("--expires", "DAYS", "expiresDays",
				"the order ends after so many days (default: as configured)")
			WHY),
		NULL, rspctl_show_facts },
	{ "order confirm", "fix MatchingID and Confirmation Code of an order",
		"ConfirmOrder of ES2+. Without --matching-id a random one is made; an empty one is for the default "
		"SM-DP+ and needs an EID.",
		OPTIONS(ICCID_PLACE
			TEXT("--eid", "EID", "eid", "for this eUICC alone")
			TEXT("--matching-id", "TEXT", "matchingId", "this MatchingID")
			TEXT("--cc", "CODE", "confirmationCode", "the user must type this Confirmation Code")
			TEXT("--smds", "ADDRESS", "smds",
				"register the event at this SM-DS first; the order needs an EID")
			FLAG("--release", "release", "release the profile at once")
			WHY),
		NULL, rspctl_show_facts },
	{ "order release", "let a confirmed profile be downloaded", "ReleaseProfile of ES2+.",
		OPTIONS(ICCID_PLACE WHY), NULL, rspctl_show_facts },
	{ "order cancel", "end an order",
		"CancelOrder of ES2+. After a package has left, the profile may be on a card and can only become "
		"unavailable; one that is Downloaded needs --force.",
		OPTIONS(ICCID_PLACE
			MUST("--final", "STATE", "final", "available: back into stock; unavailable: never again")
			FLAG("--force", "force", "also when Downloaded")
			WHY),
		NULL, rspctl_show_facts },
	{ "order reset", "give the user another chance",
		"From Error or Downloaded back to Released, with all counters at zero.",
		OPTIONS(ICCID_PLACE WHY), NULL, rspctl_show_facts },
	{ "order show", "show an order: state, sessions, history",
		"By ICCID the order that holds the profile, or held it last; frozen orders beside it, which no card "
		"can use any more (alert.profile-conflict), are named by their numbers.",
		OPTIONS(PLACE_MAY("ICCID", "iccid", "the profile")
			NUMBER("--id", "ORDER", "id", "the order of this number")),
		NULL, rspctl_show_order },
	{ "order list", "list orders, newest first",
		"Times are 2026-11-22 or 2026-11-22T21:00:00Z. With --all every one that fits is fetched, --limit at a "
		"time; else --before with the last number goes on.",
		OPTIONS(TEXT("--state", "STATE", "state", "only with the profile in this state")
			ONLY_OPERATOR
			TEXT("--type", "NAME", "type", "only of this type")
			TEXT("--eid", "EID", "eid", "only for this eUICC")
			TEXT("--error", "REFUSAL", "error", "only ended by this refusal, or by any")
			TEXT("--since", "TIME", "since", "only made at that time or later")
			TEXT("--until", "TIME", "until", "only made before that time")
			NUMBER("--before", "ORDER", "before", "older than this one")
			FLAG("--all", NULL, "all that fit, however many")
			FLAG("--csv", NULL, "as CSV")
			LIMIT),
		rspctl_orders, NULL },
	{ "order code", "print an order's activation code", NULL,
		OPTIONS(ICCID_PLACE
			FLAG("--qr", NULL, "as a QR code in the terminal too")
			TEXT("--png", "FILE", NULL, "as a QR code in this file")
			TEXT("--svg", "FILE", NULL, "as a QR code in this file")
			FLAG("--with-oid", "withOid", "with the object identifier of the SM-DP+")),
		rspctl_code, NULL },
	{ "order codes", "write the activation codes of many orders",
		"Of all pending orders that were confirmed, or of those that fit. Without --csv, --dir and --zip "
		"they are listed. Files are the owner's alone: who has a code has the profile.",
		OPTIONS(TEXT("--state", "STATE", "state", "only with the profile in this state")
			ONLY_OPERATOR
			TEXT("--type", "NAME", "type", "only of this type")
			TEXT("--iccids", "FILE", NULL, "only of the profiles in this file, one a "
				"line (-: standard input)")
			TEXT("--csv", "FILE", NULL, "with links for phones, as CSV (-: standard output)")
			TEXT("--dir", "DIR", NULL, "as QR codes in this folder, ICCID.png")
			TEXT("--zip", "FILE", NULL, "as QR codes in this ZIP file")
			FLAG("--svg", NULL, "QR codes as SVG in place of PNG")
			FLAG("--with-oid", "withOid", "with the object identifier of the SM-DP+")),
		rspctl_codes, NULL },
	{ "deny add", "serve certificates, EIDs or firmware no longer",
		"KIND is eum or euicc (a certificate: --certificate, --key-id, or --issuer with --serial), eid "
		"(--eids), or firmware (--firmware, and --eids for one maker's alone). It holds in all instances "
		"within a second, for calls and for sessions of denied EIDs.",
		OPTIONS(PLACE("KIND", "kind", "eum, euicc, eid or firmware")
			FILE_OF("--certificate", "FILE", "certificate",
				"by the issuer and serial number of this certificate")
			TEXT("--key-id", "HEX", "keyId", "by the subjectKeyIdentifier, whatever the certificate")
			TEXT("--issuer", "HEX", "issuer", "by the authorityKeyIdentifier and …")
			TEXT("--serial", "HEX", "serial", "… the serial number")
			TEXT("--eids", "RANGE", "eids", "an EID, its first digits, or LOW-HIGH")
			TEXT("--firmware", "RANGE", "firmware", "a version as 1.2.3, or LOW-HIGH")
			MUST("--why", "TEXT", "why", "the reason, for the list and the audit trail")),
		NULL, rspctl_show_facts },
	{ "deny remove", "serve again what an entry denies", NULL,
		OPTIONS(NUMBER_PLACE("ENTRY", "id", "its number") WHY), NULL, rspctl_show_facts },
	{ "deny list", "list what is denied, by whom and why", NULL,
		OPTIONS(TEXT("--kind", "KIND", "kind", "only eum, euicc, eid or firmware")
			NUMBER("--after", "ENTRY", "after", "begin behind this one")
			LIMIT),
		NULL, rspctl_show_denied },
	{ "session list", "list RSP sessions, newest first", NULL,
		OPTIONS(TEXT("--eid", "EID", "eid", "only of this eUICC")
			TEXT("--iccid", "ICCID", "iccid", "only about this profile")
			ONLY_OPERATOR
			LIMIT),
		NULL, rspctl_show_sessions },
	{ "event list", "list recorded events, the newest last", NULL,
		OPTIONS(ONLY_OPERATOR
			TEXT("--iccid", "ICCID", "iccid", "only of this profile")
			TEXT("--eid", "EID", "eid", "only of this eUICC")
			TEXT("--subscriber", "NAME", "subscriber", "as it was told, or is owed, to this subscriber")
			TEXT("--state", "STATE", "state", "with --subscriber: only waiting, delivered or dead")
			LIMIT),
		NULL, rspctl_show_events },
	{ "event replay", "tell a subscriber events again",
		"Those of a profile, or of a time, dead letters among them; in the order in which they arose.",
		OPTIONS(MUST("--subscriber", "NAME", "subscriber", "who is told")
			TEXT("--iccid", "ICCID", "iccid", "only of this profile")
			TEXT("--from", "TIME", "from", "from then on: 2026-11-22 or 2026-11-22T21:00:00Z")
			TEXT("--to", "TIME", "to", "until before then")
			WHY),
		NULL, rspctl_show_facts },
	{ "operator callback", "say where an operator is told of its downloads",
		"HandleDownloadProgressInfo of ES2+. What is not given stays as it is; facts of before are not told.",
		OPTIONS(PLACE("NAME", "name", "the operator")
			TEXT("--url", "URL", "url", "its server, https://…; the standard's path when it has none")
			FILE_OF("--ca", "FILE", "ca",
				"what its certificate must lead to, or it itself, PEM (default: the configured CIs)")
			TEXT("--certificate", "CLIENT", "certificate",
				"the [client CLIENT] of the configuration that shows itself (default: the only one)")
			TEXT("--card-events", "on|off", "cardEvents",
				"also tell what cards do with profiles, as points 100 and up (default on)")
			WHY),
		NULL, rspctl_show_facts },
	{ "subscriber list", "list who is told of events, and how far behind each is", NULL, OPTIONS(),
		NULL, rspctl_show_subscribers },
	{ "subscriber show", "show one subscriber", NULL, OPTIONS(PLACE("NAME", "name", "the subscriber")),
		NULL, rspctl_show_facts },
	{ "subscriber pause", "tell a subscriber nothing for a while",
		"What is owed to it is kept, and told when it is resumed.",
		OPTIONS(PLACE("NAME", "name", "the subscriber") WHY), NULL, rspctl_show_facts },
	{ "subscriber resume", "tell a subscriber again, at once",
		"Also one that was not paused: everything that waits for its next attempt is due now.",
		OPTIONS(PLACE("NAME", "name", "the subscriber") WHY), NULL, rspctl_show_facts },
	{ "subscriber remove", "forget a subscriber and all that is owed to it", NULL,
		OPTIONS(PLACE("NAME", "name", "the subscriber") WHY), NULL, rspctl_show_facts },
	{ "stats", "show what is counted", NULL, OPTIONS(), NULL, rspctl_show_stats },
	{ "tasks", "show what runs now, and at which step", NULL, OPTIONS(), NULL, rspctl_show_tasks },
	{ "log", "show the log's levels, or set one",
		"Levels are error, warning, notice, info, debug; the area all means every one.",
		OPTIONS(PLACE_MAY("AREA", "area", "the area")
			PLACE_MAY("LEVEL", "level", "its level from now on")),
		NULL, rspctl_show_log },
	{ "trace eid", "log everything about one eUICC", NULL,
		OPTIONS(PLACE("EID", "eid", "its EID")
			WORD("off", "off", "no longer")),
		NULL, rspctl_show_facts },
	{ "reload", "read configuration and certificates again", NULL, OPTIONS(), NULL, rspctl_show_done },
	{ "drain", "finish what runs, then end the daemon", NULL, OPTIONS(), NULL, rspctl_show_done },
	{ "audit list", "list the audit trail, newest first", NULL,
		OPTIONS(TEXT("--iccid", "ICCID", "iccid", "only of this profile")
			TEXT("--eid", "EID", "eid", "only of this eUICC")
			NUMBER("--before", "ENTRY", "before", "older than this one")
			LIMIT),
		NULL, rspctl_show_audit },
	{ "audit verify", "compute the chain of the audit trail anew",
		"Exits with 1 when the trail was tampered with.",
		OPTIONS(), rspctl_verify, NULL },
	{ "euicc add", "bring an eUICC in, for the eIM to manage",
		"Everything but the EID can be left out: the device is asked for certificates, token and "
		"capabilities before its first package. A certificate is verified up to a CI of the configuration.",
		OPTIONS(EID_PLACE
			TEXT("--operator", "NAME", "operator", "whose it is (default: default)")
			FILE_OF("--certificate", "FILE", "certificate",
				"CERT.EUICC, PEM (the EUM's may follow in it) or DER")
			FILE_OF("--eum", "FILE", "eumCertificate", "CERT.EUM, PEM or DER")
			TEXT("--ci", "HEX", "ci", "the identifier of its CI, 40 digits")
			TEXT("--token", "N|none", "token", "its association token, when it is known")
			NUMBER("--counter", "N", "counter", "the last counter value that was used (default 0)")
			TEXT("--imei", "IMEI", "imei", "of the device")
			TEXT("--inject", "URL", "inject",
				"https:// or coaps:// of its IPA, which is called instead of waiting for polls")
			WHY),
		NULL, rspctl_show_facts },
	{ "euicc import", "bring eUICCs in from a CSV file, a row each",
		"Columns: eid, and perhaps certificate and eum_certificate (Base64 of DER), ci, token, counter, imei, "
		"inject, operator. Rows that are refused are named; the others come in. The same file may be given "
		"again. - is standard input.",
		OPTIONS(PLACE("FILE", NULL, "the file, or -")
			TEXT("--operator", "NAME", "operator", "of rows that name none (default: default)")
			WHY),
		rspctl_euicc_import, NULL },
	{ "euicc set", "change what is known of an eUICC", "What is not given stays as it is.",
		OPTIONS(EID_PLACE
			TEXT("--operator", "NAME", "operator", "whose it is from now on")
			TEXT("--token", "N|none", "token",
				"its association token; also lets an eUICC in again that had deleted us")
			NUMBER("--counter", "N", "counter", "lifts its counter, never lowers it")
			TEXT("--inject", "URL", "inject", "where its IPA is called; empty: it polls")
			WHY),
		NULL, rspctl_show_facts },
	{ "euicc remove", "forget an eUICC with its queue and all that is believed of it", NULL,
		OPTIONS(EID_PLACE WHY), NULL, rspctl_show_facts },
	{ "euicc show", "show what is believed of an eUICC, since when, and on what evidence", NULL,
		OPTIONS(EID_PLACE), NULL, rspctl_show_euicc },
	{ "euicc list", "list eUICCs by EID", NULL,
		OPTIONS(ONLY_OPERATOR
			TEXT("--prefix", "DIGITS", "prefix", "only EIDs that begin so")
			NUMBER("--silent", "HOURS", "silentHours", "only those not seen for so long")
			FLAG("--unknown", "unknown", "only with packages whose end is unknown")
			TEXT("--after", "EID", "after", "begin behind this one")
			FLAG("--all", NULL, "all that fit, however many")
			FLAG("--csv", NULL, "as CSV")
			NUMBER("--limit", "N", "limit", "at most this many (default 200, at most 500)")),
		rspctl_euicc_list, NULL },
	COMMAND("euicc enable", "have a profile enabled",
		"With --rollback the device goes back to the former profile by itself when the new one gets no "
		"connection.",
		ICCID_PLACE FLAG("--rollback", "rollback", "allow the device to go back"))
	COMMAND("euicc disable", "have a profile disabled", NULL, ICCID_PLACE)
	COMMAND("euicc delete", "have a profile deleted", NULL, ICCID_PLACE)
	COMMAND("euicc list-profiles", "have the eUICC list its profiles", NULL,
		FLAG("--v1.0", "v10", "without what SGP.32 v1.0 does not know"))
	COMMAND("euicc rat", "have the eUICC tell its rules authorisation table", NULL, )
	COMMAND("euicc fallback set", "give a profile the fallback attribute", NULL, ICCID_PLACE)
	COMMAND("euicc fallback unset", "take the fallback attribute away", NULL, )
	COMMAND("euicc immediate-enable", "let the IPA enable profiles by itself after a download", NULL,
		FLAG("--off", "off", "no longer")
		TEXT("--smdp-oid", "OID", "smdpOid", "only of this SM-DP+, by its object identifier")
		TEXT("--smdp", "ADDRESS", "smdpAddress", "only of this SM-DP+"))
	COMMAND("euicc default-dp", "set the default SM-DP+ of the eUICC", NULL,
		PLACE("ADDRESS", "address", "its address; empty: none"))
	COMMAND("euicc add-eim", "have another eIM added to the eUICC",
		"The token that the eUICC makes for it stands in the result: hand it to its operator.",
		CONFIG_FILE)
	COMMAND("euicc delete-eim", "have an eIM deleted from the eUICC",
		"Deleting our own id closes the queue: the eUICC does not know us any more.",
		PLACE("EIM-ID", "eimId", "its eimId"))
	COMMAND("euicc update-eim", "have an eIM's data changed on the eUICC",
		"Of our own: nothing else goes out before its signed result.",
		CONFIG_FILE)
	COMMAND("euicc list-eim", "have the eUICC list its eIMs", NULL, )
	COMMAND("euicc send", "have several commands done in one package",
		"Commands: enable ICCID [rollback], disable ICCID, delete ICCID, list-profiles, rat, fallback-set "
		"ICCID, fallback-unset, immediate-enable on|off, default-dp ADDRESS; or delete-eim EIM-ID, list-eim.",
		{ "--do", "COMMAND", "commands", RSPCTL_LIST, true, "one of these; in this order" },)
	COMMAND("euicc data", "ask the eUICC and its IPA for what they say of themselves",
		"Tags: all, notifications, default-smdp, package-results, info1, info2, root-smds, association-token, "
		"eum-certificate, euicc-certificate, ipa-capabilities, device-info. Default: all but notifications and "
		"package-results.",
		LIST("--tag", "TAG", "tags", "one of these"))
	COMMAND("euicc download", "have the device download a profile",
		"A code of this SM-DP+ is bound to the EID before it is handed out.",
		TEXT("--code", "CODE", "code", "by this activation code, LPA:1$…")
		FLAG("--default", "default", "from its default SM-DP+")
		TEXT("--smds", "ADDRESS", "smds", "by this SM-DS (empty: the one that it knows)"))
	{ "euicc queue show", "show what is wanted of an eUICC and what became of it, newest first", NULL,
		OPTIONS(EID_PLACE
			NUMBER("--before", "PACKAGE", "before", "older than this one")),
		NULL, rspctl_show_queue },
	{ "euicc queue cancel", "take back what was never handed out", NULL,
		OPTIONS(NUMBER_PLACE("PACKAGE", "package", "its number") WHY), NULL, rspctl_show_facts },
	{ "euicc queue close", "give up a package whose end is unknown",
		"It counts as failed from then on, whatever the eUICC has done.",
		OPTIONS(NUMBER_PLACE("PACKAGE", "package", "its number")
			MUST("--why", "TEXT", "why", "the reason, for the audit trail")),
		NULL, rspctl_show_facts },
	{ "euicc result", "show a package and what its result says", NULL,
		OPTIONS(NUMBER_PLACE("PACKAGE", "package", "its number")), NULL, rspctl_show_package },
	{ "eim config", "print the data by which an eUICC learns of this eIM",
		"EimConfigurationData, for AddInitialEim in a factory or addEim of another eIM: Base64 of each form, "
		"or one as DER with --out. With --eid it begins at that eUICC's counter.",
		OPTIONS(TEXT("--eid", "EID", "eid", "for this eUICC")
			TEXT("--key", "KIND", NULL, "certificate or public-key (default: both)")
			TEXT("--form", "FORM", NULL,
				"implicit, as the standard has it, or whole certificates under their tags")
			TEXT("--out", "FILE", NULL, "the first that fits into this file, as DER")
			FLAG("--no-tls", "noTls", "nothing to pin: the IPA trusts CAs")
			FLAG("--no-token", "noToken", "no association token")),
		rspctl_eim_config, NULL },
	{ "eim fence", "lift counters after a restore from a backup",
		"What was handed out since the backup used counters up that are not known here.",
		OPTIONS(TEXT("--eid", "EID", "eid", "of this eUICC")
			FLAG("--all", "all", "of all")
			MUST("--why", "TEXT", "why", "the reason, for the audit trail")),
		NULL, rspctl_show_facts },
	{ "key list", "count for each cluster key the sessions that await a result",
		"A former cluster key may be taken out when nothing awaits a result under it.",
		OPTIONS(), NULL, rspctl_show_keys },
	{ "key rotate", "seal anew what the former key sealed",
		"Configure the new key as seal_key and the old one as former_seal_key, reload, "
		"then rotate. It may be "
		"interrupted and begun again.",
		OPTIONS(), rspctl_rotate, NULL },
	{ "pki make-test", "make a test PKI and a configuration that uses it",
		"CI, EUM, SM-DP+, SM-DS and eIM on either curve, with TLS, and an operator's for ES2+.",
		OPTIONS(PLACE("DIR", NULL, "where it goes")
			LIST("--dns", "NAME", NULL, "a name of the server")
			TEXT("--oid", "OID", NULL, "the operator's object identifier")
			TEXT("--eum-range", "DIGITS", NULL, "how the EIDs of the EUM begin")
			FLAG("--force", NULL, "also into a directory that is not empty")),
		NULL, NULL },
	{ "pki csr", "make a key and ask a CI for its certificate", NULL,
		OPTIONS(MUST("--role", "ROLE", NULL, "auth, pb, tls or eim")
			TEXT("--oid", "OID", NULL, "the operator's object identifier")
			LIST("--dns", "NAME", NULL, "a name of the server")
			TEXT("--curve", "CURVE", NULL, "nist or brainpool")
			TEXT("--key", "FILE", NULL, "the key, made when it is not there")
			TEXT("--out", "FILE", NULL, "where the request goes")
			TEXT("--subject", "NAME", NULL, "the subject's name")),
		NULL, NULL },
	{ "pki check", "check chains, key pairs, object identifiers and dates", NULL,
		OPTIONS(TEXT("--config", "FILE", NULL, "all that this configuration names")
			LIST("--ci", "FILE", NULL, "a root certificate")
			LIST("--crl", "FILE", NULL, "a revocation list")
			LIST("--dns", "NAME", NULL, "a name that the TLS certificate must have")
			TEXT("--auth-certificate", "FILE", NULL, "CERT.DPauth")
			TEXT("--auth-key", "FILE", NULL, "its key")
			TEXT("--pb-certificate", "FILE", NULL, "CERT.DPpb")
			TEXT("--pb-key", "FILE", NULL, "its key")
			TEXT("--tls-certificate", "FILE", NULL, "the TLS certificate with its chain")
			TEXT("--tls-key", "FILE", NULL, "its key")
			FLAG("--json", NULL, "print the findings as JSON")),
		NULL, NULL },
};
/* clang-format on */

enum { VERBS = sizeof verbs / sizeof *verbs, WORDS = 128, VERB_WORDS = 3 };

const struct rspctl_verb *
rspctl_verb_get(unsigned i)
{
	return i < VERBS ? &verbs[i] : NULL;
}

static const struct rspctl_verb *
find_exactly(const char *name)
{
	for (unsigned i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const struct rspctl_verb *
rspctl_verb_find(int argc, char **argv, int *used)
{
	const struct rspctl_verb *found = NULL, *longer;
	char words[WORDS] = "";
	size_t n = 0;

	*used = 1;
	for (int i = 0; i < argc && i < VERB_WORDS; i++) {
		int more = snprintf(words + n, sizeof words - n, "%s%s", i ? " " : "", argv[i]);

		if (more < 0 || (n += (size_t)more) >= sizeof words)
			break;
		longer = find_exactly(words);
		if (!longer)
			continue;
		found = longer;
		*used = i + 1;
	}
	/* "audit" alone shows the trail. */
	if (!found && strcmp(argv[0], "audit") == 0 && (argc == 1 || argv[1][0] == '-'))
		found = find_exactly("audit list");
	return found;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be changed, put in or left out to make one of the other (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORDS], n = strnlen(b, WORDS - 1), above, left;

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		above = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			left = row[j + 1];
			row[j + 1] = least(least(row[j], left) + 1, above + (a[i] != b[j]));
			above = left;
		}
	}
	return row[n];
}

const char *
rspctl_verb_nearest(const char *words)
{
	const char *nearest = NULL;
	size_t best = 0;

	for (unsigned i = 0; i < VERBS; i++) {
		size_t d = distance(verbs[i].name, words);

		if (!nearest || d < best) {
			nearest = verbs[i].name;
			best = d;
		}
	}
	return nearest;
}
