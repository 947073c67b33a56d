/*
 * order codes: the activation codes of many orders, as a table, as CSV, as QR codes in a folder or a ZIP file.
 * Who has a code has the profile, so all files are their owner's alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include "rspctl/csv.h"
#include "rspctl/qr.h"
#include "rspctl/show.h"
#include "rspctl/talk.h"
#include "rspctl/verbs.h"
#include "rspctl/zip.h"

enum { ICCIDS_AT_A_TIME = 500, ICCID_ROOM = 64, PATH_ROOM = 4096 };

/* Where codes go, as the options say. */
struct outputs {
	const char *csv_path, *dir, *zip_path;
	bool svg;
	FILE *csv, *zip_file;
	struct rspctl_zip *zip;
	json_t *all;            /* without any file: for the terminal */
	long long count, asked; /* codes written; ICCIDs that were named */
};

static const struct rspctl_column csv_columns[] = { { "iccid", "iccid" }, { "order", "orderId" },
	{ "type", "type" }, { "state", "state" }, { "eid", "eid" }, { "code", "code" },
	{ "qr", "qr" }, { "confirmation_code", "confirmationCode" }, { "ios_link", "iosLink" },
	{ "android_link", "androidLink" }, { "reusable", "reusable" } };

static const char *
local_text(const char *name)
{
	return json_string_value(json_object_get(rspctl_call.local, name));
}

static int
cannot_write(const char *path)
{
	return rspctl_fail(EX_CANTCREAT, "check the path and the disk", "%s cannot be written: %s",
		path, strerror(errno));
}

static int
outputs_open(struct outputs *o)
{
	*o = (struct outputs){ .csv_path = local_text("csv"),
		.dir = local_text("dir"),
		.zip_path = local_text("zip"),
		.svg = json_is_true(json_object_get(rspctl_call.local, "svg")) };
	umask(077);
	if (!o->csv_path && !o->dir && !o->zip_path)
		o->all = json_array();
	if (o->dir && mkdir(o->dir, 0700) < 0 && errno != EEXIST)
		return cannot_write(o->dir);
	if (o->csv_path) {
		o->csv = strcmp(o->csv_path, "-") == 0 ? stdout : fopen(o->csv_path, "wb");
		if (!o->csv)
			return cannot_write(o->csv_path);
		rspctl_csv_head(csv_columns, sizeof csv_columns / sizeof *csv_columns, o->csv);
	}
	if (o->zip_path) {
		o->zip_file = fopen(o->zip_path, "wb");
		if (!o->zip_file)
			return cannot_write(o->zip_path);
		o->zip = rspctl_zip_new(o->zip_file);
	}
	return EX_OK;
}

static int
outputs_close(struct outputs *o, int code)
{
	bool good = true;

	if (o->csv && (o->csv == stdout ? fflush(o->csv) : fclose(o->csv)) == EOF && !code)
		code = cannot_write(o->csv_path);
	if (o->zip)
		good = rspctl_zip_free(o->zip);
	if (o->zip_file && (fclose(o->zip_file) == EOF || !good) && !code)
		code = cannot_write(o->zip_path);
	return code;
}

/* The picture goes where pictures are wanted. */
static int
put_picture(struct outputs *o, const char *iccid, const char *qr)
{
	char name[ICCID_ROOM + 8], path[PATH_ROOM];
	char *octets = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&octets, &n), *file;
	int code = EX_OK;

	if (!memory)
		abort();
	(o->svg ? rspctl_qr_svg : rspctl_qr_png)(qr, memory);
	fclose(memory);
	snprintf(name, sizeof name, "%s.%s", iccid, o->svg ? "svg" : "png");
	if (o->dir) {
		snprintf(path, sizeof path, "%s/%s", o->dir, name);
		file = fopen(path, "wb");
		if (!file || fwrite(octets, 1, n, file) != n)
			code = cannot_write(path);
		if (file && fclose(file) == EOF && !code)
			code = cannot_write(path);
	}
	if (!code && o->zip && !rspctl_zip_put(o->zip, name, octets, n))
		code = rspctl_fail(EX_CANTCREAT, "take fewer orders at a time, or --dir",
			"%s cannot take %s", o->zip_path, name);
	free(octets);
	return code;
}

