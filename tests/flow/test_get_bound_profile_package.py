"""ES9+.GetBoundProfilePackage (SGP.22 §5.6.2, §3.1.3.2): the package that a card opens, every check
in its order with its code, the Confirmation Code and its limit, retries with the same and with a
new one-time key, and who wins an order that two cards want."""

import os
import threading

import pytest

import der
import tokens
import upp
from card import Download, b64
from harness import NAMES
from rspcrypto import CURVES, SEGMENT_MAX, hash_cc, point, signature_tlv

CODE = "12345678"


@pytest.fixture
def ready(session, card, order):
    """A session that is past AuthenticateClient, with its order."""

    def make(**settings):
        o = order(**settings)
        lpa = session(card).until_authenticated(o.matching_id)
        lpa.order = o
        return lpa

    return make


# ---- the package ---------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", NAMES)
def test_a_card_opens_and_installs_the_package(session, make_card, order, curve):
    o = order()
    card = make_card(curve)
    lpa = session(card, curve).until_package(o.matching_id)
    assert lpa.pb_cert.public_key().curve.name == CURVES[curve].name
    assert o.state == "downloaded"
    assert o.show()["eid"] == card.eid
    assert lpa.notify(lpa.install()).status == 204
    assert o.state == "installed"


def test_one_connection_per_call_makes_no_difference(rspd, card, order):
    o = order()
    Download(card, rspd.client(per_call=True)).run(o.matching_id)
    assert o.state == "installed"


def test_calls_may_come_by_different_listeners(rspd, session, card, order):
    o = order()
    lpa = session(card).until_authenticated(o.matching_id)
    lpa.client = rspd.client("brainpool")
    lpa.get_package().must()
    assert lpa.iccid == o.iccid


def test_the_package_is_what_was_imported(rspd, session, card):
    path, iccid = rspd.desk.write_profile(filler=5000)
    assert "ok" in rspd.desk.offer(path)
    o = rspd.desk.order(iccid=iccid)
    lpa = session(card).until_package(o.matching_id)
    assert lpa.package.upp == path.read_bytes()
    assert lpa.package.protection_keys is None


