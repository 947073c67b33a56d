"""ES2+, SGP.22 §5.3: who may call, what each function answers in each state and to each wrong body, what a repeated
call gets, and that operators touch nothing of each other's."""

import json
import socket
import ssl
import subprocess
import threading

import pytest

import es2
from harness import BUILD, REPOSITORY, free_port, wait_for

OID = "2.999.20"
SUBJECT = "CN=es2,O=Example"


@pytest.fixture(scope="module")
def own(scratch):
    """The operator's pinned, self-signed certificate."""
    return es2.Certificate(scratch, "CN=acme")


@pytest.fixture(scope="module")
def rspd(rspd_module, site, own):
    """A daemon for operators: `acme` with a pinned certificate, and `other`."""
    rspd = es2.start(rspd_module, site)
    for name, requester in (("acme", OID), ("other", "2.999.21")):
        rspd.ask("operator add", name=name, requester=requester)
    rspd.ask("operator client add", name="acme", certificate=own.base64)
    known(rspd, own)
    return rspd


def known(rspd, certificate, status=404):
    """Until the daemon answers this certificate so."""
    caller = es2.Caller(rspd, certificate, per_call=True)
    wait_for(lambda: caller.send("nothing", b"{}").status == status, "the client to be known")


@pytest.fixture
def acme(rspd, own):
    caller = es2.Caller(rspd, own)
    yield caller
    caller.close()


@pytest.fixture
def other(rspd, scratch):
    """A second operator with a certificate of its own."""
    certificate = es2.Certificate(scratch, "CN=other")
    rspd.ask("operator client add", name="other", certificate=certificate.base64)
    known(rspd, certificate)
    caller = es2.Caller(rspd, certificate, requester="2.999.21")
    yield caller
    caller.close()


@pytest.fixture
def stock(rspd):
    """Imports a profile of acme's; its ICCID."""
    return lambda type_name="acme-type", operator="acme": rspd.desk.load({"type": type_name, "operator": operator})


def order_of(rspd, iccid):
    return rspd.ask("order show", iccid=iccid)


def state(rspd, iccid):
    return rspd.ask("profile show", iccid=iccid)["state"]


# ---- the good way -------------------------------------------------------------------------------------


def test_an_order_from_stock_to_release(rspd, acme, stock):
    iccid = stock()
    answer = acme.order(iccid=iccid).only("iccid")
    assert answer["iccid"] == (iccid + "F" if len(iccid) == 19 else iccid)
    assert state(rspd, iccid) == "allocated"
    answer = acme.confirm(answer["iccid"], releaseFlag=False).only("matchingId", "smdpAddress")
    assert len(answer["matchingId"].replace("-", "")) * 5 >= 128
    assert answer["smdpAddress"] == "smdp.example.org"
    assert state(rspd, iccid) == "confirmed"
    acme.release(iccid).only()
    assert state(rspd, iccid) == "released"
    shown = order_of(rspd, iccid)
    assert (shown["operator"], shown["matchingId"]) == ("acme", answer["matchingId"])
    assert [step["actor"][:9] for step in shown["history"]][-3:] == ["es2+:acme"] * 3


def test_by_type_and_for_an_euicc(rspd, acme, stock, card, session):
    iccid = stock("gold")
    answer = acme.order(profileType="gold", eid=card.eid).only("iccid")
    assert answer["iccid"].rstrip("F") == iccid
    assert state(rspd, iccid) == "linked"
    answer = acme.confirm(iccid, matchingId="").only("eid", "matchingId", "smdpAddress")
    assert (answer["eid"], answer["matchingId"]) == (card.eid, "")
    session(card, daemon=rspd).run()
    assert state(rspd, iccid) == "installed"


def test_a_download_with_a_confirmation_code(rspd, acme, stock, card, session):
    iccid = stock()
    acme.order(iccid=iccid).must()
    matching_id = acme.confirm(iccid, confirmationCode="Zürich 12").must().body["matchingId"]
    assert order_of(rspd, iccid)["confirmationCode"]
    session(card, daemon=rspd).run(matching_id, code="Zürich 12")
    assert state(rspd, iccid) == "installed"
    kept = rspd.database.rows(f"select * from download_order where iccid = '{iccid}'")
    assert "Zürich" not in str(kept)


@pytest.mark.parametrize("matching_id", ["A_b-c.d", 'quo"te\\d', "x" * 128, "04386-AGYFT-A74Y8-3F815"])
def test_a_matching_id_of_the_operators_choice(acme, stock, matching_id, rspd):
    iccid = stock()
    acme.order(iccid=iccid).must()
    assert acme.confirm(iccid, matchingId=matching_id).must().body["matchingId"] == matching_id
    acme.cancel(iccid, matchingId=matching_id).only()
    assert state(rspd, iccid) == "available"


# ---- conditions and codes of §5.3.1 to §5.3.4 ----------------------------------------------------------

EID = "89049032000000000000000000009999"
ELSE = "89049032000000000000000000008888"


class Stage:
    """One profile of acme's, brought where a case wants it."""

    def __init__(self, rspd, acme, other, stock, request):
        self.rspd, self.acme, self.other, self.stock = rspd, acme, other, stock
        self.type = f"t{abs(hash(request.node.name)) % 10**9}"
        self.iccid = stock(self.type)
        self.mid = None

    def at(self, wanted, eid=None, matching_id=None):
        if wanted != "available":
            self.acme.order(iccid=self.iccid, eid=eid).must()
        if wanted in ("confirmed", "released"):
            answer = self.acme.confirm(self.iccid, wanted == "released", matchingId=matching_id).must()
            self.mid = answer.body["matchingId"]
        return self


@pytest.fixture
def stage(rspd, acme, other, stock, request):
    return Stage(rspd, acme, other, stock, request)


