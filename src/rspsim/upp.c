/*
 * A light walk through the profile elements of a package: their frame and order, the version, the
 * two ICCIDs and the keys of test profiles. It creates no files; what the elements mean to a
 * network is left to the issuer.
 */
#include "rspsim/der.h"
#include "rspsim/upp.h"

enum { LAST_SERVICE = 0x9d }; /* eaka, the last service of the format's version 3.3 */

/* ICCIDs of headers are in reading order, EF.ICCID has swapped digits. */
static bool
read_header(struct slice value, const uint8_t highest[2], struct rspsim_upp *out,
	enum rspsim_pe_status *status)
{
	struct rspsim_tlv major, minor, type, iccid, pol, services, service;
	struct slice list;

	if (!rspsim_der_read_tag(&value, 0x80, &major) ||
		!rspsim_der_read_tag(&value, 0x81, &minor) || major.value.n != 1)
		return false;
	rspsim_der_read_optional(&value, 0x82, &type);
	if (!rspsim_der_read_tag(&value, 0x83, &iccid) || iccid.value.n != 10)
		return false;
	rspsim_der_read_optional(&value, 0x84, &pol);
	if (!rspsim_der_read_tag(&value, 0xa5, &services))
		return false;
	for (size_t i = 0; i < 10; i++)
		out->header_iccid[i] = (uint8_t)(iccid.value.p[i] << 4 | iccid.value.p[i] >> 4);
	if (major.value.p[0] > highest[0])
		*status = RSPSIM_PE_UNSUPPORTED_VERSION;
	for (list = services.value; rspsim_der_read(&list, &service);)
		if (service.tag > LAST_SERVICE)
			*status = RSPSIM_PE_FEATURE_NOT_SUPPORTED;
	return list.n == 0;
}

static void
note_file_iccid(struct rspsim_upp *out, struct slice content)
{
	if (content.n != sizeof out->file_iccid)
		return;
	memcpy(out->file_iccid, content.p, content.n);
	out->has_file_iccid = true;
}

/* EF.ICCID in the MF element is its fifth member; its content is the fillFileContent. */
static void
read_mf(struct slice value, struct rspsim_upp *out)
{
	struct rspsim_tlv file, content;

	if (rspsim_der_find(value, 0xa4, &file) && rspsim_der_find(file.value, 0x83, &content))
		note_file_iccid(out, content.value);
}

/* A package may make its MF by file management commands instead: EF.ICCID is the file 2FE2. */
static void
read_file_management(struct slice value, struct rspsim_upp *out)
{
	struct rspsim_tlv commands, list, command, id;
	bool is_iccid = false;

	if (!rspsim_der_find(value, 0xa1, &commands))
		return;
	while (rspsim_der_read(&commands.value, &list))
		while (rspsim_der_read(&list.value, &command)) {
			if (command.tag == 0x62)
				is_iccid = rspsim_der_find(command.value, 0x83, &id) &&
					slice_eq(id.value, SLICE_LIT("\x2f\xe2"));
			else if (command.tag == 0x81 && is_iccid)
				note_file_iccid(out, command.value);
		}
}

/* TS.48: K is 00 01 02 … up to its length. A mapping to another application holds no key. */
static void
read_aka(struct slice value, struct rspsim_upp *out)
{
	struct rspsim_tlv choice, algorithm, key;

	if (!rspsim_der_find(value, 0xa1, &choice) ||
		!rspsim_der_read_only(choice.value, 0xa1, &algorithm) ||
		!rspsim_der_find(algorithm.value, 0x82, &key))
		return;
	out->keys++;
	for (size_t i = 0; i < key.value.n; i++)
		if (key.value.p[i] != i)
			out->test_keys = false;
}

/* Every element but the header begins with a PEHeader that may hold its identification. */
static bool
read_identification(struct slice value, struct rspsim_upp *out)
{
	struct rspsim_tlv head, id;

	if (!rspsim_der_read(&value, &head) || !(head.tag == 0xa0 || head.tag == 0x30))
		return false;
	out->has_identification = rspsim_der_find(head.value, 0x81, &id) &&
		rspsim_der_to_u32(id.value, &out->identification);
	return true;
}

enum rspsim_pe_status
rspsim_upp_read(struct slice upp, const uint8_t highest[2], struct rspsim_upp *out)
{
	enum rspsim_pe_status status = RSPSIM_PE_OK;
	struct rspsim_tlv element = { 0 };

	*out = (struct rspsim_upp){ .test_keys = true };
	if (!rspsim_der_read_tag(&upp, 0xa0, &element))
		return RSPSIM_PE_INVALID_FORMAT;
	if (!read_header(element.value, highest, out, &status))
		return RSPSIM_PE_BAD_VALUES;
	while (status == RSPSIM_PE_OK && upp.n) {
		if (element.tag == 0xaa || !rspsim_der_read(&upp, &element) ||
			element.tag == 0xa0 || !read_identification(element.value, out))
			return RSPSIM_PE_INVALID_FORMAT;
		if (element.tag == 0xb0)
			read_mf(element.value, out);
		if (element.tag == 0xa1)
			read_file_management(element.value, out);
		if (element.tag == 0xa4)
			read_aka(element.value, out);
	}
	if (status != RSPSIM_PE_OK)
		return status;
	return element.tag == 0xaa ? RSPSIM_PE_OK : RSPSIM_PE_INVALID_FORMAT;
}
