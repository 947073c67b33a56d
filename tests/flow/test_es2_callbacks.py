"""HandleDownloadProgressInfo at an operator's server: every notification point with its codes, in order
per profile, once per fact."""

import pytest

from card import Download
from checker import check_told
from harness import wait_for
from operator_desk import Order
from receiver import Operator

OUTBOX = {"call_seconds": 2, "lease_seconds": 4}


@pytest.fixture(scope="module")
def settings(site):
    pair = {"certificate": site.folder / "nist-tls.pem", "key": site.folder / "nist-tls.key"}
    return {"outbox": OUTBOX, "client main": pair}


@pytest.fixture(scope="module")
def rspd(rspd_module, settings):
    limits = {"download_attempts": 3, "confirmation_code_attempts": 1, "reusable_orders": "yes"}
    return rspd_module(dp=limits, **settings)


@pytest.fixture(scope="module")
def operator(rspd, site, scratch):
    server = Operator(rspd.folder, "operator", site).start()
    rspd.ask("operator callback", name="default", url=server.url, certificate="main")
    yield server
    server.stop()


def download(rspd, card):
    return Download(card, rspd.client())


def test_without_a_certificate_nobody_is_called(rspd, make_rspd):
    for daemon, more, words in ((make_rspd(), {}, "certificate is missing"),
                                (rspd, {"certificate": "other"}, "certificate is unknown")):
        error = daemon.ask_any("operator callback", name="default", url="https://127.0.0.1:1", **more)["error"]
        assert words in error["message"]
        assert daemon.database.value("select count(*) from subscriber where address like '%:1'") == 0


def test_an_iccid_of_19_digits_goes_out_with_its_pad(rspd, operator, card):
    iccid = "8944000000000000001"
    rspd.desk.load(args={"iccid": iccid})
    download(rspd, card).run(rspd.desk.order(iccid=iccid).matching_id)
    assert {c["iccid"] for c in operator.waits_for(iccid, 3)} == {iccid + "F"}


def test_a_download_is_told_point_by_point(rspd, operator, order, card):
    o = order()
    download(rspd, card).run(o.matching_id)
    calls = operator.waits_for(o.iccid, 3)
    assert operator.points(o.iccid) == [(1, "Executed-Success"), (3, "Executed-Success"),
                                        (4, "Executed-Success")]
    ids = [str(i) for (i,) in rspd.database.rows(
        f"select event_id from outbox where order_key = '{o.iccid}' and type = 'es2.progress'"
        " order by seq")]
    assert [c["header"]["functionCallIdentifier"] for c in calls] == ids
    assert {c["eid"] for c in calls} == {card.eid}
    assert all(c["profileType"] for c in calls)
    assert "resultData" in calls[2]


def codes(call):
    data = call["notificationPointStatus"]["statusCodeData"]
    return call["notificationPointId"], data["subjectCode"], data["reasonCode"]


def test_each_attempt_is_told_once_however_often_it_is_sent(rspd, operator, order, card):
    o = order()
    lpa = download(rspd, card)
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    lpa.authenticate(body=body).must()
    lpa.authenticate(body=body).must()
    package = lpa.package_body()
    lpa.get_package(body=package).must()
    lpa.get_package(body=package).must()
    result = lpa.install()
    for _ in range(3):
        lpa.notify(result)
    operator.waits_for(o.iccid, 3)
    assert [p for p, _ in operator.points(o.iccid)] == [1, 3, 4]
    assert rspd.database.value(
        f"select count(*) from outbox where order_key = '{o.iccid}' and type = 'es2.progress'") == 3


def test_the_retry_limit_is_told(rspd, operator, order, card):
    o = order()
    for _ in range(3):
        download(rspd, card).until_authenticated(o.matching_id)
    lpa = download(rspd, card)
    lpa.initiate().must()
    assert not lpa.authenticate(o.matching_id).ok
    calls = operator.waits_for(o.iccid, 4)
    assert codes(calls[3]) == (1, "8.8.5", "6.4")


def test_an_eligibility_refused_is_told(rspd, operator, card):
    iccid = rspd.desk.load()
    rspd.database.rows(f"update profile set saip_version = 9 * 256 where iccid = '{iccid}'")
    o = rspd.desk.order(iccid=iccid)
    lpa = download(rspd, card)
    lpa.initiate().must()
    assert not lpa.authenticate(o.matching_id).ok
    assert codes(operator.waits_for(iccid, 1)[0]) == (1, "8.2.5", "4.3")


def test_wrong_confirmation_codes_are_told(rspd, operator, order, card):
    o = order(cc="12345678")
    for _ in range(2):
        lpa = download(rspd, card).until_authenticated(o.matching_id)
        assert not lpa.get_package("00000000").ok
    calls = operator.waits_for(o.iccid, 4)
    assert [c["notificationPointId"] for c in calls] == [1, 2, 1, 2]
    assert codes(calls[1]) == (2, "8.2.7", "3.8")
    assert codes(calls[3]) == (2, "8.2.7", "6.4")


