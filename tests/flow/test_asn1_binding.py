"""ES9+ in its ASN.1 binding (SGP.22 §6.6): the same five functions, each refusal with the integer that the
module has for it, the same octets as in JSON, what encoders get wrong, and what is no request at all."""

import os
import random
import re

import pytest

import asn1
import der
import pki
from asn1 import Asn1Client
from card import Download, Identity, b64, unb64
from der import tlv
from harness import NAMES, wait_for
from test_mutants import der_mutant, flipped, junk

CODE = "12345678"
NOTHING = "NO-SUCH-TOKEN"


@pytest.fixture
def speak(rspd):
    """Makes sessions that speak ASN.1: speak(card, curve=…, daemon=…)."""
    return lambda card, curve="nist", daemon=None: Download(
        card, (daemon or rspd).client(curve, kind=Asn1Client)
    )


@pytest.fixture
def lpa(speak, card):
    return speak(card)


@pytest.fixture
def ready(speak, make_card, order):
    """A session past AuthenticateClient, with its order."""

    def make(**settings):
        o = order(**settings)
        session = speak(make_card()).until_authenticated(o.matching_id)
        session.order = o
        return session

    return make


# ---- success -------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", NAMES)
def test_a_whole_download(speak, make_card, order, curve):
    o = order(cc=CODE)
    lpa = speak(make_card(curve), curve).run(o.matching_id, CODE)
    assert o.state == "installed"
    assert lpa.pb_cert.public_key().curve.name == lpa.one_time_key.curve.name


@pytest.mark.parametrize("reason,state", [("postponed", "released"), ("endUserRejection", "error")])
def test_a_cancelled_session(ready, reason, state):
    lpa = ready()
    assert lpa.cancel(reason).must().octets == bytes.fromhex("a205bf4102a000")
    assert lpa.order.state == state


@pytest.mark.parametrize("event", ["enable", "disable", "delete"])
def test_what_happens_on_the_card_is_heard(rspd, lpa, order, event):
    lpa.run(order().matching_id)
    octets = lpa.card.notification(event, lpa.iccid, lpa.address)
    with rspd.log_lines() as lines:
        answer = lpa.notify(octets)
    assert (answer.status, answer.octets) == (204, b"")
    assert "function=HandleNotification binding=asn1" in lines[0] and "result=ok" in lines[0]


def test_both_bindings_answer_with_the_same_octets(speak, session, card, order):
    """The same calls over the other binding are repeats: every member comes back octet for octet."""
    o = order(cc=CODE)
    first = speak(card)
    first.initiate().must()
    body = first.authenticate_body(o.matching_id)
    authenticated = first.authenticate(body=body).must()
    package_body = first.package_body(CODE)
    package = first.get_package(body=package_body).must()
    json = session(card).client
    for function, sent, answered in (
        ("authenticateClient", body, authenticated),
        ("getBoundProfilePackage", package_body, package),
    ):
        assert json.call(function, sent).must().body == answered.body
    assert o.show()["downloadAttempts"] == 1


def test_a_session_may_change_its_binding(rspd, lpa, order):
    o = order()
    asn1_client, json_client = lpa.client, rspd.client()
    lpa.client = json_client
    lpa.initiate().must()
    lpa.client = asn1_client
    lpa.authenticate(o.matching_id).must()
    lpa.client = json_client
    lpa.get_package().must()
    lpa.client = asn1_client
    assert lpa.notify(lpa.install()).status == 204
    assert o.state == "installed"


# ---- refusals: every integer of the module -------------------------------------------------------


