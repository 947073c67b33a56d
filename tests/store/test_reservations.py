"""ConfirmOrder with an SM-DS: what the MatchingID that is reserved meanwhile is, and is not, and that no event
stays at the SM-DS without an order."""

import hashlib

import psycopg2.extras
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
    assert world.db.rows("select s.name from outbox o join delivery v on v.outbox_id = o.id join subscriber s"
                         " on s.id = v.subscriber_id where o.order_key = %s", iccid) == [{"name": DS}]
    world.db.rows("analyze subscriber")
    world.db.begin()
    try:
        before = scanned(world)
        world.db.rows("insert into outbox (operator_id, order_key, seq, type, data)"
                      " select 1, %s, 1000 + n, 'profile.none', '{}' from generate_series(1, 50) n", iccid)
        assert scanned(world) == before
    finally:
        world.db.rows("rollback")


# ---- what is owed to the SM-DS, and when ------------------------------------------------------------------------


def confirmed(world, iccid, matching_id):
    """With the SM-DS."""
    assert reserve(world, iccid, matching_id)
    assert world.db.run("order_confirm", iccid=iccid, matching_id=matching_id, smds=DS,
                        **CONFIRM | {"event": "confirm_order_release"})


def owed(world, eid, matching_id):
    """What waits to be told of an event, in the order in which it will be."""
    rows = world.db.rows("select o.type from delivery v join outbox o on o.id = v.outbox_id where v.order_key = %s"
                         " and v.state = 'waiting' order by v.seq", f"{eid}/{matching_id}")
    return [row["type"] for row in rows]


def told(world, eid, matching_id):
    """All that is owed of an event was told, before anything that comes now."""
    world.db.rows("update delivery set state = 'delivered', tried_at = now() where order_key = %s",
                  f"{eid}/{matching_id}")
    world.db.rows("update delivery_key set pending = 0, next_at = now() where order_key = %s", f"{eid}/{matching_id}")


def needless(world, eid, matching_id):
    """Whether the first of what is owed would undo what is true by now."""
    (row,) = world.db.rows("select o.data, o.type from delivery v join outbox o on o.id = v.outbox_id"
                           " where v.order_key = %s and v.state = 'waiting' order by v.seq limit 1",
                           f"{eid}/{matching_id}")
    wanted = world.db.value("select es12_wanted(%s)", psycopg2.extras.Json(row["data"]))
    return wanted if row["type"] == "es12.delete" else not wanted


def cancel(world, iccid):
    assert world.db.run("order_cancel", iccid=iccid, event="cancel_order_available", trusted=True, **ADMIN)


def test_an_event_is_registered_behind_the_deletion_of_an_older_profiles(world, order):
    """The same MatchingID, chosen again for the same eUICC, while the older event's deletion waits."""
    iccid, eid, _ = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    cancel(world, iccid)
    assert owed(world, eid, mine) == ["es12.delete"] and not needless(world, eid, mine)
    newer = world.profile()
    world.order(newer, eid)
    confirmed(world, newer, mine)
    assert owed(world, eid, mine) == ["es12.delete", "es12.register"]
    assert needless(world, eid, mine)


