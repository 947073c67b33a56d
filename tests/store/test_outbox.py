"""Who delivers what next: leases and those who hold them, the parts of payers, what is forgotten."""

import itertools
import uuid

import pytest

from database import REPOSITORY, Connection

numbers = itertools.count(1)
ADMIN = dict(actor="test", why="")
LEASE = dict(lease_ms=3600000, renew_ms=1000, most=1000)


@pytest.fixture
def outbox(world):
    """A database in which nothing is owed to anybody."""
    world.db.rows("delete from delivery_lease")
    world.db.rows("delete from subscriber")
    return world


def operator(world):
    """An operator with a server that is told how its downloads go: name and number."""
    name = f"operator{world.number()}"
    world.db.run("operator_add", name=name, expired=False, remember=True, test_ci=False, **ADMIN)
    world.db.run("subscriber_callback", operator_name=name, address="https://x", **ADMIN)
    return name, world.db.value("select id from operator where name = %s", name)


def owe(world, operator_id, keys):
    """An event of so many profiles each."""
    for _ in range(keys):
        world.db.rows("insert into outbox (operator_id, order_key, seq, type, data) values (%s, %s, 1,"
                      " 'es2.progress', '{}')", operator_id, f"8949{world.number():015d}")


def owner():
    return str(uuid.uuid4())


def lease(world, who, **more):
    return world.db.run("outbox_lease", **LEASE | {"owner": who} | more)[0]["leased"]


def due(world, who, most=1000, most_in_all=1000):
    return world.db.run("outbox_due", owner=who, margin_ms=1000, busy=[], most=most, most_in_all=most_in_all)


def test_a_lease_is_left_to_who_lives(outbox, connect):
    living = connect()
    name = owner()
    living.rows("select pg_advisory_lock_shared(outbox_owner_key(%s))", name)
    owe(outbox, operator(outbox)[1], 1)
    assert lease(outbox, name) == 1
    assert lease(outbox, owner()) == 0
    living.rows("select pg_advisory_unlock_all()")


def test_a_lease_of_the_dead_is_taken_at_once(outbox, connect):
    dead, heir = connect(), owner()
    name = owner()
    dead.rows("select pg_advisory_lock_shared(outbox_owner_key(%s))", name)
    owe(outbox, operator(outbox)[1], 1)
    lease(outbox, name)
    (before,) = due(outbox, name)
    dead.close()
    for _ in range(1000):  # until the server knows
        if lease(outbox, heir):
            break
    (after,) = due(outbox, heir)
    assert after["token"] > before["token"]
    settle = dict(subscriber_id=before["subscriber_id"], order_key=before["order_key"], outbox_id=before["outbox_id"],
                  state="delivered", wait_ms=0)
    assert not outbox.db.run("outbox_settle", token=before["token"], **settle)
    assert outbox.db.run("outbox_settle", token=after["token"], **settle)


def test_nobody_takes_his_own_lease_from_himself(outbox):
    """Also while his lock is lost: the token of what is under way stays."""
    name = owner()
    owe(outbox, operator(outbox)[1], 1)
    lease(outbox, name)
    (before,) = due(outbox, name)
    lease(outbox, name, renew_ms=7200000)
    (after,) = due(outbox, name)
    assert before["token"] == after["token"]


def test_each_payer_comes_first_before_anybodys_second(outbox):
    """However long the others have waited."""
    (_, first), (_, second), (_, third) = operator(outbox), operator(outbox), operator(outbox)
    owe(outbox, first, 5)
    outbox.db.rows("update delivery_key set next_at = next_at - interval '1 hour'")
    owe(outbox, second, 3)
    owe(outbox, third, 1)
    name = owner()
    lease(outbox, name)
    payers = [row["payer"] for row in due(outbox, name)]
    assert sorted(payers[:3]) == [first, second, third]
    assert sorted(payers[3:5]) == [first, second]
    assert len(payers) == 9
    assert [row["payer"] for row in due(outbox, name, most_in_all=3)] == payers[:3]
    assert len(due(outbox, name, most=2)) == 5


def test_an_sm_ds_pays_for_itself(outbox):
    iccid, eid = outbox.profile(), outbox.eid()
    for n in (1, 2):
        outbox.db.rows("insert into outbox (operator_id, order_key, seq, type, data) values (1, %s, %s, 'es12.delete',"
                       " es12_event(%s, %s, %s, 'M', 1))", iccid, n, f"ds{n}.example.org", iccid, eid)
    name = owner()
    lease(outbox, name)
    rows = due(outbox, name)
    assert sorted(row["payer"] for row in rows) == sorted(-row["subscriber_id"] for row in rows)
    assert len(rows) == 2


def test_what_was_told_long_ago_is_forgotten(outbox):
    owe(outbox, operator(outbox)[1], 6)
    rows = outbox.db.rows("select outbox_id from delivery order by outbox_id")
    for (state, days), row in zip([("delivered", 11), ("delivered", 12), ("delivered", 9), ("dead", 30),
                                   ("waiting", 30), ("waiting", None)], rows):
        outbox.db.rows("update delivery set state = %s, tried_at = now() - %s * interval '1 day' where outbox_id = %s",
                       state, days, row["outbox_id"])
    ten = dict(keep_seconds=10 * 86400)
    assert outbox.db.run("outbox_forget", most=1, **ten) == [{"swept": 1}]
    assert outbox.db.run("outbox_forget", most=100, **ten) == [{"swept": 1}]
    assert outbox.db.run("outbox_forget", most=100, **ten) == [{"swept": 0}]
    left = outbox.db.rows("select outbox_id from delivery order by outbox_id")
    assert left == rows[2:]
    assert outbox.db.value("select count(*) from outbox where id = %s", rows[0]["outbox_id"]) == 1


# ---- the migration that gave events at SM-DSs keys of their own -------------------------------------------------


@pytest.fixture
def upgraded(cluster):
    """A database as it was before 0009, and a function that brings it on."""
    name = f"upgraded{next(numbers)}"
    cluster.run("postgres", f"create database {name}")
    before, after = [], []
    for path in sorted((REPOSITORY / "sql" / "schema").glob("*.sql")):
        (before if path.name < "0009" else after).append(path.read_text(encoding="utf-8"))
    for sql in before:
        cluster.run(name, sql)
    connection = Connection(cluster.folder, name)
    yield connection, lambda: connection.rows(after[0])
    connection.close()


def test_what_was_owed_to_an_sm_ds_finds_its_new_place(upgraded):
    db, upgrade = upgraded
    eid = "8" * 32
    for iccid, kind in (("8949000000000000001", "es12.delete"), ("8949000000000000002", "es12.register"),
                        ("8949000000000000003", "es12.delete")):
        db.rows("insert into outbox (operator_id, order_key, seq, type, data) values (1, %s, 7, %s,"
                " es12_event('ds.example.org', %s, %s, 'M', 1))", iccid, kind, iccid, eid)
    db.rows("update delivery set state = 'delivered' where order_key = '8949000000000000003'")
    db.rows("delete from delivery_key where order_key = '8949000000000000003'")
    upgrade()
    ids = [row["id"] for row in db.rows("select id from outbox order by id")]
    assert db.rows("select order_key, seq, state from delivery order by outbox_id") == [
        {"order_key": f"{eid}/M", "seq": n, "state": state}
        for n, state in zip(ids, ("waiting", "waiting", "delivered"))]
    assert db.rows("select order_key, pending from delivery_key") == [{"order_key": f"{eid}/M", "pending": 2}]