def installed(s):
    s.at("released")
    s.rspd.database.rows("set session_replication_role = replica")
    s.rspd.database.rows(f"update profile set state = 'installed' where iccid = '{s.iccid}'")
    s.rspd.database.rows(f"update download_order set pending = false where iccid = '{s.iccid}'")
    s.rspd.database.rows("set session_replication_role = origin")
    return s


def downloaded(s):
    s.at("released")
    s.rspd.database.rows("set session_replication_role = replica")
    s.rspd.database.rows(f"update profile set state = 'downloaded' where iccid = '{s.iccid}'")
    s.rspd.database.rows("set session_replication_role = origin")
    return s


def foreign(s):
    """The second operator comes with its own identifier for a profile of the first."""
    s.acme = s.other
    return s


UNKNOWN = "8900000000000000003"
DOWNLOAD = {
    "another operator's profile": (lambda s: foreign(s).acme.order(iccid=s.iccid), "8.2.1", "1.2"),
    "unknown ICCID": (lambda s: s.acme.order(iccid=UNKNOWN), "8.2.1", "3.9"),
    "ordered already": (lambda s: s.at("linked", EID).acme.order(iccid=s.iccid), "8.2.1", "3.3"),
    "ordered for another EID": (lambda s: s.at("linked", EID).acme.order(iccid=s.iccid, eid=ELSE), "8.2.1", "3.3"),
    "confirmed already": (lambda s: s.at("confirmed").acme.order(iccid=s.iccid), "8.2.1", "3.3"),
    "installed": (lambda s: installed(s).acme.order(iccid=s.iccid), "8.2.1", "3.3"),
    "another operator's type": (lambda s: foreign(s).acme.order(profileType=s.type), "8.2.5", "1.2"),
    "unknown type": (lambda s: s.acme.order(profileType="no such type"), "8.2.5", "3.9"),
    "none left": (lambda s: s.at("allocated").acme.order(profileType=s.type), "8.2.5", "3.7"),
    "type does not fit": (lambda s: (s.stock("acme-type"), s.acme.order(iccid=s.iccid, profileType="acme-type"))[1],
                          "8.2.5", "3.8"),
    "neither ICCID nor type": (lambda s: s.acme.order(), "8.2.1", "2.2"),
}
CONFIRM = {
    "another operator's profile": (lambda s: foreign(s.at("allocated")).acme.confirm(s.iccid), "8.2.1", "1.2"),
    "unknown ICCID": (lambda s: s.acme.confirm(UNKNOWN), "8.2.1", "3.9"),
    "not ordered": (lambda s: s.acme.confirm(s.iccid), "8.2.1", "3.5"),
    "confirmed already, otherwise": (lambda s: s.at("confirmed").acme.confirm(s.iccid, False, matchingId="else"),
                                     "8.2.1", "3.5"),
    "released already": (lambda s: s.at("released").acme.confirm(s.iccid, False), "8.2.1", "3.5"),
    "installed": (lambda s: installed(s).acme.confirm(s.iccid), "8.2.1", "3.5"),
    "MatchingID in use": (lambda s: in_use(s), "8.2.6", "3.3"),
    "MatchingID with a dollar sign": (lambda s: s.at("allocated").acme.confirm(s.iccid, matchingId="a$b"), "8.2.6", "2.1"),
    "MatchingID with a blank": (lambda s: s.at("allocated").acme.confirm(s.iccid, matchingId="a b"), "8.2.6", "2.1"),
    "MatchingID beyond ASCII": (lambda s: s.at("allocated").acme.confirm(s.iccid, matchingId="ü"), "8.2.6", "2.1"),
    "MatchingID too long": (lambda s: s.at("allocated").acme.confirm(s.iccid, matchingId="x" * 129), "8.2.6", "2.1"),
    "empty MatchingID without EID": (lambda s: s.at("allocated").acme.confirm(s.iccid, matchingId=""), "8.1.1", "2.2"),
    "another EID": (lambda s: s.at("linked", EID).acme.confirm(s.iccid, eid=ELSE), "8.1.1", "3.10"),
}
CANCEL = {
    "another operator's profile": (lambda s: foreign(s.at("allocated")).acme.cancel(s.iccid), "8.2.1", "1.2"),
    "unknown ICCID": (lambda s: s.acme.cancel(UNKNOWN), "8.2.1", "3.9"),
    "never ordered": (lambda s: s.acme.cancel(s.iccid), "8.2.1", "3.5"),
    "downloaded": (lambda s: downloaded(s).acme.cancel(s.iccid, matchingId=s.mid), "8.2.1", "3.3"),
    "installed": (lambda s: installed(s).acme.cancel(s.iccid, matchingId=s.mid), "8.2.1", "3.3"),
    "EID not given": (lambda s: s.at("linked", EID).acme.cancel(s.iccid), "8.1.1", "2.2"),
    "another EID": (lambda s: s.at("linked", EID).acme.cancel(s.iccid, eid=ELSE), "8.1.1", "3.10"),
    "an EID where there is none": (lambda s: s.at("allocated").acme.cancel(s.iccid, eid=ELSE), "8.1.1", "3.10"),
    "another MatchingID": (lambda s: s.at("released").acme.cancel(s.iccid, matchingId="else"), "8.2.6", "3.10"),
    "MatchingID not given": (lambda s: s.at("confirmed").acme.cancel(s.iccid), "8.2.6", "2.2"),
}
RELEASE = {
    "another operator's profile": (lambda s: foreign(s.at("confirmed")).acme.release(s.iccid), "8.2.1", "1.2"),
    "unknown ICCID": (lambda s: s.acme.release(UNKNOWN), "8.2.1", "3.9"),
    "in stock": (lambda s: s.acme.release(s.iccid), "8.2.1", "3.5"),
    "not confirmed": (lambda s: s.at("allocated").acme.release(s.iccid), "8.2.1", "3.5"),
    "released by ConfirmOrder": (lambda s: s.at("released").acme.release(s.iccid), "8.2.1", "3.5"),
    "installed": (lambda s: installed(s).acme.release(s.iccid), "8.2.1", "3.5"),
}
CASES = {
    f"{function}: {words}": case
    for function, table in (("DownloadOrder", DOWNLOAD), ("ConfirmOrder", CONFIRM), ("CancelOrder", CANCEL),
                            ("ReleaseProfile", RELEASE))
    for words, case in table.items()
}


