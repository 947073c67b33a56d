"""ES9+.AuthenticateClient (SGP.22 §5.6.3, §3.1.3): every check in its order with its code, the
certificates of both curves that must not pass, how an order is found, what counts as an attempt,
and what a repeated or replayed call gets."""

import os

import pytest

import der
import pki
import tokens
from card import Identity, b64
from harness import NAMES, wait_for
from rspcrypto import signature_tlv

NOTHING = "NO-SUCH-TOKEN"


# ---- 1: the transaction --------------------------------------------------------------------------


@pytest.mark.parametrize("octet", range(16))
def test_a_transaction_id_with_any_octet_changed_is_unknown(lpa, octet):
    lpa.initiate().must()
    body = lpa.authenticate_body(NOTHING)
    forged = bytearray(lpa.transaction)
    forged[octet] ^= 0x20
    body["transactionId"] = forged.hex().upper()
    lpa.authenticate(body=body).refused("8.10.1", "3.9")


@pytest.mark.parametrize("length", [1, 8, 15])
def test_a_transaction_id_of_another_length_is_unknown(lpa, length):
    lpa.initiate().must()
    body = lpa.authenticate_body(NOTHING)
    body["transactionId"] = lpa.hex_id[: 2 * length]
    lpa.authenticate(body=body).refused("8.10.1", "3.9")


@pytest.mark.parametrize("value", ["", "0", "XY" * 16, "00" * 17, "00" * 5000])
def test_a_text_that_is_no_transaction_id_is_unknown(lpa, value):
    lpa.initiate().must()
    body = lpa.authenticate_body(NOTHING)
    body["transactionId"] = value
    lpa.authenticate(body=body).refused("8.10.1", "3.9")


def test_a_transaction_id_in_lower_case_is_the_same(lpa, order):
    o = order()
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    body["transactionId"] = body["transactionId"].lower()
    assert lpa.authenticate(body=body).must().body["transactionId"] == lpa.hex_id


@pytest.mark.parametrize("age", [0, tokens.AGE - 60, 20 - tokens.AHEAD])
def test_a_transaction_within_its_time_goes_on(lpa, site, age):
    lpa.initiate().must()
    tokens.Forge(site).put(lpa, age=age)
    lpa.authenticate(NOTHING).refused("8.2.6", "3.8")


@pytest.mark.parametrize("age", [tokens.AGE + 10, 86400, -tokens.AHEAD - 60, -86400])
def test_a_transaction_too_old_or_of_the_future_is_unknown(lpa, site, age):
    lpa.initiate().must()
    tokens.Forge(site).put(lpa, age=age)
    lpa.authenticate(NOTHING).refused("8.10.1", "3.9")


@pytest.mark.parametrize("credential_set", [0, 77, 255])
def test_a_transaction_of_an_unknown_credential_set_is_unknown(lpa, site, credential_set):
    lpa.initiate().must()
    tokens.Forge(site).put(lpa, credential_set=credential_set)
    lpa.authenticate(NOTHING).refused("8.10.1", "3.9")


# ---- 2: an error of the eUICC --------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 127])
def test_an_error_response_of_the_card_fails(lpa, code):
    lpa.initiate().must()
    error = der.tlv(
        0xBF38, der.tlv(0xA1, der.tlv(0x80, lpa.transaction), der.integer(code))
    )
    body = {"transactionId": lpa.hex_id, "authenticateServerResponse": b64(error)}
    answer = lpa.authenticate(body=body)
    assert answer.status == 200 and answer.refusal


# ---- 3 to 7: certificates ------------------------------------------------------------------------