@pytest.mark.parametrize("extra", [0, 8, 9, 10, 11, 16])
def test_segments_are_full_but_never_over_the_limit(rspd, session, make_card, extra):
    """Sizes around a multiple of 1007 octets, where the last segment is empty, full or tiny."""
    base = len(upp.profile(1, filler=1500))
    path, iccid = rspd.desk.write_profile(filler=1500 + 3 * 1007 - base + extra - 10)
    assert "ok" in rspd.desk.offer(path)
    o = rspd.desk.order(iccid=iccid)
    lpa = session(make_card()).until_package(o.matching_id)
    segments = lpa.package.groups[0xA3]
    size = path.stat().st_size
    assert len(segments) == -(-size // 1007)
    assert all(len(s) == SEGMENT_MAX for s in segments[:-1])
    assert all(len(s) <= SEGMENT_MAX for s in segments)


def test_a_package_as_large_as_may_be_imported_goes_out(rspd, session, card):
    """Right at the limit of 1 MiB, where the arena of a call would be the first to end."""
    limit = 1024 * 1024
    path, iccid = rspd.desk.write_profile(filler=limit - 1500)
    filler = 2 * limit - 1500 - path.stat().st_size
    path.write_bytes(upp.profile(int(iccid[10:19]), filler=filler))
    assert path.stat().st_size == limit
    assert "ok" in rspd.desk.offer(path)
    card.memory = 4 * limit
    o = rspd.desk.order(iccid=iccid)
    lpa = session(card).run(o.matching_id)
    assert lpa.package.upp == path.read_bytes()
    assert o.state == "installed"


def test_large_metadata_are_split(rspd, session, card):
    icon = bytes.fromhex("89504e470d0a1a0a") + os.urandom(1010)
    iccid = rspd.desk.load({"icon": b64(icon)})
    lpa = session(card).until_package(rspd.desk.order(iccid=iccid).matching_id)
    segments = lpa.package.groups[0xA1]
    assert len(segments) == 2
    assert all(len(s) <= SEGMENT_MAX for s in segments)


def test_protection_keys_by_profile_type(rspd, session, make_card):
    rspd.desk.make_type("with-ppk", keys="ppk")
    keys = []
    for _ in range(2):
        iccid = rspd.desk.load({"type": "with-ppk"})
        o = rspd.desk.order(iccid=iccid)
        lpa = session(make_card()).until_package(o.matching_id)
        keys.append(lpa.package.protection_keys)
        assert lpa.notify(lpa.install()).status == 204
        assert o.state == "installed"
    assert keys[0] and keys[1]
    assert not set(keys[0]) & set(keys[1])


def test_a_mixed_pair_of_curves_downloads(session, make_card, site, order):
    """The card signs under NIST and verifies under brainpool: one-time keys follow CERT.DPpb."""
    o = order()
    lpa = session(make_card("nist", "brainpool"))
    ids = {c: t.ci.id for c, t in site.trees.items()}
    lpa.initiate(signing=[ids["nist"]], verification=[ids["brainpool"]]).must()
    lpa.authenticate(o.matching_id).must()
    lpa.get_package().must()
    assert lpa.one_time_key.curve.name == "brainpoolP256r1"
    assert lpa.notify(lpa.install()).status == 204
    assert o.state == "installed"


# ---- 1 to 4: transaction, error, signature -------------------------------------------------------


def test_before_authenticate_client_there_is_nothing_to_get(session, card, order):
    """A transaction that was initiated only: its id is ours, but no row knows it."""
    o = order()
    done = session(card).until_authenticated(o.matching_id)
    early = session(card)
    early.initiate().must()
    for name in ("pb_cert", "signature2", "signature1", "metadata", "known_point"):
        setattr(early, name, getattr(done, name))
    early.get_package().refused("8.10.1", "3.9")


@pytest.mark.parametrize("octet", range(16))
def test_a_transaction_id_with_any_octet_changed_is_unknown(ready, octet):
    lpa = ready()
    body = lpa.package_body()
    forged = bytearray(lpa.transaction)
    forged[octet] ^= 0x20
    body["transactionId"] = forged.hex().upper()
    lpa.get_package(body=body).refused("8.10.1", "3.9")
    assert lpa.order.state == "released"


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 127])
def test_an_error_response_of_the_card_fails(ready, code):
    lpa = ready()
    error = der.tlv(0xBF21, der.tlv(0xA1, der.tlv(0x80, lpa.transaction), der.integer(code)))
    body = {"transactionId": lpa.hex_id, "prepareDownloadResponse": b64(error)}
    lpa.get_package(body=body).refused("8.1", "4.2")
    assert lpa.order.state == "released"


def test_an_error_response_for_what_was_only_initiated_is_of_no_transaction(lpa):
    lpa.initiate().must()
    error = der.tlv(0xBF21, der.tlv(0xA1, der.tlv(0x80, lpa.transaction), der.integer(2)))
    body = {"transactionId": lpa.hex_id, "prepareDownloadResponse": b64(error)}
    lpa.get_package(body=body).refused("8.10.1", "3.9")


def test_another_transaction_inside_is_refused(ready):
    lpa = ready()
    lpa.get_package(transaction=os.urandom(16)).refused("8.10.1", "3.9")


def test_the_transaction_of_another_session_is_refused(session, make_card, order):
    mine, theirs = (session(make_card()).until_authenticated(order().matching_id) for _ in "ab")
    body = mine.package_body()
    body["transactionId"] = theirs.hex_id
    mine.get_package(body=body).refused("8.10.1", "3.9")
    body = mine.package_body(transaction=theirs.transaction)
    body["transactionId"] = theirs.hex_id
    mine.get_package(body=body).refused("8.1", "6.1")
    theirs.get_package().must()


def test_a_signature_of_another_key_is_refused(ready, make_card):
    lpa = ready()
    stranger = make_card().identities[0].key
    lpa.get_package(key=stranger).refused("8.1", "6.1")
    assert lpa.order.state == "released"


def test_a_signature_that_leaves_out_the_servers_is_refused(ready):
    """euiccSignature2 covers smdpSignature2 too (§2.6.7.2)."""
    lpa = ready()
    lpa.choose_key()
    signed = der.tlv(
        0x30, der.tlv(0x80, lpa.transaction), der.tlv(0x5F49, point(lpa.one_time_key))
    )
    signature = signature_tlv(lpa.identity.key, signed)
    lpa.get_package(signature=signature).refused("8.1", "6.1")


