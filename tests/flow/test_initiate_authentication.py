"""ES9+.InitiateAuthentication (SGP.22 §5.6.1): what an eUICC of either curve may ask, how rspd
chooses keys by the CI lists, each refusal with its code, and the order of the checks."""

import json
import os

import pytest

import der
from card import CardRefuses, b64, certificate_checks, unb64
from harness import NAMES

UNKNOWN = os.urandom(20)
TOO_LOW, TOO_HIGH = bytes([1, 9, 9]), bytes([3, 0, 0])
OTHER = "other.example.org"


def ask(lpa, address=None, **info1):
    if address is not None:
        lpa.address = address
    return lpa.initiate(**info1)


@pytest.mark.parametrize("curve", NAMES)
def test_a_card_of_either_curve_is_authenticated_to(session, make_card, curve):
    lpa = session(make_card(curve), curve)
    lpa.initiate().must()
    assert lpa.identity.tree.curve == curve


def test_a_brainpool_card_may_come_by_the_nist_listener(session, make_card):
    lpa = session(make_card("brainpool"), "nist")
    lpa.initiate().must()
    assert lpa.identity.tree.curve == "brainpool"


def test_transactions_and_challenges_are_never_the_same(lpa):
    seen = set()
    for _ in range(50):
        lpa.initiate().must()
        seen |= {lpa.transaction, lpa.server_challenge}
    assert len(seen) == 100
    assert all(len(s) == 16 for s in seen)


@pytest.mark.parametrize(
    "spelling",
    [
        "SMDP.EXAMPLE.ORG",
        "Smdp.Example.Org",
        "smdp.example.org:443",
        "smdp.example.org.",
        "SMDP.EXAMPLE.ORG.:8443",
        "second-smdp.example.org",
        "brainpool.example.org",
    ],
)
def test_the_address_is_compared_as_hosts_are_and_answered_as_it_was_spelt(lpa, spelling):
    ask(lpa, spelling).must()  # the card compares serverAddress with what it called


@pytest.mark.parametrize(
    "address",
    [OTHER, "", "smdp.example.org.evil.org", "xsmdp.example.org", "smdp", "smdp.example.org/x"]
    + ["smdp.example.org:x", "smdp.example.org:44x", "smdp.example.org:443:443"],
)
def test_another_address_is_refused(lpa, address):
    ask(lpa, address).refused("8.8.1", "3.8")


@pytest.mark.parametrize("svn", [TOO_LOW, TOO_HIGH, bytes(3), b"\xff\xff\xff"])
def test_a_version_outside_the_range_is_refused(lpa, svn):
    ask(lpa, svn=svn).refused("8.8.3", "3.1")


@pytest.mark.parametrize("svn", [(2, 0, 0), (2, 2, 1), (2, 6, 0), (2, 255, 255)])
def test_versions_of_the_range_are_served(lpa, svn):
    ask(lpa, svn=bytes(svn)).must()


def test_no_ci_that_could_sign_is_refused(lpa):
    for signing in ([], [UNKNOWN], [UNKNOWN, os.urandom(20)]):
        ask(lpa, signing=signing).refused("8.8.2", "3.1")


def test_no_ci_that_could_verify_is_refused(lpa):
    for verification in ([], [UNKNOWN]):
        ask(lpa, verification=verification).refused("8.8.4", "3.7")


@pytest.mark.parametrize("first,second", [("nist", "brainpool"), ("brainpool", "nist")])
def test_the_cards_order_of_cis_is_its_preference(session, make_card, first, second):
    lpa = session(make_card(first, second))
    lpa.initiate().must()
    assert lpa.identity.tree.curve == first


def test_unknown_cis_before_a_known_one_are_passed_over(lpa, card):
    known = card.identities[0].tree.ci.id
    ask(lpa, signing=[UNKNOWN, known], verification=[UNKNOWN, known]).must()
    assert lpa.identity.tree.ci.id == known


def test_the_ci_to_sign_for_and_the_ci_to_verify_with_may_differ(session, make_card, site):
    nist, brainpool = site.trees["nist"].ci, site.trees["brainpool"].ci
    lpa = session(make_card("nist", "brainpool"))
    answer = ask(lpa, signing=[nist.id], verification=[brainpool.id]).must()
    assert lpa.identity.tree.curve == "nist"
    assert certificate_checks(unb64(answer.body["serverCertificate"]), brainpool.cert, "auth")
    with pytest.raises(CardRefuses):
        certificate_checks(unb64(answer.body["serverCertificate"]), nist.cert, "auth")


@pytest.mark.parametrize("verification", [["nist", "brainpool"], ["brainpool", "nist"]])
@pytest.mark.parametrize("curve", ["nist", "brainpool"])
def test_a_certificate_under_the_ci_to_sign_for_is_preferred(
    session, make_card, site, curve, verification
):
    ids = {c: t.ci.id for c, t in site.trees.items()}
    lpa = session(make_card("nist", "brainpool"))
    ask(lpa, signing=[ids[curve]], verification=[ids[c] for c in verification]).must()
    assert lpa.root == site.trees[curve].ci.cert


