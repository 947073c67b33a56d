"""Who may come to the eIM and how: eUICCs admitted by rule, denied ones, tight loops; a listener of its own;
notifications that an IPA cannot deliver itself (SGP.32 §5.14.7)."""

import pytest

import der
import eim_desk as want
from card import Download, b64
from eim_desk import EIM_ID, EimDesk, psmos
from harness import NAMES, free_port, wait_for
from ipa import ASN1, EMPTY, Association, Ipa, Refused, forge, identifier
from pki import Tree
from web import Client

ONE = "8988000000000000011"


@pytest.fixture(scope="module")
def rspd(rspd_module, eim_options):
    return rspd_module(
        **eim_options(polls_per_minute=0, euicc_admission="eum", eum_ranges="89049032")
    )


@pytest.fixture
def card(iot_card):
    return iot_card(token=3)


@pytest.fixture(params=["asn1", "json"])
def ipa(rspd, card, request):
    return Ipa(card, rspd.client(), request.param)


# ---- admission by rule -----------------------------------------------------------------------------


def test_an_euicc_of_our_eum_comes_in_by_itself(rspd, desk, card, ipa):
    before = rspd.database.fingerprint()
    handed = ipa.poll()
    assert handed[:2] == b"\xbf\x52"
    assert rspd.database.fingerprint() == before  # a poll alone keeps nothing
    assert ipa.provide(card.data(handed, EIM_ID)) == []
    known = desk.euicc(card)
    assert known["proven"] and known["added_by"] == "rspd" and known["operator_name"] == "default"
    number = desk.want(card, psmos(want.GET_RAT))
    ipa.run()
    assert desk.state(number) == "done" and desk.euicc(card)["token"] == 3


def test_certificates_that_do_not_verify_let_nobody_in(rspd, card, ipa):
    stranger = forge(card, Tree("nist"))
    before = rspd.database.fingerprint()
    assert isinstance(ipa.provide(stranger.data(ipa.poll(), EIM_ID)), Refused)
    assert rspd.database.fingerprint() == before


def test_certificates_of_another_let_nobody_in(rspd, card, iot_card, ipa):
    other = iot_card()
    before = rspd.database.fingerprint()
    assert isinstance(ipa.provide(other.data(ipa.poll(), EIM_ID)), Refused)
    assert rspd.database.fingerprint() == before


def test_another_eum_is_refused(ipa):
    assert ipa.poll(eid="89049033" + "0" * 24) == 2


# ---- who is not served -----------------------------------------------------------------------------


