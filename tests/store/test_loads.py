"""Bulk loads and templates by their statements: all rows or none, also of two loads at a time; rests; what an order
keeps; which variant an eUICC gets; that low stock is told once."""

import threading

import pytest


def iccids(world, count):
    return [f"8949{world.number():015d}" for _ in range(count)]


def known(world, rows):
    return world.db.value("select count(*) from profile where iccid = any(%s)", rows)


def test_all_rows_become_profiles(world):
    type_id = world.templated()
    rows = iccids(world, 3)
    load = world.stage_rows(rows)
    assert world.take_load(load, type_id, 3) == "done"
    assert world.db.rows("select iccid, state, load_id, imsi from profile where iccid = any(%s) order by 1", rows) == [
        {"iccid": iccid, "state": "available", "load_id": load, "imsi": "001010000000001"} for iccid in rows
    ]
    assert world.db.one("select profiles, source from profile_load where id = %s", load) == {
        "profiles": 3, "source": "test.csv"}
    assert world.db.value("select count(*) from audit where act = 'profile.load' and why like %s", f"% load={load} %") == 1
    assert world.db.value(f"select to_regclass('profile_staging_{load}')") is None


def test_a_duplicate_refuses_them_all(world):
    type_id = world.templated()
    (old,) = world.load(type_id)
    new = iccids(world, 2)
    load = world.stage_rows([new[0], old, new[1], new[0]])
    assert world.take_load(load, type_id, 4) == "duplicate"
    assert known(world, new) == 0
    assert world.db.run("load_duplicates", load_id=load, most=10) == [
        {"line": 3, "first": None, "total": 2}, {"line": 5, "first": 2, "total": 2}]
    assert world.db.run("load_duplicates", load_id=load, most=1) == [{"line": 3, "first": None, "total": 2}]


def test_rows_that_are_lost_refuse_the_rest(world):
    rows = iccids(world, 2)
    assert world.take_load(world.stage_rows(rows), world.templated(), 3) == "lost"
    assert known(world, rows) == 0


def test_a_new_version_refuses_rows_that_were_judged_for_the_former(world):
    type_id = world.templated()
    load = world.stage_rows(iccids(world, 1))
    add(world, type_id)
    assert world.take_load(load, type_id, 1) == "changed"
    assert world.take_load(load, type_id, 1, version=2) == "done"


