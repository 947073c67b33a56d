"""Delivery through trouble: servers that fail in every way, daemons killed, two of them on one
database, PostgreSQL restarted. At least once, in order for each key, nothing lost (RULES 6)."""

import base64
import itertools
import time

import pytest

from card import Download
from checker import check_told
from harness import Postgres, wait_for
from receiver import Operator
from test_chaos import LENIENT, Crowd, settled

OUTBOX = {"call_seconds": 2, "lease_seconds": 4}
numbers = itertools.count(1)


@pytest.fixture
def settings(site):
    pair = {"certificate": site.folder / "nist-tls.pem", "key": site.folder / "nist-tls.key"}
    return {"outbox": OUTBOX, "dp": LENIENT, "client main": pair}


@pytest.fixture
def daemon(make_rspd, settings):
    return make_rspd(**settings)


@pytest.fixture
def operator(daemon, site):
    server = Operator(daemon.folder, f"operator{next(numbers)}", site).start()
    daemon.ask("operator callback", name="default", url=server.url)
    yield server
    server.stop()


def download(daemon, card):
    o = daemon.desk.order()
    Download(card, daemon.client()).run(o.matching_id)
    return o.iccid


def subscriber(daemon):
    (one,) = daemon.ask("subscriber list")["subscribers"]
    return one


def is_settled(daemon, operator):
    """Everything was told: makes it all due until nothing waits, then asks the checker."""

    def all_told():
        daemon.ask_any("subscriber resume", name="default")  # busy while PostgreSQL comes back
        return daemon.database.value("select count(*) from delivery where state = 'waiting'") == 0

    wait_for(all_told, lambda: daemon.log_tail())
    ids = [c["header"]["functionCallIdentifier"] for c in operator.calls()]
    assert check_told(daemon.database, "default", ids) == []
    assert not [line for line in operator.lines() if line["is"] == "disorder"]


# ---- servers that fail --------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [
    "status:500*2", "status:200*2", "redirect*2", "garbage*2", "hang*1", "delay:5000*1", "drip:500*1",
    "cut*2", "lose*2",
])
def test_what_fails_is_told_again_in_order(daemon, operator, card, failure):
    operator.tell(failure)
    iccid = download(daemon, card)

    def again():
        daemon.ask("subscriber resume", name="default")
        return len(operator.calls(iccid)) == 3

    wait_for(again, lambda: operator.points(iccid))
    assert [p for p, _ in operator.points(iccid)] == [1, 3, 4]
    is_settled(daemon, operator)


def test_an_answer_may_come_octet_by_octet(daemon, operator, card):
    operator.tell("drip:1")
    iccid = download(daemon, card)
    operator.waits_for(iccid, 3)
    is_settled(daemon, operator)
    assert [line["is"] for line in operator.lines()] == ["new"] * 3


@pytest.mark.parametrize("asked,waits", [(3600, 3600), (1, 5), (500000, 86400)])
def test_a_server_may_ask_for_patience(daemon, operator, card, asked, waits):
    """Retry-After counts when it is longer than the schedule, up to a day."""
    operator.tell(f"retry:{asked}")
    iccid = download(daemon, card)
    (seconds,), = wait_for(lambda: daemon.database.rows(
        "select extract(epoch from k.next_at - v.tried_at)::float8 from delivery v join delivery_key k"
        f" using (subscriber_id, order_key) where v.order_key = '{iccid}' and v.attempts = 1"), "the failure")
    assert waits <= seconds <= waits * 1.1


def test_the_first_failure_is_repeated_by_itself(daemon, operator, card):
    operator.tell("status:503*1")
    began = time.monotonic()
    iccid = download(daemon, card)
    operator.waits_for(iccid, 3)
    assert time.monotonic() - began > 4  # the schedule begins with 5 s


