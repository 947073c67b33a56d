"""`profile history`: all that happened with one profile. Refused calls are in it when the caller had proved itself,
however they were refused, and fill nothing; so is what was told to operators and to SM-DSs, with its outcome."""

import json
import subprocess

import jsonschema
import pytest

import es2
from card import Card, Download
from conftest import new_eid
from harness import BUILD, NAMES, REPOSITORY, wait_for
from receiver import Operator, SmDs

KEPT = 16  # callers of one function and refusal
SCHEMA = json.loads((REPOSITORY / "schemas/ctl/profile-history.json").read_text())


@pytest.fixture(scope="module")
def sm_ds(scratch, site):
    server = SmDs(scratch, "history-smds", site).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rspd(rspd_module, site, sm_ds):
    """The CI of the brainpool cards is a test CI, which the operator `default` does not accept."""
    return es2.start(
        rspd_module,
        site,
        dp={"confirmation_code_attempts": 1},
        outbox={"call_seconds": 2, "lease_seconds": 4},
        **{
            "ci brainpool": {"test": "yes"},
            "smds main": {"address": sm_ds.address},
            "client main": {"certificate": site.folder / "nist-tls.pem", "key": site.folder / "nist-tls.key"},
        },
    )


@pytest.fixture(scope="module")
def operators(rspd, scratch):
    """Callers over ES2+ of the operators acme and other."""
    callers = {}
    for name, requester in (("acme", "2.999.20"), ("other", "2.999.21")):
        own = es2.Certificate(scratch, f"CN={name}-history")
        rspd.ask("operator add", name=name, requester=requester)
        rspd.ask("operator client add", name=name, certificate=own.base64)
        callers[name] = es2.Caller(rspd, own, requester=requester, per_call=True)
        wait_for(lambda c=callers[name]: c.send("nothing", b"{}").status == 404, "the client to be known")
    return callers


@pytest.fixture
def acme(operators):
    return operators["acme"]


def history(rspd, iccid, **args):
    answer = rspd.ask("profile history", iccid=iccid, **args)
    jsonschema.validate(answer, SCHEMA["properties"]["ok"])
    story = answer["history"]
    assert [e["at"] for e in story] == sorted(e["at"] for e in story)
    return story


def refused(rspd, iccid, n=1):
    """The refused calls, when they are so many; they are told behind their answers."""
    found = []

    def enough():
        found[:] = [e for e in history(rspd, iccid, limit=1000) if e["what"] == "refused"]
        return sum(e.get("times", 1) for e in found) >= n

    wait_for(enough, lambda: f"{n} refused calls: {found}")
    assert sum(e.get("times", 1) for e in found) == n
    return found


def calls(entries):
    return [(e["call"], e["refusal"]) for e in entries]


def session(rspd, card, curve="nist"):
    return Download(card, rspd.client(curve))


def initiated(rspd, card, curve="nist"):
    lpa = session(rspd, card, curve)
    lpa.initiate().must()
    return lpa


# ---- what devices did ------------------------------------------------------------------------------


def test_the_whole_story_of_a_profile(rspd):
    card, stranger = (Card(new_eid(), rspd.site.trees["nist"]) for _ in range(2))
    order = rspd.desk.order(eid=card.eid)
    initiated(rspd, stranger).authenticate(order.matching_id).refused("8.1.1", "3.8")
    (told,) = refused(rspd, order.iccid)
    lpa = session(rspd, card).until_authenticated(order.matching_id)
    lpa.get_package().must()
    assert lpa.notify(lpa.install()).status == 204
    assert lpa.notify(card.notification("enable", order.iccid, NAMES["nist"])).status == 204
    story = history(rspd, order.iccid)
    moves = [e["to"] for e in story if e["what"] == "move"]
    assert moves[-4:] == ["linked", "released", "downloaded", "installed"]
    assert (told["eid"], told["refusal"]) == (stranger.eid, "EID_REFUSED")
    (done,) = [e for e in story if e["what"] == "session"]
    assert (done["eid"], done["result"]) == (card.eid, "installed")
    for call in (told, done):
        assert len(call["tac"]) == 8 and call["peer"].startswith("127.0.0.1:")
    heard = [(e["operation"], e["eid"]) for e in story if e["what"] == "notification"]
    assert heard == [("install", card.eid), ("enable", card.eid)]
    assert ("act", "card_enable") in [(e["what"], e.get("act")) for e in story]
    (newest,) = history(rspd, order.iccid, limit=1)
    assert newest["at"] == story[-1]["at"]


