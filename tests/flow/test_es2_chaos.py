"""Operators order over ES2+ at two instances while these and PostgreSQL's backends die: each call is repeated under
its identifier until it is answered, and at the end each has had one effect (RULES 4), and the checker of RULES 6 finds
nothing."""

import http.client
import random
import threading
import time

import es2
from checker import check
from harness import wait_for

CALLERS, ORDERS = 6, 12
TROUBLE = (OSError, http.client.HTTPException)


class Desk(threading.Thread):
    """A caller with connections to both instances; goes on until all of its orders are released."""

    def __init__(self, number, daemons, certificate):
        super().__init__()
        self.callers = [es2.Caller(daemon, certificate) for daemon in daemons]
        self.number, self.dice = number, random.Random(number)
        self.iccids, self.repeats, self.failure = [], 0, None

    def run(self):
        try:
            for n in range(ORDERS):
                name = f"{self.number}-{n}"
                iccid = self.until(lambda c, name=name: c.order(call=name, profileType="chaos"))["iccid"]
                self.until(lambda c, name=name, iccid=iccid: c.confirm(iccid, False, call=name))
                self.until(lambda c, name=name, iccid=iccid: c.release(iccid, call=name))
                self.iccids.append(iccid.rstrip("F"))
        except BaseException as failure:  # a thread's failure is the test's
            self.failure = repr(failure)
            raise

    def until(self, call):
        """The first answer; now and then the call is made once more all the same."""
        end = time.monotonic() + 60
        first = None
        while time.monotonic() < end:
            caller = self.dice.choice(self.callers)
            try:
                answer = call(caller)
            except TROUBLE:
                caller.close()
                time.sleep(0.02)
                continue
            if answer.status == 503:
                time.sleep(0.02)
                continue
            body = answer.must().body
            assert first in (None, body), (first, body)
            first = body
            if self.dice.random() < 0.5:
                return body
            self.repeats += 1
        raise AssertionError("never answered")


def test_calls_are_done_once_whatever_dies(make_rspd, site, scratch):
    certificate = es2.Certificate(scratch, "CN=chaos")
    first = es2.start(make_rspd, site)
    second = es2.start(make_rspd, site, database=first.database)
    first.ask("operator client add", name="default", certificate=certificate.base64)
    for daemon in (first, second):
        caller = es2.Caller(daemon, certificate, per_call=True)
        wait_for(lambda caller=caller: caller.send("nothing", b"{}").status == 404, "the client to be known")
    for _ in range(CALLERS * ORDERS + 10):
        first.desk.load({"type": "chaos"})
    desks = [Desk(n, (first, second), certificate) for n in range(CALLERS)]
    for desk in desks:
        desk.start()
    for _ in range(3):
        time.sleep(0.3)
        second.kill()
        first.database.postgres.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            f" where datname = '{first.database.name}' and usename = 'flow' and random() < 0.5"
        )
        second.start()
    for desk in desks:
        desk.join(120)
        assert desk.failure is None and not desk.is_alive(), desk.failure
    ordered = [iccid for desk in desks for iccid in desk.iccids]
    assert len(set(ordered)) == CALLERS * ORDERS
    assert sum(desk.repeats for desk in desks) > 0
    made = first.database.rows("select iccid, count(*) from download_order group by iccid")
    assert sorted(made) == sorted((iccid, 1) for iccid in ordered)
    assert first.database.value("select count(*) from operator_call") == 3 * len(ordered)
    assert check(first.database, []) == []