def test_a_denied_euicc(rspd, desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    entry = rspd.ask("deny add", kind="eid", eids=card.eid, why="test")["id"]
    wait_for(lambda: ipa.poll() == 2, "the entry")
    refused = ipa.provide(card.load_package(handed))
    assert refused == Refused(2 if ipa.form == "asn1" else ("8.1.1", "3.9"))
    assert desk.state(number) == "out"
    rspd.ask("deny remove", id=entry)
    wait_for(lambda: ipa.poll() == handed, "its end")


def test_a_tight_loop_is_told_to_slow_down(make_rspd, eim_options, iot_card):
    daemon = make_rspd(**eim_options(polls_per_minute=5))
    desk = EimDesk(daemon.database)
    card, other = desk.ready(iot_card()), desk.ready(iot_card())
    ipa = Ipa(card, daemon.client())
    body = der.tlv(0xBF4F, der.tlv(0x5A, bytes.fromhex(card.eid)))
    statuses = [ipa.post_asn1(body).status for _ in range(10)]
    assert statuses[:5] == [200] * 5 and 503 in statuses
    answer = ipa.post_asn1(body)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 30
    assert Ipa(other, daemon.client()).poll() == 1
    counters = daemon.ctl("stats")
    assert "eim_slowed_down" in str(counters)


def test_who_has_something_to_do_may_go_fast(make_rspd, eim_options, iot_card):
    daemon = make_rspd(**eim_options(polls_per_minute=3))
    desk = EimDesk(daemon.database)
    card = desk.ready(iot_card())
    numbers = [desk.want(card, psmos(want.GET_RAT)) for _ in range(12)]
    Ipa(card, daemon.client()).run()
    assert {desk.state(n) for n in numbers} == {"done"}


# ---- a listener of its own -------------------------------------------------------------------------


def test_a_listener_for_ipas_alone(make_rspd, eim_options, iot_card, site):
    port = free_port()
    ipas = {
        "role": "esipa",
        "address": "127.0.0.1",
        "port": port,
        "names": NAMES["nist"],
        "certificate": site.folder / "nist-tls.pem",
        "key": site.folder / "nist-tls.key",
    }
    options = eim_options()
    del options["listener nist"]
    daemon = make_rspd(**options, **{"listener ipas": ipas})
    desk = EimDesk(daemon.database)
    card = desk.ready(iot_card())
    client = Client(NAMES["nist"], port, site.trees["nist"].ci.pem)
    ipa = Ipa(card, client)
    assert ipa.poll() == 1
    # Neither interface is served at the other's listener.
    assert client.request("/gsma/rsp2/es9plus/initiateAuthentication", b"{}").status == 404
    away = Ipa(card, daemon.client())
    assert away.post_asn1(der.tlv(0xBF4F)).status == 400
    assert away.post_json("getEimPackage", {}).status == 404
    client.close()


def test_no_eim_no_listener_for_ipas(make_rspd, eim_options):
    options = eim_options()
    del options["eim"]
    daemon = make_rspd(start=False, **options)
    run = daemon.once("--check", check=False)
    assert run.returncode != 0 and "add a section [eim]" in run.stderr


@pytest.mark.parametrize(
    "change,said",
    [
        (dict(id_type="name"), "id_type must be oid, fqdn or proprietary"),
        (dict(euicc_admission="all"), "euicc_admission must be known or eum"),
        (dict(eum_ranges="89xx"), "eum_ranges must be digits"),
        (dict(certificate="/nowhere.pem"), "/nowhere.pem: does not exist"),
    ],
)
def test_a_wrong_configuration_is_named(make_rspd, eim_options, change, said):
    run = make_rspd(start=False, **eim_options(**change)).once("--check", check=False)
    assert run.returncode != 0 and said in run.stderr, run.stderr


def test_the_certificate_is_that_of_the_key(make_rspd, eim_options, site):
    other = site.trees["nist"].auth
    path = site.write("other-eim.pem", other.pem)
    run = make_rspd(start=False, **eim_options(certificate=path)).once("--check", check=False)
    assert "is not the private key of [eim] certificate" in run.stderr


# ---- HandleNotification ----------------------------------------------------------------------------


def handle(ipa, octets):
    """HandleNotification with a PendingNotification, as the form has it."""
    if ipa.form == "asn1":
        return ipa.post_asn1(der.tlv(0xBF3D, der.tlv(0xA0, octets)))
    return ipa.post_json("handleNotification", {"pendingNotification": b64(octets)})


def test_an_installation_is_handed_over_inside(rspd, card, ipa):
    order = rspd.desk.order()
    download = Download(card, rspd.client()).until_package(order.matching_id)
    answer = handle(ipa, download.install())
    assert (answer.status, answer.octets) == (204, b"")
    assert answer.headers["Content-Type"] is None
    assert order.state == "installed"
    moved = card.notification("enable", order.iccid, NAMES["nist"])
    assert handle(ipa, moved).status == 204
    assert rspd.database.value(
        f"select card_state from profile where iccid = '{order.iccid}'"
    ) == "enabled"


def test_notifications_with_a_result_reach_our_sm_dp(rspd, desk, card, ipa):
    order = rspd.desk.order()
    Download(card, rspd.client()).run(order.matching_id)
    desk.ready(card)
    card.eims[EIM_ID] = Association(card.eims[EIM_ID].public_key)
    card.notify("enable", order.iccid, NAMES["nist"].upper() + ":443")
    desk.want(card, psmos(want.GET_RAT))
    result = card.load_package(ipa.poll())
    both = der.tlv(0x30, result, der.tlv(0xA0, *card.notifications.values()))
    card.acknowledge(ipa.provide(both))
    wait_for(
        lambda: rspd.database.value(
            f"select card_state from profile where iccid = '{order.iccid}'"
        )
        == "enabled",
        "the notification to be handed over",
    )
    wait_for(
        lambda: rspd.database.value(
            f"select state from eim_notification where eid = '{card.eid}'"
        )
        == "forwarded",
        "the row to say so",
    )


def test_a_foreign_notification_of_an_euicc_of_ours_is_kept(rspd, desk, card, ipa):
    foreign = card.notification("enable", ONE, "smdp.example.net")
    assert handle(ipa, foreign).status == 204
    count = f"select count(*) from eim_notification where eid = '{card.eid}'"
    assert rspd.database.value(count) == 0  # nobody's relay
    desk.ready(card)
    for _ in range(2):
        assert handle(ipa, foreign).status == 204
    assert rspd.database.value(count) == 1


def test_a_result_may_come_as_a_notification(rspd, desk, card):
    desk.ready(card, counter=0)
    card.eims[EIM_ID] = Association(card.eims[EIM_ID].public_key)
    ipa = Ipa(card, rspd.client())
    for tag in (None, 0xA1):  # v1.2, and v1.0
        number = desk.want(card, psmos(want.GET_RAT))
        result = card.load_package(ipa.poll())
        inner = der.tlv(tag, result) if tag else der.tlv(0xBF50, result)
        answer = ipa.post_asn1(der.tlv(0xBF3D, inner))
        assert (answer.status, answer.octets) == (204, b"")
        assert desk.state(number) == "done"


def test_an_error_of_v1_0(rspd, desk, card):
    desk.ready(card)
    ipa = Ipa(card, rspd.client())
    number = desk.want(card, want.WANT_NOTIFICATIONS, kind="data", what="data")
    ipa.poll()
    eid = der.tlv(0x5A, bytes.fromhex(card.eid))
    answer = ipa.post_asn1(der.tlv(0xBF50, eid, der.integer(1)), **{"Content-Type": ASN1})
    assert answer.octets == EMPTY
    assert desk.state(number) == "failed" and desk.meaning(number)["code"] == 1


def test_a_whole_message_in_the_json_member(rspd, desk, card):
    desk.ready(card)
    card.eims[EIM_ID] = Association(card.eims[EIM_ID].public_key)
    number = desk.want(card, psmos(want.GET_RAT))
    ipa = Ipa(card, rspd.client(), "json")
    handed = ipa.poll()
    assert identifier(handed)
    eid = der.tlv(0x5A, bytes.fromhex(card.eid))
    assert ipa.provide(der.tlv(0xBF50, eid, card.load_package(handed)), eid=False)
    assert desk.state(number) == "done"
