"""Profiles, orders and sessions, brought into any state by the statements that bring them there."""

import hashlib
import itertools
from types import SimpleNamespace

CODE = hashlib.sha256(hashlib.sha256(b"1234").digest()).digest()  # as an order keeps it


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hash_cc(transaction_id, code=CODE):
    """What an eUICC sends for a Confirmation Code, SGP.22 §3.1.3.2."""
    return sha256(code, transaction_id)


class World:
    """What is in one database. Numbers run on, so that nothing of one test is met by another."""

    serial = itertools.count(1)

    def __init__(self, db):
        self.db = db
        self.own_type = {}
        if not db.rows("select from credential_set"):
            db.run("credential_set_number", ci=[b"c" * 20], auth=[b"a" * 32], pb=[b"p" * 32])

    def number(self):
        return next(self.serial)

    def do(self, call):
        """A call that is kept as (name, parameters)."""
        return self.db.run(call[0], **call[1])

    def eid(self):
        return f"89049032{self.number():024d}"

    def type_named(self, on_delete):
        name = f"type-{on_delete}"
        self.db.run("profile_type_create", name=name, keys="session", on_delete=on_delete, actor="test",
                    operator_name="default")
        return name

    def profile(self, on_delete="keep"):
        iccid = f"8949{self.number():015d}"
        assert self.db.run("profile_import", **self.package(iccid, self.type_named(on_delete)))
        return iccid

    def package(self, iccid, type_name):
        return dict(iccid=iccid, type_name=type_name, **{"class": "test"}, saip_version=512, services=3,
                    upp_octets=100, metadata=b"m", upp=b"\1key1" + iccid.encode(), actor="test", why="",
                    operator_name="default")

    def templates(self, *variants):
        """Parameters of new templates, each (version, services) of what an eUICC must know."""
        variants = variants or ((0x0203, 2),)
        ids = [self.db.value("select nextval('template_id_seq')") for _ in variants]
        return dict(ids=ids, saip_versions=[v for v, _ in variants], services=[s for _, s in variants],
                    octets=[1000] * len(ids), metadata=[b"m%d" % i for i in ids], upps=[b"\1key1u"] * len(ids))

    def templated(self, *variants, **more):
        """A type whose profiles are loaded: its number."""
        given = dict(name=f"templated-{self.number()}", keys="session", on_delete="keep", actor="test",
                     operator_name="default") | self.templates(*variants) | {"class": "operational"} | more
        return self.db.run("profile_type_create", **given)[0]["type_id"]

    def stage_rows(self, rows, db=None):
        """A load of these ICCIDs, by line, that waits to be taken: its number. An IMSI goes with its ICCID, or is
        given: (ICCID, IMSI)."""
        db = db or self.db
        load = db.run("load_begin")[0]["load_id"]
        for line, row in enumerate(rows, 2):
            iccid, imsi = row if isinstance(row, tuple) else (row, self.imsi_of(row))
            db.rows(f"insert into profile_staging_{load} values (%s, %s, %s, %s)", line, iccid, imsi,
                    b"\1key1" + iccid.encode())
        return load

    @staticmethod
    def imsi_of(iccid):
        return "00101" + iccid[-10:]

    def take_load(self, load, type_id, count, db=None, **more):
        given = dict(load_id=load, type_id=type_id, version=1, profiles=count, fields_all=3, fields_any=3,
                     source="test.csv", actor="test", why="") | {"class": "operational"} | more
        return (db or self.db).run("load_take", **given)[0]["outcome"]

    def load(self, type_id, count=1):
        """So many profiles of the type: their ICCIDs, ascending."""
        rows = [f"8949{self.number():015d}" for _ in range(count)]
        assert self.take_load(self.stage_rows(rows), type_id, count) == "done"
        return rows

    def order(self, iccid, eid=None, **more):
        """DownloadOrder: the order's number."""
        order_id = self.db.run("order_prepare", iccid=iccid)[0]["order_id"]
        event = "download_order_eid" if eid else "download_order"
        assert self.db.run("order_create", order_id=order_id, iccid=iccid, event=event, eid=eid, actor="test",
                           why="", **more)
        return order_id

    def confirm(self, iccid, release=True, **more):
        """ConfirmOrder: the MatchingID."""
        matching_id = f"M{self.number()}"
        event = "confirm_order_release" if release else "confirm_order"
        given = dict(matching_id=matching_id, chosen=True, cc_sha256=CODE) | more
        assert self.db.run("order_confirm", iccid=iccid, event=event, actor="test", why="", **given)
        return given["matching_id"]

    def released(self, **more):
        """A profile whose package may be asked for, without an EID unless one is given."""
        iccid = self.profile(more.pop("on_delete", "keep"))
        order_id = self.order(iccid, **more)
        self.confirm(iccid)
        return SimpleNamespace(iccid=iccid, order_id=order_id)

    def refused(self, iccid, **more):
        """A refused call of an eUICC about this profile."""
        return dict(iccid=iccid, eid=self.eid(), caller="es9+", function="GetBoundProfilePackage",
                    refusal="BINDING_REFUSED", why="") | more

    def session_of(self, order_id, eid, **more):
        """What AuthenticateClient would write for this order as it stands now."""
        now = self.db.rows(
            "select o.download_attempts, p.state from download_order o join profile p using (iccid) where o.id = %s",
            order_id,
        ) or [{}]
        return dict(transaction_id=sha256(str(self.number()).encode())[:16], credential_set=1, eid=eid,
                    euicc_curve=1, euicc_point=b"\4", smdp_oid="2.999.10", request_sha256=b"r" * 32,
                    order_id=order_id, metadata=b"m", code_required=True, why="", **now[0]) | more

    def session(self, order_id, eid, **more):
        """AuthenticateClient: the transaction id."""
        given = self.session_of(order_id, eid, **more)
        assert self.db.run("session_record", **given)
        return given["transaction_id"]

    def packed(self, transaction_id):
        """The session, as if its package had been the order's newest to go out."""
        self.db.rows("update rsp_session set bpp_sign = 'n' where transaction_id = %s", transaction_id)
        self.db.rows("update download_order set bound_transaction = %s where id ="
                     " (select order_id from rsp_session where transaction_id = %s)", transaction_id, transaction_id)
        return transaction_id

    @staticmethod
    def binding_of(transaction_id):
        return dict(transaction_id=transaction_id, otpk=b"o", seed=b"\1key1seed", segments_sha256=b"s" * 32,
                    request_sha256=b"q" * 32, sign=b"n", credential_set=1)

    def bind(self, transaction_id):
        """GetBoundProfilePackage."""
        assert self.db.run("package_record", **self.binding_of(transaction_id))

    @staticmethod
    def result_of(transaction_id, event="install", sequence=10, disproved=False):
        return dict(transaction_id=transaction_id, installed=event == "install", event=event,
                    error="INSTALLATION_FAILED", why="", sequence=sequence, address="a", evidence=b"e",
                    disproved=disproved)

    @staticmethod
    def report_of(eid, iccid, sequence, operation):
        return dict(eid=eid, iccid=iccid, sequence=sequence, operation=operation, address="a", evidence=b"e")

    def at(self, state, on_delete="keep"):
        """
        A profile in that state, with everything at hand that any event could use: a newest session that
        waits for its package, a binding made by it, and a card on which the profile could be deleted.
        """
        iccid = self.profile(on_delete)
        case = SimpleNamespace(iccid=iccid, eid=self.eid(), order_id=None, tx=None)
        linked = case.eid if state == "linked" else None
        case.order_id = self.order(iccid, linked)
        if state not in ("allocated", "linked"):
            self.confirm(iccid, release=state != "confirmed")
        if state in ("downloaded", "installed"):
            self.bind(self.session(case.order_id, case.eid))
        if state == "error":
            self.session(case.order_id, case.eid, refusal="X", event="exceed_attempts")
        case.tx = self.packed(self.session(case.order_id, case.eid))
        if state in ("available", "unavailable"):
            assert self.db.run("order_cancel", iccid=iccid, event=f"cancel_order_{state}", trusted=True,
                               actor="test", why="")
        if state == "installed":
            done = self.packed(self.session(case.order_id, case.eid))
            assert self.db.run("notification_record_result", **self.result_of(done, sequence=1))
        self.db.rows("delete from binding where order_id = %s", case.order_id)
        self.db.rows(
            "insert into binding (order_id, iccid, eid, transaction_id, credential_set, euicc_otpk, seed, metadata,"
            " segments_sha256) values (%s, %s, %s, %s, 1, 'o', 's', 'm', 's')",
            case.order_id, iccid, case.eid, case.tx,
        )
        self.packed(case.tx)
        self.db.rows("update profile set card_eid = %s, card_seq = 1 where iccid = %s", case.eid, iccid)
        assert self.state(iccid) == state
        return case

    def stage(self, iccid, state):
        """The state without a move: the guard sleeps meanwhile."""
        self.db.rows("set session_replication_role = replica")
        self.db.rows("update profile set state = %s where iccid = %s", state, iccid)
        self.db.rows("set session_replication_role = origin")

    def state(self, iccid):
        return self.db.value("select state from profile where iccid = %s", iccid)

    def outbox(self, iccid):
        """Kinds of the events, in order; their numbers are without a gap."""
        rows = self.db.rows("select seq, type from outbox where order_key = %s order by seq", iccid)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert self.db.value("select event_seq from profile where iccid = %s", iccid) == len(rows)
        return [row["type"] for row in rows]

    def moves(self, iccid):
        """The moves of the audit trail, in order."""
        return [
            (row["act"], row["from_state"], row["to_state"])
            for row in self.db.rows(
                "select * from audit where iccid = %s and to_state is not null and from_state is not null order by id",
                iccid,
            )
        ]

    def dump(self):
        """All that all tables say, partitions and their names included."""
        tables = self.db.rows(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        )
        names = sorted(row["relname"] for row in tables)
        return {name: sorted(map(str, self.db.rows(f"select * from {name}"))) for name in names}