def with_certificates(lpa, curve, eum=None, euicc=None, wrong_eum=None, wrong_euicc=None):
    """Lets the session's card show certificates that `wrong_…` spoil; the answer of the server."""
    tree = lpa.client_tree
    eum = eum or tree.make_eum(**(wrong_eum(tree) if wrong_eum else {}))
    settings = dict(eid=lpa.card.eid, eum=eum)
    euicc = euicc or tree.make_euicc(**{**settings, **(wrong_euicc(tree) if wrong_euicc else {})})
    lpa.initiate().must()
    lpa.identity = Identity(tree, euicc, eum)
    return lpa.authenticate(NOTHING)


@pytest.fixture
def wrong_card(session, make_card, site):
    def make(curve):
        lpa = session(make_card(curve), curve)
        lpa.client_tree = site.trees[curve]
        return lpa

    return make


@pytest.mark.parametrize("curve", NAMES)
@pytest.mark.parametrize("kind", pki.WRONG_EUM)
def test_a_wrong_eum_certificate_is_refused(wrong_card, curve, kind):
    refusal, faults = pki.WRONG_EUM[kind]
    with_certificates(wrong_card(curve), curve, wrong_eum=faults).refused(*refusal)


@pytest.mark.parametrize("curve", NAMES)
@pytest.mark.parametrize("kind", pki.WRONG_EUICC)
def test_a_wrong_euicc_certificate_is_refused(wrong_card, curve, kind):
    refusal, faults = pki.WRONG_EUICC[kind]
    with_certificates(wrong_card(curve), curve, wrong_euicc=faults).refused(*refusal)


@pytest.mark.parametrize("curve", NAMES)
def test_a_revoked_eum_certificate_is_refused(wrong_card, site, curve):
    with_certificates(wrong_card(curve), curve, eum=site.revoked_eum[curve]).refused("8.1.2", "6.1")


def test_a_new_eum_certificate_of_the_ci_is_trusted(wrong_card):
    with_certificates(wrong_card("nist"), "nist", wrong_eum=lambda t: {}).refused("8.2.6", "3.8")


def test_an_eum_of_a_trusted_ci_that_was_not_chosen_is_refused(session, make_card, site):
    lpa = session(make_card("nist"))
    lpa.initiate().must()
    other = site.trees["brainpool"]
    lpa.identity = Identity(other, other.make_euicc(lpa.card.eid))
    lpa.authenticate(NOTHING).refused("8.11.1", "3.9")


def test_certificates_of_another_role_do_not_make_a_card(wrong_card, site):
    """A chain that is right but for its role: DPauth as EUM, and as eUICC."""
    tree = site.trees["nist"]
    with_certificates(wrong_card("nist"), "nist", eum=tree.auth).refused("8.1.2", "6.1")
    with_certificates(wrong_card("nist"), "nist", euicc=tree.auth).refused("8.1.3", "6.1")


def test_what_is_no_certificate_is_refused(lpa):
    lpa.initiate().must()
    signed = lpa.signed1(NOTHING)
    junk = der.tlv(0x30, der.tlv(0x30, b"\x02\x01\x00"))
    for certificates in ((junk, lpa.identity.eum.der), (lpa.identity.euicc.der, junk)):
        response = der.tlv(
            0xBF38,
            der.tlv(0xA0, signed, signature_tlv(lpa.identity.key, signed), *certificates),
        )
        body = {"transactionId": lpa.hex_id, "authenticateServerResponse": b64(response)}
        answer = lpa.authenticate(body=body)
        assert answer.refusal in {
            ("1.3.1", "2.1"),
            ("8.1.2", "6.1"),
            ("8.1.3", "6.1"),
            ("8.11.1", "3.9"),
        }


# ---- 8 to 11: the signature and what it covers ---------------------------------------------------


def test_a_signature_of_another_key_is_refused(lpa, make_card):
    lpa.initiate().must()
    stranger = make_card("nist").identities[0].key
    signature = signature_tlv(stranger, lpa.signed1(NOTHING))
    lpa.authenticate(NOTHING, signature=signature).refused("8.1", "6.1")


