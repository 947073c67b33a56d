"""The eIM: packages out, results in, over both forms of ESipa (SGP.32 §5.14.5, §5.14.6), and the rules of
RULES 5 that no race is needed for."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import der
import eim_desk as want
from eim_desk import EIM_ID, psmos
from harness import NAMES
from ipa import EMPTY, NO_PACKAGE, IotCard, Ipa, Refused, counter, forge, identifier
from pki import Tree

ONE, TWO = "8988000000000000011", "8988000000000000029"


@pytest.fixture(scope="module")
def rspd(rspd_module, eim_options):
    return rspd_module(**eim_options(polls_per_minute=0, handout_budget=2))


@pytest.fixture
def card(iot_card):
    return iot_card()


@pytest.fixture(params=["asn1", "json"])
def form(request):
    return request.param


@pytest.fixture
def ipa(rspd, card):
    return Ipa(card, rspd.client())


def test_a_package_goes_out_signed_and_its_result_is_believed(rspd, desk, card, form):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    listed = desk.want(card, psmos(want.LIST_PROFILES))
    switched = desk.want(card, psmos(want.enable(TWO)))
    Ipa(card, rspd.client(), form).run()
    assert card.enabled() == TWO and not card.results
    assert desk.state(listed) == desk.state(switched) == "done"
    believed = desk.profiles(card)
    assert (believed[ONE]["state"], believed[TWO]["state"]) == ("disabled", "enabled")
    assert believed[TWO]["evidence"] == "result"
    (event,) = desk.events(card, "profile.switched")
    assert (event["oldIccid"], event["newIccid"], event["cause"]) == (ONE, TWO, "package")
    assert desk.events(card, "package.done")[-1]["packageId"] == switched


def test_nothing_is_waiting(rspd, desk, card, ipa, form):
    desk.ready(card)
    assert Ipa(card, rspd.client(), form).poll() == 1
    raw = ipa.post_asn1(der.tlv(0xBF4F, der.tlv(0x5A, bytes.fromhex(card.eid))))
    assert raw.octets == NO_PACKAGE
    assert rspd.ask("stats")["refusals"]["esipa NO_PACKAGE"] >= 2
    assert raw.headers["Content-Type"] == "application/x-gsma-rsp-asn1"


def test_an_unknown_euicc_is_refused(rspd, card, form):
    ipa = Ipa(card, rspd.client(), form)
    before = rspd.database.fingerprint()
    assert ipa.poll() == 2
    refused = ipa.provide(card.unsigned_error(EIM_ID, None, b""))
    assert refused == Refused(2 if form == "asn1" else ("8.1.1", "3.9"))
    assert rspd.database.fingerprint() == before


@pytest.mark.parametrize("eid,code", [("", 3), ("89" * 15, 3), ("8A" * 16, 3)])
def test_an_eid_that_is_none(ipa, eid, code):
    answer = ipa.post_asn1(der.tlv(0xBF4F, der.tlv(0x5A, bytes.fromhex(eid))))
    assert answer.octets == bytes.fromhex(f"bf4f0302010{code}")


def test_a_missing_eid(ipa):
    assert ipa.post_asn1(der.tlv(0xBF4F)).octets == bytes.fromhex("bf4f03020104")
    answer = ipa.post_json("getEimPackage", {})
    assert answer.refusal == ("8.1.1", "2.2") and answer.body["eimPackageError"] == 4


def test_the_ipas_protocol_version_comes_back(rspd, ipa):
    for sent, answered in (("gsma/rsp/v1.3.0", "gsma/rsp/v1.3.0"), ("other", "gsma/rsp/v2.1.0")):
        answer = ipa.post_asn1(der.tlv(0xBF4F), **{"X-Admin-Protocol": sent})
        assert answer.headers.get_all("X-Admin-Protocol") == [answered]


def test_both_interfaces_share_a_listener(rspd, desk, card, ipa, lpa):
    desk.ready(card)
    assert ipa.poll() == 1
    lpa.initiate().must()
    assert ipa.client.name == NAMES["nist"]


# ---- RULES 5.1, 5.2 --------------------------------------------------------------------------------


def test_octets_never_change_once_they_are_out(desk, card, ipa):
    desk.ready(card)
    desk.want(card, psmos(want.GET_RAT))
    first = ipa.poll()
    desk.want(card, psmos(want.LIST_PROFILES), priority=9)
    assert ipa.poll() == ipa.poll() == first


def test_priorities_and_cancel_reorder_only_what_was_never_out(desk, card, ipa):
    desk.ready(card)
    low = desk.want(card, psmos(want.GET_RAT))
    high = desk.want(card, psmos(want.LIST_PROFILES), priority=5)
    handed = ipa.poll()
    assert desk.state(high) == "out" and desk.state(low) == "waiting"
    assert desk.run("eim_cancel", package_id=high, actor="test", why="")[0]["state"] == "out"
    assert desk.run("eim_cancel", package_id=low, actor="test", why="")[0]["state"] == "cancelled"
    ipa.provide(card.load_package(handed))
    assert ipa.poll() == 1
    assert "package.cancelled" in desk.events(card)


def test_each_package_has_a_counter_of_its_own(desk, card, ipa):
    desk.ready(card, counter=41)
    for _ in range(3):
        desk.want(card, psmos(want.GET_RAT))
    assert [counter(h) for h in ipa.run()] == [42, 43, 44]


def test_a_deadline_that_passed(rspd, desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, psmos(want.GET_RAT), deadline="2020-01-01")
    assert ipa.poll() == 1
    desk.run("eim_expire", most=10)
    assert desk.state(number) == "expired"


def test_what_is_never_answered_steps_aside(desk, card, ipa):
    desk.ready(card)
    lost = desk.want(card, psmos(want.GET_RAT))
    after = desk.want(card, psmos(want.LIST_PROFILES))
    package = ipa.poll()
    for _ in range(3):  # polls within an interval do not count
        assert ipa.poll() == package
    desk.pass_time(card)
    assert ipa.poll() == package
    desk.pass_time(card)
    results = ipa.poll()
    assert results[:2] == b"\xbf\x52" and der.read(results).get(0x5C).value == b"\xa2"
    assert desk.state(lost) == "unknown"
    assert desk.events(card, "package.unknown")[0]["packageId"] == lost
    ipa.provide(card.data(results, EIM_ID))
    ipa.run()
    assert desk.state(after) == "done" and desk.state(lost) == "unknown"
    # Only a signed result or an administrator closes it.
    assert desk.run("eim_close", package_id=lost, actor="test", why="")[0]["state"] == "failed"


def test_a_result_that_was_lost_is_fetched(desk, card, ipa):
    desk.ready(card)
    lost = desk.want(card, psmos(want.GET_RAT))
    card.load_package(ipa.poll())  # and its answer is lost
    for _ in range(2):
        desk.pass_time(card)
        results = ipa.poll()
    assert desk.state(lost) == "unknown"
    card.acknowledge(ipa.provide(card.data(results, EIM_ID)))
    assert desk.state(lost) == "done" and not card.results
    assert ipa.poll() == 1


# ---- RULES 5.3 -------------------------------------------------------------------------------------


def test_replay_error_of_what_was_handed_out_twice(desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    card.load_package(handed)
    assert ipa.poll() == handed
    assert ipa.provide(card.load_package(handed)) == []
    assert desk.state(number) == "unknown"
    kinds = [h[:2] for h in ipa.run()]
    assert kinds == [b"\xbf\x52", b"\xbf\x51"]  # stored results, then the profile list
    assert desk.state(number) == "done" and not card.results
    assert card.executed.count((EIM_ID, counter(handed))) == 1


def test_replay_error_of_what_was_handed_out_once(desk, card, ipa):
    desk.ready(card)
    card.eims[EIM_ID].counter = 100
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    assert ipa.provide(card.load_package(handed)) == []
    assert desk.state(number) == "failed"
    again = ipa.run()
    assert len(again) == 1 and counter(again[0]) == 258
    assert desk.state(desk.package(number)["retried_by"]) == "done"


# ---- RULES 5.4 -------------------------------------------------------------------------------------


def test_who_is_not_known_is_asked_first(rspd, desk, iot_card, form):
    card = iot_card(token=7)
    assert desk.add(card) == "added"
    number = desk.want(card, psmos(want.GET_RAT))
    ipa = Ipa(card, rspd.client(), form)
    facts = ipa.turn()
    assert der.read(facts, 0xBF52).get(0x5C).value == bytes.fromhex("bf20bf2284a5a6a8a9")
    known = desk.euicc(card)
    assert known["proven"] and known["candidate"] == 7 and known["features"] == 3
    assert known["token_standing"] == "unknown"
    probe, package = ipa.run()
    assert der.read(probe, 0xBF51).get(0x30, 0xA0).find(0xBF2D)  # tried with what nobody misses
    assert identifier(package) == bytes(desk.package(number)["eim_transaction_id"])
    assert desk.state(number) == "done"
    known = desk.euicc(card)
    assert (known["token"], known["token_standing"], known["candidate_state"]) == (7, "kept", None)


def test_a_stranger_names_a_token_and_nothing_is_lost(rspd, desk, iot_card):
    card = iot_card(token=7)
    assert desk.add(card) == "added"
    number = desk.want(card, psmos(want.GET_RAT))
    ipa = Ipa(card, rspd.client())
    facts = ipa.poll()
    forged = der.tlv(0x84, b"\x63") + der.tlv(0x87, identifier(facts))
    ipa.provide(der.tlv(0xBF52, der.tlv(0xA0, forged)))
    assert desk.euicc(card)["candidate"] == 99 and not desk.euicc(card)["proven"]
    assert ipa.poll() == 1  # nothing goes where no result can be verified, and it was asked just now
    rspd.database.rows(
        "update eim_package set state_since = now() - interval '2 minutes'"
        f" where eid = '{card.eid}' and state = 'done'"
    )
    ipa.run()
    assert desk.state(number) == "done"
    assert (desk.euicc(card)["token"], desk.euicc(card)["token_standing"]) == (7, "kept")


def test_a_token_that_is_wrong_is_tried_once(desk, iot_card, rspd):
    card = iot_card(token=9)
    desk.ready(card)
    refused = desk.want(card, psmos(want.GET_RAT))
    ipa = Ipa(card, rspd.client())
    assert ipa.provide(card.load_package(ipa.poll())) == []
    assert desk.state(refused) == "unknown" and desk.euicc(card)["candidate"] == 9
    ipa.run()
    assert desk.euicc(card)["token"] == 9 and desk.euicc(card)["token_standing"] == "kept"
    # A stranger who names another token again moves no token: it was tried, once.
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    forged = card.unsigned_error(
        EIM_ID, der.Node(der.tlv(0x82, identifier(handed))), der.integer(5, 0x84)
    )
    assert ipa.provide(forged) == []
    ipa.run()
    known = desk.euicc(card)
    assert (known["token"], known["token_standing"]) == (9, "kept")
    assert desk.state(number) == "unknown"
    last = desk.want(card, psmos(want.GET_RAT))
    for _ in range(8):
        desk.pass_time(card)
        ipa.turn()
    assert desk.state(last) == "done"


def test_the_token_of_another_eim_is_only_shown(desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, want.ecos(want.add_eim("other.example.com")))
    ipa.run()
    assert desk.meaning(number) == {
        "results": [{"command": "addEim", "code": 0, "associationToken": 1}]
    }
    assert desk.euicc(card)["token"] is None
    desk.want(card, want.ecos(want.LIST_EIM))
    ipa.run()
    names = [r["eim_id"] for r in desk.run("euicc_eims", eid=card.eid, most=10)]
    assert names == [EIM_ID, "other.example.com"]


def test_deleting_ourselves_closes_the_queue(desk, card, ipa):
    desk.ready(card)
    card.associate("other.example.com", ec.generate_private_key(ec.SECP256R1()).public_key())
    end = desk.want(card, want.ecos(want.delete_eim(EIM_ID)), barrier=True, farewell=True)
    behind = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    eim = card.eims[EIM_ID]
    card.acknowledge(ipa.provide(card.load_package(handed)))
    assert eim.counter == 1
    assert desk.state(end) == "done" and desk.state(behind) == "cancelled"
    assert desk.euicc(card)["closed_at"]
    assert ipa.poll() == 1
    assert desk.run(
        "eim_queue", eid=card.eid, kind="data", what="x", body=b"", priority=0, actor="t", why=""
    )[0]["closed"]


def test_an_update_of_ourselves_is_a_barrier(desk, card, ipa):
    desk.ready(card)
    update = desk.want(card, want.ecos(want.update_eim(EIM_ID, 5000)), barrier=True)
    behind = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    for _ in range(2):
        desk.pass_time(card)
        results = ipa.poll()
    assert desk.state(update) == "unknown"
    ipa.provide(card.data(results, EIM_ID))
    assert ipa.poll() == 1  # nothing passes it
    assert desk.state(behind) == "waiting"
    card.acknowledge(ipa.provide(card.load_package(handed)))
    assert desk.state(update) == "done"
    assert desk.euicc(card)["barrier"] is None


# ---- RULES 5.5 -------------------------------------------------------------------------------------


def test_a_state_change_is_asked_of_the_euicc(rspd, desk, card, form):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    ipa = Ipa(card, rspd.client(), form)
    desk.want(card, psmos(want.LIST_PROFILES))
    ipa.run()
    card.switch(card.profiles[TWO], True)
    first = ipa.poll(cause=1)
    assert desk.events(card, "profile.switched") == []
    ipa.provide(ipa.answer_to(first))
    ipa.run()
    (event,) = desk.events(card, "profile.switched")
    assert (event["oldIccid"], event["newIccid"], event["cause"]) == (ONE, TWO, "fallback")
    assert event["evidence"]
    assert desk.euicc(card)["last_cause"] == 1


def test_a_claimed_change_queues_no_more_than_once_a_minute(rspd, desk, card, ipa):
    desk.ready(card)
    for _ in range(5):
        ipa.poll(cause=3)
    count = f"select count(*) from eim_package where eid = '{card.eid}'"
    assert rspd.database.value(count) == 2
    ipa.run()
    ipa.poll(cause=3)
    assert rspd.database.value(count) == 2


def picture(rspd, card):
    """All that must not move by unsigned word."""
    return rspd.database.rows(
        f"select counter, token, token_standing, point, enabled from euicc where eid = '{card.eid}'"
        f" union all select null, null, iccid || state, null, null from euicc_profile"
        f" where eid = '{card.eid}' order by 3"
    )


def test_unsigned_input_moves_nothing(rspd, desk, card, ipa, site):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    desk.want(card, psmos(want.LIST_PROFILES))
    ipa.run()
    number = desk.want(card, psmos(want.disable(ONE)))
    handed = ipa.poll()
    before = picture(rspd, card)
    stranger = forge(
        IotCard(card.eid, site.trees["nist"]).associate(EIM_ID, card.eims[EIM_ID].public_key),
        Tree("nist"),
    )
    stranger.profile(ONE, enabled=True)
    assert ipa.provide(stranger.load_package(handed)) == []
    assert desk.raw(card) == ["wrong-signature"]
    assert ipa.provide(der.tlv(0xA0, der.tlv(0x80, identifier(handed)), der.integer(1))) == []
    assert picture(rspd, card) == before and desk.state(number) == "out"
    card.acknowledge(ipa.provide(card.load_package(handed)))
    assert desk.state(number) == "done"


def test_last_seen_is_written_once_a_minute(rspd, desk, card, ipa):
    desk.ready(card)
    ipa.poll()
    seen = desk.euicc(card)["last_seen"]
    ipa.poll()
    assert desk.euicc(card)["last_seen"] == seen
    assert desk.events(card, "euicc.seen") and len(desk.events(card, "euicc.seen")) == 1
    rspd.database.rows(
        f"update euicc set last_seen = last_seen - interval '2 minutes' where eid = '{card.eid}'"
    )
    ipa.poll()
    assert desk.euicc(card)["last_seen"] > seen
    assert len(desk.events(card, "euicc.seen")) == 1


# ---- RULES 5.6, 5.7 --------------------------------------------------------------------------------


def test_a_result_without_an_eid_is_found_by_its_id(desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, psmos(want.GET_RAT))
    result = card.load_package(ipa.poll())
    assert ipa.provide(result, eid=False) == list(card.results)
    assert desk.state(number) == "done"


def test_a_result_that_says_nothing_of_itself(desk, card, ipa):
    desk.ready(card)
    unsigned = card.unsigned_error(EIM_ID, None, b"")
    assert ipa.provide(unsigned, eid=False) == Refused(4)


def test_data_without_eid_and_id_are_found_by_certificate(rspd, desk, card, ipa):
    assert desk.add(card) == "added"
    desk.want(card, psmos(want.GET_RAT))
    data = der.read(card.data(ipa.poll(), EIM_ID), 0xBF52).get(0xA0)
    bare = b"".join(n.octets for n in data.children if n.tag != 0x87)
    assert ipa.provide(der.tlv(0xBF52, der.tlv(0xA0, bare)), eid=False) == []
    assert desk.euicc(card)["proven"] and desk.euicc(card)["learnt_at"]


def test_a_result_of_another_euicc(rspd, desk, iot_card, ipa, card):
    desk.ready(card)
    other = desk.ready(iot_card())
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipa.poll()
    theirs = Ipa(other, rspd.client())
    assert theirs.provide(card.load_package(handed)) == []
    assert desk.state(number) == "out" and desk.raw(other) == ["wrong-signature"]


def test_a_result_that_comes_twice_is_acknowledged_twice(desk, card, ipa):
    desk.ready(card)
    desk.want(card, psmos(want.GET_RAT))
    result = card.load_package(ipa.poll())
    first = ipa.provide(result)
    assert first == list(card.results)
    events = desk.events(card)
    assert ipa.provide(result) == first
    assert desk.events(card) == events


def test_rollback_has_the_last_word(desk, card, ipa):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    desk.want(card, psmos(want.LIST_PROFILES))
    ipa.run()
    number = desk.want(card, psmos(want.enable(TWO, rollback=True)))
    assert ipa.provide(card.load_package(ipa.poll()))
    assert desk.euicc(card)["enabled"] == TWO
    card.acknowledge(ipa.provide(card.roll_back()))
    first, second = desk.events(card, "profile.switched")
    assert (second["oldIccid"], second["newIccid"], second["cause"]) == (TWO, ONE, "rollback")
    assert first["evidence"] != second["evidence"]
    assert desk.state(number) == "failed" and desk.package(number)["rolled_back"]
    ipa.run()
    assert desk.euicc(card)["enabled"] == ONE == card.enabled()
    assert len(desk.events(card, "profile.switched")) == 2


def test_a_rollback_of_which_the_first_result_was_lost(desk, card, ipa):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    desk.want(card, psmos(want.LIST_PROFILES))
    ipa.run()
    number = desk.want(card, psmos(want.enable(TWO, rollback=True)))
    card.load_package(ipa.poll())
    card.acknowledge(ipa.provide(card.roll_back()))
    assert desk.state(number) == "failed"
    ipa.run()
    assert desk.events(card, "profile.switched") == [] and desk.euicc(card)["enabled"] == ONE


def test_a_second_result_without_rollback_changes_nothing(rspd, desk, card, ipa):
    desk.ready(card)
    card.profile(ONE)
    desk.want(card, psmos(want.enable(ONE)))
    ipa.provide(card.load_package(ipa.poll()))
    eim, head, _, signature = card.last
    other = card.finish(eim, head, [der.integer(1, 0x83)], signature, sequence=77)
    believed = desk.profiles(card)
    assert ipa.provide(other) == [77]
    assert desk.profiles(card) == believed


# ---- versions and curves ---------------------------------------------------------------------------


def test_a_card_of_v1_0_signs_over_the_packages_signature(desk, iot_card, rspd):
    card = iot_card(version="1.0.1")
    desk.ready(card)
    numbers = [desk.want(card, psmos(want.GET_RAT)) for _ in range(2)]
    Ipa(card, rspd.client()).run()
    assert [desk.state(n) for n in numbers] == ["done", "done"]
    assert desk.euicc(card)["signature_form"] == "signature"


def test_a_card_on_brainpool(desk, iot_card, rspd):
    card = iot_card(tree="brainpool")
    desk.ready(card)
    number = desk.want(card, psmos(want.GET_RAT))
    Ipa(card, rspd.client()).run()
    assert desk.state(number) == "done"


def test_several_commands_in_one_package(desk, card, ipa):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.profile(TWO)
    number = desk.want(
        card, psmos(want.enable(TWO), want.delete(ONE), want.set_fallback(TWO), want.delete(ONE))
    )
    ipa.run()
    codes = [r["code"] for r in desk.meaning(number)["results"]]
    assert codes == [0, 0, 0, 1] and desk.state(number) == "failed"
    believed = desk.profiles(card)
    assert believed[TWO]["fallback"] and believed[TWO]["state"] == "enabled"
    assert ONE not in believed or believed[ONE]["state"] == "deleted"


def test_an_emergency_call_is_tried_again_later(rspd, desk, card, ipa):
    desk.ready(card)
    card.ecall = True
    number = desk.want(card, psmos(want.GET_RAT))
    ipa.run()
    assert desk.state(number) == "failed"
    card.ecall = False
    again = desk.package(number)["retried_by"]
    assert ipa.poll() == 1
    rspd.database.rows(f"update eim_package set not_before = now() where id = {again}")
    ipa.run()
    assert desk.state(again) == "done"


# ---- triggers, notifications -----------------------------------------------------------------------


def test_a_download_is_triggered(desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, want.download("1$smdp.example.net$CODE"), kind="trigger")
    handed = ipa.poll()
    assert der.read(handed, 0xBF54).get(0xA0, 0x80).value == b"1$smdp.example.net$CODE"
    result = der.tlv(0xBF54, der.tlv(0x82, identifier(handed)), card.installation(ONE))
    assert ipa.provide(result) == []
    assert desk.state(number) == "done" and desk.meaning(number) == {"installed": ONE}
    assert desk.profiles(card)[ONE]["evidence"] == "installation"


def test_a_trigger_that_failed(desk, card, ipa):
    desk.ready(card)
    numbers = [
        desk.want(card, want.download("1$smdp.example.net$CODE"), kind="trigger") for _ in range(2)
    ]
    handed = ipa.poll()
    error = der.tlv(0x30, der.integer(127, 0x80))
    ipa.provide(der.tlv(0xBF54, der.tlv(0x82, identifier(handed)), error))
    assert desk.meaning(numbers[0]) == {"error": "refused-unsigned", "code": 127}
    handed = ipa.poll()
    bad = card.installation(ONE, error=10)
    ipa.provide(der.tlv(0xBF54, der.tlv(0x82, identifier(handed)), bad))
    assert desk.meaning(numbers[1])["reason"] == 10 and desk.state(numbers[1]) == "failed"


def test_an_installation_that_is_not_signed_by_the_euicc(desk, card, ipa, site):
    desk.ready(card)
    number = desk.want(card, want.download("1$smdp.example.net$CODE"), kind="trigger")
    handed = ipa.poll()
    stranger = forge(IotCard(card.eid, site.trees["nist"]), Tree("nist"))
    forged = der.tlv(0xBF54, der.tlv(0x82, identifier(handed)), stranger.installation(ONE))
    assert ipa.provide(forged) == []
    assert desk.state(number) == "out" and not desk.profiles(card)


def test_an_activation_code_of_ours_is_bound_before_it_goes_out(rspd, desk, card, ipa):
    desk.ready(card)
    order = rspd.desk.order()
    code = f"1${NAMES['nist'].upper()}${order.matching_id}"
    desk.want(card, want.download(code), kind="trigger")
    assert order.show().get("eid") is None
    ipa.poll()
    assert order.show()["eid"] == card.eid


def test_notifications_are_acknowledged_exactly(rspd, desk, card, ipa, form):
    desk.ready(card)
    card.profile(ONE, enabled=True)
    card.notify("enable", ONE, "smdp.example.net")
    number = desk.want(card, psmos(want.GET_RAT))
    ipa = Ipa(card, rspd.client(), form)
    result = card.load_package(ipa.poll())
    both = der.tlv(0x30, result, der.tlv(0xA0, *card.notifications.values()))
    expected = list(card.results) + list(card.notifications)
    assert ipa.provide(both) == expected
    assert desk.state(number) == "done"
    kept = rspd.database.rows(
        f"select address, state from eim_notification where eid = '{card.eid}'"
    )
    assert kept == [("smdp.example.net", "waiting")]


def test_a_notification_that_does_not_verify_is_not_acknowledged(rspd, desk, card, ipa, site):
    desk.ready(card)
    stranger = forge(IotCard(card.eid, site.trees["nist"]), Tree("nist"))
    forged = stranger.notification("enable", ONE, "smdp.example.net", sequence=50)
    desk.want(card, psmos(want.GET_RAT))
    result = card.load_package(ipa.poll())
    assert ipa.provide(der.tlv(0x30, result, der.tlv(0xA0, forged))) == list(card.results)
    assert not rspd.database.rows(f"select 1 from eim_notification where eid = '{card.eid}'")


def test_data_without_notifications_acknowledge_nothing(desk, card, ipa):
    desk.ready(card)
    number = desk.want(card, want.WANT_NOTIFICATIONS, kind="data", what="data")
    handed = ipa.poll()
    assert ipa.provide(card.data(handed, EIM_ID)) == []
    assert desk.state(number) == "done"


def test_garbage_is_answered_empty(rspd, desk, card, ipa):
    desk.ready(card)
    for octets in (b"\x30\x03\x02\x01\x05", b"\x04\x00", b"\xbf\x51\x00", b"\xbf\x54\x00"):
        answer = ipa.post_asn1(der.tlv(0xBF50, der.tlv(0x5A, bytes.fromhex(card.eid)), octets))
        assert answer.octets == EMPTY, octets
    assert ipa.post_asn1(b"\xbf\x4f\x05").status == 400
    assert ipa.post_asn1(b"\xbf\x4e\x00").status == 400
    assert ipa.post_json("getEimPackage", b"{").status == 400
    assert ipa.post_json("noSuchFunction", {}).status == 404
