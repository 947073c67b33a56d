"""ES9+.CancelSession (SGP.22 §5.6.5, §3.1.3.1): each reason and what becomes of the order, each
refusal with its code, and that an old, foreign or late cancel moves nothing."""

import os

import pytest

import der
from card import b64

KEEPS = ["postponed", "timeout"]
ENDS = [
    "endUserRejection",
    "pprNotAllowed",
    "metadataMismatch",
    "loadBppExecutionError",
    "undefinedReason",
]
LATER_REASONS = [16, 17, 23, 24, 25, 27, 28, 29]  # SGP.22 v3


@pytest.fixture
def ready(session, card, order):
    """A session past AuthenticateClient, or past GetBoundProfilePackage."""

    def make(package=False, **settings):
        o = order(**settings)
        lpa = session(card).until_authenticated(o.matching_id)
        if package:
            lpa.get_package().must()
        lpa.order = o
        return lpa

    return make


@pytest.mark.parametrize("package", [False, True], ids=["authenticated", "package-out"])
@pytest.mark.parametrize("reason", KEEPS)
def test_who_postpones_may_come_again(session, ready, make_card, reason, package):
    lpa = ready(package)
    lpa.cancel(reason).must()
    assert lpa.order.state == "released"
    again = session(lpa.card)
    if package:
        # EID and binding are kept: a stranger is refused, the same key gets the same segments.
        stranger = session(make_card())
        stranger.initiate().must()
        stranger.authenticate(lpa.order.matching_id).refused("8.1.1", "3.8")
        again.until_package(lpa.order.matching_id)
        assert again.package.segments == lpa.package.segments
    else:
        again.until_package(lpa.order.matching_id)
    assert lpa.order.state == "downloaded"


@pytest.mark.parametrize("reason", KEEPS)
def test_postponing_what_is_released_is_no_move(rspd, ready, reason):
    lpa = ready()
    told = ("select count(*) from outbox", "select count(*) from audit where to_state is not null")
    before = [rspd.database.value(q) for q in told]
    lpa.cancel(reason).must()
    assert [rspd.database.value(q) for q in told] == before
    assert lpa.order.state == "released"


@pytest.mark.parametrize("package", [False, True], ids=["authenticated", "package-out"])
@pytest.mark.parametrize("reason", ENDS + LATER_REASONS)
def test_any_other_reason_ends_the_order(ready, reason, package):
    lpa = ready(package)
    lpa.cancel(reason).must()
    assert lpa.order.state == "error"


def test_after_a_cancel_the_session_is_over(ready):
    lpa = ready()
    lpa.cancel("postponed").must()
    lpa.get_package().refused("8.10.1", "3.9")
    assert lpa.order.state == "released"


def test_a_cancel_twice_is_answered_twice_and_moves_once(rspd, ready):
    lpa = ready()
    body = lpa.cancel_body("endUserRejection")
    lpa.cancel(body=body).must()
    before = rspd.database.fingerprint()
    lpa.cancel(body=body).must()
    assert rspd.database.fingerprint() == before


def test_a_cancel_after_our_own_refusal_is_answered(session, card, order, make_card):
    """LPAs cancel after an error of ours too; the session row is there (RULES 1.3)."""
    o = order(eid=make_card().eid)
    lpa = session(card)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.1.1", "3.8")
    lpa.cancel("endUserRejection").must()
    assert o.state == "released"


def test_a_cancel_of_an_older_session_moves_nothing(session, ready):
    old = ready()
    new = session(old.card).until_package(old.order.matching_id)
    old.cancel("endUserRejection").must()
    assert old.order.state == "downloaded"
    assert new.notify(new.install()).status == 204
    assert old.order.state == "installed"


def test_a_cancel_of_the_card_that_lost_moves_nothing(session, make_card, order):
    o = order()
    winner, loser = (session(make_card()).until_authenticated(o.matching_id) for _ in "ab")
    winner.get_package().must()
    loser.cancel("endUserRejection").must()
    assert o.state == "downloaded"
    assert o.show()["eid"] == winner.card.eid


