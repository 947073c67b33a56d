"""Orders and profiles where the standard is silent: the table of RULES 2 row by row, with the races
on two daemons of one database. What belongs to one ES9+ function alone is told in its own file."""

import threading

import pytest

from harness import wait_for


def at_once(*works):
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


def error_code(answer):
    assert "error" in answer, answer
    assert answer["error"]["message"] and answer["error"]["advice"]
    return answer["error"]["code"]


# ---- the way to Released -------------------------------------------------------------------------


def test_an_order_goes_by_allocated_and_confirmed_to_released(order):
    o = order(confirm=False)
    assert o.state == "allocated"
    o.confirm()
    assert o.state == "confirmed"
    o.release()
    assert o.state == "released"


def test_an_order_with_an_eid_is_linked(order, card):
    o = order(eid=card.eid, confirm=False)
    assert (o.state, o.show()["eid"]) == ("linked", card.eid)


def test_an_eid_may_be_given_when_confirming(order, card):
    o = order(confirm=False)
    o.confirm(eid=card.eid, release=True)
    assert (o.state, o.show()["eid"]) == ("released", card.eid)


def test_confirming_with_another_eid_is_refused(rspd, order, make_card):
    o = order(eid=make_card().eid, confirm=False)
    error_code(rspd.ask_any("order confirm", iccid=o.iccid, eid=make_card().eid))
    assert o.state == "linked"


def test_the_empty_matching_id_needs_an_eid(rspd, order):
    o = order(confirm=False)
    error_code(rspd.ask_any("order confirm", iccid=o.iccid, matchingId=""))
    assert o.state == "allocated"


def test_a_matching_id_in_use_is_refused(rspd, order):
    first, second = order(), order(confirm=False)
    error_code(
        rspd.ask_any("order confirm", iccid=second.iccid, matchingId=first.matching_id)
    )
    assert second.state == "allocated"


def test_matching_ids_of_our_own_are_long_and_fit_a_qr_code(order):
    ids = {order().matching_id for _ in range(20)}
    assert len(ids) == 20
    for i in ids:
        assert len(i.replace("-", "")) >= 20
        assert set(i) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-")


def test_a_profile_is_ordered_once(rspd, order):
    o = order()
    error_code(rspd.ask_any("order create", iccid=o.iccid))
    assert o.state == "released"


def test_an_order_by_type_takes_what_is_in_stock(rspd):
    rspd.desk.make_type("by-type")
    stock = {rspd.desk.load({"type": "by-type"}) for _ in range(2)}
    taken = {rspd.ask("order create", type="by-type")["iccid"] for _ in range(2)}
    assert taken == stock
    error_code(rspd.ask_any("order create", type="by-type"))


def test_two_daemons_never_sell_one_profile_twice(twins):
    name = "sold-in-parallel"
    twins[0].desk.make_type(name)
    stock = {twins[0].desk.load({"type": name}) for _ in range(8)}
    answers = at_once(
        *(lambda d=twins[i % 2]: d.ask_any("order create", type=name) for i in range(12))
    )
    sold = [a["ok"]["iccid"] for a in answers if "ok" in a]
    assert sorted(sold) == sorted(stock)


# ---- CancelOrder against the download ------------------------------------------------------------


def test_cancel_before_anything_went_out_gives_the_profile_back(session, make_card, order, rspd):
    o = order()
    assert "ok" in o.cancel("available")
    assert o.show()["state"] == "available"
    again = rspd.desk.order(iccid=o.iccid)
    assert session(make_card()).run(again.matching_id).iccid == o.iccid


def test_cancel_to_unavailable_is_for_good(rspd, order):
    o = order()
    assert "ok" in o.cancel("unavailable")
    error_code(rspd.ask_any("order create", iccid=o.iccid))


def test_cancel_after_a_package_went_out_is_only_forced_and_to_unavailable(session, card, order):
    """Else one IMSI may live on two cards."""
    o = order()
    lpa = session(card).until_package(o.matching_id)
    error_code(o.cancel("available"))
    error_code(o.cancel("unavailable"))
    error_code(o.cancel("available", force=True))
    assert o.state == "downloaded"
    assert "ok" in o.cancel("unavailable", force=True)
    assert o.show()["state"] == "unavailable"
    assert lpa.get_package().refusal