@pytest.mark.parametrize("place", ["transaction", "challenge", "device"])
def test_signed_octets_that_were_changed_are_refused(lpa, place):
    """One bit in a value of the signed part; the signature is the old one."""
    lpa.initiate().must()
    signed = lpa.signed1(NOTHING)
    signature = signature_tlv(lpa.identity.key, signed)
    changed = bytearray(signed)
    at = {
        "transaction": signed.index(lpa.transaction),
        "challenge": signed.index(lpa.server_challenge) + 15,
        "device": len(signed) - 1,
    }
    changed[at[place]] ^= 1
    certificates = lpa.identity.euicc.der, lpa.identity.eum.der
    response = der.tlv(0xBF38, der.tlv(0xA0, bytes(changed), signature, *certificates))
    body = {"transactionId": lpa.hex_id, "authenticateServerResponse": b64(response)}
    lpa.authenticate(body=body).refused("8.1", "6.1")


def test_another_transaction_inside_is_refused(session, card):
    first, second = session(card), session(card)
    first.initiate().must()
    second.initiate().must()
    first.authenticate(NOTHING, transaction=second.transaction).refused("8.10.1", "3.9")


def test_another_challenge_inside_is_refused(lpa):
    lpa.initiate().must()
    lpa.authenticate(NOTHING, challenge=os.urandom(16)).refused("8.1", "6.1")


def test_another_address_inside_is_refused(lpa):
    lpa.initiate().must()
    lpa.authenticate(NOTHING, address="other.example.org").refused("8.1", "6.1")


@pytest.mark.parametrize("svn", [bytes([2, 3, 1]), bytes([2, 2, 0]), bytes([1, 0, 0])])
def test_a_version_that_changed_since_the_first_call_is_refused(lpa, svn):
    lpa.initiate().must()
    lpa.authenticate(NOTHING, svn=svn).refused("8.1", "6.1")


# ---- 12 to 15: the order -------------------------------------------------------------------------


def test_activation_code(lpa, order):
    o = order()
    lpa.until_authenticated(o.matching_id)
    assert lpa.iccid == o.iccid and not lpa.code_required and lpa.known_point is None


def test_activation_code_with_blanks_around_it(lpa, order):
    o = order()
    lpa.until_authenticated(f"  {o.matching_id} ")
    assert lpa.iccid == o.iccid


def test_event_id_of_an_order_for_this_eid(lpa, order):
    o = order(eid=lpa.card.eid, matching_id=f"EVENT-{os.getpid()}-1")
    lpa.until_authenticated(o.matching_id)
    assert lpa.iccid == o.iccid


@pytest.mark.parametrize("matching_id", [None, ""])
def test_default_server_finds_the_order_with_an_empty_matching_id(lpa, order, matching_id):
    o = order(eid=lpa.card.eid, matching_id="")
    lpa.until_authenticated(matching_id)
    assert lpa.iccid == o.iccid


@pytest.mark.parametrize("matching_id", [None, ""])
def test_an_order_linked_to_the_eid_is_found_without_its_matching_id(lpa, order, matching_id):
    o = order(eid=lpa.card.eid)
    assert o.matching_id
    lpa.until_authenticated(matching_id)
    assert lpa.iccid == o.iccid


def test_of_several_orders_the_empty_matching_id_comes_first_then_the_oldest(session, card, order):
    linked_old, linked_new = order(eid=card.eid), order(eid=card.eid)
    empty_old, empty_new = (order(eid=card.eid, matching_id="") for _ in "ab")
    taken = []
    for _ in range(4):
        taken.append(session(card).run().iccid)
    expected = [empty_old, empty_new, linked_old, linked_new]
    assert taken == [o.iccid for o in expected]


def test_of_several_orders_a_retry_in_downloaded_comes_first(session, card, order):
    older, retried = order(eid=card.eid, matching_id=""), order(eid=card.eid)
    session(card).until_package(retried.matching_id)
    assert retried.state == "downloaded"
    again = session(card).until_authenticated()
    assert again.iccid == retried.iccid
    assert older.state == "released"