def in_use(s):
    rival = s.stock(s.type)
    s.at("released", matching_id=f"m-{s.iccid}")
    s.acme.order(iccid=rival).must()
    return s.acme.confirm(rival, matchingId=f"m-{s.iccid}")


@pytest.mark.parametrize("words", CASES)
def test_each_condition_has_its_code(stage, words):
    call, subject, reason = CASES[words]
    call(stage).refused(subject, reason)


def test_a_refusal_changes_nothing(stage):
    """All of an operator's rows are as they were after another's calls."""
    iccid = stage.at("confirmed").iccid
    before = order_of(stage.rspd, iccid)
    for call in (lambda: stage.other.order(iccid=iccid), lambda: stage.other.confirm(iccid),
                 lambda: stage.other.cancel(iccid, matchingId=stage.mid), lambda: stage.other.release(iccid)):
        call().refused("8.2.1", "1.2")
    assert order_of(stage.rspd, iccid) == before


def test_two_operators_may_call_their_types_alike(rspd, acme, other, stock):
    mine, theirs = stock("alike"), stock("alike", "other")
    assert other.order(profileType="alike").must().body["iccid"].rstrip("F") == theirs
    assert acme.order(profileType="alike").must().body["iccid"].rstrip("F") == mine
    listed = rspd.ask("order list", type="alike", operator="other")["orders"]
    assert [order["iccid"] for order in listed] == [theirs]
    assert {p["operator"] for p in rspd.ask("profile list", type="alike")["profiles"]} == {"acme", "other"}
    told = rspd.ask("event list", operator="other", limit=1000)["events"]
    assert theirs in {event["key"] for event in told} and mine not in {event["key"] for event in told}


# ---- wrong bodies -------------------------------------------------------------------------------------

GOOD = {
    "downloadOrder": {"iccid": UNKNOWN, "eid": EID, "profileType": "x"},
    "confirmOrder": {"iccid": UNKNOWN, "eid": EID, "matchingId": "M", "confirmationCode": "1", "releaseFlag": True},
    "cancelOrder": {"iccid": UNKNOWN, "eid": EID, "matchingId": "M", "finalProfileStatusIndicator": "Available"},
    "releaseProfile": {"iccid": UNKNOWN},
}
REQUESTER = {"functionRequesterIdentifier": OID, "functionCallIdentifier": "c"}
# member: (what is wrong, its code), where it is missing (or None: it may be)
WRONG = {
    "iccid": ([12, "", "12", "8" * 17, "8" * 21, "89x9032000000000000", "F" * 20, [], {}, True], ("8.2.1", "2.1"),
              ("8.2.1", "2.2")),
    "eid": ([12, "", "12", "8" * 31, "8" * 33, "x" * 32, [], True], ("8.1.1", "2.1"), None),
    "profileType": ([12, "", "x" * 256, [], False], ("8.2.5", "2.1"), None),
    "matchingId": ([12, [], {}, True, "a$b"], ("8.2.6", "2.1"), None),
    "confirmationCode": ([12, "", "1" * 256, []], ("8.2.7", "2.1"), None),
    "releaseFlag": (["true", 1, 0, "", {}], ("1.3.1", "2.1"), ("1.3.1", "2.2")),
    "finalProfileStatusIndicator": (["available", "", 1, True], ("8.2.1", "2.1"), ("8.2.1", "2.2")),
}
VALUES = [
    (function, member, value)
    for function, members in GOOD.items()
    for member in members
    for value in WRONG[member][0]
    if (function, value) != ("cancelOrder", "a$b")  # there it is only not the order's
]


@pytest.mark.parametrize("function,member,value", VALUES, ids=repr)
def test_wrong_members(acme, function, member, value):
    acme.ask(function, **{**GOOD[function], member: value}).refused(*WRONG[member][1])


@pytest.mark.parametrize("nothing", [False, True], ids=["left out", "null"])
@pytest.mark.parametrize("function,member", [(f, m) for f, members in GOOD.items() for m in members
                                             if WRONG[m][2] and (f, m) != ("downloadOrder", "iccid")])
def test_missing_members(acme, function, member, nothing):
    body = {"header": acme.header(), **GOOD[function]}
    body.pop(member)
    if nothing:
        body[member] = None
    acme.send(function, body).refused(*WRONG[member][2])


@pytest.mark.parametrize("function", GOOD)
@pytest.mark.parametrize("header,code", [
    (None, "2.2"),
    ("x", "2.1"),
    ([], "2.1"),
    ({}, "2.2"),
    ({"functionRequesterIdentifier": OID}, "2.2"),
    ({"functionCallIdentifier": "c"}, "2.2"),
    ({**REQUESTER, "functionRequesterIdentifier": 1}, "2.1"),
    ({**REQUESTER, "functionRequesterIdentifier": ""}, "2.1"),
    ({**REQUESTER, "functionCallIdentifier": None}, "2.2"),
    ({**REQUESTER, "functionCallIdentifier": {}}, "2.1"),
    ({**REQUESTER, "functionCallIdentifier": "c" * 256}, "2.1"),
], ids=repr)
def test_wrong_headers(acme, function, header, code):
    body = dict(GOOD[function])
    if header is not None:
        body["header"] = header
    acme.send(function, body).refused("1.3.1", code)


def test_the_header_is_judged_before_the_members(acme):
    acme.send("releaseProfile", {"header": {**REQUESTER, "functionRequesterIdentifier": "2.999.99"}}).refused("1.1", "1.2")


