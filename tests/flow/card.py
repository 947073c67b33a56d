"""A software eUICC with its LPA, the third one beside rspd and rspsim, in Python with DER by hand.

`Card` is the eUICC (SGP.22 §5.7): it checks what a real one checks in a server's answer and raises
`CardRefuses` otherwise. `Download` is the LPA's side of one session (§3.1.2, §3.1.3): each step
builds its body, sends it and lets the card judge the answer. Every value that goes into a body can
be replaced by a test, which makes the wrong messages out of right ones.
"""

import base64
import hashlib
import os

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import der
import pki
from der import tlv
from rspcrypto import (
    CURVES,
    Scp03t,
    hash_cc,
    point,
    shared_secret,
    sign,
    signature_tlv,
    verifies,
)

PATH = "/gsma/rsp2/es9plus/"
EVENT = {"install": 0, "enable": 1, "disable": 2, "delete": 3}
REASON = {
    "endUserRejection": 0,
    "postponed": 1,
    "timeout": 2,
    "pprNotAllowed": 3,
    "metadataMismatch": 4,
    "loadBppExecutionError": 5,
    "undefinedReason": 127,
}
ERROR = {
    "incorrectInputValues": 1,
    "invalidSignature": 2,
    "invalidTransactionId": 3,
    "scp03tSecurityError": 8,
    "iccidAlreadyExists": 9,
    "insufficientMemory": 10,
    "interruption": 11,
    "peProcessingError": 12,
    "dataMismatch": 13,
    "invalidNaaKey": 14,
    "pprNotAllowed": 15,
    "unknown": 127,
}
SUCCESS = bytes.fromhex("3007a0053003800100")
ISDP_AID = bytes.fromhex("a0000005591010ffffffff8900001100")


class CardRefuses(Exception):
    """The server's answer is not one that an eUICC or LPA may go on with."""


def require(condition, why):
    if not condition:
        raise CardRefuses(why)


def b64(octets):
    return base64.b64encode(octets).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def swapped(digits):
    """Digits as in EF.ICCID: swapped in each octet, pad F."""
    padded = digits + "F" * (len(digits) % 2)
    return bytes.fromhex("".join(b + a for a, b in zip(padded[::2], padded[1::2])))


def unswapped(octets):
    return "".join(f"{o & 15:X}{o >> 4:X}" for o in octets).rstrip("F")


def certificate_checks(octets, issuer, role):
    """What an eUICC checks in a certificate of the server (§4.5.2)."""
    cert = x509.load_der_x509_certificate(octets)
    try:
        issuer.public_key().verify(
            cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256())
        )
    except InvalidSignature:
        raise CardRefuses("certificate not signed by the CI") from None
    require(cert.not_valid_before <= pki.now() <= cert.not_valid_after, "certificate not valid now")
    policies = cert.extensions.get_extension_for_class(x509.CertificatePolicies)
    oids = [p.policy_identifier.dotted_string for p in policies.value]
    require(oids == [f"{pki.ROLE_ARC}.{pki.ROLE[role]}"] and policies.critical, "wrong role")
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    require(usage.digital_signature, "wrong key usage")
    return cert


def party_oid(cert):
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (oid,) = names.get_values_for_type(x509.RegisteredID)
    return oid.dotted_string


class Identity:
    """The eUICC's key and certificates under one CI."""

    def __init__(self, tree, euicc, eum=None):
        self.tree, self.euicc, self.eum = tree, euicc, eum or tree.eum
        self.key = euicc.key


