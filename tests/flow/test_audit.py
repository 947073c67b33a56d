"""The audit trail: what is done is written down with who did it, `rspctl audit verify` finds the
chain whole, and finds it broken when a row was changed, taken out or put in behind its back."""

import threading

import pytest

from card import Card, Download
from conftest import new_eid
from harness import REPOSITORY, wait_for


@pytest.fixture(scope="module")
def sealed(rspd):
    """The file's daemon with a sealed history of one download."""
    o = rspd.desk.order()
    Download(Card(new_eid(), rspd.site.trees["nist"]), rspd.client()).run(o.matching_id)
    rspd.iccid = o.iccid
    count = "select count(*) from audit where seal_id is null"
    wait_for(lambda: rspd.database.value(count) == 0, "the sealer")
    return rspd


@pytest.fixture
def tampered(sealed):
    """Runs a statement behind the daemon's back; afterwards the trail is as it was, and whole."""
    database = sealed.database
    tables = ("audit", "audit_seal")
    for table in tables:
        database.rows(f"create temp table kept_{table} as select * from {table}")
    yield lambda sql: database.rows(sql)
    restore = "".join(
        f"delete from {table};"
        f" insert into {table} overriding system value select * from kept_{table};"
        f" drop table kept_{table};"
        for table in tables
    )
    database.rows(f"begin; {restore} commit")
    code, printed, said = verify(sealed)
    assert code == 0, (printed, said)


def verify(daemon):
    return daemon.ctl("audit", "verify", check=False)


def test_the_trail_is_whole(sealed):
    code, printed, said = verify(sealed)
    assert code == 0, (printed, said)


def test_acts_of_administrators_bear_their_names(sealed):
    actors = sealed.database.rows(
        f"select actor from audit where iccid = '{sealed.iccid}'"
        " and to_state in ('allocated', 'released')"
    )
    assert len(actors) == 2 and all("uid=" in a for (a,) in actors), actors
    assert len(sealed.ctl("audit", "list")["entries"]) >= 4


TAMPERING = {
    "a changed reason": "update audit set why = why || '!' where id = (select max(id) from audit)",
    "a changed actor": "update audit set actor = 'nobody' where id = (select min(id) from audit)",
    "a changed time": "update audit set at = at + interval '1 microsecond'"
    " where id = (select max(id) from audit)",
    "a row taken out": "delete from audit where id = (select min(id) from audit)",
    "the newest row taken out": "delete from audit where id = (select max(id) from audit)",
    "a row put in": "insert into audit (actor, act, seal_id)"
    " select 'x', 'x', max(seal_id) from audit",
    "two rows exchanged": "update audit a set act = b.act, actor = b.actor from audit b"
    " where a.id = (select min(id) from audit) and b.id = (select max(id) from audit)",
    "a changed seal": "update audit_seal set hash = prev_hash"
    " where id = (select max(id) from audit_seal)",
    "a seal taken out": "delete from audit_seal where id = (select min(id) from audit_seal)",
}


@pytest.mark.parametrize("sql", TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_found(sealed, tampered, sql):
    tampered(sql)
    code, printed, said = verify(sealed)
    assert code != 0, (printed, said)
    assert said.strip()


def seal_statement():
    """What the sealer runs (sql/query/audit.sql), for at most so many entries."""
    text = (REPOSITORY / "sql/query/audit.sql").read_text()
    return text.split("-- name: audit_seal(")[1].split("\n-- name:")[0].split("\n", 1)[1]


def test_what_is_sealed_during_a_check_is_no_tampering(sealed):
    """Seals are made all the time; a check that looked twice would see entries of seals that it does
    not know."""
    beside = sealed.database.postgres.connect(sealed.database.name)
    statement = seal_statement().replace("$1", "1000")
    ended, made = threading.Event(), 0

    def seal():
        nonlocal made
        with beside.cursor() as cursor:
            while not ended.is_set():
                cursor.execute("insert into audit (actor, act) values ('test', 'beside')")
                cursor.execute(statement)
                made += len(cursor.fetchall())

    sealer = threading.Thread(target=seal)
    sealer.start()
    try:
        verdicts = []
        while len(verdicts) < 100 or (made <= 10 and sealer.is_alive()):
            verdicts.append(sealed.ask_any("audit verify")["ok"])
    finally:
        ended.set()
        sealer.join()
        beside.close()
    assert made > 10
    assert [v for v in verdicts if not v["intact"]] == []
    assert verdicts[-1]["seals"] > verdicts[0]["seals"]
