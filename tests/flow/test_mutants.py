"""Thousands of spoilt bodies for each ES9+ function, the same in every run: octets of the DER
inside, of the JSON around it, and members of it changed, cut, doubled or exchanged. Each is answered with a
status in JSON or an HTTP 4xx (204 for notifications), and the database never notices."""

import json
import random

import pytest

import der
from card import Download, b64, unb64

COUNT = 1500
SEED = 20220922
CONSTRUCTED = 0x20


def tree_paths(octets, prefix=()):
    """Every element inside, as a path of indexes."""
    for i, node in enumerate(der.nodes(octets)):
        yield (*prefix, i)
        first = node.octets[0]
        if first & CONSTRUCTED:
            try:
                yield from tree_paths(node.value, (*prefix, i))
            except der.DerError:
                continue


def edit(octets, path, change):
    """The octets with the element at the path replaced by change(element), lengths made right."""
    out = b""
    for i, node in enumerate(der.nodes(octets)):
        if i != path[0]:
            out += node.octets
        elif len(path) == 1:
            out += change(node)
        else:
            out += der.tlv(node.tag, edit(node.value, path[1:], change))
    return out


def flipped(octets, dice, times=1):
    wrong = bytearray(octets)
    for _ in range(times):
        if wrong:
            wrong[dice.randrange(len(wrong))] ^= 1 << dice.randrange(8)
    return bytes(wrong)


def junk(dice, most=300):
    return dice.randbytes(dice.randrange(most))


ELEMENT_CHANGES = [
    lambda n, dice: b"",
    lambda n, dice: n.octets * 2,
    lambda n, dice: n.octets * 50,
    lambda n, dice: der.tlv(n.tag, flipped(n.value, dice)),
    lambda n, dice: der.tlv(n.tag, junk(dice)),
    lambda n, dice: der.tlv(n.tag, b""),
    lambda n, dice: der.tlv(n.tag, n.value[:-1]),
    lambda n, dice: der.tlv(n.tag, n.value, b"\x00"),
    lambda n, dice: der.tlv(dice.choice([0x02, 0x04, 0x30, 0xA0, 0x80, 0xBF38]), n.value),
    lambda n, dice: der.tlv(n.tag, n.octets),
    lambda n, dice: der.tag_octets(n.tag) + bytes.fromhex("84ffffffff") + n.value,
    lambda n, dice: der.tag_octets(n.tag) + b"\x80" + n.value + b"\x00\x00",
    lambda n, dice: der.tag_octets(n.tag) + b"\x84" + len(n.value).to_bytes(4, "big") + n.value,
]


def der_mutant(octets, dice):
    """Of an element, or of plain octets such as the challenge."""
    kind = dice.randrange(3 if is_plain(octets) else 10)
    if kind == 0:
        return octets[: dice.randrange(len(octets))]
    if kind == 1:
        return flipped(octets, dice, dice.choice([1, 1, 2, 10]))
    if kind == 2:
        at = dice.randrange(len(octets))
        return octets[:at] + junk(dice, 20) + octets[at:]
    path = dice.choice(list(tree_paths(octets)))
    change = dice.choice(ELEMENT_CHANGES)
    return edit(octets, path, lambda node: change(node, dice))


def is_plain(octets):
    try:
        der.read(octets)
    except der.DerError:
        return True
    return False


VALUES = [None, True, 0, -1, 1e308, 2**70, [], {}, [[]]]
VALUES += ["", " ", "\x00", "A", "é" * 50, "A" * 10000]


def body_mutant(body, dice):
    """The octets to send."""
    kind = dice.randrange(10)
    body = dict(body)
    name = dice.choice(list(body))
    coded = [n for n in body if n not in ("transactionId", "smdpAddress")]
    if kind < 6:
        name = dice.choice(coded)
        return json.dumps({**body, name: b64(der_mutant(unb64(body[name]), dice))}).encode()
    if kind == 6:
        return json.dumps({**body, name: dice.choice(VALUES)}).encode()
    if kind == 7:
        body[name] = flipped(body[name].encode(), dice).decode("latin-1")
        return json.dumps(body).encode()
    octets = json.dumps(body).encode()
    if kind == 8:
        return octets[: dice.randrange(len(octets))]
    return flipped(octets, dice, dice.choice([1, 3]))


@pytest.fixture
def done(rspd, session, make_card):
    """A right body of each function, all of them sent already: a mutant that means the same is a
    repeat, which moves nothing either."""
    order, other = rspd.desk.order(), rspd.desk.order()
    lpa = session(make_card())
    bodies = {"initiateAuthentication": lpa.initiate_body()}
    lpa.initiate().must()
    bodies["authenticateClient"] = lpa.authenticate_body(order.matching_id)
    lpa.authenticate(body=bodies["authenticateClient"]).must()
    bodies["getBoundProfilePackage"] = lpa.package_body()
    lpa.get_package(body=bodies["getBoundProfilePackage"]).must()
    second = session(make_card()).until_authenticated(other.matching_id)
    bodies["cancelSession"] = second.cancel_body("postponed")
    second.cancel(body=bodies["cancelSession"]).must()
    bodies["handleNotification"] = {"pendingNotification": b64(lpa.install())}
    lpa.client.call("handleNotification", bodies["handleNotification"])
    enabled = lpa.card.notification("enable", lpa.iccid, lpa.address)
    bodies["handleNotification "] = {"pendingNotification": b64(enabled)}
    lpa.client.call("handleNotification", bodies["handleNotification "])
    return bodies


@pytest.mark.parametrize(
    "function",
    [
        "initiateAuthentication",
        "authenticateClient",
        "getBoundProfilePackage",
        "cancelSession",
        "handleNotification",
        "handleNotification ",
    ],
    ids=lambda f: "OtherSignedNotification" if f.endswith(" ") else f,
)
def test_mutants(rspd, done, make_card, function):
    dice = random.Random(f"{SEED} {function}")
    body = done[function]
    client = Download(make_card(), rspd.client()).client
    before = rspd.database.fingerprint()
    statuses = {}
    for i in range(COUNT if not function.endswith(" ") else COUNT // 2):
        octets = body_mutant(body, dice)
        answer = client.call(function.strip(), octets)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        if answer.status == 200:
            assert answer.execution["status"] in ("Executed-Success", "Failed"), (i, octets)
        else:
            # 503: a result whose cluster key is not there, for it hit the key id.
            kept = answer.status == 503 and function == "handleNotification"
            fine = answer.status == 204 or 400 <= answer.status < 500
            assert fine or kept, (i, answer, octets)
    assert rspd.database.fingerprint() == before
    assert rspd.serves()
    # The mutants reach the function and do not all break at the same wall.
    assert len(statuses) >= 2, statuses