def test_cancel_after_postponing_a_package_is_only_to_unavailable(session, card, order):
    """The order is Released again, but no signed failure came back."""
    o = order()
    session(card).until_package(o.matching_id).cancel("postponed").must()
    assert o.state == "released"
    error_code(o.cancel("available"))
    assert "ok" in o.cancel("unavailable")


def test_cancel_after_a_signed_failure_may_give_the_profile_back(session, card, order):
    o = order()
    lpa = session(card).until_package(o.matching_id)
    assert lpa.notify(lpa.result("peProcessingError")).status == 204
    assert o.state == "error"
    assert "ok" in o.cancel("available")


def test_cancel_of_what_is_installed_is_refused(session, card, order):
    o = order()
    session(card).run(o.matching_id)
    for final in ("available", "unavailable"):
        error_code(o.cancel(final))
        error_code(o.cancel(final, force=True))
    assert o.state == "installed"


def test_cancel_and_get_package_at_the_same_moment(twins, session, make_card):
    """Either the package leaves and the cancel is refused, or the other way round: never both."""
    first, second = twins
    outcomes = set()
    for _ in range(6):
        o = first.desk.order()
        lpa = session(make_card(), daemon=second).until_authenticated(o.matching_id)
        answer, cancelled = at_once(lpa.get_package, lambda o=o: o.cancel("available"))
        assert answer.ok != ("ok" in cancelled), (answer, cancelled)
        if not answer.ok:
            assert answer.refusal == ("8.8.5", "4.10")
        assert o.show()["state"] == ("downloaded" if answer.ok else "available")
        outcomes.add(answer.ok)
    assert outcomes


# ---- Installed always wins -----------------------------------------------------------------------


def spoil_by_cancel(o, lpa):
    assert "ok" in o.cancel("unavailable", force=True)


def spoil_by_error(o, lpa):
    lpa.cancel("loadBppExecutionError").must()


def spoil_by_reset(o, lpa):
    assert "ok" in o.reset()


@pytest.mark.parametrize("spoil", [spoil_by_cancel, spoil_by_error, spoil_by_reset])
def test_installed_wins_whatever_the_order_has_become(rspd, session, card, order, spoil):
    o = order()
    lpa = session(card).until_package(o.matching_id)
    spoil(o, lpa)
    assert lpa.notify(lpa.install()).status == 204
    assert rspd.ask("profile show", iccid=o.iccid)["state"] == "installed"


@pytest.mark.parametrize("error", ["interruption", "peProcessingError"])
def test_a_late_failure_of_the_older_package_says_nothing_of_the_newer(
    session, card, order, error
):
    """The newer package may be on the card: only its own failure gives the profile back."""
    o = order()
    old = session(card).until_package(o.matching_id)
    new = session(card).until_package(o.matching_id)
    assert new.notify(old.result(error)).status == 204
    assert o.state == "downloaded"
    new.cancel("postponed").must()
    error_code(o.cancel("available"))
    assert new.notify(new.result(error)).status == 204
    assert "ok" in o.cancel("available")
    assert o.show()["state"] == "available"


def test_a_failure_told_after_the_session_was_given_up_frees_the_profile(session, card, order):
    o = order()
    lpa = session(card).until_package(o.matching_id)
    lpa.cancel("loadBppExecutionError").must()
    error_code(o.cancel("available"))
    assert lpa.notify(lpa.result("peProcessingError")).status == 204
    assert "ok" in o.cancel("available")
    assert o.show()["state"] == "available"


