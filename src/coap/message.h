#ifndef COAP_MESSAGE_H
#define COAP_MESSAGE_H
/* Requests as we read them off libcoap's PDUs, and replies as we put them into such. */
#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "coap/lib.h"

/* Codes of RFC 7252 §12.1.2 and RFC 7959 §2.9 as octets: 4.13 is CODE(4, 13). */
#define CODE(class, detail) ((class) << 5 | (detail))
enum code {
	CODE_POST = CODE(0, 2),
	CODE_CHANGED = CODE(2, 4),
	CODE_CONTENT = CODE(2, 5),
	CODE_CONTINUE = CODE(2, 31),
	CODE_BAD_REQUEST = CODE(4, 0),
	CODE_BAD_OPTION = CODE(4, 2),
	CODE_NOT_FOUND = CODE(4, 4),
	CODE_METHOD = CODE(4, 5),
	CODE_INCOMPLETE = CODE(4, 8),
	CODE_TOO_LARGE = CODE(4, 13),
	CODE_FORMAT = CODE(4, 15),
	CODE_INTERNAL = CODE(5, 0),
	CODE_UNAVAILABLE = CODE(5, 3),
};

/* Content-Formats (RFC 7252 §12.3). */
enum { FORMAT_NONE = -1, FORMAT_OCTETS = 42, FORMAT_JSON = 50 };

enum {
	SZX_MOST = 6,       /* blocks of 1024 octets; 7 is for TCP */
	ROUTE_MOST = 255,   /* octets of a route */
	TOKEN_MOST = 8,     /* octets of a token */
	FORMAT_MOST = 65535 /* of Content-Format */
};

/* A Block1 or Block2 option (RFC 7959 §2.2). */
struct block {
	bool present, more;
	uint32_t num;
	unsigned szx; /* the block holds 16 << szx octets */
};

static inline size_t
block_size(unsigned szx)
{
	return (size_t)16 << szx;
}

/* Where in the body it begins. */
static inline size_t
block_offset(const struct block *b)
{
	return (size_t)b->num << (b->szx + 4);
}

/* What ties a reply to its request. */
struct head {
	bool con;
	uint16_t mid;
	uint8_t token[TOKEN_MOST];
	size_t token_n;
};

struct message {
	struct head head;
	unsigned code;
	unsigned wrong; /* the code to refuse it with, 0: none */
	char route[ROUTE_MOST + 1];
	int format;
	struct block block1, block2;
	uint32_t size1; /* 0: not said */
	uint64_t tag;   /* tells lists of Request-Tag (RFC 9175 §3) apart */
	struct slice payload;
};

struct reply {
	unsigned code;
	int format;
	unsigned max_age; /* seconds; 0: not said */
	struct block block1, block2;
	uint32_t size1, size2; /* 0: not said */
	struct slice payload;
};

/* Borrows the payload. What cannot be served is said in `wrong`. */
void coap_message_read(const coap_pdu_t *pdu, struct message *m);
/* Options and payload; head and code are the PDU's already. False when they do not fit. */
bool coap_reply_write(coap_pdu_t *pdu, const struct reply *r);

#endif
