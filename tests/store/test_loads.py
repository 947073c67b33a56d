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
        {"iccid": iccid, "state": "available", "load_id": load, "imsi": world.imsi_of(iccid)} for iccid in rows
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
    assert duplicates(world, load, type_id) == [(3, "iccid", None), (5, "iccid", 2)]
    assert duplicates(world, load, type_id, most=1) == [(3, "iccid", None)]


def duplicates(world, load, type_id, most=10):
    found = world.db.run("load_duplicates", load_id=load, type_id=type_id, most=most)
    assert {row["total"] for row in found} in (set(), {len(found)}) or most == len(found)
    return [(row["line"], row["datum"], row["first"]) for row in found]


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


# ---- IMSIs ---------------------------------------------------------------------------------------


def numbered(world, count):
    """So many ICCIDs, each with an IMSI of its own."""
    return [(iccid, world.imsi_of(iccid)) for iccid in iccids(world, count)]


def taken(world, rows, type_id, **more):
    """What becomes of a load of these rows, and which lines of it are told."""
    load = world.stage_rows(rows)
    outcome = world.take_load(load, type_id, len(rows), **more)
    return outcome, duplicates(world, load, type_id) if outcome == "duplicate" else []


def test_an_imsi_twice_in_a_load_refuses_it(world):
    type_id = world.templated()
    a, b, c = iccids(world, 3)
    rows = [(a, world.imsi_of(a)), (b, None), (c, world.imsi_of(a))]
    assert taken(world, rows, type_id) == ("duplicate", [(4, "imsi", 2)])
    assert known(world, [a, b, c]) == 0
    assert taken(world, [(a, None), (b, None), (c, world.imsi_of(c))], type_id) == ("done", [])


def test_a_row_is_told_once_whatever_of_it_is_double(world):
    type_id = world.templated()
    rows = numbered(world, 2)
    assert taken(world, [*rows, rows[0]], type_id) == ("duplicate", [(4, "iccid", 2)])
    assert taken(world, rows, type_id)[0] == "done"
    (new,) = iccids(world, 1)
    assert taken(world, [rows[0], (new, rows[1][1])], type_id) == (
        "duplicate", [(2, "iccid", None), (3, "imsi", None)])


def test_an_imsi_among_those_of_others_is_free(world):
    """Rows between two profiles that are here: each IMSI is looked up."""
    type_id = world.templated()
    rows = numbered(world, 5)
    assert taken(world, [rows[0], rows[4], rows[2]], type_id)[0] == "done"
    (new,) = iccids(world, 1)
    assert taken(world, [rows[1], (new, rows[2][1]), rows[3]], type_id) == ("duplicate", [(3, "imsi", None)])
    assert taken(world, [rows[1], rows[3]], type_id)[0] == "done"


def test_imsis_in_their_order_are_looked_up_as_well(world):
    """The daemon has seen that none is twice, and between which they lie."""
    type_id = world.templated()
    rows = numbered(world, 6)

    def ends(part):
        return {"imsi_low": part[0][1], "imsi_high": part[-1][1]}

    assert taken(world, rows[1:2], type_id, **ends(rows[1:2]))[0] == "done"
    assert taken(world, rows[4:], type_id, **ends(rows[4:]))[0] == "done"
    new = list(zip(iccids(world, 3), (imsi for _, imsi in rows[:3])))
    assert taken(world, new, type_id, **ends(new)) == ("duplicate", [(3, "imsi", None)])
    assert taken(world, rows[2:4], type_id, **ends(rows[2:4]))[0] == "done"
    assert taken(world, rows[:1], type_id, **ends(rows[:1]))[0] == "done"


def test_imsis_are_compared_within_an_operator(world):
    type_id = world.templated()
    ((iccid, imsi),) = numbered(world, 1)
    assert taken(world, [(iccid, imsi)], type_id)[0] == "done"
    name = f"operator-{world.number()}"
    world.db.run("operator_add", name=name, actor="test", why="")
    (other,) = iccids(world, 1)
    assert taken(world, [(other, imsi)], world.templated(operator_name=name))[0] == "done"
    (third,) = iccids(world, 1)
    assert taken(world, [(third, imsi)], world.templated())[0] == "duplicate"


def test_an_imported_profile_has_its_imsi(world):
    iccid, new = iccids(world, 2)
    imsi = world.imsi_of(iccid)
    assert world.db.run("profile_import", **world.package(iccid, world.type_named("keep")) | {"imsi": imsi})
    assert taken(world, [(new, imsi)], world.templated()) == ("duplicate", [(2, "imsi", None)])


def test_types_that_share_imsis(world):
    """Their profiles are neither compared nor counted."""
    shared, other = world.templated(shared_imsi=True), world.templated()
    a, b, c, d, e = iccids(world, 5)
    imsi = world.imsi_of(a)
    assert taken(world, [(a, imsi), (b, imsi)], shared)[0] == "done"
    assert taken(world, [(c, imsi)], other)[0] == "done"
    assert taken(world, [(d, imsi)], shared)[0] == "done"
    assert taken(world, [(e, imsi)], other)[0] == "duplicate"


@pytest.mark.parametrize(
    "sql,outcome",
    [
        ("update profile set card_state = 'deleted' where iccid = %s", "done"),
        ("update profile set card_state = 'disabled' where iccid = %s", "duplicate"),
        ("select from profile where iccid = %s", "duplicate"),
    ],
    ids=["deleted", "disabled", "never switched"],
)
def test_what_an_euicc_deleted_leaves_its_imsi(world, sql, outcome):
    case = world.at("installed")
    (new,) = iccids(world, 1)
    imsi = world.imsi_of(new)
    world.db.rows("update profile set imsi = %s where iccid = %s", imsi, case.iccid)
    world.db.rows(sql, case.iccid)
    assert taken(world, [(new, imsi)], world.templated())[0] == outcome