class Scene:
    """What a refusal's scene may ask for."""

    def __init__(self, **fixtures):
        self.__dict__.update(fixtures)

    def lpa(self, **change):
        lpa = self.speak(self.make_card())
        for name, value in change.items():
            setattr(lpa.card, name, value)
        lpa.initiate().must()
        return lpa

    def ask(self, **info1):
        return self.speak(self.make_card()).initiate(**info1)

    def elsewhere(self):
        lpa = self.speak(self.make_card())
        lpa.address = "other.example.org"
        return lpa.initiate()

    def chain(self, wrong_eum=None, wrong_euicc=None):
        lpa, tree = self.lpa(), self.site.trees["nist"]
        eum = tree.make_eum(**(pki.WRONG_EUM[wrong_eum][1](tree) if wrong_eum else {}))
        more = pki.WRONG_EUICC[wrong_euicc][1](tree) if wrong_euicc else {}
        lpa.identity = Identity(tree, tree.make_euicc(**{"eid": lpa.card.eid, "eum": eum, **more}), eum)
        return lpa.authenticate(NOTHING)

    def foreign(self, lpa, body):
        forged = bytearray(lpa.transaction)
        forged[15] ^= 1
        return {**body, "transactionId": forged.hex()}

    def told(self, tag, code=127):
        """The card refused, and says so."""
        lpa = self.ready()
        member = "prepareDownloadResponse" if tag == 0xBF21 else "cancelSessionResponse"
        error = tlv(0xA1, tlv(0x80, lpa.transaction), der.integer(code))
        if tag == 0xBF41:
            error = der.integer(code, 0x81)
        body = {"transactionId": lpa.hex_id, member: b64(tlv(tag, error))}
        return lpa.get_package(body=body) if tag == 0xBF21 else lpa.cancel(body=body)

    def attempts(self, **limit):
        daemon = self.make_rspd(database=self.rspd.database, dp=limit)
        return daemon, daemon.desk.order(cc=CODE), self.make_card()

    def too_many_downloads(self):
        daemon, o, card = self.attempts(download_attempts=1)
        self.speak(card, daemon=daemon).until_authenticated(o.matching_id)
        lpa = self.speak(card, daemon=daemon)
        lpa.initiate().must()
        return lpa.authenticate(o.matching_id)

    def too_many_codes(self):
        daemon, o, card = self.attempts(confirmation_code_attempts=1)
        for _ in "ab":
            lpa = self.speak(card, daemon=daemon).until_authenticated(o.matching_id)
            answer = lpa.get_package("0000")
        return answer

    def late(self):
        o = self.order()
        self.rspd.database.rows(
            "update download_order set expires_at = now() - interval '1 second'"
            f" where iccid = '{o.iccid}'"
        )
        answer = self.lpa().authenticate(o.matching_id)
        wait_for(lambda: o.state == "error", "the timer")  # or it comes into another test
        return answer

    def cancelled_meanwhile(self):
        lpa = self.ready()
        assert "ok" in lpa.order.cancel("unavailable")
        return lpa.get_package()

    def lost(self):
        o = self.order()
        winner, loser = (self.speak(self.make_card()).until_authenticated(o.matching_id) for _ in "ab")
        winner.get_package().must()
        return loser.get_package()

    def stranger(self):
        return self.make_card().identities[0].key


