#ifndef PROFILE_TEMPLATE_INT_H
#define PROFILE_TEMPLATE_INT_H
/*
 * Inside profile/: the plan of a template (template_plan.c), the files in it (template_file.c), what is
 * written into them (template_value.c), and the package made by it (template.c).
 */
#include "base/buf.h"
#include "profile/personal_int.h"
#include "profile/template.h"

/* A File of a profile element (TCA profile package §8.3): how it is described and what fills it. */
struct template_file {
	struct slice value; /* of the File TLV; absent when the template has none: it is inserted */
	struct slice descriptor; /* value of fileDescriptor; absent when there is none */
	struct slice content;    /* what its fills leave, FF or the pattern between */
	uint32_t size;           /* efFileSize; 0: the default of the file template */
	uint16_t record;         /* octets of a record; 0: not told */
	bool patterned;          /* fillPattern or repeatPattern: what is not written is not FF */
	bool fixed;              /* nobody could write it: a link, not created, out of bounds */
};

/* Reads the value of a File; an absent one gives a file without anything. In the arena. */
void template_file_read(struct arena *mem, struct slice value, struct template_file *out);

/*
 * The value of the File again with that content alone and, where the content asks for it, another size or
 * length of records: fills are dropped, one fillFileContent takes their place (saip.md §6). `record` is 0
 * for transparent files; `size` is what the file must have room for. In the arena.
 */
struct slice template_file_write(struct arena *mem, const struct template_file *file,
	struct slice content, uint32_t size, uint16_t record);

enum template_target {
	TARGET_COPY,    /* octets of the template */
	TARGET_TLV,     /* a constructed TLV around the parts up to `end` */
	TARGET_DIGITS,  /* the ICCID in reading order */
	TARGET_SWAPPED, /* the ICCID as EF.ICCID has it */
	TARGET_VALUE,   /* the field as it is */
	TARGET_PIN,     /* the field's digits with FF behind, 8 octets */
	TARGET_KEY,     /* a key of a security domain */
	TARGET_FILE,    /* a File with content made of the field and perhaps others */
};

/* One piece of a package, in its order. */
struct template_part {
	enum template_target target;
	enum profile_field field;
	uint32_t tag;               /* but for TARGET_COPY */
	uint32_t end;               /* TARGET_TLV: index behind its last part */
	uint32_t key;               /* TARGET_KEY: index in the template's keys */
	struct slice octets;        /* what the template has there, TLVs; none: it is inserted */
	struct template_file *file; /* TARGET_FILE */
};

/* A key with a place. */
struct template_key {
	uint8_t version, id, type;
	uint16_t octets;
};

struct profile_template {
	struct arena mem; /* holds all that follows, and the template's octets */
	struct profile_template_info info;
	struct profile_upp upp; /* without its elements and templates */
	struct template_part *part;
	size_t part_count;
	struct template_key *key; /* beside info.keys */
	size_t k_octets, opc_octets;
	bool names_imsi;   /* the ISIM's identities name the template's own IMSI */
	bool suci_in_usim; /* service 125: the USIM calculates the SUCI */
};

/* NULL: no key of that version and identifier has a place. */
const struct template_key *
template_key_find(const struct profile_template *t, uint8_t version, uint8_t id);

/* Parts of profile_template_row_holds. `given`: 1u << enum profile_field. */
bool template_needs_hold(
	const struct profile_template *t, uint32_t given, struct profile_row_fault *fault);
bool template_place_holds(const struct profile_template *t, enum profile_field field,
	struct profile_row_fault *fault);
bool template_keys_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault);
bool template_lengths_hold(const struct profile_template *t, struct arena *mem,
	const struct profile_personal *in, struct profile_row_fault *fault);

/* Finds the places in the package that was read from t->upp.octets and makes the parts. */
bool template_plan(struct arena *mem, struct profile_template *t, const struct profile_upp *upp,
	struct profile_fault *fault);

/* The value of the TLV that a part becomes; absent: the template's octets stay. In the arena. */
struct slice template_value(struct arena *mem, const struct profile_template *t,
	const struct template_part *part, const struct profile_personal *in);

/* Whether a File can take what the field brings; decided when the plan is made. */
bool template_file_takes(const struct template_file *file, enum profile_field field);

#endif