def test_a_profile_that_was_sold_again_freezes_the_newer_order(rspd, session, make_card, order):
    """Two sessions of one card: the second fails, the profile is sold again, and only then the card
    tells that the first one had succeeded."""
    o, card = order(), make_card()
    first = session(card).until_package(o.matching_id)
    second = session(card).until_package(o.matching_id)
    success = first.install()
    assert first.notify(second.result("peProcessingError")).status == 204
    assert "ok" in o.cancel("available")
    newer = rspd.desk.order(iccid=o.iccid)
    assert first.notify(success).status == 204
    assert rspd.ask("profile show", iccid=o.iccid)["state"] == "installed"
    events = rspd.ask("event list", iccid=o.iccid)["events"]
    assert "alert.profile-conflict" in [e["type"] for e in events]
    # Who got the alert finds the order that it names, from either side.
    frozen = [e["data"] for e in events if e["type"] == "alert.profile-conflict"][0]["frozenOrderId"]
    holder = newer.show()["id"]
    assert newer.show()["frozenOrders"] == [frozen] and "heldBy" not in newer.show()
    shown = rspd.ask("order show", id=frozen)
    assert (shown["id"], shown["iccid"], shown["frozen"]) == (frozen, o.iccid, True)
    assert shown["heldBy"] == holder and "frozenOrders" not in shown
    assert rspd.ask("order show", id=frozen, iccid=o.iccid) == shown
    assert rspd.ctl("order", "show", "--id", frozen) == shown
    buyer = session(make_card())
    buyer.initiate().must()
    assert buyer.authenticate(newer.matching_id).refusal
    # Nobody can use the frozen order: its MatchingID is free for the one that takes its place.
    third = rspd.desk.order(matching_id=newer.matching_id)
    session(make_card()).run(newer.matching_id)
    assert third.state == "installed"
    # And the operator ends it; the profile stays where it is.
    error_code(newer.cancel("available"))
    assert "ok" in newer.cancel("unavailable")
    assert "frozenOrders" not in newer.show()
    assert rspd.ask("profile show", iccid=o.iccid)["state"] == "installed"


def test_an_order_is_shown_only_by_a_number_that_fits(rspd, order):
    one, other = order(), order()
    number = one.show()["id"]
    assert rspd.ask("order show", id=number)["iccid"] == one.iccid
    assert error_code(rspd.ask_any("order show", id=number, iccid=other.iccid)) == "not-ordered"
    assert error_code(rspd.ask_any("order show", id=999999999)) == "not-ordered"
    wrong = rspd.ask_any("order show")
    assert wrong["error"]["message"] == "order show needs iccid or id"


# ---- reset ---------------------------------------------------------------------------------------


def test_reset_gives_another_chance(session, card, order):
    o = order()
    lpa = session(card).until_package(o.matching_id)
    assert "ok" in o.reset()
    assert (o.state, o.show()["downloadAttempts"]) == ("released", 0)
    lpa.get_package()  # of the old session: whatever it gets, the order is sound
    session(card).run(o.matching_id)
    assert o.state == "installed"


def counters(o):
    shown = o.show()
    return shown["downloadAttempts"], shown["confirmationCodeAttempts"]


def test_each_reset_sets_the_counters_to_zero(session, card, order):
    o = order(cc="12345678")
    for _ in range(2):
        session(card).until_package(o.matching_id, "12345678")
        assert "ok" in o.reset()
        assert counters(o) == (0, 0)
        session(card).until_authenticated(o.matching_id).get_package("0000")
        assert counters(o) == (1, 1)


def test_a_reset_is_no_repetition_once_a_session_was_counted(session, card, order):
    """No success is told while the counters stand where they stood."""
    o = order(cc="12345678")
    session(card).until_package(o.matching_id, "12345678")
    for _ in range(2):
        assert "ok" in o.reset()
    session(card).until_authenticated(o.matching_id).get_package("0000")
    error_code(o.reset())
    assert counters(o) == (1, 1)


def test_a_release_is_a_repetition_though_a_session_was_counted(session, card, order):
    o = order(release=False)
    first = o.release()
    session(card).until_authenticated(o.matching_id)
    assert o.release() == first
    assert o.state == "released"


def test_reset_of_what_is_installed_is_refused(session, card, order):
    o = order()
    session(card).run(o.matching_id)
    error_code(o.reset())
    assert o.state == "installed"


# ---- lifetime ------------------------------------------------------------------------------------


def test_an_order_expires_by_timer_but_never_when_downloaded(rspd, session, card, order):
    waiting, loaded = order(), order()
    session(card).until_package(loaded.matching_id)
    rspd.database.rows(
        "update download_order set expires_at = now() - interval '1 second'"
        f" where iccid in ('{waiting.iccid}', '{loaded.iccid}')"
    )
    wait_for(lambda: waiting.show()["state"] == "error", "the timer", patience=90)
    assert loaded.state == "downloaded"


