"""Transaction ids as rspd makes them (docs/interpretations.md): made here a second time from the
cluster key, so that a test can have one of another age or credential set with a right MAC."""

import hashlib
import hmac
import time

AGE, AHEAD = 15 * 60, 60  # seconds that an id is good for, back and ahead
SESSION = 3600  # seconds after its first call in which a session gets its package


def hkdf(key, label):
    """HKDF-SHA-256 without salt, 32 octets (RFC 5869)."""
    prk = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(prk, label.encode() + b"\x01", "sha256")


class Forge:
    def __init__(self, site):
        self.key = bytes.fromhex((site.folder / "cluster.key").read_text())
        self.id = hashlib.sha256(self.key).digest()[0]

    def transaction(self, like, age=0, credential_set=None):
        """An id like the given one, but `age` seconds old or of another set."""
        number = like[1] if credential_set is None else credential_set
        head = bytes([self.id, number]) + (int(time.time()) - age).to_bytes(4, "big") + like[6:12]
        return head + hmac.digest(hkdf(self.key, "rspd transactionId MAC"), head, "sha256")[:4]

    def challenge(self, transaction, svn, address):
        octets = transaction + svn + address.encode()
        return hmac.digest(hkdf(self.key, "rspd serverChallenge"), octets, "sha256")[:16]

    def put(self, lpa, **settings):
        """Makes the session believe that this is its transaction."""
        lpa.transaction = self.transaction(lpa.transaction, **settings)
        lpa.hex_id = lpa.transaction.hex().upper()
        lpa.server_challenge = self.challenge(lpa.transaction, lpa.card.svn, lpa.address)

    def age_session(self, database, lpa, age):
        """Makes both sides believe that the session began `age` seconds ago."""
        old = lpa.transaction
        self.put(lpa, age=age)
        for column in (
            "rsp_session.transaction_id",
            "binding.transaction_id",
            "download_order.last_transaction",
            "download_order.bound_transaction",
        ):
            table, name = column.split(".")
            database.rows(
                f"update {table} set {name} = '\\x{lpa.transaction.hex()}'"
                f" where {name} = '\\x{old.hex()}'"
            )