TWO_FAULTS = {
    "version before address": (dict(address=OTHER, svn=TOO_LOW), ("8.8.3", "3.1")),
    "version before lists": (dict(svn=TOO_LOW, signing=[], verification=[]), ("8.8.3", "3.1")),
    "address before signing": (dict(address=OTHER, signing=[UNKNOWN]), ("8.8.1", "3.8")),
    "address before verification": (dict(address=OTHER, verification=[]), ("8.8.1", "3.8")),
    "signing before verification": (
        dict(signing=[UNKNOWN], verification=[UNKNOWN]),
        ("8.8.2", "3.1"),
    ),
}


@pytest.mark.parametrize("faults,refusal", TWO_FAULTS.values(), ids=TWO_FAULTS)
def test_of_two_faults_the_earlier_check_answers(lpa, faults, refusal):
    ask(lpa, **faults).refused(*refusal)


@pytest.mark.parametrize("member", ["euiccChallenge", "euiccInfo1", "smdpAddress"])
def test_a_missing_member_is_named_as_missing(lpa, member):
    body = lpa.initiate_body()
    del body[member]
    answer = lpa.initiate(body).refused("1.3.1", "2.2")
    assert "missing" in answer.execution["statusCodeData"]["message"]


def test_null_is_as_good_as_missing(lpa):
    lpa.initiate({**lpa.initiate_body(), "euiccInfo1": None}).refused("1.3.1", "2.2")


WRONG_VALUES = {
    "challenge of 15 octets": ("euiccChallenge", b64(bytes(15))),
    "challenge of 17 octets": ("euiccChallenge", b64(bytes(17))),
    "challenge empty": ("euiccChallenge", ""),
    "challenge not Base64": ("euiccChallenge", "####"),
    "challenge a number": ("euiccChallenge", 5),
    "info empty": ("euiccInfo1", ""),
    "info of another tag": ("euiccInfo1", b64(der.tlv(0xBF22, b""))),
    "info without members": ("euiccInfo1", b64(der.tlv(0xBF20, b""))),
    "info cut short": ("euiccInfo1", b64(bytes.fromhex("bf2009820302"))),
    "info longer than its octets": ("euiccInfo1", b64(bytes.fromhex("bf2084ffffffff8203020300"))),
    "info with octets behind": ("euiccInfo1", b64(bytes.fromhex("bf2009820302030000a900aa0000"))),
    "address a list": ("smdpAddress", ["smdp.example.org"]),
}


@pytest.mark.parametrize("member,value", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_value_that_cannot_be_read_is_refused_as_such(lpa, member, value):
    lpa.initiate({**lpa.initiate_body(), member: value}).refused("1.3.1", "2.1")


def test_a_version_3_card_speaks_to_us_in_its_own_words(lpa, card):
    """EUICCInfo1 of SGP.22 v3: euiccRspCapability [8], signing list V3 [17], highestSvn [19]."""
    card.extra_info1 = (
        der.tlv(0xB1, der.tlv(0x04, os.urandom(20)))
        + der.named_bits(0, 1, 9, tag=0x88)
        + der.tlv(0x93, bytes([3, 1, 0]))
    )
    body = lpa.initiate_body()
    body["lpaRspCapability"] = b64(der.named_bits(0, 3))
    lpa.initiate(body).must()


def folded(text, width=64, end="\r\n"):
    return end.join(text[i : i + width] for i in range(0, len(text), width)) + end


LENIENT = {
    "Base64 in lines": lambda b: {**b, "euiccInfo1": folded(b["euiccInfo1"], 20)},
    "Base64 with blanks": lambda b: {**b, "euiccChallenge": folded(b["euiccChallenge"], 5, " ")},
    "a header object": lambda b: {
        "header": {"functionRequesterIdentifier": "2.999.1", "functionCallIdentifier": "x"},
        **b,
    },
    "unknown members": lambda b: {**b, "more": [1, {"deep": None}], "x": "y"},
}


@pytest.mark.parametrize("change", LENIENT.values(), ids=LENIENT)
def test_what_real_clients_send_is_understood(lpa, change):
    lpa.initiate(change(lpa.initiate_body())).must()


def test_escaped_slashes_are_understood(lpa):
    lpa.challenge = b"\xff" * 16  # slashes in Base64
    text = json.dumps(lpa.initiate_body()).replace("/", "\\/")
    assert "\\/" in text
    lpa.initiate(text.encode()).must()


@pytest.mark.parametrize(
    "protocol", ["gsma/rsp/v2.0.0", "gsma/rsp/v2.2.2", "gsma/rsp/v3.1.0", "v<x.y.z>", None]
)
def test_any_protocol_header_is_served_and_answered_with_ours(lpa, protocol):
    answer = lpa.client.call(
        "initiateAuthentication", lpa.initiate_body(), {"X-Admin-Protocol": protocol}
    ).must()
    lpa.take_initiate(answer)


def test_a_flood_of_brainpool_cards_does_not_starve_the_others(rspd, make_rspd, session, make_card):
    """Their signatures cost fifteen times as much and have a bucket of their own (RULES 1.6)."""
    daemon = make_rspd(database=rspd.database, dp={"brainpool_signatures_per_second": 1})
    flood = session(make_card("brainpool"), daemon=daemon)
    answers = [flood.initiate() for _ in range(40)]
    busy = [a for a in answers if a.status == 503]
    assert busy and any(a.ok for a in answers)
    assert all(int(a.headers["Retry-After"]) > 0 for a in busy)
    session(make_card("nist"), daemon=daemon).initiate().must()
