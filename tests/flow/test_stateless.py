"""What a flood of forged calls costs: no statement at all, or one look where the transactionId is ours and
only the signature is not (RULES 1.1, 1.3, 1.5, 6). PostgreSQL's own log counts. First a right download shows which statements the functions use; none of them may appear
while every kind of forged call comes in."""

import os
import re
import time

import pytest

import asn1
import der
import pki
from asn1 import Asn1Client
from card import Card, Download, Identity, b64
from conftest import new_eid
from harness import wait_for
from web import Client

EXECUTED = re.compile(r" execute ([^:]+): ")  # the name under which rspd prepared it


@pytest.fixture(scope="module")
def watched(rspd_module, databases):
    """A daemon whose statements PostgreSQL writes to its log."""
    database = databases()
    database.postgres.run(
        f"alter database {database.name} set log_statement = 'all';"
        f"alter database {database.name} set log_min_duration_statement = -1"
    )
    return rspd_module(database=database)


# What rspd does by itself: however long the machine takes, it is not counted.
TIMED = re.compile(r"_(?:sweep|digest|expire|left|lag|due|lease|stragglers|forget)$|^(?:audit|alert|outbox|eim)_")


class Watch:
    """The names of the statements that rspd runs inside the block."""

    def __init__(self, daemon):
        self.postgres = daemon.database.postgres
        self.names = []

    def __enter__(self):
        self.start = self.postgres.log_size()
        return self

    def __exit__(self, *failure):
        if not any(failure):
            self.names = EXECUTED.findall(self.postgres.log_since(self.start))


@pytest.fixture(scope="module")
def of_functions(watched, make_module_card):
    """Statements of a download from AuthenticateClient to CancelSession, without those that the
    daemon runs by itself in the same time."""
    card = make_module_card()
    o, second, another = watched.desk.order(), watched.desk.order(), watched.desk.order(eid=new_eid())
    with Watch(watched) as idle:
        time.sleep(1.5)
    with Watch(watched) as busy:
        Download(card, watched.client()).run(o.matching_id)
        other = Download(card, watched.client()).until_authenticated(second.matching_id)
        other.cancel("postponed").must()
        refuse(watched, card, another)
    used = {name for name in set(busy.names) - set(idle.names) if not TIMED.search(name)}
    assert len(used) >= 8, used  # two for each of four functions, some shared, and one behind a refusal
    assert "refused_put" in used
    return used


def refuse(watched, card, o):
    """A right call that is refused, until its profile's history tells it."""
    lpa = Download(card, watched.client())
    lpa.initiate().must()
    lpa.authenticate(o.matching_id).refused("8.1.1", "3.8")
    wait_for(lambda: watched.database.value(f"select count(*) from refused_call where iccid = '{o.iccid}'"), "the note")


@pytest.fixture(scope="module")
def make_module_card(site):
    return lambda: Card(new_eid(), site.trees["nist"])


def silent(watch, of_functions):
    seen = set(watch.names) & of_functions
    assert not seen, seen


@pytest.fixture(params=[Client, Asn1Client], ids=["json", "asn1"])
def lpa(watched, make_module_card, request):
    """A session in either binding."""
    return Download(make_module_card(), watched.client(kind=request.param))


def test_a_right_call_is_seen(watched, of_functions, lpa):
    """The counter counts: without this test the others could not fail."""
    lpa.initiate().must()
    with Watch(watched) as watch:
        lpa.authenticate("UNKNOWN").refused("8.2.6", "3.8")
    assert set(watch.names) & of_functions


def test_initiate_authentication(watched, of_functions, lpa):
    with Watch(watched) as watch:
        for _ in range(20):
            lpa.initiate().must()
        lpa.initiate(svn=b"\x01\x00\x00")
    silent(watch, of_functions)


def test_forged_authenticate_client(watched, of_functions, lpa, site):
    tree = site.trees["nist"]
    with Watch(watched) as watch:
        lpa.initiate().must()
        right = lpa.identity
        bodies = []
        for octet in (0, 1, 5, 15):
            body = lpa.authenticate_body("X")
            forged = bytearray(lpa.transaction)
            forged[octet] ^= 0x40
            bodies.append(({**body, "transactionId": forged.hex()}, ("8.10.1", "3.9")))
        for table, settings in ((pki.WRONG_EUM, "eum"), (pki.WRONG_EUICC, "euicc")):
            for refusal, faults in table.values():
                eum = tree.make_eum(**(faults(tree) if settings == "eum" else {}))
                more = faults(tree) if settings == "euicc" else {}
                euicc = tree.make_euicc(**{"eid": lpa.card.eid, "eum": eum, **more})
                lpa.identity = Identity(tree, euicc, eum)
                bodies.append((lpa.authenticate_body("X"), refusal))
        lpa.identity = right
        junk = der.tlv(0x5F37, os.urandom(64))
        bodies.append((lpa.authenticate_body("X", signature=junk), ("8.1", "6.1")))
        bodies.append((lpa.authenticate_body("X", challenge=bytes(16)), ("8.1", "6.1")))
        bodies.append((lpa.authenticate_body("X", svn=b"\x02\x09\x00"), ("8.1", "6.1")))
        bodies.append((lpa.authenticate_body("X", transaction=bytes(16)), ("8.10.1", "3.9")))
        for body, refusal in bodies:
            lpa.authenticate(body=body).refused(*refusal)
    silent(watch, of_functions)


