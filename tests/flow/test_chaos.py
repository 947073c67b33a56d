"""The daemon or PostgreSQL killed under load, two daemons on one database: cards go on trying as
real ones do, the service comes back by itself, and at the end the checker finds nothing (RULES 6)."""

import http.client
import random
import threading
import time

import pytest

from card import CardRefuses, Download
from checker import check
from harness import Postgres, wait_for

CARDS = 6
TROUBLE = (OSError, http.client.HTTPException)
PACE = 0.02  # between two tries of a card that has met trouble


class Crowd:
    """Cards in threads, each with orders of its own, each trying again until it is served."""

    def __init__(self, daemons, make_card, orders_per_card=4):
        self.daemons = daemons
        self.cards = [make_card() for _ in range(CARDS)]
        self.work = [
            [daemons[0].desk.order() for _ in range(orders_per_card)] for _ in self.cards
        ]
        self.done = 0
        self.stopped = threading.Event()
        self.failures = []
        self.threads = [
            threading.Thread(target=self.live, args=(card, orders, random.Random(i)))
            for i, (card, orders) in enumerate(zip(self.cards, self.work))
        ]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *failure):
        if any(failure):
            self.stopped.set()
        for t in self.threads:
            t.join(90)
        assert not any(t.is_alive() for t in self.threads), "a card never got through"
        assert not self.failures, self.failures

    def live(self, card, orders, dice):
        try:
            for order in orders:
                self.until_installed(card, order, dice)
        except BaseException as failure:  # a thread's failure is the test's
            self.failures.append(repr(failure))
            raise

    def until_installed(self, card, order, dice):
        pending = None
        while not self.stopped.is_set():
            client = dice.choice(self.daemons).client(per_call=dice.random() < 0.5)
            lpa = Download(card, client)
            try:
                if pending is None:
                    pending = self.one_session(lpa, order)
                if pending is not None and lpa.notify(pending).status == 204:
                    self.done += 1
                    return
            except TROUBLE:
                pass
            finally:
                client.close()
            time.sleep(PACE)

    def one_session(self, lpa, order):
        """One try; the result to send when the profile got onto the card."""
        for step in (lpa.initiate, lambda: lpa.authenticate(order.matching_id), lpa.get_package):
            answer = step()
            if answer.status in (503, 500):
                return None
            assert answer.ok, answer
        try:
            return lpa.install()
        except CardRefuses as refusal:
            raise AssertionError(f"{order.iccid}: {refusal}") from refusal


def settled(daemon, cards):
    """Nothing that was acknowledged may be missing, nothing may be there twice."""
    wrong = check(daemon.database, cards)
    assert not wrong, wrong


LENIENT = {"download_attempts": 1000}


def test_the_checker_sees_what_is_wrong(make_rspd, session, make_card):
    daemon = make_rspd()
    card, other = make_card(), make_card()
    lpa = session(card, daemon=daemon).run(daemon.desk.order().matching_id)
    settled(daemon, [card, other])
    assert check(daemon.database, [other])
    other.profiles[lpa.iccid] = {}
    assert check(daemon.database, [card, other])
    del other.profiles[lpa.iccid]
    daemon.database.rows("delete from outbox where type = 'profile.installed'")
    assert check(daemon.database, [card, other])


def test_rspd_killed_under_load(make_rspd, make_card):
    daemon = make_rspd(dp=LENIENT)
    with Crowd([daemon], make_card) as crowd:
        for goal in (3, 8, 14):
            wait_for(lambda g=goal: crowd.done >= g or crowd.failures, "downloads")
            daemon.kill()
            daemon.start()
    assert crowd.done == CARDS * 4
    settled(daemon, crowd.cards)


@pytest.fixture(scope="module")
def fragile(scratch):
    """A cluster of its own to kill and stop: the other tests' is not disturbed."""
    postgres = Postgres(scratch / "pg2").start()
    yield postgres
    postgres.kill()


def test_postgresql_killed_under_load(fragile, make_card, make_rspd):
    daemon = own_database(fragile, make_rspd)
    with Crowd([daemon], make_card) as crowd:
        for goal in (3, 10):
            wait_for(lambda g=goal: crowd.done >= g or crowd.failures, "downloads")
            fragile.kill()
            fragile.start()
    assert crowd.done == CARDS * 4
    settled(daemon, crowd.cards)