def test_the_more_often_it_failed_the_longer_it_waits(daemon, operator, card):
    operator.tell("status:500*1000")
    iccid = download(daemon, card)
    seconds = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    wait_for(lambda: subscriber(daemon).get("lastError"), "the first failure")
    for failed, wait in enumerate(seconds[1:], 2):
        daemon.ask("subscriber resume", name="default")
        row = wait_for(
            lambda: daemon.database.rows(
                "select extract(epoch from k.next_at - v.tried_at)::float8 from delivery v join delivery_key k"
                f" using (subscriber_id, order_key) where v.order_key = '{iccid}' and v.attempts = {failed}"),
            f"failure {failed}")
        assert wait <= row[0][0] <= wait * 1.1


def test_a_server_that_is_away_loses_nothing(daemon, operator, make_card):
    operator.kill()
    iccids = [download(daemon, make_card()) for _ in range(3)]
    waiting = subscriber(daemon)
    assert waiting["waiting"] == 9 and waiting["oldest"]
    operator.start()
    is_settled(daemon, operator)
    assert all(len(operator.calls(iccid)) == 3 for iccid in iccids)


def test_one_key_that_fails_holds_up_no_other(daemon, operator, make_card):
    """Its first event is refused by the server (no profile type in it), which is for ever."""
    bad = daemon.desk.order()
    card = make_card()
    Download(card, daemon.client()).until_authenticated(bad.matching_id)
    operator.waits_for(bad.iccid, 1)
    operator.tell("status:400*1")
    Download(card, daemon.client()).until_authenticated(bad.matching_id)
    wait_for(lambda: daemon.database.value(
        "select count(*) from delivery where error is not null"), "a failure")
    iccid = download(daemon, make_card())
    operator.waits_for(iccid, 3)
    assert len(operator.calls(bad.iccid)) == 1
    is_settled(daemon, operator)


def test_dead_letters_are_kept_named_and_told_again(daemon, operator, card):
    operator.tell("status:410")
    o = daemon.desk.order()
    Download(card, daemon.client()).until_authenticated(o.matching_id)
    wait_for(lambda: daemon.database.value(
        "select count(*) from delivery where error is not null"), "a failure")
    daemon.database.rows("update delivery set attempts = 9")  # the schedule is at its end
    daemon.ask("subscriber resume", name="default")
    wait_for(lambda: subscriber(daemon)["dead"] == 1, "the dead letter")
    operator.tell("no")
    Download(card, daemon.client()).run(o.matching_id)  # the key goes on
    operator.waits_for(o.iccid, 3)
    assert [p for p, _ in operator.points(o.iccid)] == [1, 3, 4]
    assert "result=dead-letter" in daemon.log() and "gap=" in daemon.log()

    dead = daemon.ask("event list", subscriber="default", state="dead")["events"]
    assert [(e["key"], e["status"]) for e in dead] == [(o.iccid, 410)]
    assert daemon.ask("event replay", subscriber="default", iccid=o.iccid)["events"] == 4
    wait_for(lambda: dead[0]["id"] in [
        c["header"]["functionCallIdentifier"] for c in operator.calls()], "the dead letter")
    wait_for(lambda: subscriber(daemon)["waiting"] == 0, "the rest")
    assert subscriber(daemon)["dead"] == 0


def test_events_of_a_time_are_told_again(daemon, operator, card):
    iccid = download(daemon, card)
    operator.waits_for(iccid, 3)
    assert daemon.ask("event replay", subscriber="default", **{"from": "2000-01-01"})["events"] == 3
    wait_for(lambda: [line["is"] for line in operator.lines()].count("again") == 3, "the replay")
    assert daemon.ask_any("event replay", subscriber="default")["error"]["code"] == "arguments"
    assert daemon.ask_any("event replay", subscriber="nobody", iccid=iccid)["error"]["code"] == \
        "subscriber-unknown"


def test_a_paused_subscriber_is_told_when_it_is_resumed(daemon, operator, card):
    assert daemon.ask("subscriber pause", name="default") == {"name": "default", "paused": True}
    iccid = download(daemon, card)
    time.sleep(2.5)  # two looks for what is due
    assert operator.calls(iccid) == [] if operator.record.exists() else True
    assert subscriber(daemon)["paused"] and subscriber(daemon)["waiting"] == 3
    daemon.ask("subscriber resume", name="default")
    operator.waits_for(iccid, 3)