/* An ICCID is a file's name here: digits and nothing else. */
static int
put_code(struct outputs *o, json_t *one)
{
	const char *iccid = json_string_value(json_object_get(one, "iccid"));
	const char *qr = json_string_value(json_object_get(one, "qr"));

	if (!iccid || !qr || strlen(iccid) >= ICCID_ROOM ||
		strspn(iccid, "0123456789") != strlen(iccid))
		return rspctl_fail(
			EX_PROTOCOL, "is it rspd of this version?", "the answer has no codes");
	o->count++;
	if (o->all)
		json_array_append(o->all, one);
	if (o->csv)
		rspctl_csv_row(one, csv_columns, sizeof csv_columns / sizeof *csv_columns, o->csv);
	return o->dir || o->zip ? put_picture(o, iccid, qr) : EX_OK;
}

/* One request and what follows behind it. */
static int
ask_pages(const struct rspctl_verb *verb, struct outputs *o)
{
	json_t *answer, *ok, *one;
	int code;
	size_t i;

	json_object_del(rspctl_call.args, "before");
	for (;;) {
		answer = rspctl_ask(verb->name, rspctl_call.args);
		code = rspctl_outcome(answer);
		ok = json_object_get(answer, "ok");
		json_array_foreach(json_object_get(ok, "codes"), i, one) if (!code) code =
			put_code(o, one);
		if (code || !json_object_get(ok, "next"))
			break;
		json_object_set(rspctl_call.args, "before", json_object_get(ok, "next"));
		json_decref(answer);
	}
	json_decref(answer);
	return code;
}

/* Those whose ICCIDs stand in a file, a line each; blanks and what follows a comma do not count. */
static int
ask_iccids(const struct rspctl_verb *verb, struct outputs *o, const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	json_t *iccids = json_array();
	char line[1024];
	int code = EX_OK;
	bool more = true;

	if (!in)
		code = rspctl_fail(EX_NOINPUT, "check the path", "%s cannot be read: %s", path,
			strerror(errno));
	while (!code && more) {
		more = fgets(line, sizeof line, in) != NULL;
		if (more)
			line[strcspn(line, ", \t\r\n;\"")] = 0;
		if (more && *line) {
			json_array_append_new(iccids, json_string(line));
			o->asked++;
		}
		if (json_array_size(iccids) < (more ? ICCIDS_AT_A_TIME : 1))
			continue;
		json_object_set(rspctl_call.args, "iccids", iccids);
		code = ask_pages(verb, o);
		json_array_clear(iccids);
	}
	if (in && in != stdin)
		fclose(in);
	json_decref(iccids);
	return code;
}

static void
tell(const struct outputs *o)
{
	static const struct rspctl_column columns[] = { { "ICCID", "iccid" }, { "STATE", "state" },
		{ "CODE", "qr" }, { "CONFIRMATION CODE", "confirmationCode" },
		{ "REUSABLE", "reusable" } };

	if (rspctl_call.json && o->all) {
		json_dumpf(o->all, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (rspctl_call.json) {
		printf("{\"codes\":%lld}\n", o->count);
	} else if (o->all) {
		SHOW_TABLE(o->all, columns);
	} else if (o->csv != stdout) {
		printf("%lld codes written\n", o->count);
	}
	if (o->asked > o->count)
		fprintf(stderr,
			"rspctl: %lld of the profiles named have no code: no order that was "
			"confirmed, or not known\n",
			o->asked - o->count);
}

int
rspctl_codes(const struct rspctl_verb *verb)
{
	const char *iccids = local_text("iccids");
	struct outputs o;
	int code = outputs_open(&o);

	if (!code)
		code = iccids ? ask_iccids(verb, &o, iccids) : ask_pages(verb, &o);
	code = outputs_close(&o, code);
	if (!code)
		tell(&o);
	json_decref(o.all);
	return code;
}
