"""What sessions hold back and leave behind: which order a call without a MatchingID is about, what stays of a
session when its time is over, and whose running session an order's lifetime waits for."""

import pytest

SESSION = 3600  # seconds after its first call in which a session gets its package


def age(world, transaction_id, seconds):
    world.db.rows("update rsp_session set created_at = now() - %s * interval '1 second' where transaction_id = %s",
                  seconds, transaction_id)


def is_known(world, transaction_id):
    return world.db.value("select exists (select from rsp_session where transaction_id = %s)", transaction_id)


# ---- which order ---------------------------------------------------------------------------------


@pytest.mark.parametrize("matching_id", [None, ""])
def test_of_several_orders_a_released_one_comes_before_others(world, matching_id):
    """Also before an older one that waits for its release, and whose MatchingID is empty."""
    eid, waiting, released = world.eid(), world.profile(), world.profile()
    world.order(waiting, eid)
    world.confirm(waiting, release=False, matching_id="")
    world.order(released, eid)
    world.confirm(released)
    found = world.db.run("session_admit", transaction_id=b"t" * 16, matching_id=matching_id, eid=eid, credential_set=1)
    assert [row["iccid"] for row in found] == [released]


# ---- what stays ----------------------------------------------------------------------------------

DAY = 86400


def test_a_session_with_an_order_is_kept_however_old(world):
    """Its transaction id must not serve again, and the result of its package may come weeks later."""
    case = world.released()
    running, over = (world.session(case.order_id, world.eid()) for _ in "ab")
    world.db.run("session_cancel", transaction_id=over, event="reject", error="CANCELLED", why="")
    assert world.state(case.iccid) == "error"
    for transaction_id in (running, over):
        age(world, transaction_id, 1000 * DAY)
    world.db.run("session_sweep", most=100)
    assert is_known(world, running) and is_known(world, over)


def test_a_session_without_an_order_is_kept_for_a_day(world):
    """Far longer than a transaction id is good for, so that no replay makes it anew."""
    young, old = (world.session(None, world.eid(), refusal="MATCHING_ID_REFUSED") for _ in "ab")
    age(world, young, DAY - 60)
    age(world, old, DAY + 60)
    assert world.db.run("session_sweep", most=100) == [{"swept": 1}]
    assert is_known(world, young) and not is_known(world, old)


# ---- whom the timer waits for --------------------------------------------------------------------


@pytest.fixture
def due(world):
    """An order past its lifetime, with a session that waits for its package."""
    case = world.released()
    case.tx = world.session(case.order_id, world.eid())
    world.db.rows("update download_order set expires_at = now() - interval '1 second' where id = %s", case.order_id)
    return case


def expire(world):
    world.db.run("order_expire", most=100, session_seconds=SESSION)


def test_an_order_does_not_end_while_its_session_runs(world, due):
    age(world, due.tx, SESSION - 60)
    expire(world)
    assert world.state(due.iccid) == "released"
    world.bind(due.tx)
    assert world.state(due.iccid) == "downloaded"


def test_an_order_ends_when_its_session_had_its_time(world, due):
    age(world, due.tx, SESSION + 60)
    expire(world)
    assert world.state(due.iccid) == "error"


def test_an_order_ends_when_its_session_was_postponed(world, due):
    world.db.run("session_cancel", transaction_id=due.tx, event="postpone", error="CANCELLED", why="")
    expire(world)
    assert world.state(due.iccid) == "error"
