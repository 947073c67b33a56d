"""Every write recognises its own repetition: sent again with the same parameters, as the store does when a
connection died, it answers as its header says and leaves the database as it is, to the last counter."""

import pytest

import eim_calls
from database import STATEMENTS
from world import CODE, hash_cc, sha256

ADMIN = dict(actor="test", why="")
OWNER = "00000000-0000-4000-8000-000000000001"


def session_record(world):
    case = world.released()
    return world.session_of(case.order_id, world.eid())


def session_check_code(world):
    case = world.at("released")
    return dict(transaction_id=case.tx, hash_cc=b"wrong", nonce=b"n" * 32, forgiven=3, request_sha256=b"r" * 32)


def session_check_code_once_too_often(world):
    return session_check_code(world) | {"forgiven": 0}


def session_cancel(world):
    return dict(transaction_id=world.at("downloaded").tx, event="reject", error="CANCELLED", why="")


def session_sweep(world):
    tx = world.session(None, world.eid(), refusal="X")
    world.db.rows("update rsp_session set created_at = now() - interval '2 days' where transaction_id = %s", tx)
    return dict(most=1000)


def package_record(world):
    return world.binding_of(world.at("released").tx)


def result_installed(world):
    return world.result_of(world.at("downloaded").tx)


def result_failed(world):
    return world.result_of(world.at("downloaded").tx, "fail_install_retry", disproved=True)


def result_of_an_older_order(world):
    old = world.at("available")
    world.order(old.iccid)
    return world.result_of(old.tx)


def notification_record(world):
    case = world.at("downloaded")
    return world.report_of(case.eid, case.iccid, 1, "enable")


def notification_apply(world, on_delete="keep"):
    case = world.at("installed", on_delete)
    for sequence, operation in ((2, "enable"), (3, "disable"), (4, "delete")):
        world.db.run("notification_record", **world.report_of(case.eid, case.iccid, sequence, operation))
    return dict(eid=case.eid, iccid=case.iccid)


def notification_apply_and_reissue(world):
    return notification_apply(world, "reissue")


def notification_apply_and_restock(world):
    return notification_apply(world, "available")


def order_create(world):
    iccid = world.profile()
    order_id = world.db.run("order_prepare", iccid=iccid)[0]["order_id"]
    return dict(order_id=order_id, iccid=iccid, event="download_order", **ADMIN)


def order_create_again_under_a_new_number(world):
    """A call that ES2+ repeats: its order has a number of its own, its content is the first one's."""
    iccid, eid = world.profile(), world.eid()
    return lambda: dict(order_id=world.db.run("order_prepare", iccid=iccid)[0]["order_id"], iccid=iccid, eid=eid,
                        event="download_order_eid", **ADMIN)


def order_create_by_type(world):
    iccid = world.profile()
    world.profile()
    known = world.db.run("order_prepare", iccid=iccid)[0]
    return dict(order_id=known["order_id"], type_id=known["iccid_type_id"], event="download_order", **ADMIN)


def order_confirm(world, event="confirm_order"):
    return dict(iccid=world.at("allocated").iccid, event=event, eid=world.eid(), matching_id=f"M{world.number()}",
                chosen=True, cc_sha256=CODE, **ADMIN)


def order_confirm_and_release(world):
    return order_confirm(world, "confirm_order_release")


def order_confirm_by_a_caller_who_did_not_choose(world):
    """The MatchingID is made anew for each call; the first one's stays."""
    given = order_confirm(world) | {"chosen": False}
    return lambda: given | {"matching_id": f"M{world.number()}"}


def order_release(world):
    return dict(iccid=world.at("confirmed").iccid, **ADMIN)


def order_cancel(world, final="available"):
    return dict(iccid=world.at("released").iccid, event=f"cancel_order_{final}", trusted=True, **ADMIN)


def order_cancel_for_good(world):
    return order_cancel(world, "unavailable")


def order_cancel_by_force(world):
    return dict(iccid=world.at("downloaded").iccid, event="cancel_order_unavailable", force=True, trusted=True, **ADMIN)


