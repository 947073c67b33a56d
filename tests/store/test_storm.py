"""Everything at once: eight connections make random moves on a few profiles. No call fails otherwise than expected,
least of all by a deadlock, and afterwards trail, events and states tell the same story."""

import collections
import contextlib
import random
import threading
import time

import psycopg2

from database import MOVES
from world import CODE, World, hash_cc

SEED = 22
CONNECTIONS = 8
CALLS = 500  # of each connection
SECONDS = 8  # at most
PROFILES = 6
ON_DELETE = ("reissue", "available")
FORGIVEN = 2
ADMIN = dict(actor="storm", why="")


class Stormer:
    """One connection's share. It reads, judges and writes as the daemon does, and knows nothing of the others but
    the few profiles, of which one that ended is replaced."""

    def __init__(self, db, seed, iccids):
        self.db, self.random, self.iccids = db, random.Random(seed), iccids
        self.world = World(db)
        self.eids = [f"89049032{n:024d}" for n in range(900, 904)]
        self.surprise = None
        self.calls = [
            (8, self.order), (8, self.confirm), (6, self.release), (2, self.cancel), (4, self.reset), (1, self.expire),
            (12, self.authenticate), (3, self.guess), (12, self.bind), (2, self.give_up), (8, self.result),
            (6, self.report), (1, self.reseal), (1, self.sweep), (1, self.seal),
        ]

    def run(self, until):
        weights, calls = zip(*self.calls)
        try:
            for _ in range(CALLS):
                if time.monotonic() > until:
                    break
                with contextlib.suppress(psycopg2.errors.UniqueViolation):  # a MatchingID given at this moment
                    self.random.choices(calls, weights)[0]()
        except BaseException as error:  # for the test to tell
            self.surprise = error

    @property
    def iccid(self):
        return self.random.choice(self.iccids)

    @property
    def eid(self):
        return self.random.choice(self.eids)

    def session(self):
        """One of the newest sessions about a profile."""
        rows = self.db.rows("select transaction_id, eid, iccid from rsp_session where iccid = %s"
                            " order by created_at desc limit 3", self.iccid)
        return self.random.choice(rows) if rows else None

    def order(self):
        slot = self.random.randrange(PROFILES)
        if self.world.state(self.iccids[slot]) == "unavailable" and self.random.random() < 0.5:
            self.iccids[slot] = self.world.profile(ON_DELETE[slot % len(ON_DELETE)])
        iccid = self.iccids[slot]
        known = self.db.run("order_prepare", iccid=iccid)[0]
        eid = self.random.choice([None, self.eid])
        by_type = self.random.random() < 0.3
        self.db.run("order_create", order_id=known["order_id"], iccid=None if by_type else iccid,
                    type_id=known["iccid_type_id"], event="download_order_eid" if eid else "download_order", eid=eid,
                    lifetime=self.random.choice([None, 0, 1000, 1000]), **ADMIN)

    def confirm(self):
        event = self.random.choice(["confirm_order", "confirm_order_release"])
        self.db.run("order_confirm", iccid=self.iccid, event=event, eid=self.random.choice([None, self.eid]),
                    matching_id=f"S{self.random.randrange(8)}", chosen=True, cc_sha256=CODE, **ADMIN)

    def release(self):
        self.db.run("order_release", iccid=self.iccid, **ADMIN)

    def cancel(self):
        final = self.random.choice(["available", "available", "unavailable"])
        self.db.run("order_cancel", iccid=self.iccid, event=f"cancel_order_{final}", trusted=True,
                    force=final == "unavailable" and self.random.random() < 0.3, **ADMIN)

    def reset(self):
        self.db.run("order_reset", iccid=self.iccid, lifetime=self.random.choice([None, 1]), **ADMIN)

    def expire(self):
        self.db.run("order_expire", most=10, session_seconds=0)

    def authenticate(self):
        tx = self.random.randbytes(16)
        (ordered,) = self.db.run("view_code", iccid=self.iccid)
        eid = ordered["eid"] or self.eid
        (found,) = self.db.run("session_admit", transaction_id=tx, matching_id=ordered["matching_id"], eid=eid)
        event = self.random.choices([None, "fail_eligibility", "exceed_attempts"], [20, 1, 1])[0]
        given = self.world.session_of(found["order_id"], eid, transaction_id=tx, event=event,
                                      refusal=event and "REFUSED")
        self.db.run("session_record", **given)

    def guess(self):
        session = self.session()
        if session:
            tx = session["transaction_id"]
            code = self.random.choice([CODE, CODE, b"wrong"])
            self.db.run("session_check_code", transaction_id=tx, hash_cc=hash_cc(tx, code), nonce=b"n" * 32,
                        forgiven=FORGIVEN, request_sha256=b"r" * 32)

    def bind(self):
        session = self.session()
        if session:
            self.db.run("package_record", **World.binding_of(session["transaction_id"]))

    def give_up(self):
        session = self.session()
        if session:
            self.db.run("session_cancel", transaction_id=session["transaction_id"],
                        event=self.random.choice(["postpone", "reject"]), error="CANCELLED", why="")

    def result(self):
        session = self.session()
        if session:
            event = self.random.choice(["install", "fail_install_retry", "fail_install"])
            self.db.run("notification_record_result",
                        **World.result_of(session["transaction_id"], event, time.monotonic_ns(), disproved=True))

    def report(self):
        session = self.session()
        if session:
            names = {"eid": session["eid"], "iccid": session["iccid"]}
            operation = self.random.choice(["enable", "disable", "delete", "delete"])
            self.db.run("notification_record", **World.report_of(*names.values(), time.monotonic_ns(), operation))
            self.db.run("notification_apply", **names)

    def reseal(self):
        rows = self.db.run("sealed_seeds", key_id=b"none", after=0)
        seeds = [row["seed"] for row in rows]
        self.db.run("seeds_reseal", orders=[row["order_id"] for row in rows], former=seeds, fresh=seeds)

    def sweep(self):
        for straggler in self.db.run("notification_stragglers", most=10):
            self.db.run("notification_apply", **straggler)
        self.db.run("session_sweep", most=10)

    def seal(self):
        self.db.run("audit_seal", most=50)