@pytest.mark.parametrize("reason,subject,code", [
    ("endUserRejection", "8.8.5", "3.8"),
    ("pprNotAllowed", "8.2.8", "1.2"),
    ("metadataMismatch", "8.2.9", "3.11"),
    ("loadBppExecutionError", "8.2.10", "4.2"),
    ("undefinedReason", "8", "4.2"),
])
def test_a_cancelled_session_is_told(rspd, operator, order, make_card, reason, subject, code):
    early, late = order(), order()
    download(rspd, make_card()).until_authenticated(early.matching_id).cancel(reason).must()
    download(rspd, make_card()).until_package(late.matching_id).cancel(reason).must()
    assert codes(operator.waits_for(early.iccid, 2)[1]) == (3, subject, code)
    assert codes(operator.waits_for(late.iccid, 3)[2]) == (4, subject, code)


def test_a_postponed_session_is_not_told(rspd, operator, order, card):
    o = order()
    download(rspd, card).until_authenticated(o.matching_id).cancel("postponed").must()
    download(rspd, card).run(o.matching_id)
    operator.waits_for(o.iccid, 4)
    assert [p for p, _ in operator.points(o.iccid)] == [1, 1, 3, 4]


def test_a_failed_installation_is_told_with_its_result(rspd, operator, order, card):
    o = order()
    lpa = download(rspd, card).until_package(o.matching_id)
    assert lpa.notify(lpa.result("peProcessingError")).status == 204
    call = operator.waits_for(o.iccid, 3)[2]
    assert codes(call) == (4, "8.2.10", "4.2")


def test_of_a_reusable_order_failures_are_told_too(rspd, operator, make_card):
    """The order stays for the others; what each card met is told all the same."""
    iccid = rspd.ask("order create", iccid=rspd.desk.load(), reusable=True)["iccid"]
    o = Order(rspd.desk, iccid)
    o.confirm(release=True)
    small = make_card()
    small.memory = 10
    old = make_card()
    for card, version in ((small, 0), (old, 9 * 256)):
        rspd.database.rows(f"update profile set saip_version = {version} where iccid = '{iccid}'")
        lpa = download(rspd, card)
        lpa.initiate().must()
        assert not lpa.authenticate(o.matching_id).ok
    rspd.database.rows(f"update profile set saip_version = 0 where iccid = '{iccid}'")
    early, late, later = (download(rspd, make_card()) for _ in range(3))
    for lpa in (early, late):
        lpa.until_authenticated(o.matching_id)
    early.cancel("endUserRejection").must()
    late.get_package().must()
    late.cancel("loadBppExecutionError").must()
    early.cancel("endUserRejection")  # again: nothing more
    later.until_package(o.matching_id)
    assert later.notify(later.result("peProcessingError")).status == 204
    calls = operator.waits_for(iccid, 10)
    told = [(c["notificationPointId"], c["eid"]) for c in calls]
    eids = [lpa.card.eid for lpa in (early, late, later)]
    assert told == [(1, small.eid), (1, old.eid), (1, eids[0]), (1, eids[1]), (3, eids[0]), (3, eids[1]),
                    (4, eids[1]), (1, eids[2]), (3, eids[2]), (4, eids[2])]
    failed = [codes(calls[i]) for i in (0, 1, 4, 6, 9)]
    assert failed == [(1, "8.1", "4.8"), (1, "8.2.5", "4.3"), (3, "8.8.5", "3.8"), (4, "8.2.10", "4.2"),
                      (4, "8.2.10", "4.2")]
    events = rspd.database.rows(
        f"select data->>'eid', data->>'reusable', data->>'state' from outbox where order_key = '{iccid}'"
        " and type = 'profile.failed' order by seq")
    assert [tuple(e) for e in events] == [
        (eid, "true", "released") for eid in (small.eid, old.eid, *eids)]
    assert o.state == "released" and not o.show().get("error")


def test_what_a_card_does_is_told_beside_the_standard(rspd, operator, order, card):
    o = order()
    lpa = download(rspd, card).run(o.matching_id)
    for event in ("enable", "disable", "delete"):
        lpa.notify(card.notification(event, o.iccid, lpa.address))
    operator.waits_for(o.iccid, 6)
    assert [p for p, _ in operator.points(o.iccid)] == [1, 3, 4, 100, 101, 102]


def test_and_that_can_be_switched_off(rspd, operator, order, card):
    rspd.ask("operator callback", name="default", cardEvents="off")
    try:
        o = order()
        lpa = download(rspd, card).run(o.matching_id)
        lpa.notify(card.notification("enable", o.iccid, lpa.address))
        operator.waits_for(o.iccid, 3)
        assert rspd.database.value("select count(*) from outbox where type = 'profile.enabled'"
                                   f" and order_key = '{o.iccid}'") == 1
        assert rspd.database.value(
            "select count(*) from outbox where type = 'es2.progress'"
            f" and order_key = '{o.iccid}'") == 3
    finally:
        rspd.ask("operator callback", name="default", cardEvents="on")


def test_who_has_no_server_is_told_nothing(make_rspd, make_card):
    daemon = make_rspd()
    o, card = daemon.desk.order(), make_card()
    Download(card, daemon.client()).run(o.matching_id)
    assert daemon.database.value("select count(*) from outbox where type = 'es2.progress'") == 0
    assert daemon.database.value("select count(*) from delivery") == 0


def test_all_that_was_told_is_in_the_outbox_and_in_order(rspd, operator):
    wait_for(lambda: rspd.database.value(
        "select count(*) from delivery where state = 'waiting'") == 0, "the last delivery")
    ids = [c["header"]["functionCallIdentifier"] for c in operator.calls()]
    assert check_told(rspd.database, "default", ids) == []
    assert not [line for line in operator.lines() if line["is"] == "disorder"]
