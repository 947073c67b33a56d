/*
 * Files in profile elements (TCA profile package §8.3; TS 102 222 §6.3.2.2.2): what the fills of a
 * template leave, and a File with one fill instead. A descriptor changes only when the content does not
 * fit what it says.
 */
#include "profile/template_int.h"

#include "codec/der.h"

/* Contents that templates bring; a File with more is no place for personal data. */
enum { CONTENT_MAX = 65535, FCP_MAX = 1024, RECORDS_MAX = 254 };

enum file_member { DO_NOT_CREATE = 0x80, DESCRIPTOR = 0xa1, OFFSET = 0x82, CONTENT = 0x83 };

enum fcp_member {
	FCP_DESCRIPTOR = 0x82,
	FCP_SIZE = 0x80,
	FCP_PIN_STATUS = 0xc6,
	FCP_SHORT_ID = 0x88,
	FCP_PROPRIETARY = 0xa5,
	FCP_LINK = 0xc7,
	FILL_PATTERN = 0xc1,
	REPEAT_PATTERN = 0xc2
};

static uint32_t
number_read(struct slice value)
{
	uint32_t n = 0;

	for (size_t i = 0; i < value.n && i < 4; i++)
		n = n << 8 | value.p[i];
	return n;
}

static void
fcp_read(struct template_file *f, struct slice *pattern, bool *repeats)
{
	struct slice rest = f->descriptor;
	struct codec_der member;

	while (codec_der_read(&rest, &member)) {
		if (member.tag == FCP_DESCRIPTOR && member.value.n == 4)
			f->record = (uint16_t)number_read(slice_sub(member.value, 2, 2));
		else if (member.tag == FCP_SIZE)
			f->size = number_read(member.value);
		else if (member.tag == FCP_LINK)
			f->fixed = f->fixed || member.value.n > 0;
		else if (member.tag == FCP_PROPRIETARY) {
			struct codec_der found;

			*repeats = codec_der_find(member.value, REPEAT_PATTERN, &found);
			if (*repeats || codec_der_find(member.value, FILL_PATTERN, &found))
				*pattern = found.value;
		}
	}
	f->patterned = pattern->n > 0;
}

/* The octet that stands at `at` when nothing is written there; patterns begin anew with each record. */
static uint8_t
background(const struct template_file *f, struct slice pattern, bool repeats, size_t at)
{
	if (pattern.n == 0)
		return 0xff;
	if (f->record > 0)
		at %= f->record;
	if (repeats)
		return pattern.p[at % pattern.n];
	return pattern.p[at < pattern.n ? at : pattern.n - 1];
}

/* Octets up to the end of the last fill; SIZE_MAX when these are too many. */
static size_t
fills_end(struct slice value)
{
	struct codec_der member;
	size_t end = 0, at = 0;

	while (codec_der_read(&value, &member)) {
		if (member.tag == OFFSET)
			at += number_read(member.value);
		else if (member.tag == CONTENT)
			end = at += member.value.n;
		if (at > CONTENT_MAX)
			return SIZE_MAX;
	}
	return end;
}

void
template_file_read(struct arena *mem, struct slice value, struct template_file *out)
{
	struct slice rest = value, pattern = SLICE_NONE;
	struct codec_der member;
	bool repeats = false;
	size_t n = fills_end(value), at = 0;
	uint8_t *content;

	*out = (struct template_file){ .value = value };
	if (codec_der_find(value, DESCRIPTOR, &member)) {
		out->descriptor = member.value;
		fcp_read(out, &pattern, &repeats);
	}
	if (n == SIZE_MAX || codec_der_find(value, DO_NOT_CREATE, &member) ||
		out->descriptor.n > FCP_MAX / 2 || out->size > CONTENT_MAX ||
		(out->record && out->size / out->record > RECORDS_MAX))
		out->fixed = true;
	if (out->fixed)
		return;
	if (n < out->record)
		n = out->record;
	content = arena_alloc(mem, n);
	for (size_t i = 0; i < n; i++)
		content[i] = background(out, pattern, repeats, i);
	while (codec_der_read(&rest, &member)) {
		if (member.tag == OFFSET)
			at += number_read(member.value);
		else if (member.tag == CONTENT) {
			memcpy(content + at, member.value.p, member.value.n);
			at += member.value.n;
		}
	}
	out->content = slice_of(content, n);
}

/* efFileSize uses the fewest octets. */
static void
size_put(struct buf *fcp, uint32_t size)
{
	uint8_t p[4] = { (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
		(uint8_t)size };
	size_t zeros = 0;

	while (zeros < 3 && p[zeros] == 0)
		zeros++;
	codec_der_put(fcp, FCP_SIZE, slice_of(p + zeros, 4 - zeros));
}

/* A fileDescriptor of a linear fixed EF, or the one that was there, with that length of records. */
static void
record_put(struct buf *fcp, struct slice was, uint16_t record)
{
	uint8_t p[4] = { 0x42, 0x21, (uint8_t)(record >> 8), (uint8_t)record };

	if (was.n >= 2)
		memcpy(p, was.p, 2);
	codec_der_put(fcp, FCP_DESCRIPTOR, SLICE_ARRAY(p));
}

/* Members behind efFileSize in the SEQUENCE. */
static bool
comes_after_size(uint32_t tag)
{
	return tag == FCP_PIN_STATUS || tag == FCP_SHORT_ID || tag == FCP_PROPRIETARY ||
		tag == FCP_LINK;
}

/* The descriptor with another size and, unless it is 0, another length of records. */
static struct slice
fcp_write(struct arena *mem, struct slice was, uint32_t size, uint16_t record)
{
	struct codec_der member;
	struct buf fcp;
	bool sized = false;

	buf_init(&fcp, mem, FCP_MAX);
	if (record && !codec_der_find(was, FCP_DESCRIPTOR, &member))
		record_put(&fcp, SLICE_NONE, record);
	while (codec_der_read(&was, &member)) {
		if (!sized && (member.tag == FCP_SIZE || comes_after_size(member.tag))) {
			size_put(&fcp, size);
			sized = true;
		}
		if (record && member.tag == FCP_DESCRIPTOR)
			record_put(&fcp, member.value, record);
		else if (member.tag != FCP_SIZE)
			buf_put(&fcp, member.octets);
	}
	if (!sized)
		size_put(&fcp, size);
	return buf_get(&fcp);
}

struct slice
template_file_write(struct arena *mem, const struct template_file *file, struct slice content,
	uint32_t size, uint16_t record)
{
	struct slice descriptor = file->descriptor;
	struct buf out;

	if (size != file->size || record != file->record)
		descriptor = fcp_write(mem, descriptor, size, record == file->record ? 0 : record);
	buf_init(&out, mem, FCP_MAX + 2 * CONTENT_MAX);
	if (descriptor.p)
		codec_der_put(&out, DESCRIPTOR, descriptor);
	codec_der_put(&out, CONTENT, content);
	return buf_get(&out);
}
