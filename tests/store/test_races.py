"""Two instances on one database: what two calls that meet on one order make of it. The first call holds its locks
in an open transaction until the second is seen waiting for them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from world import CODE, World, hash_cc

ADMIN = dict(actor="test", why="")
PATIENCE = 20


@pytest.fixture(scope="module")
def pair(connect):
    """Two connections, and a pool to run the second one's calls in."""
    with ThreadPoolExecutor(1) as pool:
        yield connect(), connect(), pool


@pytest.fixture
def meet(world, pair):
    """meet(call, call) runs two calls (name, parameters) so that they overlap; their answers."""
    first, second, pool = pair

    def run(one, other, waits=True):
        first.begin()
        try:
            answer = first.run(one[0], **one[1])
            running = pool.submit(second.run, other[0], **other[1])
            end = time.monotonic() + PATIENCE
            blockers = []
            while not running.done() and first.pid not in blockers:
                assert time.monotonic() < end
                blockers = world.db.value("select pg_blocking_pids(%s)", second.pid)
            assert bool(blockers) == waits, "the second call waits" if blockers else "the second call does not wait"
        finally:
            first.commit()
        return answer, running.result(PATIENCE)

    return run


def bound(world, tx):
    return "package_record", world.binding_of(tx)


def cancelled(case, final="available"):
    return "order_cancel", dict(iccid=case.iccid, event=f"cancel_order_{final}", trusted=True, **ADMIN)


def confirmed(case, matching_id, **more):
    given = dict(event="confirm_order", matching_id=matching_id, chosen=True, cc_sha256=CODE, **ADMIN)
    return "order_confirm", given | {"iccid": case} | more


def checked(tx, code=CODE, forgiven=3):
    return "session_check_code", dict(transaction_id=tx, hash_cc=hash_cc(tx, code), nonce=b"n" * 32, forgiven=forgiven,
                                      request_sha256=b"r" * 32)


def expired():
    return "order_expire", dict(most=10, session_seconds=0)


def heard(tx, **more):
    return "notification_record_result", World.result_of(tx, **more)


def applied(case):
    return "notification_apply", dict(eid=case.eid, iccid=case.iccid)


def two_sessions(world, **more):
    """One order, two eUICCs."""
    case = world.released(**more)
    case.tx = [world.session(case.order_id, world.eid()) for _ in range(2)]
    return case


def eid_of(world, tx):
    return world.db.value("select eid from rsp_session where transaction_id = %s", tx)


def test_one_of_two_euiccs_gets_an_unbound_order(world, meet):
    case = two_sessions(world)
    winner, loser = meet(bound(world, case.tx[0]), bound(world, case.tx[1]))
    assert (winner, loser) == ([{"iccid": case.iccid}], [])
    kept = world.db.one("select o.eid, b.transaction_id from download_order o join binding b on b.order_id = o.id"
                        " where o.id = %s", case.order_id)
    assert kept == {"eid": eid_of(world, case.tx[0]), "transaction_id": case.tx[0]}
    assert world.outbox(case.iccid).count("profile.downloaded") == 1


def test_both_sessions_of_one_euicc_get_their_package(world, meet):
    case, eid = world.released(), world.eid()
    case.tx = [world.session(case.order_id, eid) for _ in range(2)]
    assert meet(bound(world, case.tx[0]), bound(world, case.tx[1])) == ([{"iccid": case.iccid}],) * 2
    assert world.outbox(case.iccid).count("profile.downloaded") == 2
    assert world.db.value("select transaction_id from binding where order_id = %s", case.order_id) == case.tx[1]


def test_the_same_call_twice_leaves_one_package(world, meet):
    case = two_sessions(world)
    assert meet(bound(world, case.tx[0]), bound(world, case.tx[0])) == ([{"iccid": case.iccid}], [])
    assert world.outbox(case.iccid).count("profile.downloaded") == 1


@pytest.mark.parametrize("final", ["available", "unavailable"])
def test_no_package_leaves_a_cancelled_order(world, meet, final):
    case = two_sessions(world)
    done, refused = meet(cancelled(case, final), bound(world, case.tx[0]))
    assert (done[0]["state"], refused) == (final, [])
    assert world.state(case.iccid) == final
    assert world.db.rows("select from binding where order_id = %s", case.order_id) == []


