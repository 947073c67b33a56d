/*
 * CoAP's options (RFC 7252 §5.10, RFC 7959, RFC 9175): from a PDU of libcoap into one struct, and a reply's
 * into a PDU. libcoap has taken the datagram apart and refused what is no CoAP; what an option means, and
 * which of them may be unknown (the elective ones, §5.4.1), is said here.
 */
#include <string.h>
#include "coap/message.h"

/* The first trouble is the one that is told. */
static void
spoil(struct message *m, unsigned code)
{
	if (!m->wrong)
		m->wrong = code;
}

static void
segment_add(struct message *m, struct slice value)
{
	size_t n = strlen(m->route);

	if (value.n + 1 > ROUTE_MOST - n || (value.n && memchr(value.p, 0, value.n))) {
		spoil(m, CODE_NOT_FOUND);
		return;
	}
	m->route[n] = '/';
	if (value.n)
		memcpy(m->route + n + 1, value.p, value.n);
	m->route[n + 1 + value.n] = 0;
}

static uint32_t
number_of(struct slice value)
{
	uint32_t n = 0;

	for (size_t i = 0; i < value.n; i++)
		n = n << 8 | value.p[i];
	return n;
}

static void
block_read(struct message *m, struct block *b, struct slice value)
{
	uint32_t n = number_of(value);

	/* A critical option that may stand only once (RFC 7252 §5.4.5). */
	if (b->present || value.n > 3) {
		spoil(m, CODE_BAD_OPTION);
		return;
	}
	if ((n & 7) > SZX_MOST)
		spoil(m, CODE_BAD_REQUEST);
	*b = (struct block){
		.present = true, .more = n & 8, .num = n >> 4, .szx = (n & 7) % (SZX_MOST + 1)
	};
}

/* FNV-1a: it need not resist anybody, each session has only itself to deceive. */
static void
tag_add(struct message *m, struct slice value)
{
	uint64_t hash = (m->tag ^ (value.n + 1)) * 0x100000001b3u;

	for (size_t i = 0; i < value.n; i++)
		hash = (hash ^ value.p[i]) * 0x100000001b3u;
	m->tag = hash;
}

static void
option_read(struct message *m, unsigned number, struct slice value)
{
	switch (number) {
	case COAP_OPTION_URI_PATH:
		segment_add(m, value);
		return;
	case COAP_OPTION_CONTENT_FORMAT:
		if (m->format == FORMAT_NONE && value.n <= 2)
			m->format = (int)number_of(value);
		return;
	case COAP_OPTION_BLOCK1:
		block_read(m, &m->block1, value);
		return;
	case COAP_OPTION_BLOCK2:
		block_read(m, &m->block2, value);
		return;
	case COAP_OPTION_SIZE1:
		m->size1 = value.n <= 4 ? number_of(value) : UINT32_MAX;
		return;
	case COAP_OPTION_RTAG:
		tag_add(m, value);
		return;
	case COAP_OPTION_URI_HOST: /* whoever came here meant us */
	case COAP_OPTION_URI_PORT:
	case COAP_OPTION_URI_QUERY: /* as on HTTPS, nobody asks for it */
	case COAP_OPTION_ACCEPT:    /* the answer has the form of the request */
		return;
	}
	if (number & 1)
		spoil(m, CODE_BAD_OPTION);
}

void
coap_message_read(const coap_pdu_t *pdu, struct message *m)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);
	coap_opt_iterator_t at;
	const coap_opt_t *option;
	const uint8_t *payload;
	size_t n;

	*m = (struct message){ .code = coap_pdu_get_code(pdu), .format = FORMAT_NONE };
	m->head.con = coap_pdu_get_type(pdu) == COAP_MESSAGE_CON;
	m->head.mid = (uint16_t)coap_pdu_get_mid(pdu);
	m->head.token_n = token.length < TOKEN_MOST ? token.length : TOKEN_MOST;
	if (m->head.token_n)
		memcpy(m->head.token, token.s, m->head.token_n);
	coap_option_iterator_init(pdu, &at, COAP_OPT_ALL);
	while ((option = coap_option_next(&at)))
		option_read(
			m, at.number, slice_of(coap_opt_value(option), coap_opt_length(option)));
	if (!*m->route)
		memcpy(m->route, "/", 2);
	if (coap_get_data(pdu, &n, &payload))
		m->payload = slice_of(payload, n);
}

static bool
number_put(coap_pdu_t *pdu, coap_option_num_t number, uint32_t value)
{
	uint8_t octets[4];

	return coap_add_option(pdu, number, coap_encode_var_safe(octets, sizeof octets, value),
		       octets) != 0;
}

static bool
block_put(coap_pdu_t *pdu, coap_option_num_t number, const struct block *b)
{
	return !b->present || number_put(pdu, number, b->num << 4 | (b->more ? 8 : 0) | b->szx);
}

/* Options stand in the order of their numbers. */
bool
coap_reply_write(coap_pdu_t *pdu, const struct reply *r)
{
	return (r->format == FORMAT_NONE ||
		       number_put(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t)r->format)) &&
		(!r->max_age || number_put(pdu, COAP_OPTION_MAXAGE, r->max_age)) &&
		block_put(pdu, COAP_OPTION_BLOCK2, &r->block2) &&
		block_put(pdu, COAP_OPTION_BLOCK1, &r->block1) &&
		(!r->size2 || number_put(pdu, COAP_OPTION_SIZE2, r->size2)) &&
		(!r->size1 || number_put(pdu, COAP_OPTION_SIZE1, r->size1)) &&
		(!r->payload.n || coap_add_data(pdu, r->payload.n, r->payload.p));
}
