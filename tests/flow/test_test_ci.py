"""CIs whose private key is public (docs/lab.md): named as such, and only for operators that accept them."""

import pytest

import pki
from card import Card, Download
from conftest import folders, new_eid
from harness import NAMES, Site, wait_for

REFUSED = ("8.11.1", "3.9")


@pytest.fixture(scope="module")
def lab(rspd_module):
    """A daemon whose P-256 CI is a test CI; the other is none."""
    return rspd_module(**{"ci nist": {"test": "yes"}})


@pytest.fixture(autouse=True)
def refusing(lab):
    lab.ctl("operator", "set", "default", "--test-ci", "refuse")


def session(lab, order, curve="nist", card=None):
    card = card or Card(new_eid(), lab.site.trees[curve])
    lpa = Download(card, lab.client(curve))
    lpa.initiate().must()
    return lpa, lpa.authenticate(order.matching_id)


def test_nothing_moves_for_a_card_of_a_test_ci(lab):
    order = lab.desk.order()
    for _ in range(3):
        session(lab, order)[1].refused(*REFUSED)
    shown = order.show()
    assert shown["state"] == "released" and shown["downloadAttempts"] == 0
    assert session(lab, order, "brainpool")[1].ok


def test_an_operator_may_accept_test_cis(lab):
    lab.ctl("operator", "set", "default", "--test-ci", "accept")
    assert lab.ctl("operator", "show", "default")["testCi"] == "accept"
    order = lab.desk.order()
    lpa, answer = session(lab, order)
    assert answer.ok
    lpa.get_package().must()


def test_each_operator_decides_for_its_own(lab):
    lab.ctl("operator", "add", "laboratory", "--test-ci", "accept")
    theirs = lab.desk.load(args={"operator": "laboratory", "type": "theirs"})
    accepted, refused = lab.desk.order(iccid=theirs), lab.desk.order()
    assert session(lab, accepted)[1].ok
    session(lab, refused)[1].refused(*REFUSED)


def test_a_forged_card_cannot_speak_for_a_real_one(lab):
    """The profile is on a card of the real CI; a card of the test CI with the same EID says it is gone."""
    order = lab.desk.order()
    real = Card(new_eid(), lab.site.trees["brainpool"])
    lpa = Download(real, lab.client("brainpool")).until_authenticated(order.matching_id)
    lpa.get_package().must()
    assert lpa.notify(lpa.install()).status == 204
    wait_for(lambda: order.state == "installed", "the installation")
    forged = Card(real.eid, lab.site.trees["nist"])
    forged.sequence = 100

    def tell(card, curve):
        told = card.notification("delete", order.iccid, NAMES[curve])
        assert Download(card, lab.client(curve)).notify(told).status == 204

    tell(forged, "nist")
    assert order.show()["cardState"] == "disabled"
    tell(real, "brainpool")
    wait_for(lambda: order.show()["cardState"] == "deleted", "the real card to be heard")


def test_a_published_test_ci_must_be_called_one(make_rspd, scratch, monkeypatch):
    site = Site(scratch / f"site{next(folders)}")
    tree = site.trees["nist"]
    known = bytes.fromhex("F54172BDF98A95D65CBEB88A38A1C11D800A85C3")
    with monkeypatch.context() as m:
        m.setattr(pki, "key_id", lambda key: known)
        site.write("nist-ci.pem", tree.make_ci("Test CI").pem)
    daemon = make_rspd(own_site=site, start=False)
    run = daemon.once("--check-config", check=False)
    assert run.returncode == 78
    assert "nist-ci.pem" in run.stderr and "test = yes" in run.stderr