def test_members_that_nobody_named_are_skipped(acme, stock):
    iccid = stock()
    body = {"header": {**acme.header(), "extra": 1}, "iccid": iccid, "new": {"in": ["v3"]}}
    acme.send("downloadOrder", body).only("iccid")


@pytest.mark.parametrize("body,status", [
    (b"", 400),
    (b"no json", 400),
    (b"[]", 400),
    (b'"text"', 400),
    (b"17", 400),
    (b"{", 400),
    (b"\xff\xfe{}", 400),
    (b'{"iccid": "\xff"}', 400),
    (b'{"header": "\\ud800"}', 400),
    (b"[" * 100000, 413),
    (b"[" * 60000, 400),
    (b'{"a":' * 1000 + b"1" + b"}" * 1000, 400),
    (b'{"a":' * 16 + b"1" + b"}" * 16, 200),
    (b'{"a":' * 17 + b"1" + b"}" * 17, 400),
    (b'{"a": [' + b"1," * 1022 + b"1]}", 200),
    (b'{"a": [' + b"1," * 1023 + b"1]}", 400),
    (b'{"x": "' + b"x" * 10_000_000 + b'"}', 413),
], ids=lambda v: v[:12] if isinstance(v, bytes) else str(v))
@pytest.mark.parametrize("function", GOOD)
def test_bodies_that_are_none(rspd, own, function, body, status):
    caller = es2.Caller(rspd, own, per_call=True)
    try:
        assert caller.send(function, body).status == status
    except (ConnectionError, ssl.SSLError, socket.timeout):
        assert status == 413  # it was told, and did not listen
    assert es2.Caller(rspd, own, per_call=True).send("nothing", b"{}").status == 404


def test_paths_methods_and_media_types(rspd, own, acme):
    assert acme.send("orderDownload", {}).status == 404
    assert acme.request("/gsma/rsp2/es9plus/initiateAuthentication", b"{}").status == 404
    assert acme.send("releaseProfile", {}, **{"Content-Type": "text/xml"}).status == 415
    assert acme.request(es2.PATH + "releaseProfile", method="GET").status == 405
    assert rspd.client().call("downloadOrder", b"{}").status == 404  # nor do LPAs' listeners know these
    assert rspd.client().request(es2.PATH + "downloadOrder", b"{}").status == 404


# ---- whose certificate --------------------------------------------------------------------------------


def test_without_a_certificate(rspd):
    assert es2.Caller(rspd, per_call=True).order(iccid=UNKNOWN).status == 401


def test_a_certificate_of_nobody(rspd, scratch):
    stranger = es2.Certificate(scratch, SUBJECT)
    with rspd.log_lines() as lines:
        assert es2.Caller(rspd, stranger, per_call=True).order(iccid=UNKNOWN).status == 401
    assert any(stranger.sha256 in line and "subject=\"CN=es2,O=Example\"" in line for line in lines), lines


def test_the_same_name_under_another_key_is_nobody(rspd, scratch, own):
    assert es2.Caller(rspd, es2.Certificate(scratch, own.subject), per_call=True).order(iccid=UNKNOWN).status == 401


def test_an_expired_pinned_certificate(rspd, scratch):
    expired = es2.Certificate(scratch, "CN=expired", begins=-10, ends=-1)
    rspd.ask("operator add", name="late", requester="2.999.22")
    rspd.ask("operator client add", name="late", certificate=expired.base64)
    late = es2.Caller(rspd, expired, requester="2.999.22", per_call=True)
    wait_for(lambda: "certificate-expired" in (late.order(iccid=UNKNOWN) and rspd.log()), "the pin to be known")
    assert late.order(iccid=UNKNOWN).status == 401
    rspd.ask("operator set", name="late", expired="accept")
    wait_for(lambda: late.order(iccid=UNKNOWN).status == 200, "the switch to be known")
    rspd.ask("operator set", name="late", expired="refuse")
    wait_for(lambda: late.order(iccid=UNKNOWN).status == 401, "the switch to be known")


def test_a_certificate_that_begins_tomorrow(rspd, scratch):
    early = es2.Certificate(scratch, "CN=early", begins=1)
    rspd.ask("operator client add", name="other", certificate=early.base64)
    caller = es2.Caller(rspd, early, per_call=True)
    wait_for(lambda: "certificate-not-yet-valid" in (caller.order(iccid=UNKNOWN) and rspd.log()), "the pin to be known")
    assert caller.order(iccid=UNKNOWN).status == 401


@pytest.fixture(scope="module")
def under_ca(rspd, scratch):
    """An operator known by CA and subject; the CA."""
    ca = es2.Certificate(scratch, "CN=Example CA", ca=True)
    rspd.ask("operator add", name="tree")
    rspd.ask("operator client add", name="tree", ca=ca.base64, subject=SUBJECT)
    known(rspd, es2.Certificate(scratch, SUBJECT, ca))
    return ca


def test_ca_and_subject(rspd, scratch, under_ca):
    """Any certificate with the subject under the CA, also behind another CA, is the operator's."""
    for issuer in (under_ca, es2.Certificate(scratch, "CN=between", under_ca, ca=True)):
        caller = es2.Caller(rspd, es2.Certificate(scratch, SUBJECT, issuer), requester="whoever")
        for _ in range(2):  # the second time from memory
            caller.order(iccid=UNKNOWN).refused("8.2.1", "3.9")
        caller.close()


@pytest.mark.parametrize("fault", ["another subject", "another CA", "expired", "not yet", "server's", "self-signed",
                                   "issuer that is no CA"])