@pytest.mark.parametrize("matching_id", [NOTHING, "'; drop table profile; --", "A" * 200, "é"])
def test_an_unknown_matching_id_is_refused(lpa, matching_id):
    lpa.initiate().must()
    lpa.authenticate(matching_id).refused("8.2.6", "3.8")


@pytest.mark.parametrize("octets", [b"A\0B", b"\0", b"A\xffB", b"\xc3\x28", b"A$B", b"$"])
def test_a_matching_id_that_is_no_text_is_unknown(lpa, octets):
    lpa.initiate().must()
    context = der.tlv(0xA0, der.text(octets, 0x80), lpa.device_info())
    lpa.authenticate(context=context).refused("8.2.6", "3.8")


def test_a_matching_id_is_compared_exactly(lpa, order):
    o = order(matching_id=f"Upper-{os.getpid()}-x")
    lpa.initiate().must()
    lpa.authenticate(o.matching_id.upper()).refused("8.2.6", "3.8")


def test_an_order_linked_to_another_eid_is_refused(lpa, order, make_card):
    o = order(eid=make_card().eid)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.1.1", "3.8")
    assert o.state == "released"


def test_whose_the_order_is_comes_before_its_state(lpa, order, make_card):
    o = order(eid=make_card().eid, release=False)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.1.1", "3.8")


@pytest.mark.parametrize("matching_id", [None, ""])
def test_no_matching_id_and_no_order_for_this_eid_is_refused(lpa, matching_id):
    lpa.initiate().must()
    lpa.authenticate(matching_id).refused("8.1.1", "3.8")


def test_an_order_that_is_not_released_yet_is_refused(lpa, order):
    o = order(release=False)
    assert o.state == "confirmed"
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.2", "1.2")
    assert o.state == "confirmed"


def test_an_order_that_is_installed_is_refused(session, card, order, make_card):
    o = order()
    session(card).run(o.matching_id)
    assert o.state == "installed"
    for c in (card, make_card()):
        lpa = session(c)
        lpa.initiate().must()
        answer = lpa.authenticate(o.matching_id)
        assert answer.refusal in {("8.2", "1.2"), ("8.1.1", "3.8")}
    assert o.state == "installed"


def test_a_cancelled_order_is_gone(lpa, order):
    o = order()
    assert "ok" in o.cancel("unavailable")
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.2.6", "3.8")


def past_its_lifetime(rspd, o):
    rspd.database.rows(
        "update download_order set expires_at = now() - interval '1 second'"
        f" where iccid = '{o.iccid}'"
    )


def test_an_order_past_its_lifetime_is_refused_before_the_timer_and_after(
    rspd, session, card, order
):
    o = order()
    past_its_lifetime(rspd, o)
    lpa = session(card)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.8.5", "4.10")
    wait_for(lambda: o.show()["state"] == "error", "the timer")
    lpa = session(card)
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.8.5", "4.10")


def test_an_order_in_downloaded_does_not_expire(rspd, session, card, order):
    """The package may be on the card already."""
    o = order()
    session(card).until_package(o.matching_id)
    past_its_lifetime(rspd, o)
    session(card).run(o.matching_id)
    assert o.state == "installed"


# ---- 16: attempts --------------------------------------------------------------------------------


def test_attempts_are_counted_and_above_the_maximum_the_order_ends(
    rspd, make_rspd, session, make_card
):
    daemon = make_rspd(database=rspd.database, dp={"download_attempts": 2})
    o = daemon.desk.order()
    card = make_card()
    for expected in (1, 2):
        session(card, daemon=daemon).until_authenticated(o.matching_id)
        assert o.show()["downloadAttempts"] == expected
    for _ in ("it ends", "it has ended"):
        lpa = session(card, daemon=daemon)
        lpa.initiate().must()
        lpa.authenticate(o.matching_id).refused("8.8.5", "6.4")
        assert o.state == "error"
    assert "ok" in o.reset()
    assert (o.state, o.show()["downloadAttempts"]) == ("released", 0)
    session(card, daemon=daemon).until_authenticated(o.matching_id)