class Card:
    def __init__(self, eid, *trees, svn="2.3.0"):
        self.eid = eid
        self.svn = bytes(int(n) for n in svn.split("."))
        self.identities = [Identity(t, t.make_euicc(eid)) for t in trees]
        self.profiles = {}  # ICCID: dict(upp, metadata, transaction, enabled)
        self.one_time_keys = {}  # point: private key, kept for a retry
        self.sequence = 0
        self.memory = 500_000
        self.forbidden_rules = ()
        self.capabilities = range(32)
        self.profile_version = bytes([2, 3, 1])
        self.extra_info1 = self.extra_info2 = b""
        self.extra_device = self.extra_context = self.extra_certificates = b""
        self.more = b""  # members of a later version, at the end of every other sequence

    def identity(self, ci_id):
        return next((i for i in self.identities if i.tree.ci.id == ci_id), None)

    def _ci_ids(self, tag, ids):
        return tlv(tag, *(tlv(0x04, i) for i in ids))

    def info1(self, svn=None, verification=None, signing=None):
        own = [i.tree.ci.id for i in self.identities]
        return tlv(
            0xBF20,
            tlv(0x82, svn or self.svn),
            self._ci_ids(0xA9, own if verification is None else verification),
            self._ci_ids(0xAA, own if signing is None else signing),
            self.extra_info1,
        )

    def info2(self, svn=None):
        own = [i.tree.ci.id for i in self.identities]
        free = tlv(0x82, self.memory.to_bytes(4, "big"))
        resource = der.integer(4, 0x81) + free + tlv(0x83, b"\x10\x00")
        forbidden = der.named_bits(*self.forbidden_rules, tag=0x99) if self.forbidden_rules else b""
        return tlv(
            0xBF22,
            tlv(0x81, self.profile_version),
            tlv(0x82, svn or self.svn),
            tlv(0x83, b"\x04\x00\x00"),
            tlv(0x84, resource),
            der.named_bits(*self.capabilities, tag=0x85),
            tlv(0x86, b"\x0d\x01\x00"),
            tlv(0x87, b"\x02\x03\x00"),
            der.named_bits(0, 1, 3, 4, tag=0x88),
            self._ci_ids(0xA9, own),
            self._ci_ids(0xAA, own),
            der.integer(2, 0x8B),
            forbidden,
            tlv(0x04, b"\x00\x00\x01"),
            der.text("RSPTEST-UP-0001"),
            self.extra_info2,
        )

    def become_version_3(self):
        """Speaks as SGP.22 v3 does, and still accepts servers of version 2: svn is now the lowest
        version, and members stand where version 2 has none."""
        later = tlv(0xBF7F, tlv(0x80, b"\x03")) + tlv(0x9F55, b"")
        highest = tlv(0x93, bytes([3, 1, 0]))
        signing = tlv(0xB1, tlv(0x04, os.urandom(20)))
        self.extra_info1 = signing + der.named_bits(0, 1, 9, tag=0x88) + highest + later
        self.extra_info2 = (
            tlv(0xB0, tlv(0x80, b"\x01")) + signing + tlv(0x92, b"more") + highest + later
        )
        self.extra_device = tlv(0xA3, der.text("en")) + tlv(0x84) + tlv(0x85, b"\x00\x80") + later
        self.extra_context = der.named_bits(0, tag=0x82) + tlv(0xA3, tlv(0x80)) + later
        self.extra_certificates = tlv(0xA0, self.identities[0].eum.der) + later
        self.more = later
        return self

    def one_time_key(self, curve):
        key = ec.generate_private_key(CURVES[curve])
        self.one_time_keys[point(key)] = key
        return key

    def next_sequence(self):
        self.sequence += 1
        return self.sequence

    def notification(self, event, iccid, address, identity=None, sequence=None):
        """An OtherSignedNotification for what happened to a profile (§3.5)."""
        identity = identity or self.identities[0]
        data = notification_metadata(
            self.next_sequence() if sequence is None else sequence, event, address, iccid, self.more
        )
        certificates = identity.euicc.der, identity.eum.der, self.extra_certificates
        return tlv(0x30, data, signature_tlv(identity.key, data), *certificates)


def notification_metadata(sequence, event, address, iccid, more=b""):
    return tlv(
        0xBF2F,
        der.integer(sequence, 0x80),
        der.named_bits(EVENT[event], tag=0x81),
        der.text(address),
        tlv(0x5A, swapped(iccid)),
        more,
    )


