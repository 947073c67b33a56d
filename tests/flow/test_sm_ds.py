"""Orders with an SM-DS: RegisterEvent before the confirmation, discovery by the card, DeleteEvent when
the event is over; and what happens when the SM-DS is not what it should be."""

import json
import subprocess

import pytest

from harness import BUILD, PATIENCE, free_port, wait_for
from receiver import SmDs


@pytest.fixture(scope="module")
def rspd(rspd_module):
    return rspd_module(outbox={"call_seconds": 2, "lease_seconds": 4})


@pytest.fixture(scope="module")
def sm_ds(rspd, site):
    server = SmDs(rspd.folder, "smds", site).start()
    yield server
    server.stop()


@pytest.fixture
def sim_card(rspd, sm_ds, tmp_path):
    """A card of rspsim's: its file and its EID."""
    path = tmp_path / "card.json"
    run = rspsim("euicc", "new", "--pki", sm_ds.pki, "--out", path)
    return path, run.stdout.strip()


def rspsim(*words):
    return subprocess.run(
        [BUILD / "rspsim", *map(str, words)], capture_output=True, text=True, timeout=PATIENCE
    )


def confirm(rspd, iccid, sm_ds, **args):
    return rspd.ask_any("order confirm", iccid=iccid, smds=sm_ds.address, release=True, **args)


def deliveries(rspd, kind):
    return rspd.database.rows(
        f"select o.type, v.state from delivery v join outbox o on o.id = v.outbox_id"
        f" where o.type = '{kind}' order by o.id"
    )


def test_a_card_finds_its_profile_at_the_sm_ds(rspd, sm_ds, sim_card, order):
    path, eid = sim_card
    o = order(eid=eid, confirm=False)
    answer = confirm(rspd, o.iccid, sm_ds)["ok"]
    assert sm_ds.events() == [(eid, answer["matchingId"])]
    assert o.state == "released"

    found = rspsim("discover", "--card", path, "--smds", sm_ds.address)
    assert found.returncode == 0, found.stdout + found.stderr
    code = found.stdout.splitlines()[0]
    assert code == f"1$smdp.example.org${answer['matchingId']}"

    done = rspsim("download", "--card", path, "--code", code,
                  "--connect", f"127.0.0.1:{rspd.ports['nist']}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert o.state == "installed"
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)
    assert "no event waits" in rspsim("discover", "--card", path, "--smds", sm_ds.address).stdout


def test_events_are_of_one_eid(rspd, sm_ds, sim_card, order, make_card):
    path, _ = sim_card
    o = order(eid=make_card().eid, confirm=False)
    assert "ok" in confirm(rspd, o.iccid, sm_ds)
    assert "no event waits" in rspsim("discover", "--card", path, "--smds", sm_ds.address).stdout
    o.cancel(matchingId=o.show()["matchingId"])
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_the_eid_is_needed(rspd, sm_ds, order):
    o = order(confirm=False)
    assert confirm(rspd, o.iccid, sm_ds)["error"]["code"] == "order-eid-missing"
    assert o.state == "allocated" and "matchingId" not in o.show()


def test_the_eid_may_come_with_the_confirmation(rspd, sm_ds, order, card):
    o = order(confirm=False)
    answer = confirm(rspd, o.iccid, sm_ds, eid=card.eid)["ok"]
    assert (card.eid, answer["matchingId"]) in sm_ds.events()
    o.cancel()
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_an_event_that_exists_counts_as_registered(rspd, sm_ds, order, card):
    """The answers are lost; what may be there is deleted, and the call once more is like a first."""
    o = order(eid=card.eid, confirm=False)
    sm_ds.tell("lose")
    assert confirm(rspd, o.iccid, sm_ds, matchingId="LOST-AND-FOUND")["error"]["code"] == \
        "smds-unreachable"
    sm_ds.tell("no")
    rspd.ask("subscriber resume", name=sm_ds.address)
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)
    assert "ok" in confirm(rspd, o.iccid, sm_ds, matchingId="LOST-AND-FOUND")
    assert confirm(rspd, o.iccid, sm_ds, matchingId="LOST-AND-FOUND")["ok"]["matchingId"] == \
        "LOST-AND-FOUND"
    assert sm_ds.events() == [(card.eid, "LOST-AND-FOUND")]
    o.cancel(matchingId="LOST-AND-FOUND")
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


