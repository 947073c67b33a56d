/*
 * The card's file: one JSON object, octets in Base64, keys and certificates in PEM, replaced
 * whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/text.h"
#include "rspsim/card.h"
#include "rspsim/iot_file.h"

static json_t *
json_octets(struct slice octets)
{
	struct arena mem;
	json_t *text;

	arena_init(&mem, 1 << 20, NULL, NULL);
	text = json_string((const char *)text_base64(&mem, octets).p);
	arena_fini(&mem);
	return text;
}

static json_t *
json_pem(X509 *cert, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;
	json_t *text;

	if (cert)
		PEM_write_bio_X509(bio, cert);
	else
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &p);
	text = json_stringn(p, (size_t)n);
	OPENSSL_cleanse(p, (size_t)n);
	BIO_free(bio);
	return text;
}

static json_t *
json_version(const uint8_t v[3])
{
	return json_sprintf("%u.%u.%u", v[0], v[1], v[2]);
}

static json_t *
write_cis(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (size_t i = 0; i < card->ci_count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:o}", "root", json_pem(card->ci[i].root, NULL),
				"eum", json_pem(card->ci[i].eum, NULL), "certificate",
				json_pem(card->ci[i].certificate, NULL), "key",
				json_pem(NULL, card->ci[i].key)));
	return list;
}

static json_t *
write_profiles(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_profile *p = card->profiles; p; p = p->next) {
		char iccid[21] = "";

		text_bcd_to_iccid(SLICE_ARRAY(p->iccid), iccid);
		json_array_append_new(list,
			json_pack("{s:s, s:b, s:b, s:b, s:b, s:i, s:i, s:o}", "iccid", iccid,
				"enabled", p->state == RSPSIM_ENABLED, "fallback", p->fallback,
				"markedFallback", p->marked_fallback, "markedEmergency",
				p->marked_emergency, "aid", p->aid, "size", p->size, "metadata",
				json_octets(p->metadata)));
	}
	return list;
}

static json_t *
write_notifications(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_notification *n = card->notifications; n; n = n->next)
		json_array_append_new(list,
			json_pack("{s:i, s:i, s:s, s:o}", "sequence", n->sequence, "event",
				n->event, "address", n->address, "octets", json_octets(n->octets)));
	return list;
}

static json_t *
write_one_times(const struct rspsim_card *card)
{
	json_t *list = json_array();

	for (const struct rspsim_one_time *k = card->one_times; k; k = k->next)
		json_array_append_new(list,
			json_pack("{s:o, s:o}", "oid", json_octets(k->oid), "key",
				json_pem(NULL, k->key)));
	return list;
}

static char *
card_text(const struct rspsim_card *card)
{
	json_t *all = json_pack("{s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
		"eid", card->eid, "svn", json_version(card->svn), "profileVersion",
		json_version(card->profile_version), "memory", card->memory, "forbiddenRules",
		card->forbidden_rules, "sequence", card->sequence, "nextAid", card->next_aid, "cis",
		write_cis(card), "profiles", write_profiles(card), "notifications",
		write_notifications(card), "oneTimeKeys", write_one_times(card), "iot",
		rspsim_iot_write(&card->iot));
	char *text = json_dumps(all, JSON_INDENT(1));

	json_decref(all);
	return text;
}

/* Beside the file, then over it, so that a stop at any moment leaves the old or the new card. */
static bool
replace_file(const char *path, const char *text)
{
	char beside[4096];
	size_t n = strlen(text), done = 0;
	int fd;

	if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
		return false;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while (done < n) {
		ssize_t got = write(fd, text + done, n - done);

		if (got < 0 && errno != EINTR)
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	if (fsync(fd) != 0)
		done = 0;
	close(fd);
	if (done == n && rename(beside, path) == 0)
		return true;
	unlink(beside);
	return false;
}

const char *
rspsim_card_write(const struct rspsim_card *card, const char *path)
{
	char *text = card_text(card);
	bool good = text && replace_file(path, text);

	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
	return good ? NULL : "the card file cannot be written";
}

static void *
read_pem(json_t *o, const char *name, bool is_key)
{
	const char *text = json_string_value(json_object_get(o, name));
	BIO *bio = text ? BIO_new_mem_buf(text, -1) : NULL;
	void *got = NULL;

	if (bio && is_key)
		got = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	else if (bio)
		got = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return got;
}

static bool
read_octets(struct arena *mem, json_t *o, const char *name, struct slice *out)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text && text_unbase64(mem, slice_text(text), out);
}

