"""The writes of the eIM, each prepared so that it does something once: for test_repetitions.py."""

import itertools
import json
import os

ADMIN = dict(actor="test", why="")
COMMANDS = bytes.fromhex("a002a600")  # getRAT
serial = itertools.count(1)


def add_of(world, eid, **more):
    given = dict(euicc_certificates=[None], eum_certificates=[None], curves=[0], points=[b"\4" * 65],
                 test_cis=[0], tokens=[""], counters=[0], imeis=[None], injects=[None])
    return dict(operator_name="default", eids=[eid], **given, **ADMIN) | more


def euicc(world):
    """An eUICC of which everything is known: its EID."""
    eid = world.eid()
    assert world.db.run("euicc_add", **add_of(world, eid))[0]["outcome"] == "added"
    world.db.rows("update euicc set learnt_at = now() where eid = %s", eid)
    return eid


def wish(eid, **more):
    return dict(eid=eid, kind="package", what="test", body=COMMANDS, priority=0, nonce=os.urandom(16), **ADMIN) | more


def queued(world, eid, **more):
    return world.db.run("eim_queue", **wish(eid, **more))[0]["package_id"]


def hand_out_of(world, eid, number):
    counter = world.db.value("select counter + 1 from euicc where eid = %s", eid)
    return dict(eid=eid, package_id=number, counter=counter, tried=False, octets=b"octets",
                eim_transaction_id=os.urandom(16))


def out(world, **more):
    """Something that is out: its EID and number."""
    eid = euicc(world)
    number = queued(world, eid, **more)
    assert world.db.run("eim_hand_out", **hand_out_of(world, eid, number))
    return eid, number


def result_of(eid, number, outcome="done", **more):
    profiles = [{"iccid": "8988000000000000011", "state": "enabled", "name": "a"},
                {"iccid": "8988000000000000029", "state": "disabled"}]
    return dict(eid=eid, package_id=number, outcome=outcome, result=b"result", meaning="{}", sequence=7,
                form="token", profiles=json.dumps(profiles), complete=True, unset_fallback=False,
                eims=json.dumps([{"id": "eim.example.com", "type": 2}]), rollback=False, farewell=False,
                fence=0, evidence="list") | more


def eim_seen(world):
    return dict(eids=[euicc(world), world.eid()])


def eim_want(world):
    return dict(eid=euicc(world), kind="data", what="facts", body=b"b", priority=1, why="")


def eim_hand_out(world):
    eid = euicc(world)
    return hand_out_of(world, eid, queued(world, eid))


def eim_hand_out_of_data(world):
    eid = euicc(world)
    return hand_out_of(world, eid, queued(world, eid, kind="data")) | {"counter": None}


def eim_step_aside(world):
    eid, number = out(world)
    return dict(eid=eid, package_id=number, results=b"r")


def eim_unsigned_error(world):
    eid, number = out(world)
    return dict(eid=eid, package_id=number, token=5, has_token=True, results=b"r", profiles=b"p")


def eim_state_changed(world):
    return dict(eid=euicc(world), cause=1, profiles=b"p", notifications=b"n")


def eim_result_record(world):
    return result_of(*out(world))


def eim_result_of_a_farewell(world):
    eid, number = out(world, farewell=True, barrier=True)
    queued(world, eid)
    return result_of(eid, number, farewell=True)


def eim_result_again(world):
    return result_of(*out(world), "failed", again_seconds=300, fence=256, profiles=None, complete=False)


def eim_result_unknown(world):
    return result_of(*out(world), "unknown", profiles=None, complete=False, want_profiles=b"p", want_results=b"r")


def eim_result_with_rollback(world):
    eid, number = out(world)
    assert world.db.run("eim_result_record", **result_of(eid, number))
    return result_of(eid, number, "failed", rollback=True, profiles=None, complete=False)


def eim_notifications_keep(world):
    return dict(eid=world.eid(), sha256s=[os.urandom(32), os.urandom(32)], addresses=["a", "b"],
                octets=[b"1", b"2"])