def test_ca_and_subject_must_hold(rspd, scratch, under_ca, fault):
    made = {
        "another subject": lambda: es2.Certificate(scratch, "CN=es3,O=Example", under_ca),
        "another CA": lambda: es2.Certificate(scratch, SUBJECT, es2.Certificate(scratch, "CN=Example CA", ca=True)),
        "expired": lambda: es2.Certificate(scratch, SUBJECT, under_ca, begins=-9, ends=-1),
        "not yet": lambda: es2.Certificate(scratch, SUBJECT, under_ca, begins=1),
        "server's": lambda: es2.Certificate(scratch, SUBJECT, under_ca, server_only=True),
        "self-signed": lambda: es2.Certificate(scratch, SUBJECT),
        "issuer that is no CA": lambda: es2.Certificate(scratch, SUBJECT, es2.Certificate(scratch, "CN=no", under_ca)),
    }[fault]()
    assert es2.Caller(rspd, made, per_call=True).order(iccid=UNKNOWN).status == 401


def test_a_client_that_is_removed_is_nobody_again_on_its_open_connection(rspd, scratch):
    certificate = es2.Certificate(scratch, "CN=leaver")
    number = rspd.ask("operator client add", name="other", certificate=certificate.base64)["client"]
    known(rspd, certificate)
    caller = es2.Caller(rspd, certificate, requester="2.999.21")
    caller.order(iccid=UNKNOWN).refused("8.2.1", "3.9")
    rspd.ask("operator client remove", name="other", client=number)
    wait_for(lambda: caller.order(iccid=UNKNOWN).status == 401, "the removal to be known")
    caller.close()


def test_sessions_are_not_resumed(rspd, own):
    caller = es2.Caller(rspd, own)
    first = caller.open()
    first.request("POST", es2.PATH + "nothing", b"{}")
    first.getresponse().read()
    again = caller.open(first.sock.session)
    assert not again.sock.session_reused
    again.request("POST", es2.PATH + "nothing", b"{}")
    assert again.getresponse().status == 404
    first.close()
    again.close()


def test_requesters_must_fit(rspd, acme, scratch):
    acme.requester = "2.999.21"
    acme.order(iccid=UNKNOWN).refused("1.1", "1.2")


def test_who_agreed_on_no_requester_cannot_be_another(rspd, scratch, under_ca, acme):
    certificate = es2.Certificate(scratch, SUBJECT, under_ca)
    for requester, refusal in ((OID, ("1.1", "1.2")), (OID + ".1", ("8.2.1", "3.9"))):
        caller = es2.Caller(rspd, certificate, requester=requester)
        caller.order(iccid=UNKNOWN).refused(*refusal)
        caller.close()


# ---- repeats ------------------------------------------------------------------------------------------


def test_a_repeated_order_by_type_gets_the_first_profile(rspd, acme, stock):
    for _ in range(3):
        stock("repeats")
    first = acme.order(call="r1", profileType="repeats").must().body
    assert acme.order(call="r1", profileType="repeats").must().body == first
    second = acme.order(call="r2", profileType="repeats").must().body
    assert second["iccid"] != first["iccid"]
    assert acme.order(call="r1", profileType="repeats", eid=EID).must().body["iccid"] not in (
        first["iccid"], second["iccid"])  # the same identifier with other content is a new call


def test_blanks_and_order_of_members_make_no_other_call(acme, stock):
    for _ in range(2):
        stock("blanks")
    header = acme.header("b1")
    first = acme.send("downloadOrder", {"header": header, "profileType": "blanks", "eid": EID}).must().body
    body = json.dumps({"eid": EID, "profileType": "blanks", "header": header}, indent=8).encode()
    assert acme.send("downloadOrder", body).must().body == first


def test_a_repeat_is_answered_whatever_came_after(rspd, acme, stock):
    iccid = stock()
    ordered = acme.order(call="w1", iccid=iccid).must().body
    confirmed = acme.confirm(iccid, False, call="w2").must().body
    acme.release(iccid, call="w3").must()
    acme.cancel(iccid, call="w4", matchingId=confirmed["matchingId"]).must()
    acme.order(call="w5", iccid=iccid, eid=EID).must()
    before = order_of(rspd, iccid)
    assert acme.order(call="w1", iccid=iccid).must().body == ordered
    assert acme.confirm(iccid, False, call="w2").must().body == confirmed
    acme.release(iccid, call="w3").only()
    acme.cancel(iccid, call="w4", matchingId=confirmed["matchingId"]).only()
    assert order_of(rspd, iccid) == before


def test_without_an_identifier_a_state_tells(acme, stock):
    iccid = stock()
    first = acme.order(call="", iccid=iccid, eid=EID).must().body
    assert acme.order(call="", iccid=iccid, eid=EID).must().body == first
    acme.order(call="", iccid=iccid).refused("8.2.1", "3.3")
    made = acme.confirm(iccid, False, call="").must().body
    assert acme.confirm(iccid, False, call="").must().body == made
    acme.confirm(iccid, False, call="", matchingId=made["matchingId"]).refused("8.2.1", "3.5")
    acme.release(iccid, call="").only()
    acme.release(iccid, call="").only()
    whose = dict(eid=EID, matchingId=made["matchingId"])
    acme.cancel(iccid, call="", **whose).only()
    acme.cancel(iccid, call="", **whose).only()
    acme.cancel(iccid, "Unavailable", call="", **whose).refused("8.2.1", "3.5")


def test_two_identifiers_are_two_calls(rspd, acme, stock):
    iccid = stock()
    acme.order(iccid=iccid).must()
    acme.order(iccid=iccid).refused("8.2.1", "3.3")
    acme.order(call="", iccid=iccid).refused("8.2.1", "3.3")
    token = acme.confirm(iccid, False).must().body["matchingId"]
    acme.confirm(iccid, False).refused("8.2.1", "3.5")
    acme.release(iccid).only()
    acme.release(iccid).refused("8.2.1", "3.5")
    acme.cancel(iccid, matchingId=token).only()
    acme.cancel(iccid, matchingId=token).refused("8.2.1", "3.5")
    assert state(rspd, iccid) == "available"