def test_a_one_time_key_that_was_exchanged_is_refused(ready):
    lpa = ready()
    right = lpa.prepare_response()
    other = point(lpa.card.one_time_key("nist"))
    wrong = right.replace(point(lpa.one_time_key), other)
    body = {"transactionId": lpa.hex_id, "prepareDownloadResponse": b64(wrong)}
    lpa.get_package(body=body).refused("8.1", "6.1")


OFF_CURVE = {
    "not on the curve": b"\x04" + bytes(31) + b"\x01" + bytes(31) + b"\x01",
    "zeros": b"\x04" + bytes(64),
    "compressed": b"\x02" + bytes(31) + b"\x01",
    "infinity": b"\x00",
    "too short": b"\x04" + bytes(63),
    "coordinates beyond the prime": b"\x04" + b"\xff" * 64,
}


@pytest.mark.parametrize("octets", OFF_CURVE.values(), ids=OFF_CURVE)
def test_a_one_time_key_that_is_no_point_is_refused(ready, octets):
    lpa = ready()
    answer = lpa.get_package(point=octets)
    assert answer.refusal, answer
    assert lpa.order.state == "released"


# ---- 5: the order --------------------------------------------------------------------------------


def test_an_order_that_was_cancelled_in_the_meantime(ready):
    lpa = ready()
    assert "ok" in lpa.order.cancel("available")
    lpa.get_package().refused("8.8.5", "4.10")
    assert lpa.order.show()["state"] == "available"


def test_an_order_whose_lifetime_ends_during_the_session_may_finish(rspd, ready):
    lpa = ready()
    rspd.database.rows(
        "update download_order set expires_at = now() - interval '1 second'"
        f" where iccid = '{lpa.iccid}'"
    )
    lpa.get_package().must()
    assert lpa.order.state == "downloaded"


@pytest.mark.parametrize("age", [tokens.AGE + 10, tokens.SESSION - 60])
def test_the_user_may_take_the_time(rspd, site, ready, age):
    lpa = ready()
    tokens.Forge(site).age_session(rspd.database, lpa, age)
    lpa.get_package().must()
    assert lpa.order.state == "downloaded"


def test_a_session_gets_no_package_after_an_hour_but_may_be_cancelled(rspd, site, ready):
    lpa = ready()
    tokens.Forge(site).age_session(rspd.database, lpa, tokens.SESSION + 10)
    before = rspd.database.fingerprint()
    lpa.get_package().refused("8.10.1", "3.9")
    assert rspd.database.fingerprint() == before
    lpa.cancel("endUserRejection").must()
    assert lpa.order.state == "error"


@pytest.mark.parametrize("error", [None, "peProcessingError"])
def test_what_became_of_a_package_is_heard_after_an_hour_too(rspd, site, ready, error):
    lpa = ready()
    lpa.get_package().must()
    tokens.Forge(site).age_session(rspd.database, lpa, 30 * 86400)
    assert lpa.notify(lpa.result(error)).status == 204
    assert lpa.order.state == ("error" if error else "installed")


# ---- 6 to 8: Confirmation Code -------------------------------------------------------------------


def test_the_right_code(ready):
    lpa = ready(cc=CODE)
    lpa.get_package(CODE).must()
    assert lpa.order.state == "downloaded"


def test_a_missing_code(ready):
    lpa = ready(cc=CODE)
    lpa.get_package().refused("8.2.7", "2.2")
    assert lpa.order.state == "released"
    assert lpa.order.show()["confirmationCodeAttempts"] == 0


def test_a_code_that_nobody_asked_for_is_no_fault(ready):
    lpa = ready()
    lpa.get_package(CODE).must()


WRONG_CODES = {
    "another code": lambda lpa: hash_cc("12345679", lpa.transaction),
    "of another transaction": lambda lpa: hash_cc(CODE, bytes(16)),
    "not salted": lambda lpa: hash_cc(CODE, b""),
    "zeros": lambda lpa: bytes(32),
}


@pytest.mark.parametrize("make", WRONG_CODES.values(), ids=WRONG_CODES)
def test_a_wrong_code_is_counted_and_ends_the_session(ready, session, make):
    lpa = ready(cc=CODE)
    lpa.get_package(hashed=make(lpa)).refused("8.2.7", "3.8")
    assert lpa.order.show()["confirmationCodeAttempts"] == 1
    assert lpa.order.state == "released"
    lpa.get_package(CODE).refused("8.10.1", "3.9")
    again = session(lpa.card).until_package(lpa.order.matching_id, CODE)
    assert again.iccid == lpa.order.iccid