def test_postgresql_restarted_under_load(fragile, make_card, make_rspd):
    daemon = own_database(fragile, make_rspd)
    with Crowd([daemon], make_card) as crowd:
        wait_for(lambda: crowd.done >= 5 or crowd.failures, "downloads")
        fragile.stop()
        assert daemon.serves()
        fragile.start()
    assert crowd.done == CARDS * 4
    settled(daemon, crowd.cards)


def own_database(postgres, make_rspd):
    database = postgres.new_database()
    daemon = make_rspd(database=database, start=False, dp=LENIENT)
    daemon.once("--migrate")
    return daemon.start()


def test_out_of_connections_under_load(make_rspd, make_card):
    daemon = make_rspd(dp=LENIENT)
    name = daemon.database.name
    run = daemon.database.postgres.run
    with Crowd([daemon], make_card) as crowd:
        for goal in (3, 10):
            wait_for(lambda g=goal: crowd.done >= g or crowd.failures, "downloads")
            run(f"alter database {name} connection limit 0")
            run(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                f" where datname = '{name}' and usename = 'flow'"
            )
            time.sleep(0.2)
            run(f"alter database {name} connection limit -1")
    assert crowd.done == CARDS * 4
    settled(daemon, crowd.cards)


def test_single_backends_killed_under_load(make_rspd, make_card):
    """A connection dies with a write on it: the write is repeated or recognised, never doubled."""
    daemon = make_rspd(dp=LENIENT)
    name = daemon.database.name
    with Crowd([daemon], make_card) as crowd:
        while crowd.done < CARDS * 4 and not crowd.failures:
            daemon.database.postgres.run(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                f" where datname = '{name}' and usename = 'flow' order by random() limit 1"
            )
            time.sleep(0.05)
    settled(daemon, crowd.cards)


def test_two_daemons_and_one_dies(make_rspd, make_card):
    first = make_rspd(dp=LENIENT)
    second = make_rspd(database=first.database, dp=LENIENT)
    with Crowd([first, second], make_card) as crowd:
        wait_for(lambda: crowd.done >= 5 or crowd.failures, "downloads")
        second.kill()
        wait_for(lambda: crowd.done >= 10 or crowd.failures, "downloads")
        second.start()
    assert crowd.done == CARDS * 4
    settled(first, crowd.cards)


def test_many_cards_want_one_order(make_rspd, make_card):
    """Eight cards, two daemons, one activation code: it is installed on exactly one."""
    first = make_rspd(dp=LENIENT)
    second = make_rspd(database=first.database, dp=LENIENT)
    for _ in range(3):
        order = first.desk.order()
        cards = [make_card() for _ in range(8)]
        winners, barrier = [], threading.Barrier(len(cards))

        def want(card, daemon, order=order, winners=winners, barrier=barrier):
            lpa = Download(card, daemon.client())
            barrier.wait()
            lpa.initiate().must()
            if lpa.authenticate(order.matching_id).ok and lpa.get_package().ok:
                winners.append(card)
                assert lpa.notify(lpa.install()).status == 204

        threads = [
            threading.Thread(target=want, args=(c, (first, second)[i % 2]))
            for i, c in enumerate(cards)
        ]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len(winners) == 1
        assert order.show()["eid"] == winners[0].eid
        assert order.state == "installed"


def test_without_postgresql_rspd_does_not_start_and_says_so(fragile, make_rspd):
    daemon = own_database(fragile, make_rspd)
    daemon.stop()
    fragile.stop()
    run = daemon.once(check=False)
    fragile.start()
    assert run.returncode == 69, run.stderr
    assert "database" in run.stderr


def test_without_postgresql_calls_are_answered_503_until_it_is_back(fragile, make_rspd, make_card):
    daemon = own_database(fragile, make_rspd)
    order = daemon.desk.order()
    fragile.stop()
    lpa = Download(make_card(), daemon.client())
    lpa.initiate().must()
    answer = lpa.authenticate(order.matching_id)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    fragile.start()

    def served():
        lpa.initiate().must()
        return lpa.authenticate(order.matching_id).ok

    wait_for(served, "the service to come back")
    lpa.get_package().must()