@pytest.mark.parametrize("call", ["", None], ids=["no identifier", "identifiers"])
def test_an_order_by_type_is_not_repeated_by_iccid(acme, stock, call):
    iccid = stock("typed")
    assert acme.order(call=call, profileType="typed").must().body["iccid"].rstrip("F") == iccid
    acme.order(call=call, iccid=iccid).refused("8.2.1", "3.3")
    acme.order(call=call, iccid=iccid, profileType="typed").refused("8.2.1", "3.3")
    acme.cancel(iccid, "Unavailable").must()


@pytest.mark.parametrize("call", ["", None], ids=["no identifier", "identifiers"])
def test_what_was_confirmed_and_then_released_is_not_confirmed_and_released_again(rspd, acme, stock, call):
    iccid = stock()
    acme.order(iccid=iccid).must()
    acme.confirm(iccid, False, call=call, matchingId=f"M-9-{iccid}").must()
    acme.release(iccid).must()
    acme.confirm(iccid, True, call=call, matchingId=f"M-9-{iccid}").refused("8.2.1", "3.5")
    assert state(rspd, iccid) == "released"


@pytest.mark.parametrize("call", ["", None], ids=["no identifier", "identifiers"])
def test_what_is_due_to_cancel_is_due_again(acme, stock, call):
    iccid = stock()
    acme.order(iccid=iccid, eid=EID).must()
    token = acme.confirm(iccid).must().body["matchingId"]
    acme.cancel(iccid, call=call, eid=EID, matchingId=token).must()
    acme.cancel(iccid, call=call).refused("8.1.1", "2.2")
    acme.cancel(iccid, call=call, matchingId=token).refused("8.1.1", "2.2")
    acme.cancel(iccid, call=call, eid=EID).refused("8.2.6", "2.2")


def test_an_empty_identifier_is_not_remembered(acme, stock):
    for _ in range(2):
        stock("empty")
    first, second = (acme.order(call="", profileType="empty").must().body["iccid"] for _ in range(2))
    assert first != second


def test_calls_that_are_not_to_be_remembered(rspd, acme, own, stock):
    for _ in range(2):
        stock("constant")
    rspd.ask("operator set", name="acme", calls="forget")
    try:
        wait_for(lambda: rspd.log().count("did=load-clients") > 1, "the switch to be known")
        known(rspd, own)
        taken = set()

        def forgets():
            answer = acme.order(call="constant", profileType="constant")
            taken.add(answer.body["iccid"] if answer.ok else None)
            return len(taken) > 1

        wait_for(forgets, "the switch to be known")
        iccid = stock()
        first = acme.order(call="constant", iccid=iccid).must().body
        for call in ("constant", "another"):  # neither says anything, but the state does
            assert acme.order(call=call, iccid=iccid).must().body == first
    finally:
        rspd.ask("operator set", name="acme", calls="remember")


def test_a_refused_call_is_judged_anew(acme, stock):
    iccid = stock()
    acme.release(iccid, call="early").refused("8.2.1", "3.5")
    acme.order(iccid=iccid).must()
    acme.confirm(iccid, False).must()
    acme.release(iccid, call="early").only()


def test_another_client_of_the_same_operator_makes_calls_of_its_own(rspd, acme, stock, scratch):
    for _ in range(2):
        stock("nodes")
    certificate = es2.Certificate(scratch, "CN=second node")
    rspd.ask("operator client add", name="acme", certificate=certificate.base64)
    known(rspd, certificate)
    node = es2.Caller(rspd, certificate, per_call=True)
    mine = acme.order(call="1", profileType="nodes").must().body["iccid"]
    assert node.order(call="1", profileType="nodes").must().body["iccid"] != mine


def test_what_another_client_did_is_no_repeat(rspd, acme, stock, scratch):
    """Two nodes of one operator, or an administrator and a node: one of them has the profile."""
    certificate = es2.Certificate(scratch, "CN=third node")
    rspd.ask("operator client add", name="acme", certificate=certificate.base64)
    known(rspd, certificate)
    node = es2.Caller(rspd, certificate, per_call=True)
    iccid = stock()
    acme.order(call="", iccid=iccid).must()
    node.order(call="", iccid=iccid).refused("8.2.1", "3.3")
    acme.order(call="", iccid=iccid).must()
    token = acme.confirm(iccid, call="").must().body["matchingId"]
    node.confirm(iccid, call="").refused("8.2.1", "3.5")
    assert acme.confirm(iccid, call="").must().body["matchingId"] == token
    desk = stock()
    rspd.ask("order create", iccid=desk)
    acme.order(iccid=desk).refused("8.2.1", "3.3")


def test_what_another_client_ended_is_no_repeat(rspd, acme, stock, scratch):
    """Who did not release or cancel is not answered as if it had, and learns nothing."""
    certificate = es2.Certificate(scratch, "CN=fourth node")
    rspd.ask("operator client add", name="acme", certificate=certificate.base64)
    known(rspd, certificate)
    node = es2.Caller(rspd, certificate, per_call=True)
    iccid, desk = stock(), stock()
    for each in (iccid, desk):
        acme.order(iccid=each).must()
    token = acme.confirm(iccid, False).must().body["matchingId"]
    acme.release(iccid, call="").must()
    node.release(iccid, call="").refused("8.2.1", "3.5")
    assert rspd.ask_any("order release", iccid=iccid)["error"]["code"] == "order-not-releasable"
    acme.release(iccid, call="").must()
    acme.cancel(iccid, call="", matchingId=token).must()
    node.cancel(iccid, call="", matchingId=token).refused("8.2.1", "3.5")
    acme.cancel(iccid, call="", matchingId=token).must()
    rspd.ask("order cancel", iccid=desk, final="unavailable")
    acme.cancel(desk, "Unavailable").refused("8.2.1", "3.5")
    assert "ok" in rspd.ask_any("order cancel", iccid=desk, final="unavailable")


