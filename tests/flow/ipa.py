"""An IoT eUICC and its IPA (SGP.32), in Python with DER by hand: it shares no code and no generated codec with
rspd or rspsim. `IotCard` executes eUICC packages as strictly as a card does; `Ipa` speaks ESipa in both forms.
Every value can be replaced by a test, which makes the wrong messages out of right ones."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric import ec

import der
from card import ISDP_AID, SUCCESS, Card, Identity, notification_metadata, swapped, unswapped
from der import tlv
from rspcrypto import point, sign, signature_tlv, verifies

ASN1 = "application/x-gsma-rsp-asn1"
NO_PACKAGE = bytes.fromhex("bf4f03020101")
EMPTY = bytes.fromhex("bf50023000")
RESULT = {"enable": 0x83, "disable": 0x84, "delete": 0x85, "rollback": 0x8C}


def signed_integer(number, tag):
    if number >= 0:
        return der.integer(number, tag)
    size = (number + 1).bit_length() // 8 + 1
    return tlv(tag, number.to_bytes(size, "big", signed=True))


class Association:
    """What a card knows of an eIM."""

    def __init__(self, public_key, counter=0, token=None):
        self.public_key, self.counter, self.token = public_key, counter, token

    def token_tlv(self):
        return tlv(0x84, b"\x00") if self.token is None else signed_integer(self.token, 0x84)


class IotCard(Card):
    """An eUICC of SGP.32 v1.2; version="1.0.1" signs results as v1.0 does."""

    def __init__(self, eid, *trees, version="1.2.0"):
        super().__init__(eid, *trees)
        self.version = tuple(int(n) for n in version.split("."))
        iot = tlv(0xB4, tlv(0xA0, tlv(0x04, bytes(self.version))))
        self.extra_info2 = iot
        self.eims = {}
        self.next_token = 1
        self.results = {}  # seqNumber: octets, until they are acknowledged
        self.notifications = {}  # the same
        self.executed = []  # (eimId, counter) of every package, for the checker
        self.before = None  # states before the last package with a rollback flag
        self.ecall = False

    def point(self):
        return point(self.identities[0].key)

    def associate(self, eim_id, public_key, token=None, counter=0):
        self.eims[eim_id] = Association(public_key, counter, token)
        return self

    def profile(self, iccid, enabled=False, fallback=False):
        self.profiles[iccid] = dict(enabled=enabled, fallback=fallback, name="test")
        return iccid

    def enabled(self):
        return next((i for i, p in self.profiles.items() if p["enabled"]), None)

    # ---- eUICC packages (§2.11.1, §5.9.1) ---------------------------------------------------------

    def load_package(self, octets):
        """The EuiccPackageResult of an EuiccPackageRequest."""
        signed, signature = der.read(octets, 0xBF51).expect(0x30, 0x5F37)
        members = {n.tag: n for n in signed.children}
        eim_id = members[0x80].value.decode()
        identifier = members.get(0x82)
        eim = self.eims.get(eim_id)
        if eim is None or not verifies(
            eim.public_key, signed.octets + eim.token_tlv(), signature.value
        ):
            known = eim.token_tlv() if eim and eim.token is not None else b""
            return self.unsigned_error(eim_id, identifier, known)
        counter = int.from_bytes(members[0x81].value, "big")
        head = members[0x80].octets + members[0x81].octets
        head += identifier.octets if identifier else b""
        if members[0x5A].value != bytes.fromhex(self.eid):
            return self.signed_error(eim, head, 3, signature)
        if counter <= eim.counter:
            return self.signed_error(eim, head, 4, signature)
        if self.ecall:
            return self.signed_error(eim, head, 104, signature)
        eim.counter = counter
        self.executed.append((eim_id, counter))
        package = members.get(0xA0) or members[0xA1]
        outcome = self.execute(package.children)
        return self.finish(eim, head, outcome, signature)

    @staticmethod
    def unsigned_error(eim_id, identifier, token):
        id_octets = identifier.octets if identifier else b""
        return tlv(0xBF51, tlv(0xA2, der.text(eim_id, 0x80), id_octets, token))

    def covered(self, eim, signature):
        """What stands behind the data under the eUICC's signature (§2.11.1.2)."""
        return signature.octets if self.version < (1, 1) else eim.token_tlv()

    def signed_error(self, eim, head, code, signature):
        data = tlv(0x30, head, der.integer(code))
        mark = tlv(0x5F37, sign(self.identities[0].key, data + self.covered(eim, signature)))
        return tlv(0xBF51, tlv(0xA1, data, mark))

    def finish(self, eim, head, outcome, signature, sequence=None):
        sequence = sequence or self.next_sequence()
        data = tlv(0x30, head, der.integer(sequence, 0x83), tlv(0x30, *outcome))
        mark = tlv(0x5F37, sign(self.identities[0].key, data + self.covered(eim, signature)))
        result = tlv(0xBF51, tlv(0xA0, data, mark))
        self.results[sequence] = result
        self.last = (eim, head, list(outcome), signature)
        return result

    def roll_back(self):
        """ProfileRollback (BF58): the former profile again, the result that replaces the first."""
        assert self.before is not None, "rollbackNotAllowed"
        for iccid, enabled in self.before.items():
            self.profiles[iccid]["enabled"] = enabled
        self.before = None
        eim, head, outcome, signature = self.last
        self.results.clear()
        return self.finish(eim, head, outcome + [der.integer(0, 0x8C)], signature)

    def execute(self, commands):
        self.before = None
        states = {i: p["enabled"] for i, p in self.profiles.items()}
        out = []
        for command in commands:
            out.append(self.execute_one(command))
            if command.tag == 0xA3 and command.find(0x05) is not None:
                self.before = states
        return out

    def target(self, command):
        return self.profiles.get(unswapped(command.get(0x5A).value))

    def execute_one(self, command):
        tag, target = command.tag, None
        if tag in (0xA3, 0xA4, 0xA5, 0xA8) and command.find(0x5A) is not None:
            target = self.target(command)
        if tag == 0xA3:
            return der.integer(self.switch(target, True), 0x83)
        if tag == 0xA4:
            return der.integer(self.switch(target, False), 0x84)
        if tag == 0xA5:
            return der.integer(self.remove(command, target), 0x85)
        if tag == 0xBF2D:
            return self.list_profiles()
        if tag == 0xA6:
            return tlv(0xA6)
        if tag == 0xA7:
            return der.integer(0, 0x87)
        if tag == 0xBF65:
            return tlv(0xBF65, der.integer(0, 0x80))
        if tag == 0xA9 and not command.value:
            for p in self.profiles.values():
                p["fallback"] = False
            return der.integer(0, 0x8E)
        if tag == 0xA8 and command.find(0x5A) is not None:
            for p in self.profiles.values():
                p["fallback"] = p is target
            return der.integer(0 if target else 1, 0x8D)
        return self.execute_eco(command)

    def switch(self, target, on):
        if target is None:
            return 1
        if target["enabled"] == on:
            return 2
        for p in self.profiles.values():
            p["enabled"] = False
        target["enabled"] = on
        return 0

    def remove(self, command, target):
        if target is None:
            return 1
        if target["enabled"]:
            return 2
        del self.profiles[unswapped(command.get(0x5A).value)]
        return 0

    def list_profiles(self):
        infos = []
        for iccid, p in sorted(self.profiles.items()):
            infos.append(
                tlv(
                    0xE3,
                    tlv(0x5A, swapped(iccid)),
                    tlv(0x4F, ISDP_AID),
                    der.integer(int(p["enabled"]), 0x9F70),
                    der.text("test operator", 0x91),
                    der.text(p.get("name", "test"), 0x92),
                    der.integer(2, 0x95),
                    der.boolean(p.get("fallback", False), 0x9F26),
                )
            )
        return tlv(0xBF2D, tlv(0xA0, *infos))

    def execute_eco(self, command):
        if command.tag == 0xAB:
            rows = (tlv(0x30, der.text(name, 0x80), der.integer(2, 0x82)) for name in self.eims)
            return tlv(0xAB, tlv(0xA0, *rows))
        name = command.get(0x80).value.decode()
        if command.tag == 0xA8:
            if name in self.eims:
                return tlv(0xA8, der.integer(2))
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
            self.associate(name, key, self.next_token)
            self.next_token += 1
            return tlv(0xA8, self.eims[name].token_tlv())
        if name not in self.eims:
            return der.integer(1, 0x89 if command.tag == 0xA9 else 0x8A)
        if command.tag == 0xA9:
            del self.eims[name]
            return der.integer(0 if self.eims else 2, 0x89)
        counter = command.find(0x83)
        if counter is not None:
            self.eims[name].counter = int.from_bytes(counter.value, "big")
        return der.integer(0, 0x8A)

    # ---- data (§2.11), notifications --------------------------------------------------------------

    def data(self, octets, eim_id):
        """The IpaEuiccDataResponse to an IpaEuiccDataRequest."""
        request = der.read(octets, 0xBF52)
        wanted = request.get(0x5C).value
        identifier = request.find(0x83)
        identity = self.identities[0]
        out = b""
        if b"\xa0" in wanted:
            out += tlv(0xA0, *self.notifications.values())
        if b"\xa2" in wanted:
            out += tlv(0xA2, *self.results.values())
        if b"\xbf\x20" in wanted:
            out += self.info1()
        if b"\xbf\x22" in wanted:
            out += self.info2()
        if b"\x84" in wanted and self.eims[eim_id].token is not None:
            out += self.eims[eim_id].token_tlv()
        if b"\xa5" in wanted:
            out += tlv(0xA5, der.read(identity.eum.der, 0x30).value)
        if b"\xa6" in wanted:
            out += tlv(0xA6, der.read(identity.euicc.der, 0x30).value)
        if identifier is not None:
            out += tlv(0x87, identifier.value)
        if b"\xa8" in wanted:
            out += tlv(0xA8, der.named_bits(0, 1, tag=0x80), der.named_bits(0, 1, tag=0x81))
        return tlv(0xBF52, tlv(0xA0, out))

    def notify(self, event, iccid, address):
        sequence = self.next_sequence()
        self.notifications[sequence] = self.notification(event, iccid, address, sequence=sequence)
        return self.notifications[sequence]

    def installation(self, iccid, address="smdp.example.net", transaction=b"\x01" * 16, error=None):
        """A ProfileInstallationResult of a download that some SM-DP+ made."""
        good = tlv(0xA0, tlv(0x4F, ISDP_AID), tlv(0x04, SUCCESS))
        bad = tlv(0xA1, der.integer(5, 0x80), der.integer(error or 127, 0x81))
        data = tlv(
            0xBF27,
            tlv(0x80, transaction),
            notification_metadata(self.next_sequence(), "install", address, iccid),
            der.oid("2.999.10"),
            tlv(0xA2, bad if error else good),
        )
        return tlv(0xBF37, data, signature_tlv(self.identities[0].key, data))

    def acknowledge(self, sequences):
        """The IPA removes what the eIM has; an unknown number is an error (nothingToDelete)."""
        for sequence in sequences:
            known = self.results if sequence in self.results else self.notifications
            del known[sequence]


