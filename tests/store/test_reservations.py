"""ConfirmOrder with an SM-DS: what the MatchingID that is reserved meanwhile is, and is not, and that no event
stays at the SM-DS without an order."""

import hashlib

import pytest

from world import CODE

ADMIN = dict(actor="test", why="")
DS = "ds.example.org"
CONFIRM = dict(event="confirm_order", chosen=True, cc_sha256=CODE, **ADMIN)


@pytest.fixture
def order(world):
    """An order for an EID: its ICCID, the EID, its number."""
    iccid, eid = world.profile(), world.eid()
    return iccid, eid, world.order(iccid, eid)


def reserve(world, iccid, matching_id, **more):
    return world.db.run("order_reserve", **dict(iccid=iccid, matching_id=matching_id, chosen=True, smds=DS) | more)


def unreserve(world, reserved):
    (freed,) = world.db.run("order_unreserve", order_id=reserved["order_id"], at=reserved["at"], smds=DS,
                            eid=reserved["eid"], matching_id=reserved["matching_id"])
    return freed["freed"]


def deleted(world, iccid):
    """The events of this profile that are to be deleted, in order."""
    rows = world.db.rows("select data from outbox where order_key = %s and type = 'es12.delete' order by seq", iccid)
    return [(row["data"]["smds"], row["data"]["eid"], row["data"]["matchingId"]) for row in rows]


def names(world):
    return f"A{world.number()}", f"B{world.number()}"


def test_a_confirmation_without_an_sm_ds_takes_the_event_back(world, order):
    iccid, eid, _ = order
    mine, others = names(world)
    (reserved,) = reserve(world, iccid, mine)
    assert world.db.run("order_confirm", iccid=iccid, matching_id=others, **CONFIRM)
    assert deleted(world, iccid) == [(DS, eid, mine)]
    assert world.db.rows("select matching_id, smds, registering_eid from download_order where id = %s",
                         reserved["order_id"]) == [{"matching_id": others, "smds": None, "registering_eid": None}]
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    unreserve(world, reserved)
    assert deleted(world, iccid) == [(DS, eid, mine)] * 2


def test_only_what_is_registered_is_confirmed(world, order):
    iccid, _, _ = order
    mine, others = names(world)
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    assert reserve(world, iccid, mine)
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=others, smds=DS, **CONFIRM)
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds="other.example.org", **CONFIRM)
    assert world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=mine, **CONFIRM)
    assert deleted(world, iccid) == []


def test_a_reservation_is_one_eids(world):
    iccid, eid = world.profile(), world.eid()
    world.order(iccid)
    mine, _ = names(world)
    assert reserve(world, iccid, mine, eid=eid)
    assert not reserve(world, iccid, mine, eid=world.eid())
    assert reserve(world, iccid, mine, eid=eid)


def test_the_same_twice_beside_each_other_leaves_the_event(world, order):
    """One of them fails; the other's event is the same, and stays."""
    iccid, _, _ = order
    mine, _ = names(world)
    (first,), (second,) = reserve(world, iccid, mine), reserve(world, iccid, mine)
    assert unreserve(world, first) == 0
    assert world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    assert unreserve(world, second) == 0
    assert deleted(world, iccid) == []


def test_a_reservation_that_fails_is_taken_back(world, order):
    iccid, eid, _ = order
    mine, others = names(world)
    (reserved,) = reserve(world, iccid, mine)
    assert unreserve(world, reserved) == 1
    assert deleted(world, iccid) == [(DS, eid, mine)]
    assert reserve(world, iccid, others)


def test_a_reserved_matching_id_is_not_due_for_a_cancellation(world, order):
    iccid, eid, _ = order
    mine, others = names(world)
    (reserved,) = reserve(world, iccid, mine)
    assert world.db.run("order_standing", iccid=iccid)[0]["matching_id"] is None
    cancel = dict(iccid=iccid, event="cancel_order_available", force=False, eid=eid, trusted=False, **ADMIN)
    assert not world.db.run("order_cancel", **cancel | {"matching_id": others})
    assert world.db.run("order_cancel", **cancel)
    assert world.db.run("order_cancel", **cancel), "as the first time"
    assert deleted(world, iccid) == [(DS, eid, mine)]
    assert not world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    unreserve(world, reserved)
    assert deleted(world, iccid) == [(DS, eid, mine)] * 2, "the event may have come after the first"


def test_one_that_is_confirmed_is_due(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    reserve(world, iccid, mine)
    assert world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    cancel = dict(iccid=iccid, event="cancel_order_available", force=False, eid=eid, trusted=False, **ADMIN)
    assert not world.db.run("order_cancel", **cancel)
    assert world.db.run("order_cancel", **cancel | {"matching_id": mine})
    assert deleted(world, iccid) == [(DS, eid, mine)]


def test_an_order_that_expires_while_it_is_registered_was_never_confirmed(world, order):
    iccid, eid, order_id = order
    mine, _ = names(world)
    reserve(world, iccid, mine)
    world.db.rows("update download_order set expires_at = now() where id = %s", order_id)
    assert world.db.run("order_expire", most=100, session_seconds=1)
    assert deleted(world, iccid) == [(DS, eid, mine)]
    assert not world.db.run("order_reset", iccid=iccid, **ADMIN)


def test_a_call_that_is_remembered_reserves_nothing(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    call = dict(client_id=1, call_key=hashlib.sha256(iccid.encode()).digest())
    reserve(world, iccid, mine, **call)
    first = world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, call_seconds=100, **CONFIRM, **call)
    assert world.db.run("order_cancel", iccid=iccid, event="cancel_order_available", trusted=True, **ADMIN)
    newer = world.order(iccid, world.eid())

    (again,) = reserve(world, iccid, mine, **call)
    assert again == {"order_id": first[0]["order_id"], "eid": eid, "matching_id": mine, "at": None}
    assert world.db.rows("select matching_id, smds, registering_at from download_order where id = %s", newer) == [
        {"matching_id": None, "smds": None, "registering_at": None}]


def test_an_event_is_owed_by_the_operator_and_the_address(world, order):
    """Others' subscribers are not looked at."""
    iccid, eid, _ = order
    world.db.rows("insert into subscriber (kind, name, address, types)"
                  " select 'es12', 'ds' || n || '.example.net', 'x', array['es12.delete']"
                  " from generate_series(1, 1000) n")
    mine, _ = names(world)
    (reserved,) = reserve(world, iccid, mine)
    unreserve(world, reserved)
    assert world.db.rows("select s.name from delivery v join subscriber s on s.id = v.subscriber_id"
                         " where v.order_key = %s", iccid) == [{"name": DS}]
    world.db.rows("analyze subscriber")
    world.db.begin()
    try:
        before = scanned(world)
        world.db.rows("insert into outbox (operator_id, order_key, seq, type, data)"
                      " select 1, %s, 1000 + n, 'profile.none', '{}' from generate_series(1, 50) n", iccid)
        assert scanned(world) == before
    finally:
        world.db.rows("rollback")


def scanned(world):
    return world.db.value("select seq_tup_read from pg_stat_xact_user_tables where relname = 'subscriber'")
