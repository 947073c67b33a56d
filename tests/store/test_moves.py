"""The life of a profile: the database lets a state change exactly as src/profile/moves.def says, and each event's
statement makes exactly that move, with one event in the outbox and one entry in the audit trail."""

import psycopg2
import pytest

from database import EVENTS, MOVES, STATES

ADMIN = dict(actor="test", why="")


def order(world, case, event):
    eid = world.eid() if event == "download_order_eid" else None
    order_id = world.db.run("order_prepare", iccid=case.iccid)[0]["order_id"]
    world.db.run("order_create", order_id=order_id, iccid=case.iccid, event=event, eid=eid, **ADMIN)


def confirm(world, case, event):
    world.db.run("order_confirm", iccid=case.iccid, event=event, matching_id=f"M{world.number()}", chosen=True, **ADMIN)


def release(world, case, _):
    world.db.run("order_release", iccid=case.iccid, **ADMIN)


def cancel(world, case, event):
    world.db.run("order_cancel", iccid=case.iccid, event=event, trusted=True, **ADMIN)


def force(world, case, _):
    """What is not Downloaded goes the way that is not forced, so only there is it tried."""
    event = "cancel_order_unavailable" if world.state(case.iccid) == "downloaded" else "force_unavailable"
    world.db.run("order_cancel", iccid=case.iccid, event=event, force=True, trusted=True, **ADMIN)


def reset(world, case, _):
    world.db.run("order_reset", iccid=case.iccid, **ADMIN)


def expire(world, case, _):
    world.db.rows("update download_order set expires_at = now() where id = %s", case.order_id)
    world.db.run("order_expire", most=1, session_seconds=0)


def refuse(world, case, event):
    given = world.session_of(case.order_id, case.eid, refusal="NOT_ELIGIBLE", event=event)
    world.db.run("session_record", **given)


def guess(world, case, _):
    world.db.run("session_check_code", transaction_id=case.tx, hash_cc=b"wrong", nonce=b"n" * 32, forgiven=0,
                 request_sha256=b"r" * 32)


def end_session(world, case, event):
    world.db.run("session_cancel", transaction_id=case.tx, event=event, error="CANCELLED", why="")


def bind(world, case, _):
    world.db.run("package_record", **world.binding_of(case.tx))


def result(world, case, event):
    world.db.run("notification_record_result", **world.result_of(case.tx, event))


def delete(world, case, _):
    world.db.run("notification_record", **world.report_of(case.eid, case.iccid, 20, "delete"))
    world.db.run("notification_apply", eid=case.eid, iccid=case.iccid)


# event: the call, whom the trail names, the kind of the event where the state alone does not tell it
CALLS = {
    "download_order": (order, "test"),
    "download_order_eid": (order, "test"),
    "confirm_order": (confirm, "test"),
    "confirm_order_release": (confirm, "test"),
    "release_profile": (release, "test"),
    "bind": (bind, "es9+:GetBoundProfilePackage"),
    "fail_eligibility": (refuse, "es9+:AuthenticateClient"),
    "exceed_attempts": (refuse, "es9+:AuthenticateClient"),
    "exceed_confirmation_code": (guess, "es9+:GetBoundProfilePackage"),
    "postpone": (end_session, "es9+:CancelSession"),
    "reject": (end_session, "es9+:CancelSession"),
    "install": (result, "es9+:HandleNotification"),
    "fail_install_retry": (result, "es9+:HandleNotification"),
    "fail_install": (result, "es9+:HandleNotification"),
    "cancel_order_available": (cancel, "test"),
    "cancel_order_unavailable": (cancel, "test"),
    "force_unavailable": (force, "test"),
    "expire": (expire, "rspd"),
    "reset": (reset, "test"),
    "reissue": (delete, "es9+:HandleNotification"),
    "restock": (delete, "es9+:HandleNotification"),
}
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
    case = world.at(origin, {"reissue": "reissue", "restock": "available"}.get(event, "keep"))
    moves, outbox = world.moves(case.iccid), world.outbox(case.iccid)

    call(world, case, event)

    target = MOVES.get((event, origin))
    reported = ["profile.deleted"] if call is delete else []
    if not target:
        assert world.state(case.iccid) == origin
        assert world.moves(case.iccid) == moves
        assert world.outbox(case.iccid) == outbox + reported
        return
    kind = "profile.restocked" if event == "restock" else KINDS[target]
    assert world.state(case.iccid) == target
    assert world.moves(case.iccid) == moves + [(event, origin, target)]
    assert world.outbox(case.iccid) == outbox + reported + [kind]
    assert world.db.value("select actor from audit where iccid = %s order by id desc limit 1", case.iccid) == actor
    last = world.db.one("select data from outbox where order_key = %s order by seq desc limit 1", case.iccid)["data"]
    assert (last["iccid"], last["state"]) == (case.iccid, target)


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