def order_reset(world):
    return dict(iccid=world.at("downloaded").iccid, lifetime=1000, **ADMIN)


def order_expire(world):
    world.order(world.profile(), lifetime=-1)
    return dict(most=1000, session_seconds=900)


def order_cancel_of_a_frozen_order(world):
    """Its profile was sold again when the card of the older order reported its success."""
    old = world.at("available")
    world.order(old.iccid, world.eid())
    assert world.db.run("notification_record_result", **world.result_of(old.tx))
    return dict(iccid=old.iccid, event="cancel_order_unavailable", trusted=True, **ADMIN)


def refused_sweep(world):
    assert world.db.run("refused_put", **world.refused(world.profile()))
    world.db.rows("update refused_call set last_at = now() - interval '91 days'")
    return dict(most=1000)


def order_call_sweep(world):
    world.db.rows("insert into operator_call values (1, %s, 1, '8900', null, null, now() - interval '1 second')",
                  world.number().to_bytes(32, "big"))
    return dict(most=1000)


def profile_import(world):
    return world.package(f"8949{world.number():015d}", f"new-{world.number()}")


def profile_type_create(world):
    return dict(name=f"new-{world.number()}", keys="ppk", on_delete="available", actor="test",
                operator_name="default")


def credential_set_number(world):
    new = [b"%032d" % world.number() for _ in range(3)]
    return dict(ci=[b"c" * 20] * 4, auth=[new[0], new[1], new[0], b"a" * 32], pb=[new[2], new[2], new[2], b"p" * 32])


def deny_add(world):
    return dict(kind="eid", eid_low=world.eid(), eid_high="9" * 32, most=1000, **ADMIN)


def deny_remove(world):
    return dict(id=world.db.run("deny_add", **deny_add(world))[0]["id"], **ADMIN)


def operator(world, **more):
    name = f"operator-{world.number()}"
    world.db.run("operator_add", name=name, **ADMIN, **more)
    return name


def operator_add(world):
    return dict(name=f"operator-{world.number()}", requester=f"2.999.{world.number()}", expired=True, **ADMIN)


def operator_set(world):
    return dict(name=operator(world), requester=f"2.999.{world.number()}", remember=False, **ADMIN)


def operator_remove(world):
    return dict(name=operator(world), **ADMIN)


def operator_client_add(world):
    return dict(operator_name=operator(world), kind="pin", certificate=b"c", sha256=sha256(b"%d" % world.number()),
                subject="CN=es2", not_after="2030-01-01", **ADMIN)


def operator_client_add_by_subject(world):
    return operator_client_add(world) | dict(kind="ca")


def operator_client_remove(world):
    given = operator_client_add(world)
    (client,) = world.db.run("operator_client_add", **given)
    remember(world, client["client_id"])
    return dict(operator_name=given["operator_name"], client_id=client["client_id"], **ADMIN)


def remember(world, client_id):
    world.db.rows("insert into operator_call values (%s, %s, 1, '8900', null, null, now() + interval '1 day')",
                  client_id, sha256(b"%d" % world.number()))


def remembered(world, call):
    """The call of an operator's client, with what it is recognised by."""
    return call | dict(client_id=1, call_key=sha256(b"%d" % world.number()), call_seconds=86400)


def remembered_create(world):
    return remembered(world, order_create(world))


def remembered_create_by_type(world):
    """Each repetition comes with a number of its own, as a new call of DownloadOrder does."""
    given = remembered(world, order_create_by_type(world))
    return lambda: given | dict(order_id=world.db.run("order_prepare")[0]["order_id"])


def remembered_confirm(world):
    return remembered(world, order_confirm(world))


def remembered_release(world):
    return remembered(world, order_release(world))


def remembered_cancel(world):
    return remembered(world, order_cancel(world))


def marked(world, call):
    """The call of an operator's client that is not remembered, or not any more."""
    return call | dict(mark=sha256(b"%d" % world.number()))


def marked_create(world):
    iccid, given = world.profile(), marked(world, {})
    return lambda: dict(order_id=world.db.run("order_prepare", iccid=iccid)[0]["order_id"], iccid=iccid,
                        event="download_order", **given, **ADMIN)


