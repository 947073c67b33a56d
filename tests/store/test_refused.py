"""Refused calls in the history of a profile: whose it is when only the MatchingID or the EID is known, how many
stay, and what becomes of those that an older version kept."""

import concurrent.futures

import pytest

from database import REPOSITORY, Connection
from world import World

KEPT = 16  # callers of one function and refusal


def put(world, iccid=None, db=None, **more):
    return (db or world.db).run("refused_put", **world.refused(iccid, **more))


def told(world, iccid):
    return world.db.rows("select * from refused_call where iccid = %s order by last_at, eid", iccid)


def test_one_caller_is_one_row_that_counts(world):
    iccid, eid = world.profile(), world.eid()
    for n in (1, 2, 3):
        assert put(world, iccid, eid=eid, why=f"try {n}", peer=f"192.0.2.{n}:1") == [{"times": n}]
    assert put(world, iccid, eid=eid, refusal="ORDER_EXPIRED") == [{"times": 1}]
    (first, other) = told(world, iccid)
    assert (first["times"], first["why"], first["peer"]) == (3, "try 3", "192.0.2.3:1")
    assert first["first_at"] < first["last_at"] and other["times"] == 1


def test_what_is_about_no_profile_is_not_told(world):
    before = world.db.value("select count(*) from refused_call")
    eid = world.eid()
    for given in ({"iccid": "8900000000000000000"}, {"matching_id": "NOTHING"}, {"matching_id": ""}, {}):
        assert world.db.run("refused_put", **world.refused(None, eid=eid) | given) == []
    assert world.db.value("select count(*) from refused_call") == before


@pytest.mark.parametrize("matching_id", ["", None], ids=["empty", "named"])
def test_without_an_iccid_it_is_about_the_order_that_would_have_been_found(world, matching_id):
    """As session_admit finds it, of all orders that an EID has and had."""
    eid, cases = world.eid(), [world.profile() for _ in range(4)]
    for iccid in cases:
        world.order(iccid, eid)
    names = [world.confirm(iccid, release=iccid != cases[0]) for iccid in cases]
    assert world.db.run("order_cancel", iccid=cases[3], event="cancel_order_available", trusted=True, actor="t", why="")
    for name in names if matching_id is None else [""]:
        (found,) = world.db.run("session_admit", transaction_id=b"t" * 16, matching_id=name, eid=eid, credential_set=1)
        answer = put(world, eid=eid, matching_id=name, refusal="EID_DENIED")
        assert bool(answer) == bool(found["iccid"])
        if answer:
            assert [row["eid"] for row in told(world, found["iccid"])] == [eid]


def test_a_session_lends_what_its_device_told(world):
    case, eid = world.released(), world.eid()
    tx = world.session(case.order_id, eid, tac="35290611", imei="3529061100112233")
    put(world, case.iccid, eid=eid, transaction_id=tx)
    put(world, case.iccid, eid=eid, transaction_id=tx, refusal="OTHER", tac="11111111")
    assert [(row["tac"], row["imei"]) for row in told(world, case.iccid)] == [
        ("35290611", "3529061100112233"), ("11111111", "3529061100112233")]


def test_only_the_newest_callers_stay(world):
    iccid, other = world.profile(), world.profile()
    real = world.eid()
    put(world, iccid, eid=real, refusal="EID_REFUSED")
    put(world, other, eid=real)
    eids = [world.eid() for _ in range(KEPT + 3)]
    for eid in eids:
        put(world, iccid, eid=eid)
    rows = told(world, iccid)
    assert [row["eid"] for row in rows if row["refusal"] == "BINDING_REFUSED"] == eids[-KEPT:]
    assert [row["eid"] for row in rows if row["refusal"] == "EID_REFUSED"] == [real]
    assert len(told(world, other)) == 1
    put(world, iccid, eid=eids[-KEPT])  # known: nobody goes
    assert len(told(world, iccid)) == KEPT + 1


def test_many_at_a_time_wait_for_nobody(world, cluster):
    """Each forgets others while they come again: a deadlock would be an error."""
    iccid = world.profile()
    eids = [world.eid() for _ in range(KEPT * 2)]

    def flood(start):
        db = Connection(cluster.folder, world.db.pg.info.dbname)
        try:
            for n in range(150):
                put(world, iccid, db, eid=eids[(start * 7 + n * (1 + start)) % len(eids)])
        finally:
            db.close()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(flood, range(4)))
    for eid in eids[:2]:
        put(world, iccid, eid=eid)
    assert len(told(world, iccid)) == KEPT


def test_what_an_older_version_kept_is_kept(cluster):
    """0007: sessions that told of a profile become calls that count."""
    cluster.serial += 1
    name = f"upgrade{cluster.serial}"
    cluster.run("postgres", f"create database {name}")
    migrations = sorted((REPOSITORY / "sql" / "schema").glob("*.sql"))
    before = [m for m in migrations if m.name < "0007"]
    for migration in before:
        cluster.run(name, migration.read_text(encoding="utf-8"))
    db = Connection(cluster.folder, name)
    World(db)
    strangers = [f"{n:032d}" for n in range(KEPT + 4)]
    for n, eid in enumerate(["9" * 32] * 3 + strangers):
        db.rows(
            "insert into rsp_session (transaction_id, credential_set, eid, euicc_curve, euicc_point, smdp_oid,"
            " request_sha256, state, refusal, tac, about, created_at) values"
            " (%s, 1, %s, 1, '', '', '', 'ended', %s, %s, %s, timestamptz '2026-11-01 UTC' - %s * interval '1 minute')",
            n.to_bytes(16, "big"), eid, "EID_REFUSED" if n < 3 else "ORDER_EXPIRED", str(n),
            "8900000000000000000", n)
    for migration in migrations[len(before):]:
        db.rows(migration.read_text(encoding="utf-8"))
    rows = db.rows("select *, last_at - first_at = interval '2 minutes' as apart from refused_call"
                   " where function = 'AuthenticateClient' and caller = 'es9+' order by last_at desc")
    assert [row["eid"] for row in rows] == ["9" * 32] + strangers[:KEPT]
    assert (rows[0]["times"], rows[0]["tac"], rows[0]["apart"], rows[0]["refusal"]) == (3, "0", True, "EID_REFUSED")
    assert rows[0]["transaction_id"] == bytes(16) and rows[1]["times"] == 1
    db.close()