def test_by_default_codes_run_out_before_downloads(make_rspd, session, card):
    daemon = make_rspd()
    o = daemon.desk.order(cc=CODE)
    for expected in [("8.2.7", "3.8")] * 5 + [("8.2.7", "6.4")]:
        lpa = session(card, daemon=daemon).until_authenticated(o.matching_id)
        lpa.get_package("0000").refused(*expected)
    assert o.state == "error"


def test_codes_above_the_limit_end_the_order(rspd, make_rspd, session, make_card):
    daemon = make_rspd(database=rspd.database, dp={"confirmation_code_attempts": 2})
    o = daemon.desk.order(cc=CODE)
    card = make_card()
    for expected in (("8.2.7", "3.8"), ("8.2.7", "3.8"), ("8.2.7", "6.4")):
        lpa = session(card, daemon=daemon).until_authenticated(o.matching_id)
        lpa.get_package("0000").refused(*expected)
    assert o.state == "error"
    lpa = session(card, daemon=daemon)
    lpa.initiate().must()
    assert lpa.authenticate(o.matching_id).refusal == ("8.2", "1.2")


def in_parallel(*works):
    """Runs them at the same moment; what each returned."""
    results, barrier = [None] * len(works), threading.Barrier(len(works))

    def run(i, work):
        barrier.wait()
        results[i] = work()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def test_parallel_sessions_do_not_guess_past_the_limit(rspd, make_rspd, session, make_card):
    """Six sessions of one card at two daemons: two guesses are judged, the others hear 6.4."""
    limits = {"confirmation_code_attempts": 2, "download_attempts": 100}
    first, second = (make_rspd(database=rspd.database, dp=limits) for _ in "ab")
    o = first.desk.order(cc=CODE)
    card = make_card()
    sessions = [
        session(card, daemon=(first, second)[i % 2]).until_authenticated(o.matching_id)
        for i in range(6)
    ]
    answers = in_parallel(*(lambda s=s, i=i: s.get_package(f"{i}") for i, s in enumerate(sessions)))
    refusals = [a.refusal for a in answers]
    assert refusals.count(("8.2.7", "3.8")) == 2, refusals
    assert set(refusals) <= {("8.2.7", "3.8"), ("8.2.7", "6.4")}, refusals
    assert o.state == "error"


# ---- 9 and 10: retries ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["session", "ppk"])
def test_the_same_one_time_key_gets_the_same_package(rspd, session, card, kind):
    """Octet for octet, with only smdpSign and transactionId of the new session (RULES 2)."""
    name = f"retry-{kind}"
    rspd.desk.make_type(name, keys=kind)
    o = rspd.desk.order(iccid=rspd.desk.load({"type": name}))
    first = session(card).until_package(o.matching_id)
    again = session(card).until_package(o.matching_id)
    assert again.one_time_key is first.one_time_key
    assert again.package.dp_point == first.package.dp_point
    assert again.package.segments == first.package.segments
    assert again.package.transaction != first.package.transaction
    assert again.package.signature != first.package.signature
    assert again.notify(again.install()).status == 204
    assert o.state == "installed"


@pytest.mark.parametrize("kind", ["session", "ppk"])
def test_a_new_one_time_key_gets_new_keys(rspd, session, card, kind):
    name = f"fresh-{kind}"
    rspd.desk.make_type(name, keys=kind)
    o = rspd.desk.order(iccid=rspd.desk.load({"type": name}))
    first = session(card).until_package(o.matching_id)
    again = session(card).until_package(o.matching_id, fresh=True)
    assert again.package.dp_point != first.package.dp_point
    mine = {s.value for s in first.package.groups[0xA3]}
    theirs = {s.value for s in again.package.groups[0xA3]}
    assert not mine & theirs or kind == "ppk"
    assert again.package.upp == first.package.upp
    assert again.notify(again.install()).status == 204
    assert o.state == "installed"