def eim_notifications_take(world):
    world.db.run("eim_notifications_keep", **eim_notifications_keep(world) | {"addresses": ["mine", "MINE:443"]})
    return dict(most=100, local_names=["mine"], all_names=False)


def eim_notification_done(world):
    world.db.run("eim_notifications_keep", **eim_notifications_keep(world))
    number = world.db.value("select max(id) from eim_notification")
    return dict(id=number, state="forwarded", wait_seconds=0)


def eim_bind_code(world):
    iccid = world.profile()
    world.order(iccid)
    return dict(matching_id=world.confirm(iccid), eid=world.eid())


def eim_expire(world):
    queued(world, euicc(world), deadline="2020-01-01")
    return dict(most=1000)


def eim_sweep(world):
    eid = euicc(world)
    world.db.run("eim_raw_keep", eid=eid, why="x", octets=b"x", sha256=os.urandom(32))
    world.db.rows("update eim_raw_result set last_at = now() - interval '31 days' where eid = %s", eid)
    return dict(most=1000)


def eim_queue(world):
    return wish(euicc(world))


def eim_cancel(world):
    return dict(package_id=queued(world, euicc(world)), **ADMIN)


def eim_close(world):
    eid, number = out(world, barrier=True)
    world.db.run("eim_step_aside", eid=eid, package_id=number, results=b"r")
    return dict(package_id=number, **ADMIN)


def euicc_add(world):
    return add_of(world, world.eid())


def euicc_set(world):
    return dict(eid=euicc(world), token="9", counter=100, inject="https://ipa.example.com", **ADMIN)


def euicc_remove(world):
    eid, _ = out(world, barrier=True)
    return dict(eid=eid, **ADMIN)


def euicc_learn(world):
    return dict(eid=euicc(world), info1=b"1", features=3, test_ci=False, token=5, has_token=True)


def euicc_admit(world):
    return dict(eid=world.eid(), operator_name="default", euicc_certificate=b"c", eum_certificate=b"e", curve=0,
                point=b"\4" * 65, test_ci=False)


def then_same(first):
    return [row | {"outcome": "same"} for row in first]


def calls(same, nothing):
    """(what prepares the call, its statement, what its repetition answers)"""
    return [
        (eim_seen, "eim_seen", [{"seen": 0}]),
        (eim_want, "eim_want", nothing),
        (eim_hand_out, "eim_hand_out", same),
        (eim_hand_out_of_data, "eim_hand_out", same),
        (eim_step_aside, "eim_step_aside", nothing),
        (eim_unsigned_error, "eim_unsigned_error", nothing),
        (eim_state_changed, "eim_state_changed", nothing),
        (eim_result_record, "eim_result_record", nothing),
        (eim_result_of_a_farewell, "eim_result_record", nothing),
        (eim_result_again, "eim_result_record", nothing),
        (eim_result_unknown, "eim_result_record", nothing),
        (eim_result_with_rollback, "eim_result_record", nothing),
        (eim_notifications_keep, "eim_notifications_keep", [{"kept": 0}]),
        (eim_notifications_take, "eim_notifications_take", nothing),
        (eim_notification_done, "eim_notification_done", nothing),
        (eim_bind_code, "eim_bind_code", same),
        (eim_expire, "eim_expire", [{"expired": 0}]),
        (eim_sweep, "eim_sweep", [{"swept": 0}]),
        (eim_queue, "eim_queue", same),
        (eim_cancel, "eim_cancel", same),
        (eim_close, "eim_close", same),
        (euicc_add, "euicc_add", then_same),
        (euicc_set, "euicc_set", same),
        (euicc_remove, "euicc_remove", nothing),
        (euicc_learn, "euicc_learn", same),
        (euicc_admit, "euicc_admit", same),
    ]


TWICE = {"eim_hand_out_again", "eim_raw_keep", "euicc_fence"}  # their headers say so