static uint32_t
read_number(json_t *o, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(o, name));
}

static void
read_version(json_t *o, const char *name, uint8_t v[3])
{
	const char *text = json_string_value(json_object_get(o, name));

	if (text)
		sscanf(text, "%hhu.%hhu.%hhu", v, v + 1, v + 2);
}

static bool
read_cis(struct rspsim_card *card, json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		X509 *root = read_pem(o, "root", false), *eum = read_pem(o, "eum", false);
		X509 *certificate = read_pem(o, "certificate", false);
		EVP_PKEY *key = read_pem(o, "key", true);

		if (root && eum && certificate && key) {
			if (!rspsim_card_add_ci(card, root, eum, certificate, key))
				return false;
			continue;
		}
		X509_free(root);
		X509_free(eum);
		X509_free(certificate);
		EVP_PKEY_free(key);
		return false;
	}
	return card->ci_count > 0;
}

static bool
read_profiles(struct rspsim_card *card, json_t *list)
{
	struct rspsim_profile **end = &card->profiles;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		struct rspsim_profile *p = ARENA_NEW(&card->state_mem, struct rspsim_profile);
		const char *iccid = json_string_value(json_object_get(o, "iccid"));

		if (!iccid || !text_iccid_to_bcd(slice_text(iccid), p->iccid) ||
			!read_octets(&card->state_mem, o, "metadata", &p->metadata))
			return false;
		p->state = json_is_true(json_object_get(o, "enabled")) ? RSPSIM_ENABLED
								       : RSPSIM_DISABLED;
		p->fallback = json_is_true(json_object_get(o, "fallback"));
		p->marked_fallback = json_is_true(json_object_get(o, "markedFallback"));
		p->marked_emergency = json_is_true(json_object_get(o, "markedEmergency"));
		p->aid = read_number(o, "aid");
		p->size = read_number(o, "size");
		*end = p;
		end = &p->next;
	}
	return true;
}

static bool
read_notifications(struct rspsim_card *card, json_t *list)
{
	struct rspsim_notification **end = &card->notifications;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		struct rspsim_notification *n =
			ARENA_NEW(&card->state_mem, struct rspsim_notification);
		const char *address = json_string_value(json_object_get(o, "address"));

		if (!address || !read_octets(&card->state_mem, o, "octets", &n->octets))
			return false;
		n->sequence = read_number(o, "sequence");
		n->event = (enum rspsim_event)read_number(o, "event");
		n->address = arena_string(&card->state_mem, slice_text(address));
		*end = n;
		end = &n->next;
	}
	return true;
}

static bool
read_one_times(struct rspsim_card *card, json_t *list)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		struct rspsim_one_time *k = ARENA_NEW(&card->state_mem, struct rspsim_one_time);

		if (!read_octets(&card->state_mem, o, "oid", &k->oid))
			return false;
		k->key = read_pem(o, "key", true);
		if (!k->key)
			return false;
		k->next = card->one_times;
		card->one_times = k;
	}
	return true;
}

static bool
read_card(struct rspsim_card *card, json_t *all)
{
	read_version(all, "svn", card->svn);
	read_version(all, "profileVersion", card->profile_version);
	card->memory = read_number(all, "memory");
	card->forbidden_rules = (uint8_t)read_number(all, "forbiddenRules");
	card->sequence = read_number(all, "sequence");
	card->next_aid = read_number(all, "nextAid");
	return read_cis(card, json_object_get(all, "cis")) &&
		read_profiles(card, json_object_get(all, "profiles")) &&
		read_notifications(card, json_object_get(all, "notifications")) &&
		read_one_times(card, json_object_get(all, "oneTimeKeys")) &&
		rspsim_iot_read(&card->state_mem, &card->iot, json_object_get(all, "iot"));
}

const char *
rspsim_card_read(const char *path, struct rspsim_card **out)
{
	json_error_t where;
	json_t *all = json_load_file(path, 0, &where);
	const char *eid = json_string_value(json_object_get(all, "eid"));
	bool good = false;

	*out = NULL;
	if (eid && strlen(eid) == 32 && slice_is_digits(slice_text(eid))) {
		*out = rspsim_card_new(eid);
		good = read_card(*out, all);
	}
	json_decref(all);
	if (good)
		return NULL;
	rspsim_card_free(*out);
	*out = NULL;
	return "the card file is missing or damaged (rspsim euicc new makes one)";
}