def test_and_behind_one_that_was_told_while_it_was_registered(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    cancel(world, iccid)
    newer = world.profile()
    world.order(newer, eid)
    assert reserve(world, newer, mine)
    told(world, eid, mine)
    assert world.db.run("order_confirm", iccid=newer, matching_id=mine, smds=DS, **CONFIRM)
    assert owed(world, eid, mine) == ["es12.register"]


def test_but_not_once_more_after_one_that_was_told_before(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    cancel(world, iccid)
    told(world, eid, mine)
    newer = world.profile()
    world.order(newer, eid)
    confirmed(world, newer, mine)
    assert owed(world, eid, mine) == []


def test_what_no_order_needs_any_more_is_not_registered_again(world, order):
    """A replay of old events changes nothing at the SM-DS."""
    iccid, eid, order_id = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    world.session(order_id, eid, refusal="X", event="exceed_attempts")
    assert world.state(iccid) == "error"
    told(world, eid, mine)
    assert world.db.run("order_reset", iccid=iccid, **ADMIN)
    assert owed(world, eid, mine) == ["es12.register"] and not needless(world, eid, mine)
    cancel(world, iccid)
    assert owed(world, eid, mine) == ["es12.register", "es12.delete"] and needless(world, eid, mine)


def test_a_replay_of_what_an_sm_ds_was_told_is_due(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    cancel(world, iccid)
    told(world, eid, mine)
    (row,) = world.db.run("outbox_replay", name=DS, iccid=iccid, most=1000, **ADMIN)
    assert row["view"]["events"] == 1
    assert owed(world, eid, mine) == ["es12.delete"]
    assert world.db.value("select pending from delivery_key where order_key = %s", f"{eid}/{mine}") == 1


def test_an_event_is_deleted_when_its_registration_cannot_come_any_more(world, order):
    """The ConfirmOrder that waits may die: nobody else deletes what comes late."""
    iccid, eid, _ = order
    mine, _ = names(world)
    (reserved,) = reserve(world, iccid, mine)
    cancel(world, iccid)
    assert owed(world, eid, mine) == ["es12.delete"]
    (row,) = world.db.rows("select next_at from delivery_key where order_key = %s", f"{eid}/{mine}")
    assert (row["next_at"] - reserved["at"]).total_seconds() == pytest.approx(30, abs=0.001)


def test_that_of_a_confirmed_order_is_deleted_at_once(world, order):
    iccid, eid, _ = order
    mine, _ = names(world)
    confirmed(world, iccid, mine)
    cancel(world, iccid)
    assert world.db.value("select next_at <= now() from delivery_key where order_key = %s", f"{eid}/{mine}")


# ---- after the installation -------------------------------------------------------------------------------------


def installed(world, on_delete="keep"):
    """A profile with an event at the SM-DS, installed: ICCID, EID, MatchingID, order."""
    iccid, eid = world.profile(on_delete), world.eid()
    order_id, (mine, _) = world.order(iccid, eid), names(world)
    confirmed(world, iccid, mine)
    tx = world.session(order_id, eid)
    world.bind(tx)
    assert world.db.run("notification_record_result", **world.result_of(tx))
    assert owed(world, eid, mine) == ["es12.delete"]
    return iccid, eid, mine, order_id


def delete_on_card(world, eid, iccid):
    assert world.db.run("notification_record", **world.report_of(eid, iccid, 11, "delete"))
    assert world.db.run("notification_apply", eid=eid, iccid=iccid) == [{"applied": 1}]


def test_a_profile_that_is_issued_again_is_registered_again(world):
    iccid, eid, mine, order_id = installed(world, "reissue")
    delete_on_card(world, eid, iccid)
    assert world.state(iccid) == "released"
    assert world.outbox(iccid)[-3:] == ["profile.deleted", "profile.released", "es12.register"]
    assert owed(world, eid, mine) == ["es12.delete", "es12.register"]
    assert needless(world, eid, mine)
    assert world.db.value("select data ->> 'orderId' from outbox where type = 'es12.register' and order_key = %s",
                          iccid) == str(order_id)


def test_but_not_when_its_matching_id_is_anothers_by_now(world):
    iccid, eid, mine, order_id = installed(world, "reissue")
    newer = world.profile()
    world.order(newer, world.eid())
    world.confirm(newer, matching_id=mine)
    delete_on_card(world, eid, iccid)
    assert world.outbox(iccid)[-2:] == ["profile.deleted", "profile.released"]
    assert world.db.rows("select matching_id, smds from download_order where id = %s", order_id) == [
        {"matching_id": "", "smds": None}]


def sold_again(world):
    """A profile that was cancelled after its package went out, and ordered again with an event at the SM-DS."""
    old = world.at("available")
    eid, (mine, _) = world.eid(), names(world)
    order_id = world.order(old.iccid, eid)
    return old, eid, mine, order_id


def test_an_order_that_is_frozen_has_no_event(world):
    old, eid, mine, order_id = sold_again(world)
    confirmed(world, old.iccid, mine)
    assert world.db.run("notification_record_result", **world.result_of(old.tx))
    assert world.outbox(old.iccid)[-3:] == ["profile.installed", "alert.profile-conflict", "es12.delete"]
    assert deleted(world, old.iccid) == [(DS, eid, mine)]
    assert owed(world, eid, mine) == ["es12.delete"] and not needless(world, eid, mine)
    before = world.outbox(old.iccid)
    assert world.db.run("order_cancel", iccid=old.iccid, event="cancel_order_unavailable", trusted=True, **ADMIN)
    assert world.outbox(old.iccid) == before, "it has gone already"
    assert world.db.value("select cancelled_at is not null from download_order where id = %s", order_id)


def test_nor_one_that_was_frozen_while_it_was_registered(world):
    old, eid, mine, _ = sold_again(world)
    (reserved,) = reserve(world, old.iccid, mine)
    assert world.db.run("notification_record_result", **world.result_of(old.tx))
    assert deleted(world, old.iccid) == [(DS, eid, mine)]
    assert not world.db.run("order_confirm", iccid=old.iccid, matching_id=mine, smds=DS, **CONFIRM)
    assert unreserve(world, reserved) == 0
    assert deleted(world, old.iccid) == [(DS, eid, mine)] * 2


def test_one_that_an_older_release_froze_loses_it_with_its_cancellation(world):
    old, eid, mine, order_id = sold_again(world)
    confirmed(world, old.iccid, mine)
    assert world.db.run("notification_record_result", **world.result_of(old.tx))
    told(world, eid, mine)
    world.db.rows("update download_order set smds = %s where id = %s", DS, order_id)
    cancelled = dict(iccid=old.iccid, event="cancel_order_unavailable", trusted=True, **ADMIN)
    assert world.db.run("order_cancel", **cancelled)
    assert deleted(world, old.iccid) == [(DS, eid, mine)] * 2
    world.outbox(old.iccid)  # their numbers are without a gap
    assert world.db.run("order_cancel", **cancelled), "as the first time"
    assert deleted(world, old.iccid) == [(DS, eid, mine)] * 2


# ---- what is shown ----------------------------------------------------------------------------------------------


def shown(world, iccid, order_id):
    """The MatchingID as each view has it."""
    (order,) = world.db.run("view_order", iccid=iccid, download_attempts=10, code_attempts=10)
    (listed,) = [row["view"] for row in world.db.run("view_orders", before=order_id + 1, most=1)]
    (code,) = world.db.run("view_code", iccid=iccid)
    every = world.db.run("view_codes", iccids=[], before=order_id + 1, most=1)
    named = world.db.run("view_codes", iccids=[iccid], most=1)
    return [order["view"].get("matchingId"), listed.get("matchingId"), code["matching_id"],
            *[row["matching_id"] for row in every if row["iccid"] == iccid], *[row["matching_id"] for row in named]]


def test_a_matching_id_that_is_reserved_is_not_shown(world, order):
    iccid, _, order_id = order
    mine, _ = names(world)
    reserve(world, iccid, mine)
    assert shown(world, iccid, order_id) == [None] * 3
    (order,) = world.db.run("view_order", iccid=iccid, download_attempts=10, code_attempts=10)
    assert order["view"]["smds"] == DS and order["view"]["registeringAt"]
    assert world.db.run("order_confirm", iccid=iccid, matching_id=mine, smds=DS, **CONFIRM)
    assert shown(world, iccid, order_id) == [mine] * 5


def test_nor_after_its_order_was_cancelled(world, order):
    iccid, _, order_id = order
    mine, _ = names(world)
    reserve(world, iccid, mine)
    cancel(world, iccid)
    assert shown(world, iccid, order_id) == [None] * 3


def scanned(world):
    return world.db.value("select seq_tup_read from pg_stat_xact_user_tables where relname = 'subscriber'")