@pytest.mark.parametrize("out,outcome", [(False, "done"), (True, "duplicate")])
def test_what_was_given_up_leaves_its_imsi_unless_a_package_is_out(world, out, outcome):
    case = world.at("unavailable")
    (new,) = iccids(world, 1)
    imsi = world.imsi_of(new)
    world.db.rows("update profile set imsi = %s where iccid = %s", imsi, case.iccid)
    world.db.rows("update download_order set package_out = %s where iccid = %s", out, case.iccid)
    assert taken(world, [(new, imsi)], world.templated())[0] == outcome


@pytest.mark.parametrize("same", ["iccid", "imsi"])
def test_of_two_loads_at_a_time_one_wins(world, connect, same):
    type_id = world.templated()
    rows = numbered(world, 200)
    if same == "iccid":
        files = [rows, [(iccid, "00102" + imsi[5:]) for iccid, imsi in rows[::-1]]]
    else:
        files = [rows, [(iccid, imsi) for iccid, (_, imsi) in zip(iccids(world, 200), rows[::-1])]]
    sessions = [connect(), connect()]
    loads = [world.stage_rows(order, db) for db, order in zip(sessions, files)]
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
    assert sum(known(world, [iccid for iccid, _ in file]) for file in files) == len(rows) * (1 + (same == "iccid"))
    (loser,) = (i for i, outcome in outcomes.items() if outcome == "duplicate")
    told = world.db.run("load_duplicates", load_id=loads[loser], type_id=type_id, most=1000)
    assert [(row["line"], row["datum"], row["first"]) for row in told] == [(n, same, None) for n in range(2, 202)]


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


def add(world, type_id, version=2, former=1, rank=1, variants=(), **more):
    loads = world.db.value("select count(*) from profile_load where type_id = %s", type_id)
    given = dict(type_id=type_id, version=version, former=former, rank=rank, loads=loads, actor="test", why="")
    return world.db.run("template_add", **given | world.templates(*variants) | {"class": "operational"} | more)


def prepared(world, type_id):
    name = world.db.value("select name from profile_type where id = %s", type_id)
    (row,) = world.db.run("template_prepare", type_name=name, operator_name="default", count=1)
    details = row["details"] or b""
    return (row["loads"], row["fields_all"], row["fields_any"],
            sorted(int.from_bytes(details[i : i + 8], "big") for i in range(0, len(details), 8)))


def test_a_template_is_held_against_all_that_loads_gave(world):
    type_id = world.templated()
    assert prepared(world, type_id) == (0, -1, 0, [])
    for fields_all, fields_any, details in ((0b111, 0b111, [1, 2**33 + 7]), (0b101, 0b1101, [2**33 + 7, 3]), (5, 5, None)):
        rows = iccids(world, 1)
        assert world.take_load(world.stage_rows(rows), type_id, 1, fields_all=fields_all, fields_any=fields_any,
                               details=details) == "done"
    assert prepared(world, type_id) == (3, 0b101, 0b1111, [1, 3, 2**33 + 7])


def test_a_load_that_ends_meanwhile_holds_a_template_up(world):
    type_id = world.templated()
    world.load(type_id)
    assert add(world, type_id, loads=0) == []
    assert add(world, type_id, loads=2) == []
    assert add(world, type_id, loads=1) == [{"version": 2}]


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


# ---- what a type may be changed in ---------------------------------------------------------------


def change(world, type_id, **more):
    name = world.db.value("select name from profile_type where id = %s", type_id)
    found = world.db.run("profile_type_set", name=name, operator_name="default", actor="test",
                         **{"any_imsi": False, "why": ""} | more)
    return found[0]["view"] if found else None


def acts(world, type_id):
    name = world.db.value("select name from profile_type where id = %s", type_id)
    return world.db.value("select count(*) from audit where act = 'profile-type.set' and why like %s", f"%name={name} %")


def test_a_type_is_changed_and_only_changes_are_told(world):
    type_id = world.templated(low_water=3)
    name = world.db.value("select name from profile_type where id = %s", type_id)
    base = {"name": name, "operator": "default", "sharedImsi": False}
    assert change(world, type_id) == base | {"lowWater": 3}
    assert acts(world, type_id) == 0
    ranged = {"imsi_low": "001010000000000", "imsi_high": "001010000000009"}
    for _ in range(2):
        assert change(world, type_id, low_water=0, shared_imsi=True, **ranged) == base | {
            "sharedImsi": True, "imsiRange": "001010000000000-001010000000009"}
    assert acts(world, type_id) == 1
    assert change(world, type_id, low_water=7, any_imsi=True) == base | {"sharedImsi": True, "lowWater": 7}
    assert world.db.run("profile_type_set", name=name, operator_name="nobody", any_imsi=False, actor="test", why="") == []


def test_another_low_water_is_looked_at_by_the_next_order(world):
    type_id = world.templated(low_water=2)
    world.load(type_id, 10)
    take_from_stock(world, type_id, 1)
    assert change(world, type_id, low_water=9)["lowWater"] == 9
    take_from_stock(world, type_id, 1)
    assert [a["stock"] for a in alerts(world, type_id)] == [8]
    change(world, type_id, low_water=8)
    take_from_stock(world, type_id, 1)
    assert [a["stock"] for a in alerts(world, type_id)] == [8, 7]
    change(world, type_id, low_water=8, shared_imsi=True)  # the same mark: it has been told
    take_from_stock(world, type_id, 1)
    assert len(alerts(world, type_id)) == 2