# ---- 17: eligibility -----------------------------------------------------------------------------


def refused_for(lpa, order, refusal):
    lpa.initiate().must()
    lpa.authenticate(order.matching_id).refused(*refusal)
    assert order.state == "error"


def test_too_little_memory(lpa, order):
    o = order()
    lpa.card.memory = 100
    refused_for(lpa, o, ("8.1", "4.8"))


def test_a_card_that_cannot_do_what_the_profile_needs(lpa, order):
    o = order()
    lpa.card.capabilities = [0, 2, 3]  # no USIM
    refused_for(lpa, o, ("8.2.5", "4.3"))


def test_a_card_of_an_older_package_version(lpa, order):
    o = order()
    lpa.card.profile_version = bytes([1, 0, 0])
    refused_for(lpa, o, ("8.2.5", "4.3"))


def test_a_profile_rule_that_the_card_forbids(rspd, lpa):
    iccid = rspd.desk.load({"ppr1": True, "owner": "00101"})
    o = rspd.desk.order(iccid=iccid)
    lpa.card.forbidden_rules = [1]
    refused_for(lpa, o, ("8.2.5", "4.3"))


def test_a_profile_rule_that_the_card_allows(rspd, lpa):
    iccid = rspd.desk.load({"ppr1": True, "ppr2": True, "owner": "00101"})
    o = rspd.desk.order(iccid=iccid)
    lpa.card.forbidden_rules = [0]
    lpa.until_authenticated(o.matching_id)
    assert der.bit_numbers(lpa.metadata.get(0x99).value) == [1, 2]
    assert lpa.metadata.get(0xB7, 0x80).value == bytes.fromhex("00f110")


# ---- 18: the answer ------------------------------------------------------------------------------


def test_confirmation_code_is_announced(lpa, order):
    lpa.until_authenticated(order(cc="1234").matching_id)
    assert lpa.code_required


def test_a_retry_is_told_the_one_time_key_of_last_time(session, card, order):
    o = order()
    first = session(card).until_package(o.matching_id)
    again = session(card).until_authenticated(o.matching_id)
    assert again.known_point in card.one_time_keys
    assert first.package.dp_point != again.known_point


def test_the_one_time_key_of_another_curve_is_not_offered(session, make_card, site, order):
    """First under NIST, then the card prefers brainpool: the key of last time fits no longer."""
    o = order()
    card = make_card("nist", "brainpool")
    first = session(card).until_package(o.matching_id)
    assert first.pb_cert.public_key().curve.name == "secp256r1"
    again = session(card)
    ids = [site.trees[c].ci.id for c in ("brainpool", "nist")]
    again.initiate(verification=ids, signing=ids).must()
    again.authenticate(o.matching_id).must()
    assert again.pb_cert.public_key().curve.name == "brainpoolP256r1"
    assert again.known_point is None
    again.get_package().must()
    assert again.notify(again.install()).status == 204
    assert o.state == "installed"


def notified(metadata):
    """Which events which address hears of: an entry for each pair."""
    out = {}
    for entry in metadata.get(0xB6).children:
        (event,) = der.bit_numbers(entry.get(0x80).value)
        out.setdefault(entry.get(0x81).value.decode(), []).append(event)
    return out


