"""The eIM's administrator, at the database: brings eUICCs in and wants things of them by the very statements of
sql/query that the daemon uses, so that tests of ESipa do not depend on the control socket."""

import importlib.util
import os
import pathlib

import psycopg2.extras

import der
from card import swapped
from der import tlv

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def load_statements():
    spec = importlib.util.spec_from_file_location("sql", REPOSITORY / "src" / "store" / "sql.py")
    parser = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parser)
    types = {kind: name for name, kind in parser.KINDS.items()}
    return {
        s.name: (s.text, [(name, types[kind]) for name, kind in s.params])
        for name in ("euicc", "eim")
        for s in parser.read_statements(REPOSITORY / "sql" / "query" / f"{name}.sql")
    }


STATEMENTS = load_statements()
EIM_ID = "eim.example.com"

# PSMOs and eCOs by hand (SGP.32 §2.11.1).
FLAG = tlv(0x05)


def enable(iccid, rollback=False):
    return tlv(0xA3, tlv(0x5A, swapped(iccid)), FLAG if rollback else b"")


def disable(iccid):
    return tlv(0xA4, tlv(0x5A, swapped(iccid)))


def delete(iccid):
    return tlv(0xA5, tlv(0x5A, swapped(iccid)))


def set_fallback(iccid):
    return tlv(0xA8, tlv(0x5A, swapped(iccid)))


UNSET_FALLBACK = tlv(0xA9)
GET_RAT = tlv(0xA6)
LIST_PROFILES = tlv(0xBF2D, tlv(0x5C, bytes.fromhex("5a4f9f7090919295b6999f269f67")))
LIST_EIM = tlv(0xAB)
WANT_NOTIFICATIONS = tlv(0xBF52, tlv(0x5C, b"\xa0"))


def psmos(*commands):
    return tlv(0xA0, *commands)


def ecos(*commands):
    return tlv(0xA1, *commands)


def add_eim(name, token=-1):
    number = der.integer(token, 0x84) if token >= 0 else tlv(0x84, b"\xff")
    return tlv(0xA8, der.text(name, 0x80), number)


def delete_eim(name):
    return tlv(0xA9, der.text(name, 0x80))


def update_eim(name, counter):
    return tlv(0xAA, der.text(name, 0x80), der.integer(counter, 0x83))


def download(code):
    return tlv(0xBF54, tlv(0xA0, der.text(code, 0x80)))


class EimDesk:
    def __init__(self, database):
        self.database = database

    def run(self, name, **given):
        """A statement of sql/query; parameters that are not given are NULL."""
        text, params = STATEMENTS[name]
        assert not given.keys() - {p for p, _ in params}, name
        types = "".join(f"{', ' if i else '('}{kind}" for i, (_, kind) in enumerate(params)) + ")"
        marks = ", ".join(f"%({p})s::{kind}" for p, kind in params)
        with self.database.postgres.connect(self.database.name) as connection:
            connection.autocommit = True
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(f"prepare {name}{types} as {text}")
                values = {p: given.get(p) for p, _ in params}
                cursor.execute(f"execute {name}({marks})", values)
                return cursor.fetchall() if cursor.description else []

    def add(self, card, token=None, key=False, counter=0):
        """Brings a card in. token: None for not known, "" for none; key: its certificates are at hand."""
        identity = card.identities[0]
        outcome = self.run(
            "euicc_add",
            operator_name="default",
            eids=[card.eid],
            euicc_certificates=[identity.euicc.der if key else None],
            eum_certificates=[identity.eum.der if key else None],
            curves=[0 if identity.tree.curve == "nist" else 1],
            points=[card.point() if key else None],
            test_cis=[0],
            tokens=[token],
            counters=[counter],
            imeis=[None],
            injects=[None],
            actor="test",
            why="",
        )
        return outcome[0]["outcome"]

    def ready(self, card, **more):
        """… of which everything is known that a first package needs."""
        assert self.add(card, token="", key=True, **more) == "added"
        self.database.rows(f"update euicc set learnt_at = now() where eid = '{card.eid}'")
        return card

    def want(self, card, body, kind="package", what="test", **more):
        rows = self.run(
            "eim_queue",
            eid=card.eid,
            kind=kind,
            what=what,
            body=body,
            priority=more.pop("priority", 0),
            actor="test",
            why="",
            nonce=os.urandom(16),
            **more,
        )
        return rows[0]["package_id"] if rows else None

    def package(self, number):
        (row,) = self.run("eim_package_find", package_id=number)
        return row

    def state(self, number):
        return self.package(number)["state"]

    def meaning(self, number):
        return self.package(number)["meaning"]

    def euicc(self, card):
        (row,) = self.run("euicc_find", eid=card.eid)
        return row

    def profiles(self, card):
        return {r["iccid"]: r for r in self.run("euicc_profiles", eid=card.eid, most=100)}

    def events(self, card, kind=None):
        where = f" and type = '{kind}'" if kind else ""
        rows = self.database.rows(
            f"select type, data from outbox where order_key = '{card.eid}'{where} order by seq"
        )
        return [data for _, data in rows] if kind else [t for t, _ in rows]

    def raw(self, card):
        return [
            r for (r,) in self.database.rows(f"select why from eim_raw_result where eid = '{card.eid}'")
        ]

    def pass_time(self, card):
        """An interval of the budget of what is out."""
        self.database.rows(
            "update eim_package set counted_at = counted_at - interval '1 day'"
            f" where eid = '{card.eid}' and state = 'out'"
        )
