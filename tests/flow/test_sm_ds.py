"""Orders with an SM-DS: RegisterEvent before the confirmation, discovery by the card, DeleteEvent when
the event is over; and what happens when the SM-DS is not what it should be."""

import contextlib
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import es2
from harness import BUILD, PATIENCE, free_port, wait_for
from receiver import SmDs

AWAY = free_port()  # of an SM-DS that is configured, and never there


@pytest.fixture(scope="module")
def sm_ds(scratch, site):
    server = SmDs(scratch, "smds", site).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rspd(rspd_module, site, sm_ds):
    return es2.start(
        rspd_module,
        site,
        outbox={"call_seconds": 2, "lease_seconds": 4},
        **{"smds main": {"address": sm_ds.address}, "smds away": {"address": f"localhost:{AWAY}"}},
    )


@pytest.fixture(scope="module")
def acme(rspd, scratch):
    """An operator's server."""
    own = es2.Certificate(scratch, "CN=acme")
    rspd.ask("operator add", name="acme", requester="2.999.20")
    rspd.ask("operator client add", name="acme", certificate=own.base64)
    caller = es2.Caller(rspd, own, per_call=True)
    wait_for(lambda: caller.send("nothing", b"{}").status == 404, "the client to be known")
    return caller


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


def test_a_late_deletion_takes_no_event_that_is_needed(rspd, sm_ds, order, card):
    """What a confirmation left behind is deleted after the next one registered the same event."""
    o = order(eid=card.eid, confirm=False)
    sm_ds.tell("lose")
    assert confirm(rspd, o.iccid, sm_ds, matchingId="NEEDED-AGAIN")["error"]["code"] == "smds-unreachable"
    sm_ds.tell("no")
    assert "ok" in confirm(rspd, o.iccid, sm_ds, matchingId="NEEDED-AGAIN")
    rspd.ask("subscriber resume", name=sm_ds.address)
    wait_for(lambda: not rspd.database.value(
        "select count(*) from delivery d join outbox e on e.id = d.outbox_id"
        f" where e.order_key = '{o.iccid}' and d.state <> 'delivered'"), "what is owed to be told")
    assert sm_ds.events() == [(card.eid, "NEEDED-AGAIN")]
    o.cancel(matchingId="NEEDED-AGAIN")
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


@pytest.mark.parametrize("address,code", [
    pytest.param(f"localhost:{AWAY}", "smds-unreachable", id="nobody there"),
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


def subscribers(rspd):
    return rspd.database.rows("select name from subscriber order by name")


def events(rspd):
    return rspd.database.value("select count(*) from outbox")


def test_what_is_not_configured_is_not_called(rspd, sm_ds, order, card):
    """Nothing is connected to, written or owed, whoever names what."""
    o = order(eid=card.eid, confirm=False)
    before = subscribers(rspd), events(rspd)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        other.settimeout(0.5)
        port = other.getsockname()[1]
        for address in (f"localhost:{port}", f"127.0.0.1:{sm_ds.port}", "localhost", f"localhost.:{sm_ds.port}",
                        f"localhost:{sm_ds.port}/x", f"x@localhost:{sm_ds.port}", "localhost:", ":", "x.invalid"):
            answer = rspd.ask_any("order confirm", iccid=o.iccid, smds=address, release=True)
            assert answer["error"]["code"] == "smds-unreachable", address
        with pytest.raises(TimeoutError):
            other.accept()
    assert (subscribers(rspd), events(rspd)) == before
    assert o.state == "linked" and "matchingId" not in o.show()


def test_one_sm_ds_has_one_name(rspd, sm_ds, order, card):
    """Letters of either case and zeros before the port mean the configured one."""
    o = order(eid=card.eid, confirm=False)
    address = f"LocalHost:0{sm_ds.port}"
    assert "ok" in rspd.ask_any("order confirm", iccid=o.iccid, smds=address, release=True)
    assert rspd.database.value(
        f"select smds from download_order where iccid = '{o.iccid}'") == sm_ds.address
    o.cancel(matchingId=o.show()["matchingId"])
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)
    assert all(name.islower() for name, in subscribers(rspd))


@contextlib.contextmanager
def registering(rspd, sm_ds, iccid, **args):
    """A ConfirmOrder whose RegisterEvent is not answered before the block is through; its answer."""
    answers = []
    sm_ds.tell("delay:1500")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(confirm, rspd, iccid, sm_ds, **args)
        try:
            wait_for(lambda: sm_ds.events() and rspd.database.value(
                f"select registering_at is not null from download_order where iccid = '{iccid}'"
                " order by id desc limit 1"), "the reservation")
            yield answers
        finally:
            sm_ds.tell("no")
            answers.append(call.result(PATIENCE))


def gone(rspd, sm_ds):
    """Until nothing is left at the SM-DS, and all was told."""
    rspd.ask("subscriber resume", name=sm_ds.address)
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)