def test_metadata_say_what_was_imported(rspd, lpa):
    icon = bytes.fromhex("89504e470d0a1a0a") + os.urandom(100)
    iccid = rspd.desk.load(
        {
            "name": "Flow S",
            "provider": "Flow",
            "class": "test",
            "icon": b64(icon),
            "owner": "00101:AB:CD",
            "notify": ["n.example.org=install+delete"],
        }
    )
    lpa.until_authenticated(rspd.desk.order(iccid=iccid).matching_id)
    m = lpa.metadata
    assert lpa.iccid == iccid
    assert m.get(0x91).value == b"Flow"
    assert m.get(0x92).value == b"Flow S"
    assert m.get(0x93).value == b"\x01"
    assert m.get(0x94).value == icon
    assert m.get(0x95).value == b"\x00"
    assert [c.value.hex() for c in m.get(0xB7).children] == ["00f110", "ab", "cd"]
    told = notified(m)
    assert told["n.example.org"] == [0, 3]


def test_by_default_rspd_wants_to_hear_of_enable_disable_and_delete(lpa, order):
    lpa.until_authenticated(order().matching_id)
    assert notified(lpa.metadata) == {NAMES["nist"]: [1, 2, 3]}


def test_a_mixed_pair_of_curves_authenticates(session, make_card, site, order):
    """The CI to sign for is NIST, the card verifies under brainpool alone."""
    o = order()
    lpa = session(make_card("nist", "brainpool"))
    ids = {c: t.ci.id for c, t in site.trees.items()}
    lpa.initiate(signing=[ids["nist"]], verification=[ids["brainpool"]]).must()
    lpa.authenticate(o.matching_id).must()
    assert lpa.pb_cert.public_key().curve.name == "brainpoolP256r1"


# ---- extensions of v3 and other lenient input ----------------------------------------------------


def test_a_version_3_card_may_say_more_than_we_know(lpa, order):
    """Members that SGP.22 v3 added, in euiccInfo2, DeviceInfo and its capabilities."""
    o = order()
    lpa.card.extra_info2 = der.tlv(0xB0, der.tlv(0x04, b"\x01")) + der.tlv(0x93, bytes([3, 1, 0]))
    device = der.tlv(
        0xA1,
        der.tlv(0x80, b"\x35\x29\x06\x11"),
        der.tlv(0xA1, der.tlv(0x85, b"\x0f\x00\x00"), der.tlv(0x93, b"\x01")),
        der.tlv(0x82, bytes.fromhex("53" * 8)),
        der.tlv(0x83, b"\x01\x02"),
        der.text("Gadget 7", 0x84),
    )
    lpa.initiate().must()
    context = der.tlv(0xA0, der.text(o.matching_id, 0x80), device)
    lpa.authenticate(context=context).must()


def test_base64_in_lines_and_a_header_object(lpa, order):
    o = order()
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    text = body["authenticateServerResponse"]
    body["authenticateServerResponse"] = "\r\n".join(
        text[i : i + 76] for i in range(0, len(text), 76)
    )
    body["header"] = {"functionCallIdentifier": "x"}
    lpa.authenticate(body=body).must()


# ---- repeats and replays -------------------------------------------------------------------------


def test_the_same_body_again_gets_the_same_answer_and_counts_nothing(rspd, lpa, order):
    o = order()
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    first = lpa.authenticate(body=body).must()
    before = rspd.database.fingerprint()
    for _ in range(3):
        assert lpa.client.call("authenticateClient", body).octets == first.octets
    assert rspd.database.fingerprint() == before
    assert o.show()["downloadAttempts"] == 1


def test_what_was_answered_first_is_answered_again_after_a_wrong_code(rspd, lpa, order):
    o = order(cc="12345678")
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    first = lpa.authenticate(body=body).must()
    lpa.get_package("0000").refused("8.2.7", "3.8")
    before = rspd.database.fingerprint()
    assert lpa.client.call("authenticateClient", body).octets == first.octets
    assert rspd.database.fingerprint() == before


def test_a_refusal_is_repeated_too(lpa, order, make_card):
    o = order(eid=make_card().eid)
    lpa.initiate().must()
    body = lpa.authenticate_body(o.matching_id)
    for _ in range(2):
        lpa.authenticate(body=body).refused("8.1.1", "3.8")
    lpa.authenticate(NOTHING).refused("8.10.1", "3.9")


