"""Views that choose by what they are given: events of all, of a profile, of an eUICC."""

import pytest


@pytest.fixture(scope="module")
def stage(world):
    """One profile ordered and loaded by two eUICCs one after the other, and others beside it."""
    case = world.at("available", "available")
    second = world.eid()
    world.order(case.iccid, second)
    for _ in range(3):
        world.at("downloaded")
    outbox = world.db.rows("select order_key, seq, data ->> 'eid' as eid from outbox order by id")
    return case.iccid, case.eid, second, [(row["order_key"], row["seq"], row["eid"]) for row in outbox]


def seen(world, **given):
    views = [row["view"] for row in world.db.run("view_events", **given)]
    return [(view["key"], view["seq"], view["data"].get("eid")) for view in views]


def test_events_of_all(world, stage):
    assert seen(world, most=1000) == stage[3]
    assert seen(world, most=4) == stage[3][-4:]


def test_events_of_a_profile(world, stage):
    iccid, _, _, outbox = stage
    wanted = [event for event in outbox if event[0] == iccid]
    assert len(wanted) > 3
    assert seen(world, iccid=iccid, most=1000) == wanted
    assert seen(world, iccid=iccid, most=2) == wanted[-2:]


def test_events_of_an_euicc(world, stage):
    iccid, _, second, outbox = stage
    world.db.rows("insert into outbox (order_key, seq, type, data) values (%s, 1, 'euicc.seen', '{}')", second)
    wanted = [event for event in outbox if event[2] == second] + [(second, 1, None)]
    assert len(wanted) == 2
    assert seen(world, eid=second, most=1000) == wanted
    assert seen(world, eid=second, most=1) == wanted[-1:]
    assert seen(world, eid=second, iccid=iccid, most=1000) == wanted[:1]
    assert seen(world, eid=world.eid(), most=1000) == []