def test_a_confirmation_beside_it_leaves_no_event(rspd, sm_ds, order, card):
    o = order(eid=card.eid, confirm=False)
    with registering(rspd, sm_ds, o.iccid, matchingId="SLOW-ONE") as slow:
        rspd.ask("order confirm", iccid=o.iccid, matchingId="OTHER-ONE", release=True)
    assert slow[0]["error"]["code"] == "order-not-confirmable"
    assert o.show()["matchingId"] == "OTHER-ONE"
    gone(rspd, sm_ds)
    assert rspd.database.value(f"select smds is null from download_order where iccid = '{o.iccid}'")
    o.cancel(matchingId="OTHER-ONE")


def test_what_was_registered_in_vain_is_deleted(rspd, sm_ds, order, card):
    """The reservation is gone when the answer of RegisterEvent comes, and nobody else deletes the event."""
    o = order(eid=card.eid, confirm=False)
    with registering(rspd, sm_ds, o.iccid) as slow:
        rspd.database.rows("update download_order set matching_id = null, smds = null,"
                           f" registering_eid = null, registering_at = null where iccid = '{o.iccid}'")
    assert "error" in slow[0]
    gone(rspd, sm_ds)
    assert o.state == "linked"


def test_the_same_beside_each_other_is_done_once(rspd, sm_ds, order, card):
    o = order(eid=card.eid, confirm=False)
    with registering(rspd, sm_ds, o.iccid) as slow:
        beside = confirm(rspd, o.iccid, sm_ds)
    assert slow[0]["ok"]["matchingId"] == beside["ok"]["matchingId"]
    assert sm_ds.events() == [(card.eid, beside["ok"]["matchingId"])]
    o.cancel(matchingId=beside["ok"]["matchingId"])
    gone(rspd, sm_ds)


def test_an_order_can_be_cancelled_while_it_is_registered(rspd, sm_ds, acme, card):
    """The operator was told no MatchingID, so it need not name one."""
    iccid = rspd.desk.load({"type": "acme-type", "operator": "acme"})
    acme.order(iccid=iccid, eid=card.eid).must()
    with registering(rspd, sm_ds, iccid) as slow:
        acme.cancel(iccid, eid=card.eid).must()
    assert "error" in slow[0]
    gone(rspd, sm_ds)
    assert rspd.ask("profile show", iccid=iccid)["state"] == "available"


def test_a_call_that_is_remembered_does_nothing_to_the_next_order(rspd, sm_ds, acme, card, make_card):
    iccid = rspd.desk.load({"type": "acme-type", "operator": "acme"})
    acme.order(iccid=iccid, eid=card.eid).must()
    old = dict(call="OLD", iccid=iccid, releaseFlag=True, smdsAddress=sm_ds.address, matchingId="FIRST-ONE")
    first = acme.ask("confirmOrder", **old).must().body
    acme.cancel(iccid, eid=card.eid, matchingId="FIRST-ONE").must()
    gone(rspd, sm_ds)
    other = make_card().eid
    acme.order(iccid=iccid, eid=other).must()

    again = acme.ask("confirmOrder", **old).must().body
    assert {k: again[k] for k in ("eid", "matchingId")} == {k: first[k] for k in ("eid", "matchingId")}
    assert sm_ds.events() == []
    assert rspd.ask("profile show", iccid=iccid)["state"] == "linked"
    acme.cancel(iccid, eid=other).must()


