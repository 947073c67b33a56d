#ifndef EIM_QUEUE_H
#define EIM_QUEUE_H
/*
 * Wanting something of an eUICC (SGP.32 §3.3, §3.2.3.1): what administrators and other parts of the house ask for
 * becomes a package in its queue. Procedures like those of dp/orders.h: fill `in`, look at `out`.
 */
#include "codec/ipa_data.h"
#include "eim/eim.h"
#include "eim/refusal.h"
#include "store/eim.h"

/* Who asks, and how urgent it is. */
struct eim_wish {
	struct slice eid;    /* 32 digits */
	int64_t operator_id; /* whose eUICC it must be; STORE_NULL: anybody's */
	int priority;        /* -100 … 100; higher goes first */
	int64_t deadline; /* microseconds since 1970, to be handed out at all; STORE_NULL: none */
	struct slice actor, why;
	struct slice what; /* for people; absent: made of what is wanted */
};

/* One of: commands, a data request, a download. */
struct eim_queue {
	struct eim_call call;
	struct eim_wish in;
	const struct codec_eim_command *commands;
	size_t command_n;
	enum codec_certificate_form form; /* of keys in addEim and updateEim */
	uint32_t want;                    /* CODEC_WANT_* of a data request */
	const struct codec_download_trigger *trigger;
	/* out */
	struct store_queued out;
	/* write_body */
	struct store_wanted wanted;
	uint8_t nonce[16];
};
/* Refusals: EIM_EID_INVALID, EIM_EID_UNKNOWN, EIM_EUICC_CLOSED, EIM_COMMANDS_INVALID (call.note says why). */
extern const struct procedure eim_queue;

#endif