class Package:
    """A Bound Profile Package, taken apart as the eUICC does (§5.5)."""

    def __init__(self, octets):
        self.octets = octets
        bpp = der.read(octets, 0xBF36)
        parts = bpp.children
        tags = [p.tag for p in parts]
        require(tags in ([0xBF23, 0xA0, 0xA1, 0xA3], [0xBF23, 0xA0, 0xA1, 0xA2, 0xA3]), "BPP order")
        operation, transaction, crt, dp_point, signature = parts[0].expect(
            0x82, 0x80, 0xA6, 0x5F49, 0x5F37
        )
        require(operation.value == b"\x01", "remoteOpId")
        key_type, key_length, host = crt.expect(0x80, 0x81, 0x84)
        require((key_type.value, key_length.value) == (b"\x88", b"\x10"), "key type")
        self.host_id, self.transaction = host.value, transaction.value
        self.dp_point = dp_point.value
        self.signature = signature.value
        self.signed = operation.octets + transaction.octets + crt.octets + dp_point.octets
        groups = {p.tag: p.children for p in parts[1:]}
        for group, tag in ((0xA0, 0x87), (0xA1, 0x88), (0xA2, 0x87), (0xA3, 0x86)):
            wrong = [s for s in groups.get(group, []) if s.tag != tag]
            require(not wrong, f"tag in group {group:X}")
        require(len(groups[0xA0]) == 1 and len(groups.get(0xA2, [0])) == 1, "one command a group")
        self.groups = groups
        self.head_segments = groups[0xA0] + groups[0xA1] + groups.get(0xA2, [])
        # Everything but InitialiseSecureChannel: what a retry with the same key repeats.
        self.segments = b"".join(p.octets for p in parts[1:])

    def open(self, secret, eid):
        """Decrypts; fills in configure, metadata and upp."""
        channel = Scp03t.from_z(secret, self.host_id, eid)
        self.configure = channel.unprotect(self.groups[0xA0][0])
        self.metadata = b"".join(channel.unprotect(s) for s in self.groups[0xA1])
        self.protection_keys = None
        if 0xA2 in self.groups:
            replace = der.read(channel.unprotect(self.groups[0xA2][0]), 0xBF26)
            self.protection_keys = [k.value for k in replace.expect(0x80, 0x81, 0x82)]
            require(all(len(k) == 16 for k in self.protection_keys), "length of a key")
            channel = Scp03t(*self.protection_keys)
        self.upp = b"".join(channel.unprotect(s) for s in self.groups[0xA3])