def marked_confirm(world):
    return marked(world, order_confirm(world))


def marked_release(world):
    return marked(world, order_release(world))


def marked_cancel(world):
    return marked(world, order_cancel(world))


def marked_cancel_of_a_frozen_order(world):
    return marked(world, order_cancel_of_a_frozen_order(world))


def alert_certificate(world, ahead=30):
    return dict(sha256=b"%032d" % world.number(), ahead=ahead, what="tls", name="listener nist",
                not_after="2030-01-01", days_left=ahead)


def alert_certificate_again_nearer_its_end(world):
    given = alert_certificate(world)
    assert world.db.run("alert_certificate", **given)
    return given | dict(ahead=7, days_left=7)


def alert_clones(world):
    eid = world.eid()
    for n in range(3):
        world.session(None, eid, refusal="X", peer=f"192.0.2.{n}:1")
    return dict(recent=300, addresses=3, tacs=0)


def told(world):
    """An event that the operator's server is owed: the ICCID."""
    world.db.run("subscriber_callback", **subscriber_callback(world))
    iccid = world.profile()
    world.db.rows("update delivery_key set next_at = 'infinity'")
    world.db.rows(
        "insert into outbox (operator_id, order_key, seq, type, data) select operator_id, %s, 1,"
        " 'es2.progress', '{}' from subscriber where name = 'default'", iccid)
    return iccid


def outbox_lease(world):
    told(world)
    world.db.rows("delete from delivery_lease")
    return dict(owner=OWNER, lease_ms=30000, most=1000, renew_ms=10000)


def outbox_settle_delivered(world, state="delivered"):
    iccid = told(world)
    world.db.rows("delete from delivery_lease")
    world.db.run("outbox_lease", owner=OWNER, lease_ms=30000, most=1000, renew_ms=10000)
    (due,) = world.db.rows(
        "select v.subscriber_id, v.outbox_id, l.token from delivery v join delivery_key k using"
        " (subscriber_id, order_key) join delivery_lease l using (subscriber_id, bucket)"
        " where v.order_key = %s", iccid)
    return due | dict(order_key=iccid, state=state, status=204, wait_ms=0)


def outbox_settle_dead(world):
    return outbox_settle_delivered(world, "dead") | dict(error="gone")


def outbox_release(world):
    outbox_settle_delivered(world)
    return dict(owner=OWNER)


def outbox_sweep(world):
    world.db.run("outbox_settle", **outbox_settle_delivered(world))
    world.db.rows("update delivery_key set next_at = now() - interval '2 hours' where pending = 0")
    return dict(most=1000)


def outbox_forget(world):
    world.db.run("outbox_settle", **outbox_settle_delivered(world))
    world.db.rows("update delivery set tried_at = now() - interval '2 hours' where state = 'delivered'")
    return dict(keep_seconds=3600, most=1000)


def outbox_replay(world):
    settle = outbox_settle_delivered(world)
    world.db.run("outbox_settle", **settle)
    return dict(name="default", iccid=settle["order_key"], most=1000, **ADMIN)


def subscriber_callback(world):
    return dict(operator_name="default", address=f"https://es2-{world.number()}.example.org", **ADMIN)


def subscriber_pause(world):
    told(world)
    world.db.rows("update subscriber set paused = false")
    return dict(name="default", paused=True, **ADMIN)


def subscriber_remove(world):
    told(world)
    return dict(name="default", **ADMIN)


def order_unreserve_left(world):
    iccid, eid = world.profile(), world.eid()
    world.order(iccid, eid)
    (reserved,) = world.db.run("order_reserve", iccid=iccid, matching_id=f"R{world.number()}",
                               chosen=False, smds="ds.example.org")
    world.db.rows("update download_order set registering_at = now() - interval '2 minutes' where id = %s",
                  reserved["order_id"])
    return dict(most=1)


def audit_seal(world):
    world.db.run("audit_note", actor="test", act="x", why="")
    return dict(most=1000000)


def binding_sweep(world):
    case = world.at("error")
    assert world.db.value("select count(*) from binding where order_id = %s", case.order_id) == 1
    return dict(most=10)