def test_a_cancel_after_installation_moves_nothing(ready):
    lpa = ready(package=True)
    assert lpa.notify(lpa.install()).status == 204
    lpa.cancel("loadBppExecutionError").must()
    assert lpa.order.state == "installed"


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("octet", range(16))
def test_a_transaction_id_with_any_octet_changed_is_unknown(ready, octet):
    lpa = ready()
    body = lpa.cancel_body()
    forged = bytearray(lpa.transaction)
    forged[octet] ^= 0x20
    body["transactionId"] = forged.hex().upper()
    lpa.cancel(body=body).refused("8.10.1", "3.9")
    assert lpa.order.state == "released"


def test_before_authenticate_client_there_is_nothing_to_cancel(session, card, order):
    lpa = session(card)
    lpa.initiate().must()
    lpa.cancel().refused("8.10.1", "3.9")


def test_another_transaction_inside_is_refused(ready):
    lpa = ready()
    lpa.cancel(transaction=os.urandom(16)).refused("8.10.1", "3.9")
    assert lpa.order.state == "released"


def test_a_signature_of_another_key_is_refused(ready, make_card):
    lpa = ready()
    lpa.cancel(key=make_card().identities[0].key).refused("8.1", "6.1")
    assert lpa.order.state == "released"


@pytest.mark.parametrize("oid", ["2.999.11", "2.999.10.1", "2.999"])
def test_another_smdp_oid_is_refused(ready, oid):
    lpa = ready()
    lpa.cancel(oid=oid).refused("8.8", "3.10")
    assert lpa.order.state == "released"


def test_the_session_of_another_card_is_refused(session, make_card, order):
    o = order()
    victim = session(make_card()).until_authenticated(o.matching_id)
    thief = session(make_card()).until_authenticated(order().matching_id)
    body = thief.cancel_body(transaction=victim.transaction)
    body["transactionId"] = victim.hex_id
    thief.cancel(body=body).refused("8.1", "6.1")
    assert o.state == "released"


def test_of_two_faults_the_earlier_check_answers(ready, make_card):
    stranger = make_card().identities[0].key
    lpa = ready()
    lpa.cancel(transaction=bytes(16), key=stranger).refused("8.10.1", "3.9")
    lpa.cancel(oid="2.999.11", key=stranger).refused("8.1", "6.1")


@pytest.mark.parametrize("code", [5, 127])
def test_an_error_response_of_the_card_fails_and_moves_nothing(ready, code):
    lpa = ready()
    body = {
        "transactionId": lpa.hex_id,
        "cancelSessionResponse": b64(der.tlv(0xBF41, der.integer(code, 0x81))),
    }
    lpa.cancel(body=body).refused(*(("8.10.1", "3.9") if code == 5 else ("8.1", "4.2")))
    assert lpa.order.state == "released"


@pytest.mark.parametrize("code", [5, 127])
def test_an_error_response_for_what_was_only_initiated_is_of_no_transaction(lpa, code):
    lpa.initiate().must()
    error = der.tlv(0xBF41, der.integer(code, 0x81))
    body = {"transactionId": lpa.hex_id, "cancelSessionResponse": b64(error)}
    lpa.cancel(body=body).refused("8.10.1", "3.9")


@pytest.mark.parametrize("member", ["transactionId", "cancelSessionResponse"])
def test_a_missing_member_is_named_as_missing(ready, member):
    lpa = ready()
    body = lpa.cancel_body()
    del body[member]
    lpa.cancel(body=body).refused("1.3.1", "2.2")


def test_octets_that_cannot_be_decoded_are_malformed(ready):
    lpa = ready()
    right = der.read(der.tlv(0xBF41, der.tlv(0xA0)))
    for octets in (b"", b"\xbf\x41", right.octets, der.tlv(0xBF41), der.tlv(0xBF21, b"\xa0\x00")):
        body = {"transactionId": lpa.hex_id, "cancelSessionResponse": b64(octets)}
        lpa.cancel(body=body).refused("1.3.1", "2.1")
    assert lpa.order.state == "released"