def test_the_lag_is_in_the_stats(daemon, operator, card):
    operator.kill()
    download(daemon, card)
    wait_for(lambda: daemon.ask("stats")["subscribers"].get("es2 default", {}).get("lagSeconds"),
             lambda: daemon.ask("stats")["subscribers"])
    operator.start()
    is_settled(daemon, operator)
    wait_for(lambda: daemon.ask("stats")["subscribers"]["es2 default"]["lagSeconds"] == 0, "no lag")
    assert daemon.ask("stats")["counters"]["outbox_delivered"] == 3


def test_a_subscriber_that_is_removed_is_owed_nothing(daemon, operator, card):
    operator.kill()
    download(daemon, card)
    daemon.ask("subscriber remove", name="default")
    assert daemon.ask("subscriber list")["subscribers"] == []
    assert daemon.database.value("select count(*) from delivery") == 0
    download(daemon, card)


def test_a_server_with_another_certificate_is_told_nothing(daemon, operator, site, card):
    """Nor one that does not know us."""
    stranger = site.write("stranger.pem", site.trees["brainpool"].ci.pem)
    daemon.ask("operator callback", name="default",
               ca=base64.b64encode(stranger.read_bytes()).decode())
    download(daemon, card)
    wait_for(lambda: "certificate" in (subscriber(daemon).get("lastError") or ""),
             lambda: subscriber(daemon))
    assert not operator.record.read_text()


def test_servers_that_hang_starve_nobody(make_rspd, site, make_card):
    """Two operators want all that may be on its way; a third one's turn comes all the same."""
    pair = {"certificate": site.folder / "nist-tls.pem", "key": site.folder / "nist-tls.key"}
    daemon = make_rspd(dp=LENIENT, outbox={"call_seconds": 300, "lease_seconds": 310, "in_flight": 4},
                       **{"client main": pair})
    servers = []
    for name in ("slow1", "slow2", "quick"):
        daemon.ask("operator add", name=name)
        servers.append(Operator(daemon.folder, name, site).start())
        daemon.ask("operator callback", name=name, url=servers[-1].url)
    try:
        for name, server in zip(("slow1", "slow2"), servers):
            server.tell("hang")
            daemon.database.rows(
                "insert into outbox (operator_id, order_key, seq, type, data) select o.id, '894900000000000000' || n, 1,"
                " 'es2.progress', es2_progress('894900000000000000' || n, null, 'T', 1, null, null, null, null)"
                f" from operator o, generate_series(10, 15) n where o.name = '{name}'")
        wait_for(lambda: daemon.ask("stats")["counters"]["outbox_in_flight"] >= 3, "the slow ones")
        iccid = daemon.desk.load({"type": "quick-type", "operator": "quick"})
        Download(make_card(), daemon.client()).run(daemon.desk.order(iccid=iccid).matching_id)
        servers[2].waits_for(iccid, 3)
    finally:
        for server in servers:
            server.stop()


def test_what_was_delivered_is_forgotten_in_time(daemon, operator, card):
    iccid = download(daemon, card)
    operator.waits_for(iccid, 3)
    wait_for(lambda: subscriber(daemon)["waiting"] == 0, "the record")
    daemon.database.rows("update delivery set tried_at = now() - interval '91 days' where outbox_id ="
                         " (select min(outbox_id) from delivery)")
    daemon.stop()
    daemon.start()  # it begins with a sweep
    wait_for(lambda: daemon.database.value("select count(*) from delivery") == 2, "the sweep")


# ---- everything falls down ----------------------------------------------------------------------------


