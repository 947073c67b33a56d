"""A small profile package of our own (TCA Interoperable Profile Package 2.3): header, MF, PUKs,
PINs, one USIM with its AKA parameters, the operator's security domain, end. The flow tests load it
where the GSMA's test profiles are not at hand; it follows every rule that rspd checks at import."""

import os

from der import integer, oid, oid_value, text, tlv
from card import swapped

TEMPLATE = "2.23.143.1.2."
TEST_K = bytes(range(16))
ACCESS_RULES = bytes.fromhex("800101900080011AA40683010A950108")  # one record of EF.ARR


def luhn(digits):
    """The digits with their check digit."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 == 0 else 1)
        total += n // 10 + n % 10
    return digits + str(-total % 10)


def iccid(number):
    """A 20-digit ICCID with a right check digit."""
    return luhn("8949449999" + f"{number:09d}")


def head(identification):
    return tlv(0xA0, tlv(0x80), integer(identification, 0x81))


def file(*contents, size=None, identifier=None, descriptor=None):
    fcp = b""
    if descriptor:
        fcp += tlv(0x82, bytes.fromhex(descriptor))
    if identifier:
        fcp += tlv(0x83, bytes.fromhex(identifier))
    if size:
        fcp += tlv(0x80, size)
    return [tlv(0xA1, fcp)] + [tlv(0x83, c) for c in contents]


def element(tag, identification, *members):
    """A PE whose members are numbered from 1 behind its header; an int leaves numbers out."""
    number, out = 1, b""
    for member in members:
        if isinstance(member, int):
            number += member
            continue
        if isinstance(member, list):
            out += tlv(0xA0 + number, *member)
        else:
            out += tlv(0x80 + number, member)
        number += 1
    return tlv(tag, head(identification), out)


def adf(aid, identifier):
    fcp = tlv(0x83, bytes.fromhex(identifier)) + tlv(0x84, aid)
    fcp += tlv(0xC6, bytes.fromhex("81010A0B"))
    return [tlv(0xA1, fcp)]


def pin(reference, value, unblock=None, attributes=7):
    return tlv(
        0x30,
        integer(reference, 0x80),
        tlv(0x81, value),
        integer(unblock, 0x82) if unblock else b"",
        integer(attributes, 0x83) if attributes != 7 else b"",
    )


def puk(reference, value):
    return tlv(0x30, integer(reference, 0x80), tlv(0x81, value))


def digits_pin(digits):
    return digits.encode().ljust(8, b"\xff")


def imsi_file(imsi):
    parity = "9" if len(imsi) % 2 else "1"
    return b"\x08" + swapped(parity + imsi)


def security_domain(filler):
    aids = ["A0000001515350", "A000000151535041", "A000000151000000"]
    instance = tlv(
        0xA1,
        *(tlv(0x4F, bytes.fromhex(a)) for a in aids),
        tlv(0x82, bytes.fromhex("82DC00")),
        tlv(0x83, b"\x0f"),
        tlv(0xC9, bytes.fromhex("810280008201F08301F08701F0")),
    )
    key_set = b"".join(
        tlv(
            0x30,
            tlv(0x95, usage),
            tlv(0x82, bytes([number])),
            tlv(0x83, b"\x01"),
            tlv(0x30, tlv(0x30, tlv(0x80, b"\x88"), tlv(0x86, os.urandom(16)))),
        )
        for number, usage in ((1, b"\x18"), (2, b"\x14"), (3, b"\x48"))
    )
    personal = tlv(0xA3, tlv(0x04, bytes(filler))) if filler else b""
    return tlv(0xA6, head(9), instance, tlv(0xA2, key_set), personal)


def profile(number, k=TEST_K, imsi="001010123456789", filler=1200, version=(2, 3)):
    """The octets of a package for ICCID `number`; a filler makes it as large as wanted."""
    digits = iccid(number)
    test = k == TEST_K
    usim_aid = bytes.fromhex("A0000000871002FF49FF0589")
    services = tlv(0x81) + (tlv(0x91) if test else tlv(0x84))
    header = tlv(
        0xA0,
        integer(version[0], 0x80),
        integer(version[1], 0x81),
        text("Flow test profile", 0x82),
        tlv(0x83, bytes.fromhex(digits)),
        tlv(0xA5, services),
        tlv(0xA6, oid(TEMPLATE + "1"), oid(TEMPLATE + "4")),
    )
    application = tlv(0x4F, usim_aid) + tlv(0x50, b"USIM")
    master = element(
        0xB0,
        1,
        oid_value(TEMPLATE + "1"),
        [tlv(0xA1, tlv(0xC6, bytes.fromhex("010A0B")))],
        1,
        file(swapped(digits)),
        file(tlv(0x61, application), size=b"\x26", descriptor="42210026"),
        file(ACCESS_RULES, size=b"\x20", descriptor="42210020"),
    )
    puks = tlv(
        0xA3, head(2), tlv(0xA1, puk(0x01, b"11111111"), puk(0x81, b"22222222"))
    )
    pins = tlv(
        0xA2,
        head(3),
        tlv(
            0xA1,
            tlv(
                0xA0,
                pin(0x01, digits_pin("0000"), 0x01, 6),
                pin(0x0A, b"55555555", None, 3),
            ),
        ),
    )
    usim = element(
        0xB3,
        4,
        oid_value(TEMPLATE + "4"),
        adf(usim_aid, "7FD0"),
        file(imsi_file(imsi)),
        file(ACCESS_RULES, size=b"\x20", descriptor="42210020"),
        3,
        file(bytes.fromhex("9EFFBF1DFF3E0083410310010400003E11"), size=b"\x11"),
        4,
        file(b"\x01" + b"FLOW".ljust(16, b"\xff")),
        file(b"\x00"),
        3,
        file((1 << int(imsi[-1])).to_bytes(2, "big")),
        3,
        file(bytes.fromhex("11F2FF4575726F20456D6572FF00"), size=b"\x0e", descriptor="4221000E"),
    )
    usim_pins = tlv(
        0xA2, head(5), tlv(0xA1, tlv(0xA0, pin(0x81, digits_pin("9999"), 0x81)))
    )
    algorithm = integer(3 if test else 1, 0x80)
    aka = tlv(
        0xA4,
        head(6),
        tlv(0xA1, tlv(0xA1, algorithm, tlv(0x81, b"\x01"), tlv(0x82, k), tlv(0x83, bytes(16)))),
    )
    end = tlv(0xAA, head(10))
    return header + master + puks + pins + usim + usim_pins + aka + security_domain(filler) + end