@pytest.mark.parametrize("final", ["available", "unavailable"])
def test_an_order_whose_package_left_meanwhile_is_not_cancelled(world, meet, final):
    case = two_sessions(world)
    done, refused = meet(bound(world, case.tx[0]), cancelled(case, final))
    assert (done, refused) == ([{"iccid": case.iccid}], [])
    assert world.state(case.iccid) == "downloaded"


def test_an_expired_order_gives_no_package(world, meet):
    case = two_sessions(world)
    world.db.rows("update download_order set expires_at = now() where id = %s", case.order_id)
    assert meet(expired(), bound(world, case.tx[0])) == ([{"expired": 1}], [])
    assert world.state(case.iccid) == "error"


def test_an_order_whose_package_is_leaving_does_not_expire(world, meet):
    case = two_sessions(world)
    world.db.rows("update download_order set expires_at = now() where id = %s", case.order_id)
    assert meet(bound(world, case.tx[0]), expired(), waits=False) == ([{"iccid": case.iccid}], [{"expired": 0}])
    assert world.db.run("order_expire", most=10, session_seconds=0) == [{"expired": 0}]
    assert world.state(case.iccid) == "downloaded"


def test_two_instances_expire_an_order_once(world, meet):
    case = two_sessions(world)
    world.db.rows("update download_order set expires_at = now() where id = %s", case.order_id)
    assert meet(expired(), expired(), waits=False) == ([{"expired": 1}], [{"expired": 0}])
    assert world.outbox(case.iccid).count("profile.failed") == 1


def test_one_transaction_makes_one_session(world, meet):
    case = world.released()
    given = world.session_of(case.order_id, world.eid())
    assert meet(("session_record", given), ("session_record", given)) == ([{"order_id": case.order_id}], [])
    assert world.db.value("select download_attempts from download_order where id = %s", case.order_id) == 1


def test_one_transaction_makes_one_session_whatever_its_order(world, meet):
    """Two bodies under one transaction id, about two orders: the second counts nowhere."""
    case, other = world.released(), world.released()
    given = world.session_of(case.order_id, world.eid())
    twin = world.session_of(other.order_id, world.eid()) | {"transaction_id": given["transaction_id"]}
    assert meet(("session_record", given), ("session_record", twin)) == ([{"order_id": case.order_id}], [])
    assert world.db.one("select download_attempts, last_transaction from download_order where id = %s",
                        other.order_id) == {"download_attempts": 0, "last_transaction": None}


def test_a_session_is_judged_by_the_order_as_it_is(world, meet):
    """Two sessions judged the order by the same count of attempts: the second has to judge again."""
    case = world.released()
    first, second = (world.session_of(case.order_id, world.eid()) for _ in range(2))
    assert meet(("session_record", first), ("session_record", second)) == ([{"order_id": case.order_id}], [])
    assert world.db.run("session_find", transaction_id=second["transaction_id"]) == []


def test_credential_sets_numbered_at_once_have_one_number_each(world, meet):
    def wanted(*names):
        octets = [b"%032d" % name for name in names]
        return "credential_set_number", dict(ci=[b"c" * 20] * len(names), auth=octets, pb=octets)

    a, b, c, d = (world.number() for _ in range(4))
    first, second = meet(wanted(a, b, c), wanted(c, d, a))
    assert [row["place"] for row in first] == [1, 2, 3]
    for _ in range(2):  # who is left out asks again
        second = world.do(wanted(c, d, a))
    numbers = {name: row["id"] for name, row in zip((a, b, c), first)}
    again = {name: row["id"] for name, row in zip((c, d, a), sorted(second, key=lambda row: row["place"]))}
    assert (again[c], again[a]) == (numbers[c], numbers[a])
    assert len({*numbers.values(), again[d]}) == 4


def test_a_matching_id_is_given_once(world, meet):
    """The second call fails on the index; the store repeats it, and then it is a conflict."""
    one, other = world.profile(), world.profile()
    for iccid in (one, other):
        world.order(iccid)
    name = f"M{world.number()}"
    with pytest.raises(psycopg2.errors.UniqueViolation):
        meet(confirmed(one, name), confirmed(other, name))
    assert world.do(confirmed(other, name)) == []
    assert (world.state(one), world.state(other)) == ("confirmed", "allocated")
    assert world.outbox(other) == ["profile.ordered"]


def test_an_order_is_confirmed_once(world, meet):
    """The same call twice at once: the second is told on its next try that it is done."""
    iccid = world.profile()
    world.order(iccid)
    call = confirmed(iccid, f"M{world.number()}")
    done, late = meet(call, call)
    assert (len(done), late) == (1, [])
    assert world.do(call) == done
    assert world.outbox(iccid) == ["profile.ordered", "profile.confirmed"]


