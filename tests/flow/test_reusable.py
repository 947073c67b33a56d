"""Reusable orders (docs/lab.md): a test profile that any number of cards may download, never used up."""

import os

import pytest

from card import Card, Download
from checker import check
from conftest import new_eid
from harness import NAMES, wait_for
from operator_desk import Order
from test_outputs import rspctl

OFF = "reusable-off"


@pytest.fixture(scope="module")
def lab(rspd_module):
    return rspd_module(dp={"reusable_orders": "yes", "download_attempts": 2, "order_lifetime_days": 1})


@pytest.fixture
def shared(lab):
    """Makes released reusable orders."""

    def make(iccid=None, eid=None, **confirm):
        made = lab.ask(
            "order create",
            iccid=iccid or lab.desk.load(),
            reusable=True,
            **({"eid": eid} if eid else {}),
        )
        order = Order(lab.desk, made["iccid"])
        order.confirm(release=True, **confirm)
        return order

    return make


def new_card(lab):
    return Card(new_eid(), lab.site.trees["nist"])


def download(lab, order, card=None, daemon=None):
    card = card or new_card(lab)
    lpa = Download(card, (daemon or lab).client()).until_authenticated(order.matching_id)
    lpa.get_package().must()
    assert lpa.notify(lpa.install()).status == 204
    return lpa


def events(lab, iccid):
    rows = lab.database.rows(
        f"select type, data from outbox where order_key = '{iccid}' and type like 'profile.%' order by seq"
    )
    assert all(data.get("reusable") for _, data in rows)
    return [(kind, data.get("eid")) for kind, data in rows]


def test_any_number_of_cards_download_it_and_each_is_told(lab, shared):
    order = shared()
    cards = [new_card(lab) for _ in range(5)]  # more than an order's attempts
    for card in cards:
        download(lab, order, card)
    shown = order.show()
    assert shown["state"] == "released" and shown["pending"] and shown["reusable"] is True
    assert shown["downloadAttempts"] == 0 and "eid" not in shown and "expiresAt" not in shown
    assert len(shown["sessions"]) == 5 and {s["result"] for s in shown["sessions"]} == {"installed"}
    told = [(k, e) for k, e in events(lab, order.iccid) if k in ("profile.downloaded", "profile.installed")]
    assert told == [(k, c.eid) for c in cards for k in ("profile.downloaded", "profile.installed")]
    check(lab.database, cards)


def test_the_same_card_downloads_it_again_after_a_delete(lab, shared):
    order, card = shared(), new_card(lab)
    for _ in range(3):
        download(lab, order, card)
        del card.profiles[order.iccid]
    assert order.state == "released"


def test_each_card_may_tell_of_itself(lab, shared):
    order = shared()
    cards = [new_card(lab) for _ in range(3)]
    for card in cards:
        download(lab, order, card)
    for event in ("enable", "disable", "delete"):
        for card in cards:
            octets = card.notification(event, order.iccid, NAMES["nist"])
            for _ in range(2):  # the second is a repetition
                assert Download(card, lab.client()).notify(octets).status == 204
    told = [(k, e) for k, e in events(lab, order.iccid) if k[8:] in ("enabled", "disabled", "deleted")]
    assert told == [(f"profile.{e}", c.eid) for e in ("enabled", "disabled", "deleted") for c in cards]
    shown = order.show()
    assert shown["state"] == "released" and "cardState" not in shown


def test_two_instances_serve_it_side_by_side(lab, rspd_module, shared):
    other = rspd_module(database=lab.database, dp={"reusable_orders": "yes"})
    order = shared()
    pairs = [(daemon, new_card(lab)) for daemon in (lab, other) * 3]
    begun = [Download(c, d.client()).until_authenticated(order.matching_id) for d, c in pairs]
    for lpa in begun:
        lpa.get_package().must()
    for lpa in reversed(begun):
        assert lpa.notify(lpa.install()).status == 204
    assert order.state == "released"
    check(lab.database, [card for _, card in pairs])


def test_for_one_eid_alone(lab, shared):
    card = new_card(lab)
    order = shared(eid=card.eid)
    for _ in range(3):
        download(lab, order, card)
        del card.profiles[order.iccid]
    lpa = Download(new_card(lab), lab.client())
    lpa.initiate().must()
    lpa.authenticate(order.matching_id).refused("8.1.1", "3.8")


def test_nobody_ends_it_for_the_others(lab, shared):
    order = shared()
    lpa = Download(new_card(lab), lab.client()).until_authenticated(order.matching_id)
    lpa.cancel("endUserRejection").must()
    small = new_card(lab)
    small.memory = 10
    lpa = Download(small, lab.client())
    lpa.initiate().must()
    lpa.authenticate(order.matching_id).refused("8.1", "4.8")
    failed = Download(new_card(lab), lab.client()).until_authenticated(order.matching_id)
    failed.get_package().must()
    assert failed.notify(failed.result("peProcessingError")).status == 204
    assert order.state == "released"
    download(lab, order)


