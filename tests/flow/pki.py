"""Certificates for the flow tests: for each curve a CI, EUM, eUICCs, DPauth, DPpb and TLS as in the
profiles of SGP.22 §4.5.2, and every kind of wrong one. Faults are keyword arguments of `issue`."""

import datetime
import hashlib
import itertools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import der
from rspcrypto import CURVES, point

ROLE = {"ci": 0, "euicc": 1, "eum": 2, "tls": 3, "auth": 4, "pb": 5}
ROLE_ARC = "2.23.146.1.2.1"
EUM_RANGE = "89049032"
EUM_NAME = "RSP Test EUM"
DP_OID = "2.999.10"
CRL_URI = "http://ci.test.example.com/CRL-A.crl"

UNLIMITED = -1  # a CA without a path length
serials = itertools.count(0x100)


def date(year):
    return datetime.datetime(year, 1, 1)


def now(days=0):
    return datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(days=days)


def name(**attributes):
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "serial": NameOID.SERIAL_NUMBER,
        "CN": NameOID.COMMON_NAME,
    }
    return x509.Name(
        x509.NameAttribute(
            oids[k], v, _ASN1Type.PrintableString if k in ("C", "serial") else _ASN1Type.UTF8String
        )
        for k, v in attributes.items()
    )


def key_id(public_key):
    return hashlib.sha1(point(public_key)).digest()


def key_usage(*names):
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
        "key_cert_sign crl_sign encipher_only decipher_only"
    ).split()
    return x509.KeyUsage(**{n: n in names for n in every})