def test_an_empty_matching_id_is_none_to_cancel(rspd, acme, stock):
    iccid = stock()
    acme.order(iccid=iccid, eid=EID).must()
    acme.confirm(iccid, matchingId="").must()
    acme.cancel(iccid).refused("8.1.1", "2.2")
    acme.cancel(iccid, eid=EID).must()
    assert state(rspd, iccid) == "available"


def test_of_a_long_identifier_the_audit_trail_keeps_the_beginning(rspd, acme, stock):
    kept, iccid = "x" * 63, stock()
    acme.order(iccid=iccid, call=kept + "é" + "y" * 40).must()
    (why,) = rspd.database.rows(f"select why from audit where iccid = '{iccid}' and act = 'download_order'")[0]
    assert why == kept + "…"


# ---- two instances, many connections ------------------------------------------------------------------


@pytest.fixture(scope="module")
def second(rspd, rspd_module, site, own):
    """Another instance on the same database."""
    second = es2.start(rspd_module, site, database=rspd.database)
    known(second, own)
    return second


def together(calls):
    """Runs the calls at the same time; their answers."""
    answers, gate = [None] * len(calls), threading.Barrier(len(calls))

    def run(i):
        gate.wait()
        answers[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.fixture
def crowd(rspd, second, own):
    """Twelve callers, half of them at each instance, connected."""
    callers = [es2.Caller(daemon, own) for daemon in (rspd, second) for _ in range(6)]
    for caller in callers:
        assert caller.send("nothing", b"{}").status == 404
    yield callers
    for caller in callers:
        caller.close()


def test_the_same_call_at_the_same_time_has_one_effect_and_one_answer(rspd, crowd, stock):
    for n in range(10):
        for _ in crowd:
            stock(f"at once {n}")
        answers = together([lambda c=c, n=n: c.order(call=f"once-{n}", profileType=f"at once {n}") for c in crowd])
        assert len({answer.must().body["iccid"] for answer in answers}) == 1
        assert len(rspd.ask("order list", type=f"at once {n}")["orders"]) == 1


def test_all_functions_at_the_same_time(rspd, crowd, stock):
    """Each step of an order from all connections: every answer is the same, every event is there once."""
    for n in range(5):
        iccid = stock()
        steps = [
            lambda c: c.order(call=f"all-{n}", iccid=iccid),
            lambda c: c.confirm(iccid, False, call=f"all-{n}"),
            lambda c: c.release(iccid, call=f"all-{n}"),
        ]
        for step in steps:
            answers = together([lambda c=c, step=step: step(c) for c in crowd])
            assert len({json.dumps(answer.must().body) for answer in answers}) == 1
        events = rspd.ask("event list", iccid=iccid)["events"]
        assert [event["type"] for event in events] == ["profile.ordered", "profile.confirmed", "profile.released"]


def test_one_of_many_orders_wins_a_profile(rspd, crowd, stock):
    for n in range(10):
        iccid = stock()
        eids = [f"8904903200000000000000000{n:03d}{i:04d}" for i in range(len(crowd))]
        answers = together([lambda c=c, eid=eid: c.order(iccid=iccid, eid=eid) for c, eid in zip(crowd, eids)])
        won = [eid for eid, answer in zip(eids, answers) if answer.ok]
        assert [order_of(rspd, iccid)["eid"]] == won
        assert {answer.refusal for answer in answers if not answer.ok} == {("8.2.1", "3.3")}


def test_one_of_many_calls_that_differ_in_their_identifier_wins(rspd, crowd, stock):
    """Each step of an order from all connections: one call makes it, the others hear that it is made."""
    for _ in range(5):
        iccid = stock()
        steps = {
            lambda c: c.order(iccid=iccid): ("8.2.1", "3.3"),
            lambda c: c.confirm(iccid, False, matchingId=iccid): ("8.2.1", "3.5"),
            lambda c: c.release(iccid): ("8.2.1", "3.5"),
            lambda c: c.cancel(iccid, matchingId=iccid): ("8.2.1", "3.5"),
        }
        for step, lost in steps.items():
            answers = together([lambda c=c, step=step: step(c) for c in crowd])
            assert sum(answer.ok for answer in answers) == 1
            assert {answer.refusal for answer in answers if not answer.ok} == {lost}
        assert state(rspd, iccid) == "available"


def test_one_of_many_orders_wins_a_matching_id(rspd, crowd, stock):
    for n in range(10):
        iccids = [stock() for _ in crowd]
        for caller, iccid in zip(crowd, iccids):
            caller.order(iccid=iccid).must()
        answers = together([lambda c=c, i=i: c.confirm(i, matchingId=f"rival-{n}") for c, i in zip(crowd, iccids)])
        assert sum(answer.ok for answer in answers) == 1
        assert {answer.refusal for answer in answers if not answer.ok} == {("8.2.6", "3.3")}


def test_clients_are_known_in_all_instances(rspd, second, scratch):
    certificate = es2.Certificate(scratch, "CN=everywhere")
    number = rspd.ask("operator client add", name="other", certificate=certificate.base64)["client"]
    known(second, certificate)
    second.ask("operator client remove", name="other", client=number)
    known(rspd, certificate, 401)


# ---- statements ---------------------------------------------------------------------------------------

COSTS = {"order": 2, "confirm": 1, "release": 1, "cancel": 1}


def statements(rspd):
    return sum(s["count"] for name, s in rspd.ask("stats")["statements"].items() if name.startswith("order_")
               and "expire" not in name and "sweep" not in name)


def test_what_a_call_costs(rspd, acme, stock):
    """Statements of the good way, as docs/procedures say; a repeat costs no more."""
    iccid = stock()
    made = {}

    def mid():
        return made["confirm"]["matchingId"]

    calls = {
        "order": lambda: acme.order(call="cost", iccid=iccid),
        "confirm": lambda: acme.confirm(iccid, False, call="cost"),
        "release": lambda: acme.release(iccid, call="cost"),
        "cancel": lambda: acme.cancel(iccid, call="cost", matchingId=mid()),
    }
    for name, call in calls.items():
        for _ in range(2):
            before = statements(rspd)
            made[name] = call().must().body
            assert statements(rspd) - before == COSTS[name], name


# ---- rspsim as the operator ---------------------------------------------------------------------------


@pytest.fixture
def sim(rspd, own, site):
    """rspsim operator VERB: (exit code, its JSON or None, what it said)."""

    def run(verb, *words):
        done = subprocess.run(
            [BUILD / "rspsim", "operator", verb, "--server", "smdp.example.org", "--connect",
             f"127.0.0.1:{rspd.es2_port}", "--ca", site.folder / "nist-ci.pem", "--certificate", own.path,
             "--key", own.path, "--requester", OID, "--json", *words],
            capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    return run


def test_rspsim_orders(rspd, sim, stock):
    iccid = stock("simulated")
    code, answer, _ = sim("order", "--type", "simulated", "--eid", EID, "--call", "sim-1")
    assert (code, answer["iccid"].rstrip("F")) == (0, iccid)
    assert sim("order", "--type", "simulated", "--eid", EID, "--call", "sim-1")[:2] == (0, answer)
    code, answer, _ = sim("confirm", "--iccid", iccid, "--cc", "1234", "--matching-id", "SIM")
    assert (code, answer["matchingId"], answer["eid"]) == (0, "SIM", EID)
    assert sim("release", "--iccid", iccid)[0] == 0
    assert state(rspd, iccid) == "released"
    code, answer, _ = sim("cancel", "--iccid", iccid, "--eid", EID, "--matching-id", "else")
    assert (code, answer["header"]["functionExecutionStatus"]["statusCodeData"]["subjectCode"]) == (1, "8.2.6")
    assert sim("cancel", "--iccid", iccid, "--eid", EID, "--matching-id", "SIM", "--final", "Unavailable")[0] == 0
    assert state(rspd, iccid) == "unavailable"


def test_rspsim_cycles(rspd, sim, stock):
    for _ in range(40):
        stock("cycles")
    code, told, said = sim("cycle", "--type", "cycles", "--sessions", "40", "--clients", "8")
    assert (code, told["cycles"], told["refused"], told["lost"]) == (0, 40, 0, 0), said
    orders = rspd.ask("order list", type="cycles", state="released")["orders"]
    assert len({order["matchingId"] for order in orders}) == 40
    code, told, _ = sim("cycle", "--type", "cycles", "--sessions", "2", "--clients", "1")
    assert (code, told["cycles"], told["refused"]) == (1, 0, 2)


def test_rspsim_that_is_nobody(sim, scratch):
    stranger = es2.Certificate(scratch, "CN=stranger").path
    code, answer, said = sim("release", "--iccid", UNKNOWN, "--certificate", stranger, "--key", stranger)
    assert code == 69 and answer is None and "401" in said


# ---- the listener in the configuration ----------------------------------------------------------------


def test_a_role_that_is_none(make_rspd, site):
    _, section = es2.listener(site)
    checked = make_rspd(start=False, **{"listener es2": {**section, "role": "es3"}}).once("--check-config", check=False)
    assert checked.returncode == 78
    assert "role" in checked.stderr and "es9, es2 or esipa" in checked.stderr


def test_a_listener_that_comes_with_a_reload(make_rspd, site, scratch):
    certificate = es2.Certificate(scratch, "CN=later")
    daemon = make_rspd()
    daemon.es2_port, daemon.options["listener es2"] = es2.listener(site)
    daemon.write_config()
    daemon.ask("operator client add", name="default", certificate=certificate.base64)
    daemon.ask("reload")
    caller = es2.Caller(daemon, certificate, per_call=True)

    def served():
        try:
            return caller.order(iccid=UNKNOWN).status == 200
        except ConnectionError:
            return False

    wait_for(served, "the listener")
    assert daemon.desk.order().state == "released"  # LPAs and the control socket are served as before


# ---- first steps --------------------------------------------------------------------------------------


def test_a_test_pki_has_what_an_operator_needs(databases, scratch):
    """`pki make-test`: its configuration, its certificate, nothing by hand but ports and the database."""
    database, pki = databases(), scratch / "es2-pki"
    ports = dict(zip(("nist", "brainpool", "operators"), (free_port() for _ in "abc")))

    def run(*words, check=True):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, (words, done.stdout, done.stderr)
        return done

    run(BUILD / "rspctl", "pki", "make-test", pki, "--dns", "smdp.example.org")
    run(REPOSITORY / "tests/dev/set-options", pki / "rspd.conf", f"rspd.control={pki}/s",
        f"database.connection={database.conninfo}", *(f"listener {n}.port={p}" for n, p in ports.items()),
        f"coap devices.port={ports['nist']}")
    daemon = subprocess.Popen([BUILD / "rspd", "-c", pki / "rspd.conf"], stderr=open(pki / "log", "wb"))
    ctl = [BUILD / "rspctl", "-s", pki / "s", "--json"]
    try:
        wait_for(lambda: run(*ctl, "stats", check=False).returncode == 0, lambda: (pki / "log").read_text()[-2000:])
        run(*ctl, "operator", "add", "acme", "--requester", OID)
        run(*ctl, "operator", "client", "add", "acme", "--certificate", pki / "nist/operator.pem")
        run(*ctl, "operator", "callback", "acme", "--url", "https://localhost:1", "--certificate", "main")
        order = [BUILD / "rspsim", "operator", "order", "--server", "smdp.example.org", "--connect",
                 f"127.0.0.1:{ports['operators']}", "--ca", pki / "nist/ci.pem", "--certificate",
                 pki / "nist/operator.pem", "--key", pki / "nist/operator.key", "--requester", OID, "--type", "none"]
        wait_for(lambda: "8.2.5/3.9" in run(*order, check=False).stderr, lambda: run(*order, check=False).stderr)
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