def audit_prepare(world):
    """Next month's partition is missing."""
    (last,) = world.db.rows("select max(relid::text) as name from pg_partition_tree('audit') where relid::text ~ '20'")
    world.db.rows(f"drop table {last['name']}")
    return {}


def packages_reseal(world):
    iccid = world.profile()
    upp = world.db.one("select upp from profile_package where iccid = %s", iccid)["upp"]
    return dict(iccids=[iccid, "8949"], former=[upp, b"f"], fresh=[b"\1key2", b"\1key2"])


def profile_type_create_with_templates(world):
    return profile_type_create(world) | world.templates((0x0203, 2), (0x0201, 0)) | {"class": "operational"}


def profile_type_set(world):
    name = world.db.value("select name from profile_type where id = %s", world.templated(low_water=3))
    return dict(name=name, operator_name="default", low_water=9, any_imsi=False, shared_imsi=True, **ADMIN)


def template_add(world):
    return dict(type_id=world.templated(), version=2, former=1, rank=1, loads=0, **world.templates(), **ADMIN,
                **{"class": "operational"})


def load_sweep(world):
    load = world.stage_rows(["8949"])
    world.db.rows("select pg_advisory_unlock_all()")
    assert world.db.value(f"select to_regclass('profile_staging_{load}')")
    return {}


def templates_reseal(world):
    type_id = world.templated()
    template = world.db.value("select id from template where type_id = %s", type_id)
    return dict(ids=[template], former=[b"\1key1u"], fresh=[b"\1key2u"])


def personal_reseal(world):
    (iccid,) = world.load(world.templated())
    return dict(iccids=[iccid, "8949"], former=[b"\1key1" + iccid.encode(), b"f"], fresh=[b"\1key2", b"\1key2"])


def seeds_reseal(world):
    case = world.at("downloaded")
    return dict(orders=[case.order_id], former=[b"s"], fresh=[b"\1key2"])


SAME = "the first answer"
SAME_WITHOUT_STATE = "the first answer, but for the state"
SAME_NUMBER = "the first answer, which says that it added nothing"
NOTHING = []