class Signed:
    """A certificate with its private key."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key
        self.der = cert.public_bytes(serialization.Encoding.DER)
        self.pem = cert.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def id(self):
        return key_id(self.key)

    def key_pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def issue(
    role,
    subject,
    issuer,
    curve,
    *,
    key=None,
    signing_key=None,
    issuer_name=None,
    authority=True,
    not_before=None,
    not_after=None,
    ca=None,
    usage=("digital_signature",),
    policy=None,
    rid=None,
    dns=(),
    permitted=None,
    critical=None,
    unknown=None,
):
    """One certificate. `issuer` is a Signed, or None for a self-signed one; `authority` may be
    False (no authorityKeyIdentifier) or the octets of another key's identifier; `ca` is the path
    length of basicConstraints, or None for a certificate without them."""
    key = key or ec.generate_private_key(CURVES[curve])
    issuer_key = signing_key or (issuer.key if issuer else key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name or (issuer.cert.subject if issuer else subject))
        .public_key(key.public_key())
        .serial_number(next(serials))
        .not_valid_before(not_before or date(2020))
        .not_valid_after(not_after or date(2055))
    )
    if authority and (issuer or authority is not True):
        identifier = issuer.id if authority is True else authority
        builder = builder.add_extension(x509.AuthorityKeyIdentifier(identifier, None, None), False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(key_id(key)), False)
    if ca is not None:
        length = None if ca == UNLIMITED else ca
        builder = builder.add_extension(x509.BasicConstraints(True, length), True)
    if usage:
        builder = builder.add_extension(key_usage(*usage), True)
    if role == "tls":
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), True)
    number = ROLE[role] if policy is None else policy
    information = x509.PolicyInformation(x509.ObjectIdentifier(f"{ROLE_ARC}.{number}"), None)
    builder = builder.add_extension(x509.CertificatePolicies([information]), role != "tls")
    alternatives = [x509.DNSName(d) for d in dns]
    if rid:
        alternatives.append(x509.RegisteredID(x509.ObjectIdentifier(rid)))
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
    if permitted:
        directory = x509.DirectoryName(name(O=permitted[0], serial=permitted[1]))
        builder = builder.add_extension(x509.NameConstraints([directory], None), True)
    if role != "euicc":
        uri = x509.UniformResourceIdentifier(CRL_URI)
        points = [x509.DistributionPoint([uri], None, None, None)]
        builder = builder.add_extension(x509.CRLDistributionPoints(points), False)
    for oid, is_critical in ((critical, True), (unknown, False)):
        if oid:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), der.tlv(0x05))
            builder = builder.add_extension(extension, is_critical)
    return Signed(builder.sign(issuer_key, hashes.SHA256()), key)


class Tree:
    """All certificates of one CI."""

    def __init__(self, curve, label="Test CI", dp_oid=DP_OID):
        self.curve, self.dp_oid = curve, dp_oid
        self.ci = self.make_ci(label)
        self.eum = self.make_eum()
        self.auth = self.make_dp("auth")
        self.pb = self.make_dp("pb")
        self.revoked = []

    def make_ci(self, label):
        return issue(
            "ci",
            name(CN=label, OU="TESTCERT", O="RSPTEST", C="IT"),
            None,
            self.curve,
            ca=UNLIMITED,
            usage=("key_cert_sign", "crl_sign"),
            rid="2.999.1",
            authority=False,
        )

    def make_eum(self, **faults):
        settings = dict(
            subject=name(C="ES", O=EUM_NAME, CN="EUM Test"),
            issuer=self.ci,
            ca=0,
            usage=("key_cert_sign",),
            rid="2.999.5",
            permitted=(EUM_NAME, EUM_RANGE),
        )
        return issue("eum", curve=self.curve, **{**settings, **faults})

    def make_euicc(self, eid, eum=None, organization=EUM_NAME, **faults):
        subject = dict(C="ES", O=organization, serial=eid, CN="Test eUICC")
        settings = dict(
            subject=name(**{k: v for k, v in subject.items() if v is not None}),
            issuer=eum or self.eum,
            not_after=date(7496),
        )
        return issue("euicc", curve=self.curve, **{**settings, **faults})

    def make_dp(self, role, **faults):
        settings = dict(
            subject=name(O="ACME", CN="TEST SM-DP+"), issuer=self.ci, rid=self.dp_oid
        )
        return issue(role, curve=self.curve, **{**settings, **faults})

    def make_tls(self, *names, **faults):
        settings = dict(
            subject=name(O="ACME", CN=names[0]),
            issuer=self.ci,
            rid=self.dp_oid,
            dns=names,
            not_before=now(-1),
            not_after=now(398),
        )
        return issue("tls", curve=self.curve, **{**settings, **faults})

    def make_crl(self):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.ci.cert.subject)
            .last_update(now(-1))
            .next_update(now(1095))
            .add_extension(x509.AuthorityKeyIdentifier(self.ci.id, None, None), False)
            .add_extension(x509.CRLNumber(1), False)
        )
        for signed in self.revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(signed.cert.serial_number)
                .revocation_date(now(-1))
                .build()
            )
        crl = builder.sign(self.ci.key, hashes.SHA256())
        return crl.public_bytes(serialization.Encoding.PEM).decode()

    def make_revoked_eum(self):
        eum = self.make_eum()
        self.revoked.append(eum)
        return eum


LONG_AGO = dict(not_before=date(2010), not_after=date(2015))
NOT_YET = dict(not_before=date(2050), not_after=date(2055))

# name: (subject/reason of the answer, faults of the EUM certificate)
WRONG_EUM = {
    "self-signed": (
        ("8.1.2", "6.1"),
        lambda t: dict(issuer=None, authority=False, ca=None, issuer_name=t.ci.cert.subject),
    ),
    "signed-by-another-key": (
        ("8.1.2", "6.1"),
        lambda t: dict(signing_key=ec.generate_private_key(CURVES[t.curve])),
    ),
    "expired-and-otherwise-wrong": (
        ("8.1.2", "6.3"),
        lambda t: dict(LONG_AGO, ca=None, policy=ROLE["auth"]),
    ),
    "not-yet-valid": (("8.1.2", "6.3"), lambda t: NOT_YET),
    "unknown-ci": (
        ("8.11.1", "3.9"),
        lambda t: dict(
            issuer=Tree(t.curve, "Another CI").ci, ca=None, policy=ROLE["auth"]
        ),
    ),
    "not-a-ca": (("8.1.2", "6.1"), lambda t: dict(ca=None)),
    "wrong-policy": (("8.1.2", "6.1"), lambda t: dict(policy=ROLE["auth"])),
    "wrong-usage": (("8.1.2", "6.1"), lambda t: dict(usage=("digital_signature",))),
    "no-usage": (("8.1.2", "6.1"), lambda t: dict(usage=())),
    "unknown-critical-extension": (("8.1.2", "6.1"), lambda t: dict(critical="2.999.77")),
}

# name: (subject/reason of the answer, faults of the eUICC certificate)
WRONG_EUICC = {
    "self-signed": (
        ("8.1.3", "6.1"),
        lambda t: dict(
            issuer=None, authority=False, organization="Other", issuer_name=t.eum.cert.subject
        ),
    ),
    "signed-by-another-key": (
        ("8.1.3", "6.1"),
        lambda t: dict(signing_key=ec.generate_private_key(CURVES[t.curve])),
    ),
    "signed-by-the-ci": (("8.1.3", "6.1"), lambda t: dict(issuer=t.ci)),
    "expired": (("8.1.3", "6.3"), lambda t: LONG_AGO),
    "not-yet-valid": (("8.1.3", "6.3"), lambda t: NOT_YET),
    "eid-out-of-range": (
        ("8.1.3", "6.1"),
        lambda t: dict(eid="89049033123451234512345678901235"),
    ),
    "other-organization": (("8.1.3", "6.1"), lambda t: dict(organization="RSP Test EUN")),
    "eid-too-short": (("8.1.3", "6.1"), lambda t: dict(eid="8904903212345123451234567890123")),
    "eid-not-digits": (("8.1.3", "6.1"), lambda t: dict(eid="8904903212345123451234567890123A")),
    "no-eid": (("8.1.3", "6.1"), lambda t: dict(eid=None)),
    "wrong-policy": (("8.1.3", "6.1"), lambda t: dict(policy=ROLE["auth"])),
    "wrong-usage": (("8.1.3", "6.1"), lambda t: dict(usage=("key_cert_sign",))),
    "unknown-critical-extension": (("8.1.3", "6.1"), lambda t: dict(critical="2.999.77")),
}
