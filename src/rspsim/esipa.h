#ifndef RSPSIM_ESIPA_H
#define RSPSIM_ESIPA_H
/*
 * ESipa as a client (SGP.32 §5.14, §6): messages are DER here, whatever carries them. The binding
 * makes JSON of them where the transport asks for it; a transport moves octets. A client belongs
 * to one thread.
 */
#include "rspsim/esipa_trust.h"
#include "rspsim/es9.h"

enum rspsim_esipa_function {
	RSPSIM_ESIPA_INITIATE,     /* BF39 */
	RSPSIM_ESIPA_AUTHENTICATE, /* BF3B */
	RSPSIM_ESIPA_GET_BPP,      /* BF3A */
	RSPSIM_ESIPA_CANCEL,       /* BF41 */
	RSPSIM_ESIPA_NOTIFY,       /* BF3D */
	RSPSIM_ESIPA_GET_PACKAGE,  /* BF4F */
	RSPSIM_ESIPA_PROVIDE,      /* BF50 */
	RSPSIM_ESIPA_FUNCTIONS
};
/* Its name in the JSON binding's path ("getEimPackage"), and the tag of its messages. */
const char *rspsim_esipa_name(enum rspsim_esipa_function function);
uint32_t rspsim_esipa_tag(enum rspsim_esipa_function function);

enum rspsim_transport { RSPSIM_HTTPS, RSPSIM_JSON, RSPSIM_COAP, RSPSIM_COAP_JSON };
bool rspsim_transport_is_json(enum rspsim_transport transport);
bool rspsim_transport_is_coap(enum rspsim_transport transport);

enum rspsim_connections {
	RSPSIM_KEEP,   /* one TLS or DTLS session for all calls */
	RSPSIM_NEW,    /* a new one with a full handshake for each */
	RSPSIM_RESUME, /* a new one for each, resumed where the library can */
};

struct rspsim_esipa_options {
	enum rspsim_transport transport;
	enum rspsim_connections connections;
	const char *server;  /* the eIM's FQDN, perhaps with a port */
	const char *connect; /* HOST:PORT to go to instead, or NULL */
	struct rspsim_trust trust;
	const char *psk_identity; /* DTLS with a pre-shared key, for labs; or NULL */
	struct slice psk_key;
	unsigned lose;     /* of a hundred datagrams sent and received so many are lost (CoAP) */
	unsigned patience; /* seconds that an answer may take over CoAP; 0: 120 */
	bool trace;
};

struct rspsim_esipa;

/* NULL when it cannot be made: then `wrong` says why. What the options point at must live on. */
struct rspsim_esipa *
rspsim_esipa_new(const struct rspsim_esipa_options *options, const char **wrong);
void rspsim_esipa_free(struct rspsim_esipa *esipa);

/*
 * Posts a message. `answer` is the response message of the same tag in `mem`, absent for
 * HandleNotification and when there was none. 503 and 5.03 are obeyed: the call waits as long as
 * it is told, and is repeated a few times.
 */
void rspsim_esipa_post(struct rspsim_esipa *esipa, struct arena *mem,
	enum rspsim_esipa_function function, struct slice request, struct rspsim_call *call,
	struct slice *answer);

/* ---- for the transports ------------------------------------------------------------------ */

/* What came back: HTTP status, or a CoAP code as class·100 + detail; 0: nothing, and why. */
struct rspsim_exchange {
	const char *path, *type; /* sent; type is of HTTP only */
	struct slice body;
	long status;
	struct slice answer; /* in the arena */
	char answer_type[64];
	unsigned retry_after; /* seconds; 0: not told */
	char fault[256];
};

struct rspsim_carrier {
	void *(*start)(const struct rspsim_esipa_options *options, const char **wrong);
	void (*post)(void *carrier, struct arena *mem, struct rspsim_exchange *exchange);
	void (*stop)(void *carrier);
};
extern const struct rspsim_carrier rspsim_carrier_https, rspsim_carrier_coap;

/* "NAME[:PORT]" of the server, or what --connect says instead. */
struct rspsim_place {
	char host[256];
	uint16_t port;
};
bool rspsim_place_read(const char *text, uint16_t otherwise, struct rspsim_place *out);

/* ---- the JSON binding (§6.4) ------------------------------------------------------------- */

/* The JSON body of a request. */
struct slice rspsim_esipa_json_write(
	struct arena *mem, enum rspsim_esipa_function function, struct slice request);
/*
 * The response message that a JSON answer means; absent with words in the call when it means
 * none.
 */
struct slice rspsim_esipa_json_read(struct arena *mem, enum rspsim_esipa_function function,
	struct slice body, struct rspsim_call *call);

#endif
