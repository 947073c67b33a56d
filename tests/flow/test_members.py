"""Every member that rspd sends has its rows in tests/unit/rspsim_members.def, where the simulated card is
shown to refuse its absence and a flipped bit; and every row there is of something that a server sends."""

import re

import der
from card import Download, b64, unb64
from harness import REPOSITORY

PNG_BEGINS = bytes.fromhex("89504e470d0a1a0a")
# What other servers send: rspd has no proprietary data.
NOT_OURS = {("CONFIGURE", "bf24/b8"), ("CONFIGURE", "bf24/b8/6")}
ROW = re.compile(r'^(ANSWER|MEMBER)\((\w+), "([^"]+)"', re.MULTILINE)


def rows():
    text = (REPOSITORY / "tests" / "unit" / "rspsim_members.def").read_text()
    return {(owner, path.split("#")[0]) for _, owner, path in ROW.findall(text)}


def json_members(function, body, prefix=""):
    for name, value in body.items():
        yield function, prefix + name
        if isinstance(value, dict):
            yield from json_members(function, value, f"{prefix}{name}/")


def tlv_members(blob, nodes, prefix="", leaf=None):
    for node in nodes:
        path = f"{prefix}{node.tag:x}"
        yield blob, path
        if node.octets[0] & 0x20 and path != leaf:
            yield from tlv_members(blob, node.children, path + "/", leaf)


class Listening:
    """A client that keeps what the functions answered."""

    def __init__(self, client):
        self.client, self.name, self.bodies = client, client.name, []

    def call(self, function, body, headers=()):
        answer = self.client.call(function, body, headers)
        if answer.body:
            self.bodies.append((function, answer.body))
        return answer


def sent_in(bodies, package):
    """All members of the answers, and of what the package holds under its protection."""
    for function, body in bodies:
        yield from json_members(function, body)
        for member, blob in (("serverSigned1", "SIGNED1"), ("smdpSigned2", "SIGNED2")):
            if member in body:
                yield from tlv_members(blob, der.nodes(unb64(body[member])))
    bpp = der.nodes(package.octets)
    yield from tlv_members("PACKAGE", bpp, leaf="bf36/bf23")
    yield from tlv_members("CHANNEL", der.nodes(package.signed))
    yield from tlv_members("CONFIGURE", der.nodes(package.configure))
    yield from tlv_members("METADATA", der.nodes(package.metadata))
    keys = [der.tlv(0x80 + i, k) for i, k in enumerate(package.protection_keys)]
    yield from tlv_members("KEYS", der.nodes(der.tlv(0xBF26, *keys)))


def test_each_member_that_is_sent_has_a_row(rspd, card):
    rspd.desk.make_type("members", keys="ppk")
    iccid = rspd.desk.load(
        {
            "type": "members",
            "class": "test",
            "icon": b64(PNG_BEGINS + bytes(100)),
            "owner": "00101:A1:B2",
            "ppr2": True,
            "notify": ["other.example=enable"],
        }
    )
    order = rspd.desk.order(iccid=iccid)
    listening = Listening(rspd.client())
    Download(card, listening).until_package(order.matching_id)
    again = Download(card, listening).until_package(order.matching_id)
    sent = set(sent_in(listening.bodies, again.package))
    assert sent - rows() == set()
    assert rows() - sent == NOT_OURS