SCENES = {
    "initiateAuthentication": {
        "another address": (1, lambda s: s.elsewhere()),
        "a version too low": (2, lambda s: s.ask(svn=b"\x01\x09\x09")),
        "a version too high": (2, lambda s: s.ask(svn=b"\x03\x00\x00")),
        "no CI to sign under": (3, lambda s: s.ask(signing=[os.urandom(20)])),
        "no CI to verify with": (3, lambda s: s.ask(verification=[os.urandom(20)])),
        "a broken euiccInfo1": (127, lambda s: s.ask(svn=b"\x02")),
    },
    "authenticateClient": {
        "EUM certificate": (1, lambda s: s.chain(wrong_eum="not-a-ca")),
        "EUM certificate expired": (2, lambda s: s.chain(wrong_eum="not-yet-valid")),
        "eUICC certificate": (3, lambda s: s.chain(wrong_euicc="wrong-policy")),
        "eUICC certificate expired": (4, lambda s: s.chain(wrong_euicc="expired")),
        "signature": (5, lambda s: s.lpa().authenticate(NOTHING, signature=tlv(0x5F37, bytes(64)))),
        "challenge": (5, lambda s: s.lpa().authenticate(NOTHING, challenge=bytes(16))),
        "matching id": (6, lambda s: s.lpa().authenticate(NOTHING)),
        "another EID's": (
            7,
            lambda s: s.lpa().authenticate(s.order(eid=s.make_card().eid).matching_id),
        ),
        "no order for the EID": (7, lambda s: s.lpa().authenticate()),
        "not eligible": (
            8,
            lambda s: s.lpa(profile_version=b"\x01\x00\x00").authenticate(s.order().matching_id),
        ),
        "another CI": (9, lambda s: s.chain(wrong_eum="unknown-ci")),
        "transaction outside": (
            10,
            lambda s: (lambda l: l.authenticate(body=s.foreign(l, l.authenticate_body())))(s.lpa()),
        ),
        "transaction inside": (10, lambda s: s.lpa().authenticate(transaction=bytes(16))),
        "memory": (11, lambda s: s.lpa(memory=100).authenticate(s.order().matching_id)),
        "not released": (8, lambda s: s.lpa().authenticate(s.order(release=False).matching_id)),
        "past its lifetime": (127, lambda s: s.late()),
        "too many attempts": (127, lambda s: s.too_many_downloads()),
    },
    "getBoundProfilePackage": {
        "signature": (1, lambda s: s.ready().get_package(key=s.stranger())),
        "no code": (2, lambda s: s.ready(cc=CODE).get_package()),
        "a wrong code": (3, lambda s: s.ready(cc=CODE).get_package("0000")),
        "too many codes": (4, lambda s: s.too_many_codes()),
        "bound to another": (5, lambda s: s.lost()),
        "cancelled meanwhile": (6, lambda s: s.cancelled_meanwhile()),
        "transaction outside": (
            95,
            lambda s: (lambda l: l.get_package(body=s.foreign(l, l.package_body())))(s.ready()),
        ),
        "transaction inside": (95, lambda s: s.ready().get_package(transaction=bytes(16))),
        "no point of the curve": (127, lambda s: s.ready().get_package(point=b"\x04" + bytes(64))),
        "the card refused": (127, lambda s: s.told(0xBF21)),
    },
    "cancelSession": {
        "transaction outside": (
            1,
            lambda s: (lambda l: l.cancel(body=s.foreign(l, l.cancel_body())))(s.ready()),
        ),
        "transaction inside": (1, lambda s: s.ready().cancel(transaction=bytes(16))),
        "the card knows no such transaction": (1, lambda s: s.told(0xBF41, 5)),
        "signature": (2, lambda s: s.ready().cancel(key=s.stranger())),
        "another smdpOid": (127, lambda s: s.ready().cancel(oid="2.999.11")),
        "the card refused": (127, lambda s: s.told(0xBF41)),
    },
}


@pytest.fixture
def scene(rspd, make_rspd, speak, make_card, order, ready, site):
    return Scene(**locals())


@pytest.mark.parametrize(
    "function,what", [(function, what) for function in SCENES for what in SCENES[function]]
)
def test_a_refusal_is_told_by_its_integer(rspd, scene, function, what):
    error, play = SCENES[function][what]
    with rspd.log_lines() as lines:
        answer = play(scene)
    assert answer.function == function
    answer.failed(error)
    if "too many" not in what:  # those are of a daemon with another log
        codes = re.findall(r" subject=(\S+) reason=(\S+)", "\n".join(lines))[-1]
        answer.refused(*codes)


@pytest.mark.parametrize("function", SCENES)
def test_every_integer_of_the_module_has_its_scene(function):
    assert {error for error, _ in SCENES[function].values()} == {
        *asn1.ERRORS[function].values(),
        asn1.UNDEFINED,
    }


# ---- bodies --------------------------------------------------------------------------------------


@pytest.fixture
def bodies(rspd, lpa, make_card, speak):
    """A right request of each function with the members under its tag, all of them sent already."""
    o, cancelled, installed = (rspd.desk.order() for _ in "abc")
    bodies = {"initiateAuthentication": lpa.initiate_body()}
    lpa.initiate().must()
    bodies["authenticateClient"] = lpa.authenticate_body(o.matching_id)
    lpa.authenticate(body=bodies["authenticateClient"]).must()
    bodies["getBoundProfilePackage"] = lpa.package_body()
    lpa.get_package(body=bodies["getBoundProfilePackage"]).must()
    second = speak(make_card()).until_authenticated(cancelled.matching_id)
    bodies["cancelSession"] = second.cancel_body("postponed")
    second.cancel(body=bodies["cancelSession"]).must()
    third = speak(make_card()).until_package(installed.matching_id)
    bodies["handleNotification"] = {"pendingNotification": b64(third.install())}
    assert lpa.client.call("handleNotification", bodies["handleNotification"]).status == 204
    return bodies