def look_at(world, iccid):
    """What trail, events and state say of one profile; the events that moved it."""
    moves, outbox = world.moves(iccid), world.outbox(iccid)
    state = "available"
    for event, origin, target in moves:
        assert (origin, target) == (state, MOVES[event, origin])
        state = target
    assert state == world.state(iccid)
    told = collections.Counter(outbox)
    reported = sum(told[kind] for kind in ("profile.enabled", "profile.disabled", "profile.deleted"))
    assert len(outbox) - reported - told["alert.profile-conflict"] == len(moves)
    assert told["profile.installed"] == sum(event == "install" for event, _, _ in moves)
    trail = "select count(*) from audit where iccid = %s and act ~ '^card_(enable|disable|delete)$'"
    assert world.db.value(trail, iccid) == reported
    return [event for event, _, _ in moves]


def test_a_storm_leaves_one_story(world, connect):
    iccids = [world.profile(ON_DELETE[n % len(ON_DELETE)]) for n in range(PROFILES)]
    stormers = [Stormer(connect(), SEED + n, iccids) for n in range(CONNECTIONS)]
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=stormer.run, args=(until,)) for stormer in stormers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [stormer.surprise for stormer in stormers if stormer.surprise] == []
    events = collections.Counter(event for row in world.db.rows("select iccid from profile")
                                 for event in look_at(world, row["iccid"]))
    assert sum(events.values()) > 100, "it was no storm"
    assert len(events) > len(set(event for event, _ in MOVES)) / 2, events
    db = world.db
    # who holds a profile is open, and who is open holds it, unless it was frozen
    assert db.rows("select o.id from download_order o join profile p using (iccid)"
                   " where o.pending and not o.frozen and p.order_id <> o.id") == []
    assert db.rows("select id from download_order where cc_attempts > %s", FORGIVEN + 1) == []
    assert db.rows("select id from download_order where pending and cancelled_at is not null") == []