def test_two_orders_by_type_take_two_profiles(world, meet):
    world.profile("available")
    iccid = world.profile("available")
    known = [world.db.run("order_prepare", iccid=iccid)[0] for _ in range(2)]
    first, second = meet(*(("order_create", dict(order_id=k["order_id"], type_id=k["iccid_type_id"],
                                                 event="download_order", **ADMIN)) for k in known), waits=False)
    assert first[0]["iccid"] != second[0]["iccid"]


def test_a_profile_is_ordered_once(world, meet):
    iccid = world.profile()
    first, second = (("order_create", dict(order_id=world.db.run("order_prepare", iccid=iccid)[0]["order_id"],
                                           iccid=iccid, eid=world.eid(), event="download_order_eid", **ADMIN))
                     for _ in range(2))
    done, refused = meet(first, second)
    assert (done[0]["order_id"], refused) == (first[1]["order_id"], [])
    assert world.outbox(iccid) == ["profile.ordered"]


# ---- Confirmation Codes ------------------------------------------------------------------------------


def guess_at_once(connect, calls):
    """Each call on a connection of its own, all at once; their outcomes."""
    connections = [connect() for _ in calls]
    start = threading.Barrier(len(calls))

    def guess(connection, call):
        start.wait(PATIENCE)
        rows = connection.run(call[0], **call[1])
        return rows[0]["outcome"] if rows else "conflict"

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(guess, connections, calls))


def test_parallel_sessions_cannot_guess_past_the_limit(world, connect):
    case, forgiven = world.released(), 3
    txs = [world.session(case.order_id, world.eid()) for _ in range(18)]
    *guessers, lucky, late = txs
    assert len(guessers) == 16

    outcomes = guess_at_once(connect, [checked(tx, b"guess%027d" % n, forgiven) for n, tx in enumerate(guessers)])

    assert sorted(set(outcomes)) == ["CODE_EXCEEDED", "CODE_REFUSED", "conflict"]
    assert outcomes.count("CODE_REFUSED") == forgiven
    assert outcomes.count("CODE_EXCEEDED") == 1
    order = world.db.one("select cc_attempts, error from download_order where id = %s", case.order_id)
    assert order == {"cc_attempts": forgiven + 1, "error": "CODE_EXCEEDED"}
    assert world.state(case.iccid) == "error"
    assert world.outbox(case.iccid).count("profile.failed") == 1
    # nothing is compared any more: the right code and a wrong one are told the same
    for tx, code in ((lucky, CODE), (late, b"x")):
        assert world.do(checked(tx, code, forgiven)) == []


def test_a_wrong_code_and_a_cancelled_order(world, meet):
    case = two_sessions(world)
    done, refused = meet(cancelled(case), checked(case.tx[0], b"x"))
    assert (done[0]["state"], refused) == ("available", [])
    assert world.db.value("select cc_attempts from download_order where id = %s", case.order_id) == 0


def test_who_lost_the_order_compares_no_code_of_it(world, meet):
    """It could count against the winner."""
    case = two_sessions(world)
    assert meet(bound(world, case.tx[0]), checked(case.tx[1], b"x")) == ([{"iccid": case.iccid}], [])
    assert world.db.value("select cc_attempts from download_order where id = %s", case.order_id) == 0


# ---- results and notifications -----------------------------------------------------------------------


def downloaded(world, on_delete):
    case = world.released(on_delete=on_delete)
    case.eid = world.eid()
    case.tx = world.session(case.order_id, case.eid)
    world.bind(case.tx)
    return case


AFTER_DELETE = {"keep": "installed", "reissue": "released", "available": "available"}


def was_deleted(world, case, on_delete):
    now = world.db.one("select state, card_state, card_seq from profile where iccid = %s", case.iccid)
    assert now == {"state": AFTER_DELETE[on_delete], "card_state": "deleted", "card_seq": 12}
    last = {"keep": [], "reissue": ["profile.released"], "available": ["profile.restocked"]}[on_delete]
    news = ["profile.installed", "profile.enabled", "profile.deleted", *last]
    assert world.outbox(case.iccid)[-len(news):] == news
    waiting = "select count(*) from notification where eid = %s and not applied"
    assert world.db.value(waiting, case.eid) == 0
    order = world.db.one("select pending, eid from download_order where id = %s", case.order_id)
    assert order == {"pending": on_delete == "reissue", "eid": case.eid}


