/* The life of a profile (SGP.22 §3.1.6): moves.def as a table, its words, and the look-up. */
#include "profile/life.h"

#define MOVE(from, event, to) { STATE_##from, EVENT_##event, STATE_##to },
static const struct profile_move moves[] = {
#include "profile/moves.def"
};
#undef MOVE

#define NAME(name) #name,
static const char *const state_names[] = { PROFILE_STATES(NAME) };
static const char *const event_names[] = { PROFILE_EVENTS(NAME) };
#undef NAME

const struct profile_move *
profile_moves_get(unsigned *n)
{
	*n = sizeof moves / sizeof moves[0];
	return moves;
}

bool
profile_move_find(enum profile_state from, enum profile_event event, enum profile_state *to)
{
	for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
		if (moves[i].from == from && moves[i].event == event) {
			*to = moves[i].to;
			return true;
		}
	return false;
}

const char *
profile_state_name(enum profile_state state)
{
	return state_names[state];
}

const char *
profile_event_name(enum profile_event event)
{
	return event_names[event];
}

bool
profile_state_find(struct slice name, enum profile_state *out)
{
	for (unsigned i = 0; i < STATE_COUNT; i++)
		if (slice_eq(name, slice_text(state_names[i]))) {
			*out = (enum profile_state)i;
			return true;
		}
	return false;
}