def forge(card, tree):
    """The same EID with another key under a CI of its own."""
    card.identities = [Identity(tree, tree.make_euicc(card.eid))]
    return card


class Ipa:
    """One IPA over one form of ESipa: "asn1" or "json"."""

    def __init__(self, card, client, form="asn1", eim_id="eim.example.com"):
        self.card, self.client, self.form, self.eim_id = card, client, form, eim_id

    # ---- the two forms ---------------------------------------------------------------------------

    def post_asn1(self, octets, **headers):
        fields = {"Content-Type": ASN1, "User-Agent": "gsma-rsp-ipad", **headers}
        return self.client.request("/gsma/rsp2/asn1", octets, fields)

    def post_json(self, function, body, **headers):
        fields = {"Content-Type": "application/json;charset=UTF-8", **headers}
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.request("/gsma/rsp2/esipa/" + function, octets, fields)

    # ---- GetEimPackage (§5.14.5) -----------------------------------------------------------------

    def poll(self, cause=None, eid=None):
        """What is handed out: the octets of BF51, BF52 or BF54, or the error's integer."""
        eid = eid or self.card.eid
        if self.form == "asn1":
            change = b"" if cause is None else tlv(0x80) + der.integer(cause, 0x81)
            answer = self.post_asn1(tlv(0xBF4F, tlv(0x5A, bytes.fromhex(eid)), change))
            assert answer.status == 200, answer
            (inner,) = der.read(answer.octets, 0xBF4F).children
            return inner.octets if inner.tag != 0x02 else int.from_bytes(inner.value, "big")
        body = {"eidValue": eid}
        if cause is not None:
            body |= {"notifyStateChange": True, "stateChangeCause": cause}
        answer = self.post_json("getEimPackage", body)
        assert answer.status == 200, answer
        if answer.ok:
            (name,) = answer.body.keys() - {"header"}
            return base64.b64decode(answer.body[name], validate=True)
        return answer.body["eimPackageError"]

    # ---- ProvideEimPackageResult (§5.14.6) -------------------------------------------------------

    def provide(self, result, eid=True):
        """Sends an answer; the numbers that are acknowledged, or the error's integer."""
        if self.form == "asn1":
            whose = tlv(0x5A, bytes.fromhex(self.card.eid)) if eid else b""
            answer = self.post_asn1(tlv(0xBF50, whose, result))
            assert answer.status == 200, answer
            (inner,) = der.read(answer.octets, 0xBF50).children
            if inner.tag == 0x02:
                return Refused(int.from_bytes(inner.value, "big"))
            octets = inner.octets if inner.tag == 0xBF53 else b""
            assert octets or inner.octets == b"\x30\x00"
        else:
            body = {"eimPackageResult": base64.b64encode(result).decode()}
            if eid:
                body["eidValue"] = self.card.eid
            answer = self.post_json("provideEimPackageResult", body)
            assert answer.status == 200, answer
            if not answer.ok:
                return Refused(answer.refusal)
            octets = base64.b64decode(answer.body.get("eimAcknowledgements", ""))
        if not octets:
            return []
        return [int.from_bytes(n.value, "big") for n in der.read(octets, 0xBF53).children]

    def answer_to(self, handed):
        """What the device makes of what it was handed."""
        if handed[:2] == b"\xbf\x51":
            return self.card.load_package(handed)
        assert handed[:2] == b"\xbf\x52", handed.hex()
        return self.card.data(handed, self.eim_id)

    def turn(self):
        """One poll and its answer, acknowledged: what was handed out, or the error's integer."""
        handed = self.poll()
        if isinstance(handed, bytes):
            acknowledged = self.provide(self.answer_to(handed))
            assert isinstance(acknowledged, list), acknowledged
            self.card.acknowledge(acknowledged)
        return handed

    def run(self, most=20):
        """Until there is nothing more; all that was handed out."""
        out = []
        for _ in range(most):
            handed = self.turn()
            if not isinstance(handed, bytes):
                assert handed == 1, handed
                return out
            out.append(handed)
        raise AssertionError("there is no end to it")


class Refused:
    """An error of a function."""

    def __init__(self, code):
        self.code = code

    def __eq__(self, other):
        return isinstance(other, Refused) and self.code == other.code

    def __repr__(self):
        return f"<refused {self.code}>"


def identifier(handed):
    """The eimTransactionId of what was handed out."""
    node = der.read(handed)
    if node.tag == 0xBF51:
        return node.get(0x30, 0x82).value
    return node.get(0x83 if node.tag == 0xBF52 else 0x82).value


def counter(handed):
    return int.from_bytes(der.read(handed, 0xBF51).get(0x30, 0x81).value, "big")


__all__ = ["Ipa", "IotCard", "Refused", "counter", "forge", "identifier"]