def test_of_two_loads_at_a_time_one_wins(world, connect):
    type_id = world.templated()
    rows = iccids(world, 200)
    sessions = [connect(), connect()]
    loads = [world.stage_rows(order, db) for db, order in zip(sessions, (rows, rows[::-1]))]
    outcomes = {}

    def take(i):
        try:
            outcomes[i] = world.take_load(loads[i], type_id, len(rows), sessions[i])
        except Exception as e:  # a deadlock: the daemon asks again
            outcomes[i] = world.take_load(loads[i], type_id, len(rows), sessions[i]) if "deadlock" in str(e) else e

    threads = [threading.Thread(target=take, args=(i,)) for i in (0, 1)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert sorted(outcomes.values()) == ["done", "duplicate"]
    assert known(world, rows) == len(rows)


def test_only_rests_are_swept(world, connect):
    alive, dead = connect(), connect()
    running = world.stage_rows(iccids(world, 1), alive)
    rest = world.stage_rows(iccids(world, 1), dead)
    dead.close()

    def there(load):
        return world.db.value(f"select to_regclass('profile_staging_{load}')") is not None

    # The server may need a moment to see that the session is gone.
    for _ in range(100):
        world.db.run("load_sweep")
        if not there(rest):
            break
        world.db.rows("select pg_sleep(0.05)")
    assert there(running) and not there(rest)
    assert world.take_load(running, world.templated(), 1, alive) == "done"


# ---- templates -----------------------------------------------------------------------------------


def add(world, type_id, version=2, former=1, rank=1, needs=0, variants=(), **more):
    given = dict(type_id=type_id, version=version, former=former, rank=rank, needs=needs, actor="test", why="")
    return world.db.run("template_add", **given | world.templates(*variants) | {"class": "operational"} | more)


def test_a_template_must_fit_what_is_loaded(world):
    type_id = world.templated()
    world.load(type_id)  # rows with fields 1 and 2, bits 0 and 1
    assert add(world, type_id, needs=0b111) == []
    assert add(world, type_id, needs=0b011) == [{"version": 2}]


def test_a_template_waits_for_nobody_elses_version(world):
    type_id = world.templated()
    assert add(world, type_id, former=2, version=3) == []
    assert add(world, type_id, **{"class": "test"}) == []
    assert add(world, type_id, version=1, rank=2) == [{"version": 1}]  # a variant
    assert add(world, type_id, version=1, rank=2) == []  # its place is taken


def test_types_are_never_deleted(world):
    with pytest.raises(Exception, match="never deleted"):
        world.db.rows("delete from profile_type where id = %s", world.templated())


def admitted(world, order_id, version, services):
    matching_id = world.db.value("select matching_id from download_order where id = %s", order_id)
    return world.db.run("session_admit", transaction_id=b"t" * 16, matching_id=matching_id, eid=world.eid(),
                        credential_set=1, saip_version=version, services=services)[0]


def test_an_order_keeps_its_version_and_a_card_gets_the_first_variant_that_fits(world):
    type_id = world.templated((0x0303, 0b11), (0x0203, 0b01))
    first, second = world.load(type_id, 2)
    old = world.order(first)
    assert add(world, type_id, variants=((0x0203, 0b01),)) == [{"version": 2}]
    new = world.order(second)
    for iccid in (first, second):
        world.confirm(iccid)

    def variant(order_id, version, services):
        template = admitted(world, order_id, version, services)["template_id"]
        return tuple(world.db.one("select version, rank from template where id = %s", template).values())

    assert variant(old, 0x0303, 0b11) == (1, 1)
    assert variant(old, 0x0303, 0b01) == (1, 2)
    assert variant(old, 0x0203, 0b11) == (1, 2)
    assert variant(old, 0x0201, 0b11) == (1, 1)  # none fits: the first is told about
    assert variant(new, 0x0303, 0b11) == (2, 1)


def test_imported_profiles_have_no_template(world):
    case = world.released()
    assert admitted(world, case.order_id, 0x0303, -1)["template_id"] is None


# ---- stock ---------------------------------------------------------------------------------------


def alerts(world, type_id):
    return [row["data"] for row in world.db.rows(
        "select data from outbox where order_key = %s and type = 'alert.stock-low' order by seq", f"type-{type_id}")]


def take_from_stock(world, type_id, count):
    for _ in range(count):
        order_id = world.db.run("order_prepare")[0]["order_id"]
        assert world.db.run("order_create", order_id=order_id, type_id=type_id, event="download_order", actor="test",
                            why="")


def test_low_stock_is_told_once_a_crossing(world):
    type_id = world.templated(low_water=5)
    name = world.db.value("select name from profile_type where id = %s", type_id)
    world.load(type_id, 8)
    take_from_stock(world, type_id, 3)
    assert alerts(world, type_id) == []
    take_from_stock(world, type_id, 3)
    first = {"profileType": name, "stock": 4, "lowWater": 5}
    assert alerts(world, type_id) == [first]
    world.load(type_id, 1)  # 3 in stock: still low
    take_from_stock(world, type_id, 1)
    assert alerts(world, type_id) == [first]
    world.load(type_id, 5)
    take_from_stock(world, type_id, 3)
    assert alerts(world, type_id) == [first, first]


def test_stock_far_above_the_low_water_is_not_counted_by_each_order(world):
    type_id = world.templated(low_water=5)
    world.load(type_id, 200)
    take_from_stock(world, type_id, 1)
    probe = world.db.value("select stock_probe from profile_type where id = %s", type_id)
    take_from_stock(world, type_id, 20)
    assert world.db.value("select stock_probe from profile_type where id = %s", type_id) == probe


def test_orders_beside_each_other_tell_it_once(world, connect):
    type_id = world.templated(low_water=10)
    world.load(type_id, 20)
    sessions = [connect() for _ in range(4)]

    def take(db):
        for _ in range(5):
            order_id = db.run("order_prepare")[0]["order_id"]
            db.run("order_create", order_id=order_id, type_id=type_id, event="download_order", actor="test", why="")

    threads = [threading.Thread(target=take, args=(db,)) for db in sessions]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert len(alerts(world, type_id)) == 1


def test_an_import_above_the_low_water_lets_it_be_told_again(world):
    type_id = world.templated(low_water=3)
    name = world.db.value("select name from profile_type where id = %s", type_id)
    world.load(type_id, 3)
    take_from_stock(world, type_id, 1)
    assert len(alerts(world, type_id)) == 1
    assert world.db.run("profile_import", **world.package(f"8949{world.number():015d}", name))
    take_from_stock(world, type_id, 1)
    assert len(alerts(world, type_id)) == 2
