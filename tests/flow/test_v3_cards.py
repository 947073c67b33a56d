"""eUICCs of SGP.22 v3 that still accept servers of version 2, in both bindings: members and extensions that
version 2 does not know in everything that they say, and versions as a range from the lowest to the highest."""

import json

import pytest

import asn1
import der
from asn1 import Asn1Client
from card import Card, Download, Identity
from conftest import new_eid
from der import tlv
from web import Client

LOWEST = "2.2.2"


@pytest.fixture(params=[Client, Asn1Client], ids=["json", "asn1"])
def kind(request):
    return request.param


@pytest.fixture
def card(site):
    return Card(new_eid(), site.trees["nist"], svn=LOWEST).become_version_3()


@pytest.fixture
def speak(rspd, kind):
    return lambda card, daemon=None: Download(card, (daemon or rspd).client(kind=kind))


def test_a_whole_download(speak, card, order):
    o = order(cc="1234")
    speak(card).run(o.matching_id, "1234")
    assert o.state == "installed"


def test_what_the_device_tells_is_found_among_strangers(rspd, speak, card, order):
    o = order()
    speak(card).until_authenticated(o.matching_id)
    (row,) = rspd.database.rows(f"select tac, imei from rsp_session where eid = '{card.eid}'")
    assert [bytes(value).hex() if not isinstance(value, str) else value for value in row] == [
        "35290611",
        "53" * 8,
    ]


def test_certificates_with_extensions_that_nobody_knows(speak, card, order, site):
    tree, o = site.trees["nist"], order()
    eum = tree.make_eum(unknown="2.999.78")
    lpa = speak(card)
    card.identities = [Identity(tree, tree.make_euicc(card.eid, eum, unknown="2.999.79"), eum)]
    lpa.run(o.matching_id)
    assert o.state == "installed"


@pytest.mark.parametrize("reason,state", [("postponed", "released"), (17, "error")])
def test_a_cancelled_session(speak, card, order, reason, state):
    """17 is one of the reasons that version 3 added."""
    o = order()
    speak(card).until_authenticated(o.matching_id).cancel(reason).must()
    assert o.state == state


@pytest.mark.parametrize("event", ["enable", "disable", "delete"])
def test_what_happens_on_the_card_is_heard(rspd, speak, card, order, event):
    o = order()
    lpa = speak(card).run(o.matching_id)
    with rspd.log_lines() as lines:
        octets = card.notification(event, lpa.iccid, lpa.address, lpa.identity)
        assert lpa.notify(octets).status == 204
    assert "result=ok" in lines[0]


def test_a_stranger_in_what_is_signed_is_covered_by_the_signature(speak, card, order):
    """Verified over the octets received: with one bit of the unknown member changed nothing holds."""
    o = order()
    lpa = speak(card)
    lpa.initiate().must()
    response = lpa.server_response(o.matching_id)
    at = response.index(card.more) + len(tlv(0xBF7F, tlv(0x80, b"\x03"))) - 1
    wrong = response[:at] + b"\x04" + response[at + 1 :]
    assert response[at] == 3 and wrong != response
    lpa.server_response = lambda *args, **change: wrong
    lpa.authenticate(o.matching_id).refused("8.1", "6.1")


# ---- versions ------------------------------------------------------------------------------------


def versioned(card, svn, highest=None):
    """A card that tells this version, and with it the highest of a range."""
    card.svn = bytes(svn)
    card.extra_info1 = b"" if highest is None else tlv(0x93, bytes(highest))
    return card


@pytest.fixture(scope="module")
def narrow(rspd, rspd_module):
    """Serves 2.2.0 to 2.4.255 alone."""
    versions = {"svn_lowest": "2.2.0", "svn_highest": "2.4.255"}
    return rspd_module(database=rspd.database, dp=versions)


@pytest.mark.parametrize(
    "svn,highest,served",
    [
        ((2, 2, 0), None, True),
        ((2, 4, 255), None, True),
        ((2, 1, 9), None, False),
        ((2, 5, 0), None, False),
        # a range that meets ours, at either end
        ((2, 0, 0), (3, 1, 0), True),
        ((2, 0, 0), (2, 2, 0), True),
        ((2, 4, 0), (3, 0, 0), True),
        # and one that does not
        ((2, 0, 0), (2, 1, 9), False),
        ((3, 0, 0), (3, 1, 0), False),
        ((2, 5, 0), (3, 1, 0), False),
        # a highest version that is lower, or is none, says nothing
        ((2, 3, 0), (2, 0, 0), True),
        ((2, 1, 0), (2, 0, 0), False),
        ((2, 1, 0), (3, 1), False),
    ],
)
def test_a_range_of_versions_is_served_when_it_meets_ours(
    narrow, speak, card, svn, highest, served
):
    answer = speak(versioned(card, svn, highest), narrow).initiate()
    answer.must() if served else answer.refused("8.8.3", "3.1")


def test_the_lowest_version_must_be_told_again(speak, card):
    """The challenge covers svn; that of euiccInfo2 is the lowest version too."""
    lpa = speak(versioned(card, (2, 2, 0), (3, 1, 0)))
    lpa.initiate().must()
    lpa.authenticate(svn=bytes([3, 1, 0])).refused("8.1", "6.1")


def test_members_of_requests_that_version_3_added(rspd, card, kind):
    lpa = Download(card, rspd.client(kind=kind))
    body = lpa.initiate_body()
    if kind is Client:
        sent = json.dumps({**body, "lpaRspCapability": "AwIHgA==", "more": {"a": [1]}}).encode()
    else:
        inner = asn1.members("initiateAuthentication", body) + der.named_bits(0)
        sent = tlv(0xA2, tlv(0xBF39, inner, card.more))
    lpa.client.call("initiateAuthentication", sent).must()