def test_orders_get_the_configured_lifetime(rspd, make_rspd):
    daemon = make_rspd(database=rspd.database, dp={"order_lifetime_days": 3})
    o = daemon.desk.order()
    days = daemon.database.value(
        "select round(extract(epoch from expires_at - now()) / 86400) from download_order"
        f" where iccid = '{o.iccid}'"
    )
    assert days == 3


# ---- import --------------------------------------------------------------------------------------


def test_a_known_iccid_is_refused_or_rewritten(rspd, session, card):
    path, iccid = rspd.desk.write_profile()
    _, other = rspd.desk.write_profile()
    assert "ok" in rspd.desk.offer(path)
    answer = rspd.desk.offer(path)
    error_code(answer)
    assert "iccid" in answer["error"]["advice"]
    assert "ok" in rspd.desk.offer(path, iccid=other)
    lpa = session(card).run(rspd.desk.order(iccid=other).matching_id)
    assert lpa.iccid == other
    assert lpa.package.upp.count(bytes.fromhex(other)) == 1  # header
    assert len(lpa.package.upp) == path.stat().st_size


def test_low_stock_is_seen_when_a_mark_is_set(rspd):
    def low():
        listed = {t["name"]: t["low"] for t in rspd.ask("profile-type list")["types"] if "low" in t}
        assert rspd.ask("profile-type show", name="marked")["low"] is listed["marked"]
        return listed["marked"]

    def alerts():
        return [data for (data,) in rspd.database.rows(
            "select data from outbox where type = 'alert.stock-low' and data->>'profileType' = 'marked' order by seq")]

    rspd.ask("profile-type create", name="marked", lowWater=2)
    assert low()
    for _ in range(3):
        rspd.desk.load(args={"type": "marked"})
    assert not low() and alerts() == []
    for _ in range(2):  # the second changes nothing
        rspd.ask("profile-type set", name="marked", lowWater=5)
        assert low() and alerts() == [{"profileType": "marked", "stock": 3, "lowWater": 5}]
    rspd.ask("order create", type="marked")
    assert low() and len(alerts()) == 1  # that has been said
    rspd.ask("profile-type set", name="marked", lowWater=1)
    assert not low() and len(alerts()) == 1


def test_the_class_follows_the_test_key(rspd, session, make_card):
    own_key = bytes(range(16, 32))
    test, real = rspd.desk.load(), rspd.desk.load(k=own_key)
    classes = []
    for iccid in (test, real):
        lpa = session(make_card()).until_authenticated(rspd.desk.order(iccid=iccid).matching_id)
        classes.append(lpa.metadata.find(0x95))
    assert classes[0].value == b"\x00"
    assert classes[1] is None  # operational is the default, which DER leaves out


@pytest.mark.parametrize("k,wanted", [(bytes(range(16)), "operational"), (bytes(16), "test")])
def test_a_class_that_contradicts_the_key_is_refused(rspd, k, wanted):
    path, iccid = rspd.desk.write_profile(k=k)
    error_code(rspd.desk.offer(path, **{"class": wanted}))
    error_code(rspd.ask_any("profile show", iccid=iccid))


def test_moves_are_told_with_who_when_and_why(rspd, session, card, order):
    o = order()
    session(card).run(o.matching_id)
    moves = rspd.database.rows(
        "select from_state, to_state, actor, at is not null from audit"
        f" where iccid = '{o.iccid}' and from_state is distinct from to_state order by id"
    )
    way = ["available", "allocated", "released", "downloaded", "installed"]
    assert [(m[0], m[1]) for m in moves if m[0]] == list(zip(way, way[1:]))
    assert all(m[2] and m[3] for m in moves)


def test_events_tell_the_same_story(rspd, session, card, order):
    o = order()
    session(card).run(o.matching_id)
    events = rspd.ask("event list", iccid=o.iccid)["events"]
    types = [e["type"] for e in events]
    assert types == [f"profile.{e}" for e in ("ordered", "released", "downloaded", "installed")]
