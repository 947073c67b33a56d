"""An operator's server on ES2+: certificates of its own making, and calls over mutual TLS."""

import datetime
import itertools
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness import NAMES, free_port
from web import Client

PATH = "/gsma/rsp2/es2plus/"
DAY = datetime.timedelta(days=1)
calls = itertools.count(1)
names = itertools.count(1)


def name_of(text):
    """An X.501 name from "CN=a,O=b", as RFC 4514 orders it."""
    kinds = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
    parts = [part.split("=") for part in reversed(text.split(","))]
    return x509.Name([x509.NameAttribute(kinds[kind], value) for kind, value in parts])


class Certificate:
    """A key with a certificate, self-signed unless an issuer is given."""

    def __init__(self, folder, subject, issuer=None, ca=False, begins=-1, ends=30, server_only=False):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject, self.issuer = subject, issuer
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name_of(subject))
            .issuer_name(issuer.certificate.subject if issuer else name_of(subject))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            purpose = ExtendedKeyUsageOID.SERVER_AUTH if server_only else ExtendedKeyUsageOID.CLIENT_AUTH
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        self.certificate = builder.sign(issuer.key if issuer else self.key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)
        self.sha256 = self.certificate.fingerprint(hashes.SHA256()).hex().upper()
        self.path = folder / f"client{next(names)}.pem"
        chain = self.pem
        while issuer is not None and issuer.issuer is not None:
            chain, issuer = chain + issuer.pem, issuer.issuer
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.path.write_bytes(chain + key)

    @property
    def base64(self):
        """As the control socket takes it: Base64 around the file, which is PEM itself."""
        import base64

        return base64.b64encode(self.pem).decode()


class Caller(Client):
    """A client of the ES2+ listener; without a certificate when none is given."""

    def __init__(self, rspd, certificate=None, requester="2.999.20", **settings):
        super().__init__(NAMES["nist"], rspd.es2_port, rspd.site.trees["nist"].ci.pem, **settings)
        if certificate:
            self.context.load_cert_chain(certificate.path)
        self.requester = requester

    def header(self, call=None):
        return {
            "functionRequesterIdentifier": self.requester,
            "functionCallIdentifier": f"call-{next(calls)}" if call is None else call,
        }

    def send(self, function, body, **headers):
        """Any body."""
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        keep_seed(function, octets)
        fields = {"Content-Type": "application/json", **headers}
        return self.request(PATH + function, octets, fields)

    def ask(self, function, call=None, **members):
        """A function with its header; members that are None are left out."""
        given = {name: value for name, value in members.items() if value is not None}
        return self.send(function, {"header": self.header(call), **given})

    def order(self, **members):
        return self.ask("downloadOrder", **members)

    def confirm(self, iccid, releaseFlag=True, **members):
        return self.ask("confirmOrder", iccid=iccid, releaseFlag=releaseFlag, **members)

    def release(self, iccid, **members):
        return self.ask("releaseProfile", iccid=iccid, **members)

    def cancel(self, iccid, final="Available", **members):
        return self.ask("cancelOrder", iccid=iccid, finalProfileStatusIndicator=final, **members)


FUNCTIONS = ("downloadOrder", "confirmOrder", "cancelOrder", "releaseProfile")


def keep_seed(function, octets):
    """With FUZZ_SEEDS=FOLDER every body that a test sends becomes a seed of the fuzz target es2_request."""
    folder = os.environ.get("FUZZ_SEEDS")
    if not folder or function not in FUNCTIONS or len(octets) > 4096:
        return
    import hashlib
    import pathlib

    seed = bytes([FUNCTIONS.index(function)]) + octets
    kept = pathlib.Path(folder) / "es2_request"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def listener(site):
    """Options of an Rspd that give it a listener for operators, and the port of it."""
    port = free_port()
    f = site.folder
    return port, {
        "role": "es2",
        "address": "127.0.0.1",
        "port": port,
        "names": NAMES["nist"],
        "certificate": f / "nist-tls.pem",
        "key": f / "nist-tls.key",
    }


def start(make, site, **more):
    """A daemon that serves operators too."""
    port, section = listener(site)
    rspd = make(**{"listener es2": section}, **more)
    rspd.es2_port = port
    return rspd