# what prepares the call and tells its parameters; its statement; what its repetition answers
CALLS = [
    (session_record, "session_record", NOTHING),
    (session_check_code, "session_check_code", NOTHING),
    (session_check_code_once_too_often, "session_check_code", NOTHING),
    (session_cancel, "session_cancel", [{"moved": False}]),
    (session_sweep, "session_sweep", [{"swept": 0}]),
    (package_record, "package_record", NOTHING),
    (binding_sweep, "binding_sweep", [{"swept": 0}]),
    (result_installed, "notification_record_result", NOTHING),
    (result_failed, "notification_record_result", NOTHING),
    (result_of_an_older_order, "notification_record_result", NOTHING),
    (notification_record, "notification_record", NOTHING),
    (notification_apply, "notification_apply", [{"applied": 0}]),
    (notification_apply_and_reissue, "notification_apply", [{"applied": 0}]),
    (notification_apply_and_restock, "notification_apply", [{"applied": 0}]),
    (order_create, "order_create", SAME),
    (order_create_again_under_a_new_number, "order_create", SAME),
    (order_create_by_type, "order_create", SAME),
    (order_confirm, "order_confirm", SAME),
    (order_confirm_and_release, "order_confirm", SAME),
    (order_confirm_by_a_caller_who_did_not_choose, "order_confirm", SAME),
    (order_release, "order_release", SAME),
    (order_cancel, "order_cancel", SAME),
    (order_cancel_for_good, "order_cancel", SAME),
    (order_cancel_by_force, "order_cancel", SAME),
    (order_reset, "order_reset", SAME),
    (order_expire, "order_expire", [{"expired": 0}]),
    (order_call_sweep, "order_call_sweep", [{"swept": 0}]),
    (refused_sweep, "refused_sweep", [{"swept": 0}]),
    (order_cancel_of_a_frozen_order, "order_cancel", SAME),
    (profile_import, "profile_import", SAME),
    (profile_type_create, "profile_type_create", SAME),
    (profile_type_create_with_templates, "profile_type_create", SAME),
    (profile_type_set, "profile_type_set", SAME),
    (template_add, "template_add", SAME),
    (load_sweep, "load_sweep", [{"swept": 0}]),
    (templates_reseal, "templates_reseal", [{"done": 0}]),
    (personal_reseal, "personal_reseal", [{"done": 0}]),
    (credential_set_number, "credential_set_number", SAME),
    (deny_add, "deny_add", SAME_NUMBER),
    (deny_remove, "deny_remove", SAME),
    (operator_add, "operator_add", SAME),
    (operator_set, "operator_set", SAME),
    (operator_remove, "operator_remove", SAME),
    (operator_client_add, "operator_client_add", SAME_NUMBER),
    (operator_client_add_by_subject, "operator_client_add", SAME_NUMBER),
    (operator_client_remove, "operator_client_remove", SAME),
    (remembered_create, "order_create", SAME_WITHOUT_STATE),
    (remembered_create_by_type, "order_create", SAME_WITHOUT_STATE),
    (remembered_confirm, "order_confirm", SAME_WITHOUT_STATE),
    (remembered_release, "order_release", SAME_WITHOUT_STATE),
    (remembered_cancel, "order_cancel", SAME_WITHOUT_STATE),
    (marked_create, "order_create", SAME),
    (marked_confirm, "order_confirm", SAME),
    (marked_release, "order_release", SAME),
    (marked_cancel, "order_cancel", SAME),
    (marked_cancel_of_a_frozen_order, "order_cancel", SAME),
    (alert_certificate, "alert_certificate", NOTHING),
    (alert_certificate_again_nearer_its_end, "alert_certificate", NOTHING),
    (alert_clones, "alert_clones", NOTHING),
    (audit_seal, "audit_seal", NOTHING),
    (audit_prepare, "audit_prepare", SAME),
    (outbox_lease, "outbox_lease", [{"leased": 0}]),
    (outbox_settle_delivered, "outbox_settle", NOTHING),
    (outbox_settle_dead, "outbox_settle", NOTHING),
    (outbox_release, "outbox_release", [{"released": 0}]),
    (outbox_sweep, "outbox_sweep", [{"swept": 0}]),
    (outbox_forget, "outbox_forget", [{"swept": 0}]),
    (outbox_replay, "outbox_replay", [{"view": {"name": "default", "events": 0}}]),
    (order_unreserve_left, "order_unreserve_left", [{"freed": 0}]),
    (subscriber_callback, "subscriber_callback", SAME),
    (subscriber_pause, "subscriber_pause", SAME),
    (subscriber_remove, "subscriber_remove", NOTHING),
    (packages_reseal, "packages_reseal", [{"done": 0}]),
    (seeds_reseal, "seeds_reseal", [{"done": 0}]),
] + eim_calls.calls(SAME, NOTHING)
TWICE = {"audit_note", "order_reserve", "order_unreserve", "refused_put"} | eim_calls.TWICE  # their headers say so
ONCE = {"load_begin", "load_take", "load_drop"}  # of a session that is never made again: test_loads.py


def expected(first, again):
    """What a repetition of a call with this first answer is answered."""
    if callable(again):
        return again(first)
    if again is SAME_NUMBER:
        return [row | {"added": False} for row in first]
    if again is SAME_WITHOUT_STATE:
        return [row | {"state": None} for row in first]
    return first if again is SAME else again


def test_no_write_is_missing():
    tested = {name for _, name, _ in CALLS}
    assert tested | TWICE | ONCE == {name for name, statement in STATEMENTS.items() if statement.writes}


@pytest.mark.parametrize("prepare,name,again", CALLS, ids=[prepare.__name__ for prepare, _, _ in CALLS])
def test_a_repetition_changes_nothing(world, prepare, name, again):
    given = prepare(world)
    give = given if callable(given) else lambda: given
    before = world.dump()
    first = world.db.run(name, **give())
    after = world.dump()
    assert first, "the first call was refused"
    assert after != before, "the first call did nothing"

    for _ in range(2):
        second = world.db.run(name, **give())
        assert sorted(map(str, second)) == sorted(map(str, expected(first, again)))
        assert world.dump() == after