def report(world, case):
    """Enabled and deleted, the later one first, as LPAs do."""
    for sequence, operation in ((12, "delete"), (11, "enable")):
        world.db.run("notification_record", **world.report_of(case.eid, case.iccid, sequence, operation))


@pytest.mark.parametrize("on_delete", AFTER_DELETE)
def test_a_delete_after_the_result(world, on_delete):
    case = downloaded(world, on_delete)
    world.do(heard(case.tx))
    report(world, case)
    assert world.do(applied(case)) == [{"applied": 2}]
    was_deleted(world, case, on_delete)


@pytest.mark.parametrize("on_delete", AFTER_DELETE)
def test_a_delete_before_the_result(world, on_delete):
    case = downloaded(world, on_delete)
    report(world, case)
    assert world.do(applied(case)) == [{"applied": 0}]
    world.do(heard(case.tx))
    assert world.db.run("session_find", transaction_id=case.tx)[0]["waiting"]
    assert world.do(applied(case)) == [{"applied": 2}]
    was_deleted(world, case, on_delete)


@pytest.mark.parametrize("on_delete", AFTER_DELETE)
def test_a_delete_at_the_moment_of_the_result(world, meet, on_delete):
    """Neither call sees the other's; the sweep finds what is left."""
    case = downloaded(world, on_delete)
    report(world, case)
    assert meet(heard(case.tx), applied(case), waits=False) == ([{"iccid": case.iccid}], [{"applied": 0}])
    stragglers = world.db.run("notification_stragglers", most=100)
    assert stragglers == [{"eid": case.eid, "iccid": case.iccid}]
    assert world.db.run("notification_apply", **stragglers[0]) == [{"applied": 2}]
    assert world.db.run("notification_stragglers", most=100) == []
    was_deleted(world, case, on_delete)


def test_what_was_reported_is_applied_once(world, meet):
    case = downloaded(world, "reissue")
    world.do(heard(case.tx))
    report(world, case)
    assert meet(applied(case), applied(case)) == ([{"applied": 2}], [{"applied": 0}])
    was_deleted(world, case, "reissue")


def test_a_result_is_heard_once(world, meet):
    case = downloaded(world, "keep")
    assert meet(heard(case.tx), heard(case.tx)) == ([{"iccid": case.iccid}], [])
    assert world.outbox(case.iccid).count("profile.installed") == 1


def test_a_result_and_a_cancelled_order(world, meet):
    case = downloaded(world, "keep")
    force = dict(iccid=case.iccid, event="cancel_order_unavailable", force=True, trusted=True, **ADMIN)
    done, news = meet(("order_cancel", force), heard(case.tx))
    assert (done[0]["state"], news) == ("unavailable", [{"iccid": case.iccid}])
    assert world.state(case.iccid) == "installed"


def sold_again(world, on_delete="keep"):
    """A package that left, its failure, a new buyer; and the first session of the two, not yet heard."""
    case = world.released(on_delete=on_delete)
    case.eid = world.eid()
    case.tx = world.session(case.order_id, case.eid)
    world.bind(case.tx)
    second = world.session(case.order_id, case.eid)
    world.bind(second)
    world.do(heard(second, event="fail_install", disproved=True))
    assert world.do(cancelled(case))
    case.newer = world.order(case.iccid)
    case.matching_id = world.confirm(case.iccid)
    case.newer_eid = world.eid()
    case.newer_tx = world.session(case.newer, case.newer_eid)
    return case


def conflicts(world, case):
    return [row["data"] for row in world.db.rows("select data from outbox where order_key = %s and type ="
                                                 " 'alert.profile-conflict' order by seq", case.iccid)]


def test_an_older_order_that_installs_freezes_the_newer(world, meet):
    case = sold_again(world)
    assert meet(heard(case.tx), bound(world, case.newer_tx)) == ([{"iccid": case.iccid}], [])
    assert world.db.value("select frozen from download_order where id = %s", case.newer)
    assert world.outbox(case.iccid)[-2:] == ["profile.installed", "alert.profile-conflict"]
    (alert,) = conflicts(world, case)
    assert (alert["orderId"], alert["frozenOrderId"]) == (case.order_id, case.newer)
    admitted = world.db.run("session_admit", transaction_id=b"t" * 16, matching_id=case.matching_id, eid=world.eid())
    assert admitted[0]["frozen"]