class Download:
    """One RSP session of an LPA with a card against a server."""

    def __init__(self, card, client, address=None):
        self.card, self.client = card, client
        self.address = address or client.name
        self.challenge = os.urandom(16)
        self.one_time_key = None
        self.package = None

    # ---- initiateAuthentication ------------------------------------------------------------------

    def initiate_body(self, **info1):
        return {
            "euiccChallenge": b64(self.challenge),
            "euiccInfo1": b64(self.card.info1(**info1)),
            "smdpAddress": self.address,
        }

    def initiate(self, body=None, **info1):
        answer = self.client.call("initiateAuthentication", body or self.initiate_body(**info1))
        if answer.ok:
            self.take_initiate(answer)
        return answer

    def take_initiate(self, answer):
        b = answer.only(
            "transactionId",
            "serverSigned1",
            "serverSignature1",
            "euiccCiPKIdToBeUsed",
            "serverCertificate",
        )
        self.hex_id = b["transactionId"]
        require(self.hex_id == self.hex_id.upper(), "transactionId in lower case")
        self.transaction = bytes.fromhex(self.hex_id)
        ci = der.read(unb64(b["euiccCiPKIdToBeUsed"]), 0x04).value
        self.identity = self.card.identity(ci)
        require(self.identity is not None, "a CI that the card has no key for")
        signed = der.read(unb64(b["serverSigned1"]), 0x30)
        transaction, challenge, address, server_challenge = signed.expect(0x80, 0x81, 0x83, 0x84)
        signature = der.read(unb64(b["serverSignature1"]), 0x5F37).value
        roots = [i.tree.ci.cert for i in self.card.identities]
        self.auth_cert, self.root = self.check_chain(unb64(b["serverCertificate"]), roots)
        require(verifies(self.auth_cert.public_key(), signed.octets, signature), "serverSignature1")
        require(transaction.value == self.transaction, "transactionId in serverSigned1")
        require(challenge.value == self.challenge, "euiccChallenge")
        require(address.value.decode() == self.address, "serverAddress")
        require(len(server_challenge.value) == 16, "serverChallenge")
        self.server_challenge = server_challenge.value

    @staticmethod
    def check_chain(octets, roots):
        """CERT.DPauth and its root, found by key: two CIs may bear the same name."""
        for root in roots:
            try:
                return certificate_checks(octets, root, "auth"), root
            except CardRefuses as error:
                refusal = error
        raise refusal

    # ---- authenticateClient ----------------------------------------------------------------------

    def device_info(self):
        capabilities = tlv(0xA1, *(tlv(0x80 + i, b"\x05\x00\x00") for i in (0, 1, 5)))
        return tlv(
            0xA1,
            tlv(0x80, b"\x35\x29\x06\x11"),
            capabilities,
            tlv(0x82, bytes.fromhex("53" * 8)),
            self.card.extra_device,
        )

    def context(self, matching_id):
        named = b"" if matching_id is None else der.text(matching_id, 0x80)
        return tlv(0xA0, named, self.device_info(), self.card.extra_context)

    def signed1(self, matching_id=None, **change):
        c = change.get
        return tlv(
            0x30,
            tlv(0x80, c("transaction", self.transaction)),
            der.text(c("address", self.address), 0x83),
            tlv(0x84, c("challenge", self.server_challenge)),
            c("info2") or self.card.info2(c("svn")),
            c("context") or self.context(matching_id),
            self.card.more,
        )

    def server_response(self, matching_id=None, **change):
        identity = change.get("identity", self.identity)
        signed = self.signed1(matching_id, **change)
        self.signature1 = change.get("signature") or signature_tlv(identity.key, signed)
        certificates = identity.euicc.der, identity.eum.der, self.card.extra_certificates
        return tlv(0xBF38, tlv(0xA0, signed, self.signature1, *certificates))

    def authenticate_body(self, matching_id=None, **change):
        response = self.server_response(matching_id, **change)
        return {"transactionId": self.hex_id, "authenticateServerResponse": b64(response)}

    def authenticate(self, matching_id=None, body=None, **change):
        body = body or self.authenticate_body(matching_id, **change)
        answer = self.client.call("authenticateClient", body)
        if answer.ok:
            self.take_authenticate(answer)
        return answer

    def take_authenticate(self, answer):
        b = answer.only(
            "transactionId", "profileMetadata", "smdpSigned2", "smdpSignature2", "smdpCertificate"
        )
        require(b["transactionId"] == self.hex_id, "transactionId")
        signed = der.read(unb64(b["smdpSigned2"]), 0x30)
        self.signature2 = der.read(unb64(b["smdpSignature2"]), 0x5F37)
        self.pb_cert = certificate_checks(unb64(b["smdpCertificate"]), self.root, "pb")
        require(party_oid(self.pb_cert) == party_oid(self.auth_cert), "OIDs of auth and pb")
        require(
            verifies(
                self.pb_cert.public_key(), signed.octets + self.signature1, self.signature2.value
            ),
            "smdpSignature2",
        )
        tags = [c.tag for c in signed.children]
        require(tags in ([0x80, 0x01], [0x80, 0x01, 0x5F49]), "members of smdpSigned2")
        require(signed.children[0].value == self.transaction, "transactionId in smdpSigned2")
        require(signed.children[1].value in (b"\x00", b"\xff"), "BOOLEAN")
        self.code_required = signed.children[1].value == b"\xff"
        self.known_point = signed.children[2].value if len(tags) == 3 else None
        self.metadata = der.read(unb64(b["profileMetadata"]), 0xBF25)
        self.iccid = unswapped(self.metadata.get(0x5A).value)

    # ---- getBoundProfilePackage ------------------------------------------------------------------

    def choose_key(self, fresh=False):
        """The key pair that the server remembers, when the card still has it; else a new one."""
        kept = None if fresh else self.card.one_time_keys.get(self.known_point)
        curve = "nist" if self.pb_cert.public_key().curve.name == "secp256r1" else "brainpool"
        self.one_time_key = kept or self.card.one_time_key(curve)

    def prepare_response(self, code=None, fresh=False, **change):
        if self.one_time_key is None:
            self.choose_key(fresh)
        c = change.get
        hashed = c("hashed", None if code is None else hash_cc(code, self.transaction))
        signed = tlv(
            0x30,
            tlv(0x80, c("transaction", self.transaction)),
            tlv(0x5F49, c("point") or point(self.one_time_key)),
            b"" if hashed is None else tlv(0x04, hashed),
            self.card.more,
        )
        key = c("key", self.identity.key)
        signature = c("signature") or signature_tlv(key, signed + self.signature2.octets)
        return tlv(0xBF21, tlv(0xA0, signed, signature, self.card.more))

    def package_body(self, code=None, fresh=False, **change):
        response = self.prepare_response(code, fresh, **change)
        return {"transactionId": self.hex_id, "prepareDownloadResponse": b64(response)}

    def get_package(self, code=None, fresh=False, body=None, **change):
        body = body or self.package_body(code, fresh, **change)
        answer = self.client.call("getBoundProfilePackage", body)
        if answer.ok:
            self.take_package(answer)
        return answer

    def take_package(self, answer):
        b = answer.only("transactionId", "boundProfilePackage")
        require(b["transactionId"] == self.hex_id, "transactionId")
        package = Package(unb64(b["boundProfilePackage"]))
        require(package.transaction == self.transaction, "transactionId of the package")
        own_point = tlv(0x5F49, point(self.one_time_key))
        require(
            verifies(self.pb_cert.public_key(), package.signed + own_point, package.signature),
            "smdpSign",
        )
        package.open(shared_secret(self.one_time_key, package.dp_point), self.card.eid)
        isdp = der.read(package.configure, 0xBF24)
        owner = isdp.find(0xB8, 0x06)
        require(
            owner is None or owner.value == der.oid_value(party_oid(self.pb_cert)), "dpOid in B8"
        )
        installed = [c.octets for c in der.read(package.metadata, 0xBF25).children]
        shown = [c.octets for c in self.metadata.children if c.tag != 0xBF23]
        require(installed == shown, "metadata changed")
        elements = der.nodes(package.upp)
        require(elements[0].tag == 0xA0 and elements[-1].tag == 0xAA, "first and last PE")
        require(elements[0].get(0x83).value.hex().upper().rstrip("F") == self.iccid, "ICCID")
        self.package = package

    # ---- installation, notifications, cancel -----------------------------------------------------

    def install(self, keep_keys=False):
        """Takes the package into the card; the ProfileInstallationResult to send."""
        require(self.iccid not in self.card.profiles, "ICCID is on the card already")
        self.card.profiles[self.iccid] = dict(
            upp=self.package.upp,
            metadata=self.package.metadata,
            transaction=self.transaction,
            enabled=False,
        )
        if not keep_keys:
            self.card.one_time_keys.pop(point(self.one_time_key), None)
        return self.result()

    def result(self, error=None, command=5, **change):
        """A ProfileInstallationResult (§2.5.6): success, or the error of that name."""
        c = change.get
        if error is None:
            outcome = tlv(0xA0, tlv(0x4F, ISDP_AID), tlv(0x04, SUCCESS))
        else:
            outcome = tlv(0xA1, der.integer(command, 0x80), der.integer(ERROR[error], 0x81))
        sequence = c("sequence") or self.card.next_sequence()
        data = tlv(
            0xBF27,
            tlv(0x80, c("transaction", self.transaction)),
            notification_metadata(
                sequence, "install", c("notify", self.address), self.iccid, self.card.more
            ),
            der.oid(c("oid") or party_oid(self.pb_cert)),
            tlv(0xA2, outcome),
            self.card.more,
        )
        signature = c("signature") or signature_tlv(c("key", self.identity.key), data)
        return tlv(0xBF37, data, signature, self.card.more)

    def notify(self, octets):
        return self.client.call("handleNotification", {"pendingNotification": b64(octets)})

    def cancel_body(self, reason="endUserRejection", **change):
        c = change.get
        number = REASON[reason] if isinstance(reason, str) else reason
        signed = tlv(
            0x30,
            tlv(0x80, c("transaction", self.transaction)),
            der.oid(c("oid") or party_oid(self.auth_cert), 0x81),
            der.integer(number, 0x82),
            self.card.more,
        )
        signature = c("signature") or signature_tlv(c("key", self.identity.key), signed)
        response = tlv(0xBF41, tlv(0xA0, signed, signature, self.card.more))
        return {"transactionId": self.hex_id, "cancelSessionResponse": b64(response)}

    def cancel(self, reason="endUserRejection", body=None, **change):
        answer = self.client.call("cancelSession", body or self.cancel_body(reason, **change))
        if answer.ok:
            answer.only()
        return answer

    # ---- several steps ---------------------------------------------------------------------------

    def until_authenticated(self, matching_id=None):
        self.initiate().must()
        self.authenticate(matching_id).must()
        return self

    def until_package(self, matching_id=None, code=None, fresh=False):
        self.until_authenticated(matching_id)
        self.get_package(code, fresh).must()
        return self

    def run(self, matching_id=None, code=None):
        """All of it; the profile is on the card and the server knows."""
        self.until_package(matching_id, code)
        answer = self.notify(self.install())
        assert (answer.status, answer.octets) == (204, b"")
        return self


def segments_digest(package):
    return hashlib.sha256(package.segments).hexdigest()


__all__ = ["Card", "CardRefuses", "Download", "Identity", "Package", "b64", "sign", "unb64"]