def test_it_is_shown_to_people(rspd, acme):
    card = Card(new_eid(), rspd.site.trees["nist"])
    order = rspd.desk.order(eid=new_eid())
    initiated(rspd, card).authenticate(order.matching_id).refused("8.1.1", "3.8")
    acme.release(order.iccid, call="call-of-mine").refused("8.2.1", "1.2")
    refused(rspd, order.iccid, 2)
    shown = subprocess.run(
        [BUILD / "rspctl", "-s", rspd.control, "profile", "history", order.iccid],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout
    for word in (card.eid, "AuthenticateClient", "EID_REFUSED", "127.0.0.1:", "ReleaseProfile", "ICCID_FOREIGN",
                 "es2+:acme(client=", "call-of-mine"):
        assert word in shown, shown


# ---- refused calls of eUICCs -------------------------------------------------------------------------


def test_an_order_that_went_meanwhile(rspd, make_card):
    """GetBoundProfilePackage refused with 8.8.5/4.10 and 8.2/3.7, RULES 2."""
    cancelled, contended = rspd.desk.order(), rspd.desk.order()
    card = make_card()
    late = session(rspd, card).until_authenticated(cancelled.matching_id)
    cancelled.cancel()
    late.get_package().refused("8.8.5", "4.10")
    first, second = (session(rspd, make_card()).until_authenticated(contended.matching_id) for _ in "ab")
    first.get_package().must()
    second.get_package().refused("8.2", "3.7")
    (told,) = refused(rspd, cancelled.iccid)
    assert calls([told]) == [("GetBoundProfilePackage", "ORDER_EXPIRED")]
    assert (told["eid"], told["transactionId"]) == (card.eid, late.hex_id)
    assert len(told["tac"]) == 8  # which its session had kept
    (told,) = refused(rspd, contended.iccid)
    assert calls([told]) == [("GetBoundProfilePackage", "BINDING_REFUSED")]
    assert told["eid"] == second.card.eid


def test_a_code_that_is_missing_and_one_that_is_wrong(rspd, make_card):
    """The wrong one ended its session, which says so itself."""
    order = rspd.desk.order(cc="1234")
    lpa = session(rspd, make_card()).until_authenticated(order.matching_id)
    lpa.get_package().refused("8.2.7", "2.2")
    assert calls(refused(rspd, order.iccid)) == [("GetBoundProfilePackage", "CODE_MISSING")]
    lpa.get_package("0000").refused("8.2.7", "3.8")
    lpa = session(rspd, make_card()).until_authenticated(order.matching_id)
    lpa.get_package("1111").refused("8.2.7", "6.4")
    lpa = initiated(rspd, make_card())
    lpa.authenticate(order.matching_id).refused("8.2", "1.2")
    assert calls(refused(rspd, order.iccid, 2)) == [
        ("GetBoundProfilePackage", "CODE_MISSING"), ("AuthenticateClient", "PROFILE_NOT_RELEASED")]
    sessions = [e["refusal"] for e in history(rspd, order.iccid) if e["what"] == "session"]
    assert sessions == ["CODE_REFUSED", "CODE_EXCEEDED"]


@pytest.mark.parametrize("named", [True, False], ids=["by-matching-id", "by-eid"])
def test_an_euicc_on_a_deny_list(rspd, make_card, named):
    card, other = make_card(), make_card()
    order = rspd.desk.order(eid=card.eid)
    lpa = session(rspd, card).until_authenticated(order.matching_id)
    entry = rspd.ask("deny add", kind="eid", eids=card.eid, why="stolen")["id"]
    try:
        wait_for(lambda: not initiated(rspd, card).authenticate("NOTHING").refusal == ("8.2.6", "3.8"), "the entry")
        initiated(rspd, card).authenticate(order.matching_id if named else None).refused("8.1.1", "3.8")
        lpa.get_package().refused("8.1.1", "3.8")
        initiated(rspd, other).authenticate().refused("8.1.1", "3.8")  # about nobody's order
        told = refused(rspd, order.iccid, 2)
        assert sorted(calls(told)) == [("AuthenticateClient", "EID_DENIED"), ("GetBoundProfilePackage", "EID_DENIED")]
        for call in told:
            assert call["eid"] == card.eid and f"entry {entry} " in call["why"] and len(call["tac"]) == 8
    finally:
        rspd.ask("deny remove", id=entry)


def test_a_test_ci(rspd, make_card):
    order, card = rspd.desk.order(), make_card("brainpool")
    for _ in range(3):
        initiated(rspd, card, "brainpool").authenticate(order.matching_id).refused("8.11.1", "3.9")
    (told,) = refused(rspd, order.iccid, 3)
    assert (told["refusal"], told["eid"], told["times"]) == ("CI_TEST", card.eid, 3)
    assert told["since"] < told["at"]
    assert order.state == "released"


def test_strangers_fill_nothing(rspd, make_card):
    """Anybody makes an eUICC of a test CI: only the newest stay, and what else was refused stays beside them."""
    order = rspd.desk.order(eid=new_eid())
    initiated(rspd, make_card()).authenticate(order.matching_id).refused("8.1.1", "3.8")
    (real,) = refused(rspd, order.iccid)
    for n in range(KEPT + 4):
        stranger = make_card("brainpool")
        initiated(rspd, stranger, "brainpool").authenticate(order.matching_id).refused("8.11.1", "3.9")
        wait_for(lambda e=stranger.eid: rspd.database.value(
            f"select count(*) from refused_call where iccid = '{order.iccid}' and eid = '{e}'") == 1, "the note")
    told = [e for e in history(rspd, order.iccid) if e["what"] == "refused"]
    assert [e["eid"] for e in told if e["refusal"] == "EID_REFUSED"] == [real["eid"]]
    strangers = [e for e in told if e["refusal"] == "CI_TEST"]
    assert len(strangers) == KEPT and strangers[-1]["eid"] == stranger.eid


def test_whoever_proves_nothing_is_not_told(rspd, make_card):
    order = rspd.desk.order()
    other = make_card().identities[0].key
    lpa = session(rspd, make_card()).until_authenticated(order.matching_id)
    lpa.get_package(key=other).refused("8.1", "6.1")
    lpa.cancel(key=other).refused("8.1", "6.1")
    forged = initiated(rspd, make_card())
    forged.authenticate(order.matching_id, challenge=bytes(16)).refused("8.1", "6.1")
    lpa.cancel(oid="2.999.99").refused("8.8", "3.10")
    assert calls(refused(rspd, order.iccid)) == [("CancelSession", "OID_MISMATCH")]


def test_a_repeated_call_is_the_first_one(rspd, make_card):
    order = rspd.desk.order(eid=new_eid())
    lpa = initiated(rspd, make_card())
    body = lpa.authenticate_body(order.matching_id)
    for _ in range(3):
        lpa.authenticate(body=body).refused("8.1.1", "3.8")
    initiated(rspd, make_card()).authenticate(order.matching_id).refused("8.1.1", "3.8")
    assert [e.get("times") for e in refused(rspd, order.iccid, 2)] == [None, None]


# ---- refused calls of operators and administrators ----------------------------------------------------


def test_refused_calls_of_es2(rspd, acme, operators):
    iccid = rspd.desk.load({"type": "told", "operator": "acme"})
    acme.release(iccid, call="too-early").refused("8.2.1", "3.5")
    operators["other"].order(iccid=iccid).refused("8.2.1", "1.2")
    acme.order(iccid=iccid).must()
    acme.confirm(iccid, matchingId="").refused("8.1.1", "2.2")
    acme.confirm(iccid, releaseFlag=None).refused("1.3.1", "2.2")
    acme.cancel(iccid, eid=new_eid()).refused("8.1.1", "3.10")
    acme.order(iccid="8900000000000000000").refused("8.2.1", "3.9")
    told = refused(rspd, iccid, 5)
    assert sorted(calls(told)) == [
        ("CancelOrder", "ORDER_EID_DIFFERS"), ("ConfirmOrder", "MEMBER_MISSING"), ("ConfirmOrder", "ORDER_EID_MISSING"),
        ("DownloadOrder", "ICCID_FOREIGN"), ("ReleaseProfile", "ORDER_NOT_RELEASABLE")]
    by = {e["call"]: e for e in told}
    assert by["ReleaseProfile"]["actor"].startswith("es2+:acme(client=")
    assert by["ReleaseProfile"]["why"] == "too-early: available"
    assert by["DownloadOrder"]["actor"].startswith("es2+:other(client=")
    assert "eid" in by["CancelOrder"] and by["CancelOrder"]["peer"].startswith("127.0.0.1:")
    assert rspd.database.value("select count(*) from refused_call where iccid = '8900000000000000000'") == 0


def test_refused_calls_of_the_control_socket(rspd):
    path, iccid = rspd.desk.write_profile()
    rspd.desk.offer(path)
    assert rspd.desk.offer(path)["error"]["code"] == "iccid-known"
    assert rspd.ask_any("order release", iccid=iccid, why="in a hurry")["error"]["code"] == "order-not-releasable"
    assert rspd.ask_any("order release", iccid=iccid, why="x" * 5000)["error"]["code"] == "order-not-releasable"
    assert rspd.ask_any("order cancel", iccid=iccid, final="sold")["error"]["code"] == "arguments"
    assert rspd.ask_any("order code", iccid=iccid)["error"]["code"] == "no-code"
    told = refused(rspd, iccid, 3)
    assert calls(told) == [("ImportProfile", "ICCID_KNOWN"), ("ReleaseProfile", "ORDER_NOT_RELEASABLE")]
    assert told[1]["times"] == 2 and len(told[1]["why"]) < 600
    assert all(e["actor"].startswith("ctl:uid=") and "peer" not in e for e in told)


# ---- what was told to others ---------------------------------------------------------------------------


def deliveries(rspd, iccid):
    return [e for e in history(rspd, iccid) if e["what"] == "delivery"]


def test_what_an_operator_was_told(rspd, site, make_card):
    server = Operator(rspd.folder, "history-operator", site).start()
    rspd.ask("operator callback", name="default", url=server.url, certificate="main")
    try:
        order = rspd.desk.order()
        lpa = session(rspd, make_card()).until_authenticated(order.matching_id)
        server.waits_for(order.iccid, 1)
        wait_for(lambda: deliveries(rspd, order.iccid)[0]["state"] == "delivered", "the record")
        (told,) = deliveries(rspd, order.iccid)
        assert (told["call"], told["point"], told["subscriber"]) == ("HandleDownloadProgressInfo", 1, "default")
        assert (told["status"], told["attempts"], told["eid"]) == (204, 1, lpa.card.eid)
        server.tell("status:500")
        lpa.get_package().must()
        wait_for(lambda: deliveries(rspd, order.iccid)[-1]["attempts"] == 1, "a try")
        told = deliveries(rspd, order.iccid)[-1]
        assert (told["point"], told["state"], told["status"]) == (3, "waiting", 500) and told["why"]
    finally:
        rspd.ask("subscriber remove", name="default")
        server.stop()


def test_what_an_sm_ds_was_told(rspd, sm_ds, card):
    order = rspd.desk.order(eid=card.eid, confirm=False)
    sm_ds.tell("status:500")
    said = rspd.ask_any("order confirm", iccid=order.iccid, smds=sm_ds.address, release=True)["error"]
    assert said["code"] == "smds-unreachable"
    assert calls(refused(rspd, order.iccid)) == [("ConfirmOrder", "SMDS_UNREACHABLE")]
    sm_ds.tell("no")
    rspd.ask("subscriber resume", name=sm_ds.address)
    rspd.ask("order confirm", iccid=order.iccid, smds=sm_ds.address, release=True)
    acts = [e for e in history(rspd, order.iccid) if e.get("act") == "register_event"]
    assert [(e["what"], e["eid"], e["why"]) for e in acts] == [("act", card.eid, sm_ds.address)]
    order.cancel(matchingId=order.show()["matchingId"])
    wait_for(lambda: {e["state"] for e in deliveries(rspd, order.iccid)} == {"delivered"}, "the deletions")
    told = deliveries(rspd, order.iccid)
    assert told[-1]["call"] == "DeleteEvent" and {e["subscriber"] for e in told} == {sm_ds.address}
