#ifndef PROFILE_LIFE_H
#define PROFILE_LIFE_H
/* The states of a profile and the events that move it, as enums and as the database's words. */
#include <stdbool.h>
#include "base/slice.h"

/* clang-format off */
/* In the order of SGP.22 §3.1.6. */
#define PROFILE_STATES(S) \
	S(available) S(allocated) S(linked) S(confirmed) S(released) S(downloaded) S(installed) \
	S(error) S(unavailable)

/* In the order of moves.def; the words of an event's audit row. */
#define PROFILE_EVENTS(E) \
	E(download_order) E(download_order_eid) E(confirm_order) E(confirm_order_release) \
	E(release_profile) E(bind) E(bind_reusable) E(install_reusable) E(fail_reusable) E(fail_eligibility) \
	E(exceed_attempts) E(exceed_confirmation_code) E(postpone) E(reject) E(install) E(fail_install_retry) \
	E(fail_install) E(cancel_order_available) E(cancel_order_unavailable) \
	E(force_unavailable) E(expire) E(reset) E(reissue) E(restock)
/* clang-format on */

#define STATE_ENUM(name) STATE_##name,
enum profile_state { PROFILE_STATES(STATE_ENUM) STATE_COUNT };
#undef STATE_ENUM
#define EVENT_ENUM(name) EVENT_##name,
enum profile_event { PROFILE_EVENTS(EVENT_ENUM) EVENT_COUNT };
#undef EVENT_ENUM

struct profile_move {
	enum profile_state from;
	enum profile_event event;
	enum profile_state to;
};

/* The table; *n rows. */
const struct profile_move *profile_moves_get(unsigned *n);

/* Where an event leads; false when moves.def has no such row. */
bool profile_move_find(enum profile_state from, enum profile_event event, enum profile_state *to);

const char *profile_state_name(enum profile_state state);
const char *profile_event_name(enum profile_event event);
bool profile_state_find(struct slice name, enum profile_state *out);

#endif