def shaken(daemons, operator, make_card, shake):
    with Crowd(daemons, make_card) as crowd:
        for goal in (2, 6, 10, 15, 20):
            wait_for(lambda g=goal: crowd.done >= g or crowd.failures, "downloads")
            shake(goal)
    settled(daemons[0], crowd.cards)
    is_settled(daemons[0], operator)
    assert len(operator.calls()) >= 3 * crowd.done


def test_rspd_killed_while_it_delivers(daemon, operator, make_card):
    def shake(goal):
        operator.tell("lose*1")
        daemon.kill()
        daemon.start()

    shaken([daemon], operator, make_card, shake)


def test_the_server_killed_while_it_is_told(daemon, operator, make_card):
    def shake(goal):
        operator.kill()
        operator.start()

    shaken([daemon], operator, make_card, shake)


@pytest.fixture
def patient(make_rspd, settings):
    """Its leases outlast any test."""
    return make_rspd(**settings | {"outbox": {"call_seconds": 2, "lease_seconds": 3600}})


def test_a_start_takes_over_from_the_dead(patient, site, card):
    operator = Operator(patient.folder, "operator-dead", site).start()
    patient.ask("operator callback", name="default", url=operator.url)
    operator.tell("hang*1")
    iccid = download(patient, card)
    wait_for(lambda: patient.database.value("select count(*) from delivery_lease"), "the lease")
    patient.kill()
    patient.start()
    operator.waits_for(iccid, 3)
    is_settled(patient, operator)
    operator.stop()


def test_another_daemon_takes_over_from_the_dead(patient, make_rspd, settings, site, card):
    second = make_rspd(database=patient.database, **settings)
    operator = Operator(patient.folder, "operator-other", site).start()
    second.ask("operator callback", name="default", url=operator.url)
    operator.tell("status:500*1000")
    iccid = download(patient, card)
    wait_for(lambda: subscriber(second).get("lastError"), "a failure")
    patient.database.rows("update delivery_lease set expires_at = now() + interval '1 hour'")
    operator.tell("no")
    patient.kill()
    second.ask("subscriber resume", name="default")
    operator.waits_for(iccid, 3)
    is_settled(second, operator)
    operator.stop()


def test_who_loses_its_lock_breaks_off_and_goes_on(patient, site, card):
    """Its calls must not go on beside those of whoever takes the leases."""
    operator = Operator(patient.folder, "operator-lock", site).start()
    patient.ask("operator callback", name="default", url=operator.url)
    operator.tell("hang*1")
    iccid = download(patient, card)
    wait_for(lambda: patient.ask("stats")["counters"]["outbox_in_flight"] == 1, "the call")
    assert patient.database.value(
        "select count(pg_terminate_backend(pid)) from pg_locks join pg_stat_activity using (pid)"
        " where locktype = 'advisory' and mode = 'ShareLock' and datname = current_database()") == 1
    wait_for(lambda: 'task=DeliverEvent subscriber=default result=broken' in patient.log(), patient.log_tail)
    operator.waits_for(iccid, 3)
    is_settled(patient, operator)
    operator.stop()


def test_two_daemons_deliver_each_key_in_order(daemon, make_rspd, settings, operator, make_card):
    second = make_rspd(database=daemon.database, **settings)

    def shake(goal):
        victim = (daemon, second)[goal % 2]
        operator.tell("delay:300*3")
        victim.kill()
        victim.start()

    shaken([daemon, second], operator, make_card, shake)


def test_postgresql_restarted_while_events_are_told(scratch, site, make_rspd, settings, make_card):
    server = Postgres(scratch / f"pg-outbox{next(numbers)}").start()
    try:
        database = server.new_database()
        daemon = make_rspd(database=database, start=False, **settings)
        daemon.once("--migrate")
        daemon.start()
        operator = Operator(daemon.folder, "operator", site).start()
        daemon.ask("operator callback", name="default", url=operator.url)

        def shake(goal):
            if goal % 2:
                server.stop()
            else:
                server.kill()
            server.start()

        shaken([daemon], operator, make_card, shake)
        operator.stop()
        daemon.stop()
    finally:
        database.close()
        server.end()