def test_a_confirmation_code_is_asked_each_time(lab, shared):
    order = shared(confirmationCode="2468")
    for _ in range(2):
        lpa = Download(new_card(lab), lab.client()).until_authenticated(order.matching_id)
        lpa.get_package(code="2468").must()


def test_once_a_package_left_it_never_goes_back_to_stock(lab, shared):
    order, card = shared(), new_card(lab)
    lpa = Download(card, lab.client()).until_authenticated(order.matching_id)
    lpa.get_package().must()
    failed = Download(new_card(lab), lab.client()).until_authenticated(order.matching_id)
    failed.get_package().must()
    assert failed.notify(failed.result("peProcessingError")).status == 204
    assert order.cancel("available")["error"]["code"] == "order-package-out"
    assert "ok" in order.cancel("unavailable")
    assert lpa.notify(lpa.install()).status == 204  # told, and nothing moves
    wait_for(lambda: ("profile.installed", card.eid) in events(lab, order.iccid), "the event")
    assert lab.ask("profile show", iccid=order.iccid)["state"] == "unavailable"


def test_only_test_profiles(lab):
    operational = lab.desk.load(k=os.urandom(16))
    error = lab.ask_any("order create", iccid=operational, reusable=True)["error"]
    assert error["code"] == "reusable-operational"
    assert lab.ask("profile show", iccid=operational)["state"] == "available"
    lab.desk.make_type("mixed")
    error = lab.ask_any("order create", type="mixed", reusable=True)["error"]
    assert error["code"] == "type-exhausted"
    lab.desk.load(args={"type": "mixed"}, k=os.urandom(16))
    error = lab.ask_any("order create", type="mixed", reusable=True)["error"]
    assert error["code"] == "reusable-operational"
    test = lab.desk.load(args={"type": "mixed"})
    assert lab.ask("order create", type="mixed", reusable=True)["iccid"] == test


def test_it_is_shown_as_such_everywhere(lab, shared):
    order, plain = shared(), lab.desk.order()
    orders = {o["iccid"]: o for o in lab.ask("order list", limit=1000)["orders"]}
    profiles = {p["iccid"]: p for p in lab.ask("profile list", limit=1000)["profiles"]}
    for shown in (orders, profiles):
        assert shown[order.iccid]["reusable"] is True and "reusable" not in shown[plain.iccid]
    assert lab.ask("profile show", iccid=order.iccid)["reusable"] is True
    assert {kind for kind, _ in events(lab, order.iccid)} == {"profile.ordered", "profile.released"}
    shown = lab.ctl("order", "show", order.iccid)
    assert "reusable" in shown and "downloadAttemptsLeft" not in shown
    assert "downloadAttemptsLeft" in lab.ctl("order", "show", plain.iccid)
    download(lab, order)
    download(lab, plain)
    for o, marked in ((order, True), (plain, None)):
        (session,) = lab.ask("session list", iccid=o.iccid)["sessions"]
        assert session.get("reusable") is marked
    fresh = lab.desk.order()
    codes = {c["iccid"]: c for c in lab.ask("order codes", iccids=[order.iccid, fresh.iccid])["codes"]}
    for o, marked in ((order, True), (fresh, None)):
        assert codes[o.iccid].get("reusable") is marked
        assert lab.ask("order code", iccid=o.iccid).get("reusable") is marked
        assert ("reusable" in rspctl(lab, "order", "code", o.iccid)) is bool(marked)
    assert rspctl(lab, "order", "codes", "--csv", "-").splitlines()[0].endswith(",reusable")
    for words in (("profile", "list"), ("event", "list", "--iccid", order.iccid), ("order", "codes"),
                  ("session", "list", "--iccid", order.iccid)):
        assert "REUSABLE" in rspctl(lab, *words)


def test_the_same_order_again_is_the_same_and_another_is_not(lab):
    iccid = lab.desk.load()
    first = lab.ask("order create", iccid=iccid, reusable=True)
    assert lab.ask("order create", iccid=iccid, reusable=True)["orderId"] == first["orderId"]
    assert lab.ask_any("order create", iccid=iccid)["error"]["code"] == "iccid-not-available"


def test_off_unless_the_configuration_allows_it(rspd, lab, shared, rspd_module):
    iccid = rspd.desk.load()
    assert rspd.ask_any("order create", iccid=iccid, reusable=True)["error"]["code"] == OFF
    order = shared()
    strict = rspd_module(database=lab.database)
    lpa = Download(new_card(lab), strict.client())
    lpa.initiate().must()
    lpa.authenticate(order.matching_id).refused("8.2", "1.2")
    assert order.state == "released"
    download(lab, order)