def test_another_body_in_the_same_transaction_is_a_replay(lpa, order):
    o = order()
    lpa.until_authenticated(o.matching_id)
    lpa.authenticate(o.matching_id).refused("8.10.1", "3.9")  # signed anew: other octets
    assert o.show()["downloadAttempts"] == 1
    assert o.state == "released"


def test_a_replay_by_another_card_does_not_harm_the_session(session, make_card, order):
    o = order()
    victim = session(make_card()).until_authenticated(o.matching_id)
    thief = session(make_card())
    thief.initiate().must()
    thief.hex_id, thief.transaction = victim.hex_id, victim.transaction
    thief.server_challenge = victim.server_challenge
    thief.authenticate(o.matching_id).refused("8.10.1", "3.9")
    victim.get_package().must()


# ---- order of checks -----------------------------------------------------------------------------

FAULTS = [
    ("transaction", ("8.10.1", "3.9")),
    ("eum", ("8.1.2", "6.3")),
    ("euicc", ("8.1.3", "6.3")),
    ("signature", ("8.1", "6.1")),
    ("inner", ("8.10.1", "3.9")),
    ("challenge", ("8.1", "6.1")),
    ("matching", ("8.2.6", "3.8")),
]


@pytest.mark.parametrize("first", range(len(FAULTS) - 1))
def test_of_two_faults_the_earlier_check_answers(lpa, site, first):
    names = {FAULTS[first][0], FAULTS[first + 1][0]}
    tree = site.trees["nist"]
    lpa.initiate().must()
    eum = tree.make_eum(**(pki.LONG_AGO if "eum" in names else {}))
    euicc = tree.make_euicc(lpa.card.eid, eum, **(pki.LONG_AGO if "euicc" in names else {}))
    lpa.identity = Identity(tree, euicc, eum)
    change = {}
    if "inner" in names:
        change["transaction"] = bytes(16)
    if "challenge" in names:
        change["challenge"] = bytes(16)
    if "signature" in names:
        change["signature"] = der.tlv(0x5F37, bytes(63) + b"\x01")
    body = lpa.authenticate_body(NOTHING, **change)
    if "transaction" in names:
        body["transactionId"] = os.urandom(16).hex().upper()
    lpa.authenticate(body=body).refused(*FAULTS[first][1])


def test_certificates_are_looked_at_before_any_signature(lpa, site):
    """A wrong EUM certificate and a wrong eUICC certificate: the EUM's answers."""
    tree = site.trees["nist"]
    lpa.initiate().must()
    eum = tree.make_eum(policy=pki.ROLE["auth"])
    lpa.identity = Identity(tree, tree.make_euicc(lpa.card.eid, eum, **pki.LONG_AGO), eum)
    lpa.authenticate(NOTHING).refused("8.1.2", "6.1")


# ---- malformed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["transactionId", "authenticateServerResponse"])
def test_a_missing_member_is_named_as_missing(lpa, member):
    lpa.initiate().must()
    body = lpa.authenticate_body(NOTHING)
    del body[member]
    lpa.authenticate(body=body).refused("1.3.1", "2.2")


def test_octets_that_cannot_be_decoded_are_malformed(lpa):
    lpa.initiate().must()
    right = lpa.server_response(NOTHING)
    wrong = [b"", right[:-1], right + b"\x00", der.tlv(0xBF38, b""), der.tlv(0xBF21, b"\xa0\x00")]
    wrong += [der.tlv(0xBF38, der.tlv(0xA0, *right_part)) for right_part in ([b""], [b"\x30\x00"])]
    for octets in wrong:
        body = {"transactionId": lpa.hex_id, "authenticateServerResponse": b64(octets)}
        lpa.authenticate(body=body).refused("1.3.1", "2.1")