def test_a_crash_after_the_deletion_leaves_no_event(rspd, sm_ds, order, card):
    """CancelOrder ordered the deletion, the RegisterEvent comes late, and who waited for it is dead."""
    o = order(eid=card.eid, confirm=False)
    sm_ds.tell("late:2500*1")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(confirm, rspd, o.iccid, sm_ds, matchingId="COMES-LATE")
        wait_for(lambda: rspd.database.value(
            f"select registering_at is not null from download_order where iccid = '{o.iccid}'"), "the reservation")
        o.cancel()
        time.sleep(1.5)  # a look for what is due
        rspd.kill()
        assert call.exception(PATIENCE)
    rspd.start()
    wait_for(lambda: sm_ds.events() == [(card.eid, "COMES-LATE")], sm_ds.events)
    assert rspd.database.value("select state from delivery v join outbox o on o.id = v.outbox_id where o.data ->>"
                               " 'matchingId' = 'COMES-LATE'") == "waiting"
    gone(rspd, sm_ds)


def test_an_older_orders_deletion_takes_no_event_that_is_needed(rspd, sm_ds, order, card):
    """The MatchingID is chosen again, for another profile of the same eUICC."""
    old, new = order(eid=card.eid, confirm=False), order(eid=card.eid, confirm=False)
    of_it = f"from delivery where order_key = '{card.eid}/CHOSEN-AGAIN'"
    assert "ok" in confirm(rspd, old.iccid, sm_ds, matchingId="CHOSEN-AGAIN")
    sm_ds.kill()
    old.cancel(matchingId="CHOSEN-AGAIN")
    wait_for(lambda: rspd.database.value(
        f"select count(*) {of_it} and state = 'waiting' and error is not null"), "a try")
    sm_ds.start()
    assert "ok" in confirm(rspd, new.iccid, sm_ds, matchingId="CHOSEN-AGAIN")
    rspd.ask("subscriber resume", name=sm_ds.address)
    wait_for(lambda: not rspd.database.value(
        f"select count(*) {of_it} and state <> 'delivered'"), "what is owed to be told")
    assert sm_ds.events() == [(card.eid, "CHOSEN-AGAIN")]
    new.cancel(matchingId="CHOSEN-AGAIN")
    gone(rspd, sm_ds)


def test_a_profile_that_is_issued_again_is_found_again(rspd, sm_ds, sim_card):
    path, eid = sim_card
    rspd.ask("profile-type create", name="again", onDelete="reissue")
    iccid = rspd.desk.load({"type": "again"})
    o = rspd.desk.order(iccid=iccid, eid=eid, confirm=False)
    matching_id = confirm(rspd, iccid, sm_ds)["ok"]["matchingId"]
    link = ("--connect", f"127.0.0.1:{rspd.ports['nist']}")
    done = rspsim("download", "--card", path, "--code", f"1$smdp.example.org${matching_id}", *link)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: sm_ds.events() == [], sm_ds.events)
    for verb in ("delete", "notify"):
        done = rspsim(verb, *(("--iccid", iccid) if verb == "delete" else link), "--card", path)
        assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: sm_ds.events() == [(eid, matching_id)], sm_ds.events)
    assert o.state == "released"
    assert matching_id in rspsim("discover", "--card", path, "--smds", sm_ds.address).stdout
    o.cancel(matchingId=matching_id)
    gone(rspd, sm_ds)


def test_a_reserved_matching_id_is_no_code_yet(rspd, sm_ds, order, card):
    o = order(eid=card.eid, confirm=False)
    with registering(rspd, sm_ds, o.iccid, matchingId="NOT-YET"):
        shown = o.show()
        assert "matchingId" not in shown and shown["smds"] == sm_ds.address and shown["registeringAt"]
        assert rspd.ask_any("order code", iccid=o.iccid)["error"]["code"] == "no-code"
        assert "NOT-YET" not in str(rspd.ask("order codes")) + str(rspd.ask("order list"))
    assert o.show()["matchingId"] == "NOT-YET"
    o.cancel(matchingId="NOT-YET")
    gone(rspd, sm_ds)