def test_an_older_order_installs_while_the_profile_is_ordered_again(world, meet):
    """The newer order cannot be seen by who waited for it: the result is looked at once more, and then the
    order is frozen."""
    old = world.at("available")
    newer = world.db.run("order_prepare", iccid=old.iccid)[0]["order_id"]
    ordered = dict(order_id=newer, iccid=old.iccid, event="download_order", **ADMIN)
    done, late = meet(("order_create", ordered), heard(old.tx))
    assert (done[0]["order_id"], late) == (newer, [])
    assert world.db.run("session_find", transaction_id=old.tx)[0]["result"] is None
    assert world.do(heard(old.tx)) == [{"iccid": old.iccid}]
    assert world.state(old.iccid) == "installed"
    assert world.db.value("select frozen from download_order where id = %s", newer)


@pytest.mark.parametrize("event", ["postpone", "reject"])
def test_a_package_that_met_the_end_of_its_session_is_not_made_again(world, meet, event):
    """Who ends the session cannot see the binding that was made while it waited; the way back from Error can."""
    case = two_sessions(world)
    tx = case.tx[1]  # the newest session
    end = dict(transaction_id=tx, event=event, error="CANCELLED", why="")
    assert meet(bound(world, tx), ("session_cancel", end)) == ([{"iccid": case.iccid}], [{"moved": True}])
    if event == "reject":
        assert world.db.run("order_reset", iccid=case.iccid, **ADMIN)
    assert world.state(case.iccid) == "released"
    left = world.db.value("select count(*) from binding where order_id = %s", case.order_id)
    assert left == (1 if event == "postpone" else 0)


def test_an_older_order_installs_while_the_newer_is_cancelled(world, meet):
    """There is nothing left to freeze."""
    case = sold_again(world)
    done, news = meet(cancelled(case), heard(case.tx))
    assert (done[0]["state"], news) == ("available", [{"iccid": case.iccid}])
    assert world.state(case.iccid) == "installed"
    (alert,) = conflicts(world, case)
    assert alert["frozenOrderId"] is None


def test_a_profile_on_two_cards_is_told(world):
    """Both buyers' cards have it: no state can say so, an operator must hear of it."""
    case = sold_again(world)
    world.bind(case.newer_tx)
    world.do(heard(case.newer_tx))
    before, moves = world.outbox(case.iccid), world.moves(case.iccid)
    assert world.do(heard(case.tx)) == [{"iccid": case.iccid}]
    assert world.outbox(case.iccid) == before + ["alert.profile-conflict"]
    assert world.moves(case.iccid) == moves
    (alert,) = conflicts(world, case)
    assert (alert["eid"], alert["orderId"], alert["frozenOrderId"]) == (case.eid, case.order_id, None)
    now = world.db.one("select state, order_id, card_eid from profile where iccid = %s", case.iccid)
    assert now == {"state": "installed", "order_id": case.newer, "card_eid": case.newer_eid}


def test_an_order_that_installed_after_its_end_is_open_again_after_a_delete(world):
    """Its MatchingID is found again, for the card that deleted the profile."""
    case = downloaded(world, "reissue")
    case.matching_id = world.db.value("select matching_id from download_order where id = %s", case.order_id)
    assert world.db.run("order_cancel", iccid=case.iccid, event="cancel_order_unavailable", force=True, trusted=True,
                        **ADMIN)
    world.do(heard(case.tx))
    report(world, case)
    world.do(applied(case))
    was_deleted(world, case, "reissue")
    admitted = world.db.run("session_admit", transaction_id=b"t" * 16, matching_id=case.matching_id, eid=case.eid)
    assert admitted[0]["order_id"] == case.order_id


def test_an_order_that_was_frozen_is_open_again_after_a_delete(world):
    """The older order's card loses the profile, the newer's has it after all, and deletes it."""
    case = sold_again(world, "reissue")
    world.bind(case.newer_tx)
    for tx, eid, sequence in ((case.tx, case.eid, 12), (case.newer_tx, case.newer_eid, 12)):
        world.do(heard(tx))
        world.db.run("notification_record", **world.report_of(eid, case.iccid, sequence, "delete"))
        assert world.db.run("notification_apply", eid=eid, iccid=case.iccid) == [{"applied": 1}]
    order = world.db.one("select pending, frozen from download_order where id = %s", case.newer)
    assert order == {"pending": True, "frozen": False}