@pytest.mark.parametrize("prepare,name", [
    (order_create_again_under_a_new_number, "order_create"),
    (order_confirm, "order_confirm"),
    (order_confirm_by_a_caller_who_did_not_choose, "order_confirm"),
    (order_release, "order_release"),
    (order_cancel, "order_cancel"),
    (order_cancel_for_good, "order_cancel"),
    (order_cancel_by_force, "order_cancel"),
    (order_cancel_of_a_frozen_order, "order_cancel"),
], ids=["create", "confirm", "confirm-not-chosen", "release", "cancel", "cancel-for-good", "cancel-by-force",
        "cancel-frozen"])
def test_what_another_caller_did_is_no_repetition(world, prepare, name):
    given = prepare(world)
    give = given if callable(given) else lambda: given
    first = world.db.run(name, **give())
    after = world.dump()
    assert world.db.run(name, **give() | {"actor": "another"}) == []
    assert world.dump() == after
    assert world.db.run(name, **give()) == first


@pytest.mark.parametrize("prepare,name", [
    (marked_create, "order_create"),
    (marked_confirm, "order_confirm"),
    (marked_release, "order_release"),
    (marked_cancel, "order_cancel"),
    (marked_cancel_of_a_frozen_order, "order_cancel"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_another_call_of_the_same_caller_is_no_repetition(world, prepare, name):
    given = prepare(world)
    give = given if callable(given) else lambda: given
    first = world.db.run(name, **give())
    after = world.dump()
    for mark in (sha256(b"another"), None):
        assert world.db.run(name, **give() | {"mark": mark}) == []
    assert world.dump() == after
    assert world.db.run(name, **give()) == first


def test_what_was_confirmed_with_one_event_is_not_confirmed_with_another(world):
    given = order_confirm(world)
    assert world.db.run("order_confirm", **given)
    assert world.db.run("order_release", iccid=given["iccid"], **ADMIN)
    after = world.dump()
    assert world.db.run("order_confirm", **given | {"event": "confirm_order_release"}) == []
    assert world.dump() == after


@pytest.mark.parametrize("prepare", [order_cancel, order_cancel_of_a_frozen_order],
                         ids=lambda prepare: prepare.__name__)
def test_what_is_due_to_cancel_is_due_again(world, prepare):
    """EID and MatchingID, of who is not trusted."""
    given = prepare(world) | {"trusted": False}
    (order,) = world.db.rows("select eid, matching_id from download_order where iccid = %s and pending", given["iccid"])
    whole = given | order
    assert any(order.values())
    first = world.db.run("order_cancel", **whole)
    assert first
    for member, value in order.items():
        assert value is None or world.db.run("order_cancel", **whole | {member: None}) == []
    assert world.db.run("order_cancel", **whole) == first


def test_what_a_former_owner_of_a_lease_comes_to_record_is_not_taken(world):
    given = outbox_settle_delivered(world)
    world.db.rows("update delivery_lease set token = nextval('delivery_token')")
    after = world.dump()
    assert world.db.run("outbox_settle", **given) == []
    assert world.dump() == after
    (lease,) = world.db.rows("select token from delivery_lease l join delivery_key k using (subscriber_id, bucket)"
                             " where k.order_key = %s", given["order_key"])
    assert world.db.run("outbox_settle", **given | lease)


def test_acts_that_are_noted_twice_are_there_twice(world):
    (first,) = world.db.run("audit_note", actor="test", act="x", why="")
    (second,) = world.db.run("audit_note", actor="test", act="x", why="")
    assert first != second


def test_a_right_code_counts_nothing(world):
    case = world.at("released")
    before = world.dump()
    for _ in range(2):
        assert world.db.run("session_check_code", transaction_id=case.tx, hash_cc=hash_cc(case.tx), nonce=b"n" * 32,
                            forgiven=3, request_sha256=b"r" * 32) == [{"outcome": "right"}]
    assert world.dump() == before