@pytest.mark.parametrize("address,code", [
    ("localhost:1", "smds-unreachable"),
    ("no such name", "smds-unreachable"),
    ("user@localhost", "smds-unreachable"),
])
def test_an_sm_ds_that_is_none(rspd, order, card, address, code):
    o = order(eid=card.eid, confirm=False)
    answer = rspd.ask_any("order confirm", iccid=o.iccid, smds=address, release=True)
    assert answer["error"]["code"] == code
    assert o.state == "linked" and "matchingId" not in o.show()
    assert "ok" in rspd.ask_any("order confirm", iccid=o.iccid, release=True)


def test_an_sm_ds_that_fails_is_as_one_that_is_away(rspd, sm_ds, order, card):
    o = order(eid=card.eid, confirm=False)
    sm_ds.tell("status:500")
    assert confirm(rspd, o.iccid, sm_ds)["error"]["code"] == "smds-unreachable"
    sm_ds.tell("no")
    rspd.ask("subscriber resume", name=sm_ds.address)
    assert o.state == "linked"
    assert "ok" in confirm(rspd, o.iccid, sm_ds)
    o.cancel(matchingId=o.show()["matchingId"])
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_deletions_wait_for_an_sm_ds_that_is_away(rspd, sm_ds, order, card):
    o = order(eid=card.eid, confirm=False)
    assert "ok" in confirm(rspd, o.iccid, sm_ds)
    sm_ds.kill()
    o.cancel(matchingId=o.show()["matchingId"])
    wait_for(lambda: rspd.database.value(
        "select count(*) from delivery where state = 'waiting' and error is not null"), "a try")
    sm_ds.start()
    assert sm_ds.events() != []
    rspd.ask("subscriber resume", name=sm_ds.address)
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_a_reset_registers_again(rspd, sm_ds, order, card, session):
    o = order(eid=card.eid, confirm=False)
    matching_id = confirm(rspd, o.iccid, sm_ds)["ok"]["matchingId"]
    s = session(card)
    s.until_authenticated(matching_id)
    assert s.cancel().ok
    assert o.state == "error"
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)
    assert "ok" in o.reset()
    wait_for(lambda: sm_ds.events() == [(card.eid, matching_id)], sm_ds.events)
    o.cancel(matchingId=matching_id)
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_reservations_are_taken_back(rspd, sm_ds, order, card):
    """As a daemon leaves it that dies while it registers."""
    o = order(eid=card.eid, confirm=False)
    rspd.database.rows(
        "update download_order set matching_id = 'LEFT-BEHIND', registering_eid = eid,"
        f" smds = '{sm_ds.address}', registering_at = now() - interval '2 minutes'"
        f" where iccid = '{o.iccid}'")
    wait_for(lambda: rspd.database.value(
        f"select matching_id is null from download_order where iccid = '{o.iccid}'"), "the sweep")
    assert rspd.database.value(
        "select data ->> 'matchingId' from outbox where type = 'es12.delete'"
        " order by id desc limit 1") == "LEFT-BEHIND"
    assert "ok" in confirm(rspd, o.iccid, sm_ds)
    o.cancel(matchingId=o.show()["matchingId"])


def test_a_free_port_is_no_sm_ds(rspd, order, card):
    o = order(eid=card.eid, confirm=False)
    answer = rspd.ask_any(
        "order confirm", iccid=o.iccid, smds=f"localhost:{free_port()}", release=True)
    assert answer["error"]["code"] == "smds-unreachable"
    assert json.dumps(answer)
