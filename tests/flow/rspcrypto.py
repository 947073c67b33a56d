"""The cryptography of a profile download, made apart from src/crypto: signatures as r||s
(SGP.22 §2.6.7.2), the X9.63 key derivation (Annex G), SCP03t in both directions (§2.5.3) and the
hash of the Confirmation Code. The vectors of the specifications hold it in test_card_vectors.py.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

import der

CURVES = {"nist": ec.SECP256R1(), "brainpool": ec.BrainpoolP256R1()}
SEGMENT_MAX = 1020  # octets of one SCP03t TLV with tag, length and MAC (§2.5.3)


def sign(key, octets):
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signature_tlv(key, octets):
    return der.tlv(0x5F37, sign(key, octets))


def verifies(public_key, octets, signature):
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        public_key.verify(utils.encode_dss_signature(r, s), octets, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def point(key):
    """The uncompressed point of a private or public key, 65 octets."""
    public = key.public_key() if hasattr(key, "public_key") else key
    return public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def shared_secret(private_key, peer_point):
    """Z: the X coordinate of the ECDH product. A point off the curve is a ValueError."""
    peer = ec.EllipticCurvePublicKey.from_encoded_point(private_key.curve, peer_point)
    return private_key.exchange(ec.ECDH(), peer)


def packed_eid(eid):
    return bytes.fromhex(eid)


def shared_info(host_id, eid):
    return b"\x88\x10" + bytes([len(host_id)]) + host_id + b"\x10" + packed_eid(eid)


def x963(z, info, size=48):
    out, counter = b"", 1
    while len(out) < size:
        out += hashlib.sha256(z + counter.to_bytes(4, "big") + info).digest()
        counter += 1
    return out[:size]


def hash_cc(code, transaction_id):
    return hashlib.sha256(hashlib.sha256(code.encode()).digest() + transaction_id).digest()


class Scp03tError(Exception):
    """A segment that a card refuses."""


class Scp03t:
    """One direction of SCP03t: chaining value, keys and counter run through all segments."""

    def __init__(self, chain, s_enc, s_mac):
        self.chain, self.s_enc, self.s_mac, self.counter = chain, s_enc, s_mac, 1

    @classmethod
    def from_z(cls, z, host_id, eid):
        keys = x963(z, shared_info(host_id, eid))
        return cls(keys[:16], keys[16:32], keys[32:])

    def _aes(self):
        ecb = Cipher(algorithms.AES(self.s_enc), modes.ECB()).encryptor()
        icv = ecb.update(self.counter.to_bytes(16, "big"))
        return Cipher(algorithms.AES(self.s_enc), modes.CBC(icv))

    def _mac(self, tag, data):
        cmac = CMAC(algorithms.AES(self.s_mac))
        cmac.update(self.chain + bytes([tag]) + der.length_octets(len(data) + 8) + data)
        return cmac.finalize()

    def protect(self, tag, plain):
        data = plain
        if tag != 0x88:
            padded = plain + b"\x80"
            padded += bytes(-len(padded) % 16)
            aes = self._aes().encryptor()
            data = aes.update(padded)
        self.chain = self._mac(tag, data)
        self.counter += 1
        return der.tlv(tag, data, self.chain[:8])

    def unprotect(self, node):
        """The plain text of one TLV; refuses a wrong MAC, padding or size."""
        if len(node) > SEGMENT_MAX:
            raise Scp03tError("segment of more than 1020 octets")
        if len(node.value) < 8:
            raise Scp03tError("segment without MAC")
        data, mac = node.value[:-8], node.value[-8:]
        chain = self._mac(node.tag, data)
        if chain[:8] != mac:
            raise Scp03tError("wrong MAC")
        plain = data
        if node.tag != 0x88:
            if not data or len(data) % 16:
                raise Scp03tError("cipher text is not whole blocks")
            aes = self._aes().decryptor()
            padded = aes.update(data)
            plain = padded.rstrip(b"\x00")
            if not plain.endswith(b"\x80") or len(padded) - len(plain) > 15:
                raise Scp03tError("wrong padding")
            plain = plain[:-1]
        self.chain = chain
        self.counter += 1
        return plain
