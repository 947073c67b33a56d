"""The life of a profile: the database lets a state change exactly as src/profile/moves.def says, and each event's
statement makes exactly that move, with one event in the outbox and one entry in the audit trail."""

import psycopg2
import pytest

from database import EVENTS, MOVES, STATES
from events import CALLS, delete, prepare

KINDS = {
    "allocated": "profile.ordered",
    "linked": "profile.ordered",
    "confirmed": "profile.confirmed",
    "released": "profile.released",
    "downloaded": "profile.downloaded",
    "installed": "profile.installed",
    "error": "profile.failed",
    "unavailable": "profile.cancelled",
    "available": "profile.cancelled",
}


# … but for these, whatever they lead to
KINDS_OF = {
    "restock": "profile.restocked",
    "bind_reusable": "profile.downloaded",
    "install_reusable": "profile.installed",
    "fail_reusable": "profile.failed",
}


def test_every_event_has_its_call():
    assert sorted(CALLS) == EVENTS
    assert sorted(KINDS) == STATES


@pytest.mark.parametrize("origin", STATES)
def test_the_database_guards_every_change_of_state(world, origin):
    iccid = world.profile()
    pairs = {(a, b) for (_, a), b in MOVES.items()}
    for target in [*STATES, "nowhere"]:
        world.stage(iccid, origin)
        allowed = (origin, target) in pairs or origin == target
        try:
            world.db.rows("update profile set state = %s where iccid = %s", target, iccid)
            assert allowed, f"{origin} > {target}"
        except psycopg2.errors.CheckViolation:
            assert not allowed, f"{origin} > {target}"
        assert world.state(iccid) == (target if allowed else origin)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("origin", STATES)
def test_an_event_moves_a_profile_as_the_table_says(world, event, origin):
    call, actor = CALLS[event]
    case = prepare(world, origin, event)
    moves, outbox = world.moves(case.iccid), world.outbox(case.iccid)

    call(world, case, event)

    target = MOVES.get((event, origin))
    reported = ["profile.deleted"] if call is delete else []
    if not target:
        assert world.state(case.iccid) == origin
        assert world.moves(case.iccid) == moves
        assert world.outbox(case.iccid) == outbox + reported
        return
    kind = KINDS_OF.get(event, KINDS[target])
    assert world.state(case.iccid) == target
    assert world.moves(case.iccid) == moves + [(event, origin, target)]
    assert world.outbox(case.iccid) == outbox + reported + [kind]
    assert world.db.value("select actor from audit where iccid = %s order by id desc limit 1", case.iccid) == actor
    last = world.db.one("select data from outbox where order_key = %s order by seq desc limit 1", case.iccid)["data"]
    assert (last["iccid"], last["state"]) == (case.iccid, target)
    if target in ("installed", "error", "available") and event != "install_reusable":
        assert world.db.value("select count(*) from binding where order_id = %s", case.order_id) == 0


@pytest.mark.parametrize("state", [state for event, state in MOVES if event == "install"])
def test_an_older_order_installs_whatever_became_of_its_profile(world, state):
    """A signed success always wins; the newer order is frozen, and somebody told."""
    old = world.at("available")
    newer = world.order(old.iccid)
    world.stage(old.iccid, state)
    outbox = world.outbox(old.iccid)

    assert world.db.run("notification_record_result", **world.result_of(old.tx)) == [{"iccid": old.iccid}]

    assert world.state(old.iccid) == "installed"
    assert world.moves(old.iccid)[-1] == ("install", state, "installed")
    order = world.db.one("select pending, frozen from download_order where id = %s", newer)
    assert order == {"pending": True, "frozen": True}
    assert world.outbox(old.iccid) == outbox + ["profile.installed", "alert.profile-conflict"]


def test_a_frozen_order_is_ended_and_its_profile_stays(world):
    """Nobody can download it any more, so its customer must be freed of it."""
    old = world.at("available")
    newer = world.order(old.iccid)
    world.db.run("notification_record_result", **world.result_of(old.tx))
    outbox, moves = world.outbox(old.iccid), world.moves(old.iccid)
    assert cancelled_to(world, old, "available") == []
    for _ in range(2):  # and told the same when asked again
        rows = world.db.run(
            "order_cancel", iccid=old.iccid, event="cancel_order_unavailable", trusted=True, actor="test", why="sold twice"
        )
        assert rows == [{"order_id": newer, "iccid": old.iccid, "state": "installed"}]
    order = world.db.one("select pending, frozen, cancelled_at is not null as over from download_order where id = %s", newer)
    assert order == {"pending": False, "frozen": True, "over": True}
    assert (world.outbox(old.iccid), world.moves(old.iccid)) == (outbox, moves)
    audited = world.db.rows("select act, why from audit where order_id = %s order by id", newer)
    assert audited[-1] == {"act": "cancel_frozen_order", "why": "sold twice"}
    assert [row["act"] for row in audited].count("cancel_frozen_order") == 1


def package_left(world):
    case = world.released()
    case.eid = world.eid()
    case.tx = world.session(case.order_id, case.eid)
    world.bind(case.tx)
    world.db.run("session_cancel", transaction_id=case.tx, event="postpone", error="CANCELLED", why="")
    assert world.state(case.iccid) == "released"
    return case


def cancelled_to(world, case, final):
    event = f"cancel_order_{final}"
    rows = world.db.run("order_cancel", iccid=case.iccid, event=event, trusted=True, actor="test", why="")
    return [row["state"] for row in rows]


def test_a_package_that_left_keeps_its_profile_out_of_stock(world):
    """Else one IMSI could live on two cards."""
    case = package_left(world)
    assert cancelled_to(world, case, "available") == []
    assert cancelled_to(world, case, "unavailable") == ["unavailable"]


@pytest.mark.parametrize("disproved", [True, False])
def test_a_failure_that_disproves_the_package_lets_its_profile_back(world, disproved):
    """Also when the session was cancelled before its result came, and the failure moves nothing."""
    case = package_left(world)
    moves = world.moves(case.iccid)
    world.db.run("notification_record_result", **world.result_of(case.tx, "fail_install_retry", disproved=disproved))
    assert world.moves(case.iccid) == moves
    assert cancelled_to(world, case, "available") == (["available"] if disproved else [])