def fine(answer):
    return answer.ok or (answer.status, answer.octets) == (204, b"")


def under(function, *parts, outer=asn1.REQUEST):
    return tlv(outer, tlv(asn1.TAG[function], *parts))


UNKNOWN = tlv(0xBF7F, b"\x01") + tlv(0x9F55, b"")

# What real encoders do beside the module; changes the members that stand under a function's tag.
LENIENT = {
    "A3 around it": lambda f, m: under(f, m, outer=0xA3),
    "unknown members behind": lambda f, m: under(f, m, UNKNOWN),
    "a length that is not minimal": lambda f, m: tlv(
        0xA2, der.tag_octets(asn1.TAG[f]) + b"\x84" + len(m).to_bytes(4, "big") + m
    ),
}


@pytest.mark.parametrize("change", LENIENT.values(), ids=LENIENT)
def test_what_encoders_do_beside_the_module_is_understood(rspd, bodies, lpa, change):
    for function, body in bodies.items():
        octets = change(function, asn1.members(function, body))
        assert fine(lpa.client.call(function, octets)), function


@pytest.mark.parametrize("function", sorted(set(asn1.TAG) - {"handleNotification"}))
def test_unknown_members_may_stand_anywhere(bodies, lpa, function):
    parts = der.nodes(asn1.members(function, bodies[function]))
    for at in range(len(parts) + 1):
        octets = [p.octets for p in parts]
        octets.insert(at, UNKNOWN)
        assert fine(lpa.client.call(function, under(function, *octets))), at


def test_a_notification_without_the_tag_of_its_member(rspd, bodies, lpa):
    before = rspd.ask("stats")["counters"]["lenient_asn1_tag"]
    octets = unb64(bodies["handleNotification"]["pendingNotification"])
    with rspd.log_lines() as lines:
        assert lpa.client.call("handleNotification", under("handleNotification", octets)).status == 204
    assert "note=repeated" in lines[0]
    assert rspd.ask("stats")["counters"]["lenient_asn1_tag"] == before + 1


@pytest.mark.parametrize("around", [lambda r: tlv(0xA1, r), lambda r: r], ids=["explicit", "untagged"])
def test_a_cancel_session_response_that_keeps_its_own_tag(bodies, lpa, around):
    identifier = tlv(0x80, bytes.fromhex(bodies["cancelSession"]["transactionId"]))
    response = unb64(bodies["cancelSession"]["cancelSessionResponse"])
    octets = under("cancelSession", identifier, around(response))
    lpa.client.call("cancelSession", octets).must()


@pytest.mark.parametrize("function", asn1.TAG)
def test_a_missing_or_broken_member_is_an_undefined_error(rspd, bodies, lpa, function):
    parts = [p.octets for p in der.nodes(asn1.members(function, bodies[function]))]
    before = rspd.database.fingerprint()
    wrong = [parts[:at] + parts[at + 1 :] for at in range(len(parts))]
    wrong += [[b"".join(parts)[:-1]], [*parts, b"\x80"], [*parts, bytes.fromhex("3084ffffffff00")]]
    if len(parts) > 1:
        wrong.append(parts[::-1])
    for members in wrong:
        answer = lpa.client.call(function, under(function, *members))
        if function == "handleNotification":
            assert (answer.status, answer.octets) == (204, b"")
        else:
            answer.failed(asn1.UNDEFINED)
    assert rspd.database.fingerprint() == before


@pytest.mark.parametrize("value", [b"", b"\x00", bytes(15), bytes(17), bytes(5000)])
def test_a_transaction_id_of_another_length_is_unknown(bodies, lpa, value):
    for function in ("authenticateClient", "getBoundProfilePackage", "cancelSession"):
        body = {**bodies[function], "transactionId": value.hex()}
        lpa.client.call(function, body).refused("8.10.1", "3.9")


