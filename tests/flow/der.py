"""DER, written and read by hand (X.690): the test card shares no codec with rspd.

`tlv` writes one element, `Node` reads one and keeps its octets, so that a signature can be made and
checked over exactly what was sent. Tags are written as in the standards: 0x30, 0x5F37, 0xBF38.
"""


class DerError(Exception):
    """The octets are not the DER that was expected."""


def tag_octets(tag):
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")


def length_octets(n):
    if n < 0x80:
        return bytes([n])
    body = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def tlv(tag, *parts):
    value = b"".join(parts)
    return tag_octets(tag) + length_octets(len(value)) + value


def integer(number, tag=0x02):
    """A non-negative INTEGER in its shortest form."""
    return tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def boolean(value, tag=0x01):
    return tlv(tag, b"\xff" if value else b"\x00")


def text(value, tag=0x0C):
    """A string, or octets that are none."""
    return tlv(tag, value if isinstance(value, bytes) else value.encode())


def oid_value(dotted):
    """The contents octets of an OBJECT IDENTIFIER."""
    arcs = [int(arc) for arc in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(septets))
    return out


def oid(dotted, tag=0x06):
    return tlv(tag, oid_value(dotted))


def named_bits(*numbers, tag=0x03):
    """A BIT STRING with named bits: DER cuts the zero bits at its end (X.690 §11.2.2)."""
    if not numbers:
        return tlv(tag, b"\x00")
    octets = bytearray(max(numbers) // 8 + 1)
    for n in numbers:
        octets[n // 8] |= 0x80 >> n % 8
    return tlv(tag, bytes([7 - max(numbers) % 8]), bytes(octets))


def bit_numbers(value):
    """The numbers of the bits that are set, from the contents octets of a BIT STRING."""
    return [i for i in range((len(value) - 1) * 8) if value[1 + i // 8] & (0x80 >> i % 8)]


class Node:
    """One element: tag, value, the octets it was read from, and its children on demand."""

    def __init__(self, octets, at=0):
        start, at = at, at + 1
        try:
            if octets[start] & 0x1F == 0x1F:
                while octets[at] & 0x80:
                    at += 1
                at += 1
            self.tag = int.from_bytes(octets[start:at], "big")
            first, at = octets[at], at + 1
            if first < 0x80:
                length = first
            else:
                count = first & 0x7F
                length = int.from_bytes(octets[at : at + count], "big")
                if not 1 <= count <= 4 or length_octets(length)[1:] != octets[at : at + count]:
                    raise DerError("a length that DER does not allow")
                at += count
        except IndexError:
            raise DerError("the octets end inside a tag or a length") from None
        if at + length > len(octets):
            raise DerError("the value is longer than its octets")
        self.value = octets[at : at + length]
        self.octets = octets[start : at + length]

    def __len__(self):
        return len(self.octets)

    def __repr__(self):
        return f"<{self.tag:X} {self.value.hex()}>"

    @property
    def children(self):
        return nodes(self.value)

    def find(self, *path):
        """The first element along the path of tags, or None."""
        node = self
        for tag in path:
            node = next((c for c in node.children if c.tag == tag), None)
            if node is None:
                return None
        return node

    def get(self, *path):
        """As find, but what is absent is an error."""
        node = self.find(*path)
        if node is None:
            raise DerError(f"{'/'.join('%X' % t for t in path)} is missing in {self.tag:X}")
        return node

    def expect(self, *tags):
        """The children, whose tags must be exactly these."""
        got = self.children
        if [c.tag for c in got] != list(tags):
            raise DerError(f"{self.tag:X} holds {[hex(c.tag) for c in got]}")
        return got


def nodes(octets):
    out, at = [], 0
    while at < len(octets):
        node = Node(octets, at)
        out.append(node)
        at += len(node)
    return out


def read(octets, tag=None):
    """Exactly one element, and nothing behind it."""
    node = Node(octets)
    if len(node) != len(octets):
        raise DerError("octets behind the element")
    if tag is not None and node.tag != tag:
        raise DerError(f"tag {node.tag:X} instead of {tag:X}")
    return node
