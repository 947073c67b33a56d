"""The order of locks: whoever waits for an order holds its profile, whoever waits for a session holds both. Then no
two calls can wait for each other. A storm finds breaches of this rarely; here each call is held up and looked at."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from database import MOVES
from events import CALLS, bind, end_session, expire, guess, order, prepare, result
from world import World

PATIENCE = 20
ORDER = "select from download_order where id = %s for update"
PROFILE = "select from profile where iccid = %s for update nowait"

# whom no order can hold up: one makes it, one passes by what is locked, and a restock does not change it
WITH_ORDER = [event for event, (call, _) in CALLS.items() if call not in (order, expire) and event != "restock"]
WITH_SESSION = [event for event, (call, _) in CALLS.items() if call in (bind, end_session, guess, result)]


@pytest.fixture(scope="module")
def held_up(world, connect):
    """held_up(locks, call) waits until the call waits for these locks, and tells which rows can be locked still."""
    holder, caller = connect(), connect()

    def free(sql, *values):
        try:
            world.db.rows(sql, *values)
            return True
        except psycopg2.errors.LockNotAvailable:
            return False

    def run(lock, call, case, event):
        holder.begin()
        holder.rows(*lock)
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(call, World(caller), case, event)
            try:
                end = time.monotonic() + PATIENCE
                while holder.pid not in world.db.value("select pg_blocking_pids(%s)", caller.pid):
                    assert time.monotonic() < end and not running.done(), "the call does not wait"
                return free(PROFILE, case.iccid), free(ORDER + " nowait", case.order_id)
            finally:
                holder.commit()
                running.result(PATIENCE)

    return run


@pytest.mark.parametrize("event", WITH_ORDER)
def test_who_waits_for_an_order_holds_its_profile(world, held_up, event):
    call = CALLS[event][0]
    origin = next(state for name, state in MOVES if name == event)
    case = prepare(world, origin, event)
    profile_free, _ = held_up((ORDER, case.order_id), call, case, event)
    assert not profile_free
    assert world.state(case.iccid) == MOVES[event, origin]


@pytest.mark.parametrize("event", WITH_SESSION)
def test_who_waits_for_a_session_holds_profile_and_order(world, held_up, event):
    call = CALLS[event][0]
    origin = next(state for name, state in MOVES if name == event)
    case = prepare(world, origin, event)
    session = ("select from rsp_session where transaction_id = %s for update", case.tx)
    assert held_up(session, call, case, event) == (False, False)
    assert world.state(case.iccid) == MOVES[event, origin]


def test_downloads_do_not_meet_at_their_credential_set(world, connect):
    holder, caller = connect(), connect()
    caller.rows("set lock_timeout = '10s'")
    holder.begin()
    try:
        assert holder.rows("select id from credential_set for update")
        case = World(caller).at("downloaded")
    finally:
        holder.commit()
    assert world.state(case.iccid) == "downloaded"


@pytest.mark.parametrize("change", ["delete from credential_set", "update credential_set set id = id + 100"])
def test_a_credential_set_stays(world, change):
    world.at("released")
    with pytest.raises(psycopg2.errors.CheckViolation):
        world.db.rows(change)