def deep(levels):
    octets = b""
    for _ in range(levels):
        octets = tlv(0xA2, octets)
    return octets


NO_REQUEST = {
    "nothing": b"",
    "JSON": b'{"transactionId":"00"}',
    "another tag": tlv(0xA4, tlv(0xBF39)),
    "nothing inside": tlv(0xA2),
    "a function of SGP.22 v3": tlv(0xA2, tlv(0xBF4C)),
    "an answer of ES11": tlv(0xA2, tlv(0xBF40)),
    "no envelope": tlv(0xBF39),
    "two alternatives": tlv(0xA2, tlv(0xBF39), tlv(0xBF39)),
    "octets behind it": tlv(0xA2, tlv(0xBF39)) + b"\x00",
    "octets behind the alternative": tlv(0xA2, tlv(0xBF39), b"\x00"),
    "cut short": tlv(0xA2, tlv(0xBF39, bytes(20)))[:-1],
    "a length of 4 GiB": bytes.fromhex("a284ffffffff") + tlv(0xBF39),
    "a length of 4 GiB inside": tlv(0xA2, bytes.fromhex("bf3984ffffffff81")),
    "a length of nine octets": bytes.fromhex("a289010000000000000000"),
    "an indefinite length": bytes.fromhex("a280bf39000000"),
    "deep": deep(5000),
    "a tag without end": tlv(0xA2, b"\xbf" + b"\xff" * 500),
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("octets", NO_REQUEST.values(), ids=NO_REQUEST)
def test_what_is_no_request_is_a_bad_request(rspd, lpa, octets):
    with rspd.log_lines() as lines:
        answer = lpa.client.post(octets)
    assert (answer.status, answer.octets) == (400, b"")
    assert len(lines) == 1, lines


def test_a_member_nested_deep_is_skipped(lpa):
    body = asn1.members("initiateAuthentication", lpa.initiate_body())
    lpa.client.call("initiateAuthentication", under("initiateAuthentication", body, deep(9000))).must()


@pytest.mark.parametrize(
    "value,status",
    [
        ("application/x-gsma-rsp-asn1", 200),
        ("Application/X-GSMA-RSP-ASN1; charset=binary", 200),
        (None, 200),
        ("application/json", 415),
        ("application/octet-stream", 415),
    ],
)
def test_media_types(lpa, value, status):
    octets = asn1.request("initiateAuthentication", lpa.initiate_body())
    assert lpa.client.post(octets, {"Content-Type": value}).status == status


def test_asn1_at_a_path_of_json_is_refused(rspd, lpa):
    octets = asn1.request("initiateAuthentication", lpa.initiate_body())
    path = "/gsma/rsp2/es9plus/initiateAuthentication"
    answer = lpa.client.request(path, octets, {"Content-Type": asn1.MEDIA_TYPE})
    assert answer.status == 415


# ---- mutants -------------------------------------------------------------------------------------

COUNT = 800


def request_mutant(octets, function, dice):
    """Of the whole request, or of what stands under the function's tag."""
    if dice.randrange(4) == 0:
        return flipped(octets, dice, dice.choice([1, 3]))
    if dice.randrange(8) == 0:
        at = dice.randrange(len(octets))
        return octets[:at] + junk(dice, 20) + octets[at:]
    return der_mutant(octets, dice)


@pytest.mark.parametrize("function", asn1.TAG)
def test_mutants(rspd, bodies, lpa, function):
    dice = random.Random(f"asn1 {function}")
    right = asn1.request(function, bodies[function])
    before = rspd.database.fingerprint()
    statuses = {}
    for i in range(COUNT):
        octets = request_mutant(right, function, dice)
        answer = lpa.client.post(octets)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if answer.status == 200:
            assert der.read(answer.octets, asn1.RESPONSE).children, (i, octets)
        else:
            # 503: a result whose cluster key is not there, for it hit the key id.
            kept = (503,) if function == "handleNotification" else ()
            assert answer.status in (204, 400, *kept), (i, answer, octets)
    assert rspd.database.fingerprint() == before
    assert rspd.serves()
    assert len(statuses) >= 2, statuses