def of_another_key(lpa):
    return bytes([lpa.transaction[0] ^ 1]) + lpa.transaction[1:]


def foreign(hex_id):
    forged = bytearray.fromhex(hex_id)
    forged[13] ^= 1
    return forged.hex().upper()


def test_forged_get_bound_profile_package_and_cancel_session(watched, of_functions, lpa):
    o = watched.desk.order()
    lpa.until_authenticated(o.matching_id)
    package, cancel = lpa.package_body(), lpa.cancel_body()
    with Watch(watched) as watch:
        for forged in (foreign(lpa.hex_id), "00" * 16, os.urandom(16).hex()):
            for function, body in (("getBoundProfilePackage", package), ("cancelSession", cancel)):
                answer = lpa.client.call(function, {**body, "transactionId": forged})
                answer.refused("8.10.1", "3.9")
    silent(watch, of_functions)


def test_a_wrong_signature_under_a_right_transaction_costs_one_look(
    watched, of_functions, lpa, make_module_card
):
    """Anybody gets a transactionId with a right MAC from InitiateAuthentication; the eUICC's key stands
    with its session."""
    lpa.until_package(watched.desk.order().matching_id)
    waiting = Download(lpa.card, lpa.client)
    waiting.until_authenticated(watched.desk.order().matching_id)
    key = make_module_card().identities[0].key
    began = Download(lpa.card, lpa.client)
    began.initiate().must()
    calls = {
        "package": lambda: waiting.get_package(key=key).refused("8.1", "6.1"),
        "cancel": lambda: lpa.cancel(key=key).refused("8.1", "6.1"),
        "result": lambda: lpa.notify(lpa.result(key=key)),
        "package, no session": lambda: lpa.get_package(
            body={
                **lpa.package_body(transaction=began.transaction),
                "transactionId": began.hex_id,
            }
        ).refused("8.10.1", "3.9"),
        "cancel, no session": lambda: began.cancel().refused("8.10.1", "3.9"),
        "result, no session": lambda: lpa.notify(lpa.result(transaction=began.transaction)),
    }
    counts = {}
    for name, call in calls.items():
        with Watch(watched) as watch:
            call()
        counts[name] = len([n for n in watch.names if n in of_functions])
    assert counts == dict.fromkeys(calls, 1)


def test_forged_installation_results_and_notifications(watched, of_functions, lpa, site):
    o = watched.desk.order()
    lpa.until_package(o.matching_id)
    stranger = pki.Tree("nist", "Another CI")
    identity = Identity(stranger, stranger.make_euicc(lpa.card.eid))
    thief = Identity(site.trees["nist"], lpa.identity.euicc)
    thief.key = identity.key
    forged = [lpa.result(transaction=bytes.fromhex(foreign(lpa.hex_id)))]
    for i in (identity, thief):
        forged.append(lpa.card.notification("enable", lpa.iccid, lpa.address, i))
    with Watch(watched) as watch:
        for octets in forged:
            assert lpa.notify(octets).status == 204
        assert lpa.notify(lpa.result(transaction=of_another_key(lpa))).status == 503
    silent(watch, of_functions)


def test_a_result_of_a_session_without_package_costs_only_the_look(watched, of_functions, lpa):
    o = watched.desk.order()
    lpa.until_authenticated(o.matching_id)
    octets = lpa.result()
    with Watch(watched) as watch:
        assert lpa.notify(octets).status == 204
    seen = [n for n in watch.names if n in of_functions]
    assert len(seen) == 1, seen


def test_a_refused_call_costs_one_statement_more_behind_its_answer(watched, of_functions, make_module_card):
    o = watched.desk.order(eid=new_eid())
    with Watch(watched) as watch:
        refuse(watched, make_module_card(), o)
    seen = [n for n in watch.names if n in of_functions]
    assert sorted(seen) == ["refused_put", "session_admit", "session_record"]


def test_garbage_of_every_function(watched, of_functions, lpa):
    with Watch(watched) as watch:
        for function in ("authenticateClient", "getBoundProfilePackage", "cancelSession"):
            for body in (b"", b"{}", b"[]", b'{"transactionId":"00"}', os.urandom(100)):
                lpa.client.call(function, body)
            for members in (b"", der.tlv(0x80, bytes(16)), der.tlv(0x80, bytes(16)) + b"\xa1\x00"):
                body = der.tlv(asn1.REQUEST, der.tlv(asn1.TAG[function], members))
                lpa.client.call(function, body)
        lpa.client.call("handleNotification", {"pendingNotification": b64(os.urandom(60))})
    silent(watch, of_functions)


def test_a_complete_download_costs_what_the_design_says(watched, of_functions, lpa):
    """InitiateAuthentication 0, and two statements for each function that follows."""
    o = watched.desk.order()
    counts = {}
    for name, step in {
        "initiate": lambda: lpa.initiate().must(),
        "authenticate": lambda: lpa.authenticate(o.matching_id).must(),
        "package": lambda: lpa.get_package().must(),
        "notify": lambda: lpa.notify(lpa.install()),
    }.items():
        with Watch(watched) as watch:
            step()
        counts[name] = len([n for n in watch.names if n in of_functions])
    assert counts == {"initiate": 0, "authenticate": 2, "package": 2, "notify": 2}
