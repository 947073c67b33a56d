"""Ten thousand spoilt bodies for each function of ESipa and each of its forms, the same in every run. Each is answered
by a decodable message, or an HTTP 4xx where none exists; nothing is believed, owed or executed because of them."""

import base64
import json
import random

import pytest

import der
import eim_desk as want
from eim_desk import EIM_ID, psmos
from ipa import ASN1, Ipa, identifier
from test_mutants import body_mutant, der_mutant

COUNT = 10000
SEED = 20261123
ONE, TWO = "8988000000000000011", "8988000000000000029"
# What strangers may move: that somebody was seen, what is kept for diagnosis, requests of our own.
SEEN = "last_seen,told_seen_at,last_cause,last_cause_at"
SKIPPED = {"eim_raw_result", "audit_seal"}
OWN = {"eim_package": "asked_by <> 'rspd'", "outbox": "type <> 'euicc.seen'"}


@pytest.fixture(scope="module")
def rspd(rspd_module, eim_options):
    return rspd_module(**eim_options(polls_per_minute=0), log={"level": "warning"})


def believed(database, polled):
    """All that no stranger may move. Who polls is handed what we want ourselves, under the next counter."""
    loose = {"euicc": SEEN + (",counter,outstanding" if polled else ""), "euicc_watch": "event_seq"}
    parts = (
        f"select '{table}', count(*), md5(string_agg(row, chr(10) order by row))"
        f" from (select (to_jsonb(t) - '{{{loose.get(table, 'seal_id')}}}'::text[])::text from {table} t"
        f" where {OWN.get(table, 'true')}) x(row)"
        for table in database.tables()
        if table not in SKIPPED
    )
    return database.rows(" union all ".join(parts))


@pytest.fixture
def done(rspd, desk, iot_card):
    """A right body of each kind, sent and answered already."""
    card = desk.ready(iot_card())
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    ipa = Ipa(card, rspd.client())
    eid = bytes.fromhex(card.eid)
    answers = {}
    desk.want(card, psmos(want.LIST_PROFILES))
    ipa.run()
    desk.want(card, psmos(want.enable(TWO), want.LIST_PROFILES), what="mutated")
    handed = ipa.poll()
    answers["result"] = card.load_package(handed)
    card.acknowledge(ipa.provide(answers["result"]))
    ipa.run()
    card.notify("enable", TWO, "smdp.example.net")
    both = der.tlv(0x30, answers["result"], der.tlv(0xA0, *card.notifications.values()))
    ipa.provide(both)
    answers["notifications"] = both
    answers["signed-error"] = card.load_package(handed)
    ipa.provide(answers["signed-error"])
    desk.want(card, want.WANT_NOTIFICATIONS, kind="data", what="data")
    handed = ipa.poll()
    answers["data"] = card.data(handed, EIM_ID)
    ipa.provide(answers["data"])
    desk.want(card, want.download("1$smdp.example.net$CODE"), kind="trigger")
    handed = ipa.poll()
    answers["trigger"] = der.tlv(0xBF54, der.tlv(0x82, identifier(handed)), card.installation("8988000000000000037"))
    ipa.provide(answers["trigger"])
    foreign = card.notification("disable", ONE, "smdp.example.net", sequence=999)
    ipa.post_asn1(der.tlv(0xBF3D, der.tlv(0xA0, foreign)))
    poll = der.tlv(0xBF4F, der.tlv(0x5A, eid), der.tlv(0x80), der.integer(1, 0x81))
    asn1 = {
        "getEimPackage": [poll],
        "provideEimPackageResult": [
            der.tlv(0xBF50, der.tlv(0x5A, eid), a) for a in answers.values()
        ],
        "handleNotification": [
            der.tlv(0xBF3D, der.tlv(0xA0, foreign)),
            der.tlv(0xBF3D, der.tlv(0xBF50, der.tlv(0x5A, eid), answers["result"])),
        ],
    }
    coded = {k: base64.b64encode(a).decode() for k, a in {**answers, "foreign": foreign}.items()}
    json_bodies = {
        "getEimPackage": [
            {"eidValue": card.eid, "notifyStateChange": True, "stateChangeCause": 1}
        ],
        "provideEimPackageResult": [
            {"eidValue": card.eid, "eimPackageResult": coded[k]} for k in answers
        ],
        "handleNotification": [{"pendingNotification": coded["foreign"]}],
    }
    ipa.run()
    return ipa, asn1, json_bodies


def spoilt(form, function, body, dice):
    if form == "asn1":
        return der_mutant(body, dice)
    if function == "getEimPackage":
        octets = json.dumps(body).encode()
        at = dice.randrange(len(octets))
        change = dice.choice([b"", b"\x00", b"9", b'"', b"}", b"-1", b"1e9", b"null"])
        return octets[:at] + change + octets[at + dice.randrange(3) :]
    named = {k: v for k, v in body.items() if k != "eidValue"}
    return body_mutant(named, dice) if dice.random() < 0.8 else body_mutant_with(body, dice)


def body_mutant_with(body, dice):
    eid = body["eidValue"] if "eidValue" in body else ""
    wrong = dice.choice([eid[:-1], eid + "00", "8904" * 8, "", None, 7, [eid]])
    return json.dumps({**body, "eidValue": wrong}).encode()


def decodable(form, function, answer):
    """An answer that an IPA can read."""
    if function == "handleNotification":
        return answer.status == 204 and not answer.octets
    if answer.status != 200:
        return False
    if form == "json":
        return answer.execution["status"] in ("Executed-Success", "Failed")
    tag = 0xBF4F if function == "getEimPackage" else 0xBF50
    return len(der.read(answer.octets, tag).children) == 1


@pytest.mark.parametrize("form", ["asn1", "json"])
@pytest.mark.parametrize(
    "function", ["getEimPackage", "provideEimPackageResult", "handleNotification"]
)
def test_mutants(rspd, done, form, function):
    ipa, asn1, json_bodies = done
    bodies = (asn1 if form == "asn1" else json_bodies)[function]
    dice = random.Random(f"{SEED} {form} {function}")
    polled = function == "getEimPackage"
    before = believed(rspd.database, polled)
    statuses = {}
    for i in range(COUNT):
        octets = spoilt(form, function, dice.choice(bodies), dice)
        if form == "asn1":
            answer = ipa.post_asn1(octets, **{"Content-Type": ASN1})
        else:
            answer = ipa.post_json(function, octets)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        fine = decodable(form, function, answer) or 400 <= answer.status < 500
        other = form == "asn1" and answer.status == 200  # the tag of another function was hit
        assert fine or other, (i, answer, octets)
    assert believed(rspd.database, polled) == before
    assert rspd.serves() and len(statuses) >= 2, statuses
