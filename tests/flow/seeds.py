"""With FUZZ_SEEDS=FOLDER, what the tests send and what they are answered becomes seeds of the fuzz targets
in tests/fuzz, each in the form that its target describes."""

import hashlib
import json
import os
from pathlib import Path

FOLDER = os.environ.get("FUZZ_SEEDS")
MOST = 65536

# In the order of es9_request_fuzz.c and of rspsim_answer_fuzz.c, whose first octet chooses the function.
ASKED = (
    "initiateAuthentication",
    "authenticateClient",
    "getBoundProfilePackage",
    "handleNotification",
    "cancelSession",
)
ANSWERED = ASKED[:3] + ("cancelSession", "handleNotification")
STATUS = {200: 0, 204: 1}  # forms of rspsim_answer_fuzz.c; anything else is busy
BUSY = 2


def keep(target, octets):
    if not FOLDER or len(octets) > MOST:
        return
    kept = Path(FOLDER) / target
    kept.mkdir(parents=True, exist_ok=True)
    (kept / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)


def keep_call(function, headers, octets, answer):
    """A call of ES9+: its head, its body, its answer."""
    if not FOLDER or function not in ASKED:
        return
    head = (headers.get("Content-Type") or "-", headers.get("X-Admin-Protocol") or "-")
    lines = "\n".join((f"/gsma/rsp2/es9plus/{function}", *head, "{}"))
    keep("es9_head", lines.encode())
    try:
        transaction = json.loads(octets)["transactionId"].encode()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        transaction = b""
    if len(transaction) == 32:
        octets = octets.replace(transaction, b"T" * 32)
    keep("es9_request", bytes([ASKED.index(function)]) + octets)
    form = bytes([ANSWERED.index(function), STATUS.get(answer.status, BUSY)])
    keep("rspsim_answer", form + (answer.octets or b""))


def keep_asn1(function, octets, transaction, answer):
    """A call of ES9+ in ASN.1; a session's transaction, or none, stands in it."""
    if not FOLDER:
        return
    if len(transaction) == 16:
        octets = octets.replace(transaction, b"T" * 16)
    keep("es9_asn1", b"\x80" + octets)
    if answer.status == 200:
        keep("rspsim_asn1", bytes([ANSWERED.index(function)]) + answer.octets)


def keep_control(verb, lines):
    """An answer on the control socket, with its progress."""
    keep("rspctl_answer", verb.encode() + b"\n" + b"".join(lines))