def test_the_same_one_time_key_under_another_ci_gets_new_keys(session, make_card, site, order):
    """The key was not offered: a package is made again for the same CI and certificates alone."""
    o, card = order(), make_card("nist", "brainpool")
    nist, brainpool = (site.trees[c].ci.id for c in ("nist", "brainpool"))
    first = session(card)
    first.initiate(signing=[nist], verification=[nist]).must()
    first.authenticate(o.matching_id).must()
    first.get_package().must()
    again = session(card)
    again.initiate(signing=[brainpool], verification=[nist]).must()
    again.authenticate(o.matching_id).must()
    assert again.known_point is None
    again.one_time_key = first.one_time_key
    again.get_package().must()
    assert again.package.dp_point != first.package.dp_point
    assert again.notify(again.install()).status == 204
    assert o.state == "installed"


def test_the_same_call_again_gets_the_same_answer_and_counts_nothing(rspd, ready):
    lpa = ready()
    body = lpa.package_body()
    lpa.get_package(body=body).must()
    first, before = lpa.package, rspd.database.fingerprint()
    for _ in range(3):
        lpa.get_package(body=body).must()
        assert lpa.package.octets == first.octets
    assert rspd.database.fingerprint() == before


def test_a_retry_is_one_more_attempt_and_no_second_move(session, card, order):
    o = order()
    session(card).until_package(o.matching_id)
    session(card).until_package(o.matching_id)
    assert o.show()["downloadAttempts"] == 2
    assert o.state == "downloaded"


def test_another_daemon_answers_the_retry_the_same(twins, session, make_card):
    first, second = twins
    o, card = first.desk.order(), make_card()
    a = session(card, daemon=first).until_package(o.matching_id)
    b = session(card, daemon=second).until_package(o.matching_id)
    assert a.package.segments == b.package.segments


def test_any_daemon_serves_the_next_call(twins, session, make_card):
    first, second = twins
    o = first.desk.order()
    lpa = session(make_card(), daemon=first)
    for step in (lpa.initiate, lambda: lpa.authenticate(o.matching_id), lpa.get_package):
        step().must()
        lpa.client = (second if lpa.client.port in first.ports.values() else first).client()
    assert lpa.notify(lpa.install()).status == 204
    assert o.state == "installed"


# ---- 11: one order, two cards --------------------------------------------------------------------


def test_the_first_to_get_the_package_is_linked_the_loser_is_refused(session, make_card, order):
    o = order()
    winner, loser = (session(make_card()).until_authenticated(o.matching_id) for _ in "ab")
    winner.get_package().must()
    loser.get_package().refused("8.2", "3.7")
    assert o.show()["eid"] == winner.card.eid
    assert o.state == "downloaded"


def test_two_cards_at_two_daemons_at_the_same_moment(twins, session, make_card):
    first, second = twins
    for _ in range(4):
        o = first.desk.order()
        lpas = [
            session(make_card(), daemon=d).until_authenticated(o.matching_id)
            for d in (first, second)
        ]
        answers = in_parallel(*(lpa.get_package for lpa in lpas))
        assert sorted(str(a.refusal) for a in answers) == ["('8.2', '3.7')", "None"]
        (winner,) = [lpa for lpa, a in zip(lpas, answers) if a.ok]
        assert o.show()["eid"] == winner.card.eid


# ---- order of checks, malformed ------------------------------------------------------------------


def test_of_two_faults_the_earlier_check_answers(ready, make_card):
    stranger = make_card().identities[0].key
    lpa = ready(cc=CODE)
    lpa.get_package(transaction=bytes(16), key=stranger).refused("8.10.1", "3.9")
    lpa.get_package(key=stranger).refused("8.1", "6.1")  # and the code is missing
    lpa.order.cancel("available")
    lpa.get_package().refused("8.8.5", "4.10")  # and the code is missing


@pytest.mark.parametrize("member", ["transactionId", "prepareDownloadResponse"])
def test_a_missing_member_is_named_as_missing(ready, member):
    lpa = ready()
    body = lpa.package_body()
    del body[member]
    lpa.get_package(body=body).refused("1.3.1", "2.2")


def test_octets_that_cannot_be_decoded_are_malformed(ready):
    lpa = ready()
    right = lpa.prepare_response()
    for octets in (b"", right[:-1], right + b"\x00", der.tlv(0xBF21), der.tlv(0xBF38, b"\xa0\x00")):
        body = {"transactionId": lpa.hex_id, "prepareDownloadResponse": b64(octets)}
        lpa.get_package(body=body).refused("1.3.1", "2.1")
    lpa.get_package().must()
