"""What races in the eIM, with two instances of rspd on one database (RULES 5): one package out at a time, each
counter once, each package executed at most once; many devices at once, results that come twice at once."""

import concurrent.futures

import pytest

import der
import eim_desk as want
from checker import check_eim
from eim_desk import EIM_ID, EimDesk, psmos
from ipa import Ipa, counter

ONE, TWO = "8988000000000000011", "8988000000000000029"


@pytest.fixture(scope="module")
def rspd(rspd_module, eim_options):
    return rspd_module(**eim_options(polls_per_minute=0, handout_budget=3))


@pytest.fixture(scope="module")
def both(rspd, rspd_module, eim_options):
    options = eim_options(polls_per_minute=0, handout_budget=3)
    return rspd, rspd_module(database=rspd.database, **options)


def at_once(jobs):
    """All of them at the same time; their results in order."""
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return [f.result() for f in [pool.submit(job) for job in jobs]]


def ipas(card, both, count):
    return [Ipa(card, both[i % 2].client(), "asn1" if i % 3 else "json") for i in range(count)]


def test_one_package_at_a_time_whoever_asks(desk, iot_card, both):
    for _ in range(10):
        card = desk.ready(iot_card())
        for _ in range(4):
            desk.want(card, psmos(want.GET_RAT))
        handed = at_once([ipa.poll for ipa in ipas(card, both, 6)])
        assert len(set(handed)) == 1, "two packages are out"
        assert counter(handed[0]) == 1
        out = [p for p in desk.run("eim_packages", eid=card.eid, most=10) if p["state"] == "out"]
        assert len(out) == 1


def test_each_package_is_executed_once_and_each_result_taken_once(desk, iot_card, both):
    cards = [desk.ready(iot_card()) for _ in range(4)]
    for card in cards:
        card.profile(ONE, enabled=True)
        card.profile(TWO)
        desk.want(card, psmos(want.LIST_PROFILES))
        for n in range(6):
            desk.want(card, psmos(want.enable(TWO if n % 2 == 0 else ONE)))

    def drive(card):
        mine = ipas(card, both, 2)
        for turn in range(30):
            handed = mine[turn % 2].poll()
            if not isinstance(handed, bytes):
                return
            result = mine[0].answer_to(handed)
            first, second = at_once([lambda ipa=i: ipa.provide(result) for i in mine])
            assert first == second
            card.acknowledge(first)

    at_once([lambda c=card: drive(c) for card in cards])
    for card in cards:
        assert desk.euicc(card)["enabled"] == card.enabled() == ONE
        assert len(desk.events(card, "profile.switched")) == 6
        assert len(desk.events(card, "package.done")) == 7
    assert check_eim(desk.database, cards) == []


def test_cancel_and_poll(desk, iot_card, both):
    for _ in range(20):
        card = desk.ready(iot_card())
        number = desk.want(card, psmos(want.GET_RAT))

        def cancel(number=number):
            return desk.run("eim_cancel", package_id=number, actor="test", why="")[0]["state"]

        state, handed = at_once([cancel, Ipa(card, both[1].client()).poll])
        assert (state == "cancelled") == (handed == 1), (state, handed)


def test_step_aside_is_told_once(desk, iot_card, both):
    card = desk.ready(iot_card())
    number = desk.want(card, psmos(want.GET_RAT))
    ipas(card, both, 1)[0].poll()
    for _ in range(4):
        desk.pass_time(card)
        at_once([ipa.poll for ipa in ipas(card, both, 4)])
    assert desk.state(number) == "unknown"
    assert len(desk.events(card, "package.unknown")) == 1


def test_many_polls_share_a_statement(desk, iot_card, both):
    cards = [desk.ready(iot_card()) for _ in range(24)]
    strangers = [iot_card() for _ in range(8)]
    waiting = [desk.want(card, psmos(want.GET_RAT)) for card in cards[::3]]
    polls = [
        Ipa(card, both[i % 2].client(), ("asn1", "json")[i % 2]).poll
        for i, card in enumerate(cards + strangers)
    ]
    handed = at_once(polls)
    assert sum(isinstance(h, bytes) for h in handed) == len(waiting)
    assert handed[len(cards) :] == [2] * len(strangers)
    for card in cards:
        assert len(desk.events(card, "euicc.seen")) == 1


def test_a_device_that_claims_changes_at_two_instances(desk, iot_card, both):
    card = desk.ready(iot_card())
    at_once([lambda ipa=i: ipa.poll(cause=1) for i in ipas(card, both, 6)])
    wanted = [p["what"] for p in desk.run("eim_packages", eid=card.eid, most=50)]
    assert sorted(wanted) == ["list-profiles", "notifications"]


def test_unsigned_errors_at_once(desk, iot_card, both):
    card = desk.ready(iot_card())
    number = desk.want(card, psmos(want.GET_RAT))
    handed = ipas(card, both, 1)[0].poll()
    identity = der.read(handed, 0xBF51).get(0x30, 0x82)
    error = card.unsigned_error(EIM_ID, identity, der.integer(77, 0x84))
    at_once([lambda ipa=i: ipa.provide(error) for i in ipas(card, both, 6)])
    assert desk.state(number) == "unknown"
    assert len(desk.events(card, "package.unknown")) == 1
    wanted = [p["what"] for p in desk.run("eim_packages", eid=card.eid, most=50)]
    assert sorted(wanted) == ["list-profiles", "results", "test"]


def test_an_instance_is_killed_while_devices_work(rspd, make_rspd, eim_options, iot_card):
    options = eim_options(polls_per_minute=0, handout_budget=3)
    first, second = make_rspd(**options), None
    second = make_rspd(database=first.database, **options)
    desk = EimDesk(first.database)
    cards = [desk.ready(iot_card()) for _ in range(4)]
    for card in cards:
        for _ in range(5):
            desk.want(card, psmos(want.GET_RAT))

    def drive(card):
        near, far = Ipa(card, first.client()), Ipa(card, second.client())
        for turn in range(60):
            if turn == 3 and card is cards[0]:
                first.kill()
            for ipa in (near, far):
                try:
                    handed = ipa.turn()
                except OSError:
                    continue
                if handed == 1:
                    return

    at_once([lambda c=card: drive(c) for card in cards])
    first.clients.clear()
    for card in cards:
        Ipa(card, second.client()).run()
        states = {p["state"] for p in desk.run("eim_packages", eid=card.eid, most=50)}
        assert states == {"done"}, states
        assert len(card.executed) == len(set(card.executed)) == 5
    assert check_eim(first.database, cards) == []
