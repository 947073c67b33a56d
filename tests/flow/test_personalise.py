"""Packages that rspd makes of a template and rows of data, octet for octet against an editor of our own: with
GSMA's test profiles (TS.48) where they are at hand, and always with a package of ours."""

import csv
import io
import random
import struct
import subprocess

import pytest

import upp
from der import integer, nodes, oid_value, tlv
from harness import BUILD, REPOSITORY
from personalise import Package, personalised

PROGRAM = BUILD / "flow" / "profile_personalise_test"
TS48 = sorted((REPOSITORY.parent / "shared" / "spec" / "ts48").glob("*.der"))


def make(template, rows, scratch):
    """The packages of the rows, a refusal as text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    (scratch / "template.der").write_bytes(template)
    (scratch / "data.csv").write_text(text.getvalue(), encoding="utf-8")
    run = subprocess.run([PROGRAM, scratch / "template.der", scratch / "data.csv"],
                         capture_output=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr.decode()
    out, at = [], 0
    while at < len(run.stdout):
        (n,) = struct.unpack_from(">I", run.stdout, at)
        refused = n == 0
        if refused:
            at += 4
            (n,) = struct.unpack_from(">I", run.stdout, at)
        piece = run.stdout[at + 4 : at + 4 + n]
        out.append(piece.decode() if refused else piece)
        at += 4 + n
    return out


def digits(source, n):
    return "".join(source.choice("0123456789") for _ in range(n))


def octets(source, n):
    return source.randbytes(n).hex()


def full_row(source, template):
    """A datum for each place that the template has."""
    package = Package(template)
    row = {
        "iccid": upp.luhn("89" + digits(source, source.choice([16, 17]))),
        "imsi": "00101" + digits(source, 10),
        "k": octets(source, 16),
        "opc": octets(source, 16),
        "pin1": digits(source, source.randint(4, 8)),
        "pin2": digits(source, source.randint(4, 8)),
        "puk1": digits(source, 8),
        "puk2": digits(source, 8),
        "adm1": source.choice([digits(source, 8), octets(source, 8), digits(source, 5)]),
        "acc": octets(source, 2),
        "smsc": source.choice(["+", ""]) + digits(source, source.randint(3, 20)),
    }
    for version, identifier, kind in keys_of(package):
        size = source.choice([16, 24] if kind == 0x80 else [16, 24, 32])
        row[key_column(version, identifier)] = octets(source, size)
    if package.element(0xB4):
        row["msisdn"] = source.choice(["+", ""]) + digits(source, source.randint(3, 20))
    if package.element(0xB5):
        row["impi"] = "u" * source.randint(1, 200) + "@ims.example"
        for name in ("impu", "impu2", "impu3")[: source.randint(1, 3)]:
            row[name] = "sip:" + "v" * source.randint(1, 200) + "@ims.example"
    if package.element(0xBC):
        row["routing_indicator"] = digits(source, source.randint(1, 4))
    if package.element(0xBC) and package.element(0xBD):
        if source.random() < 0.5:
            row["suci_key_id"] = str(source.randrange(256))
            row["suci_key"] = octets(source, source.choice([32, 33, 65]))
        else:
            row["suci_calc_info"] = octets(source, source.randint(2, 400))
    return row


def keys_of(package):
    """Version, identifier and type of the keys of the operator's security domain."""
    listed = package.element(0xA6).first(0xA2)
    return [(key.first(0x83).value[0], key.first(0x82).value[0], key.first(0x30, 0x30, 0x80).value[0])
            for key in (listed.value if listed else ())]


def key_column(version, identifier):
    """One of the names that a key's column may have."""
    names = [f"key_{version:02x}_{identifier:02X}"]
    if version < 0x10:
        names.append(("kic", "kid", "kik")[identifier - 1] + str(version))
    elif version < 0x40:
        names.append(("enc", "mac", "dek")[identifier - 1] + f"{version:02x}")
    return names[(version + identifier) % len(names)]


NEEDED = {"iccid", "imsi", "k", "opc"}
TOGETHER = [{"suci_key", "suci_key_id"}, {"impu", "impu2", "impu3"}]


def some_of(source, row):
    """A part of the row: what is needed, and a few others with what they ask for."""
    keep = NEEDED | {name for name in row if source.random() < 0.4}
    for group in TOGETHER:
        if keep & group:
            keep |= group
    return {name: row[name] for name in row if name in keep}


def compare(template, scratch, seed):
    source = random.Random(seed)
    rows = [full_row(source, template) for _ in range(12)]
    rows += [some_of(source, row) for row in rows]
    made = make(template, rows, scratch)
    assert len(made) == len(rows)
    for row, package in zip(rows, made):
        assert package == personalised(template, row), row
    return made


def with_isim(template):
    """Our package with an ISIM that names the IMSI, phone book numbers, and a second key set, before its end."""
    elements = nodes(template)
    aid = bytes.fromhex("A0000000871004FF49FF0589")
    identity = b"001010123456789@ims.mnc001.mcc001.3gppnetwork.org"

    def file(size, content, record=None):
        fcp = (tlv(0x82, b"\x42\x21" + record.to_bytes(2, "big")) if record else b"") + tlv(0x80, size)
        return tlv(0xA1, fcp) + tlv(0x83, content)

    services = elements[0].get(0xA5)
    templates = elements[0].get(0xA6)
    header = b"".join(n.octets for n in elements[0].children if n.tag not in (0xA5, 0xA6))
    header += tlv(0xA5, *(n.octets for n in services.children if n.tag < 0x82), tlv(0x82),
                  *(n.octets for n in services.children if n.tag > 0x82))
    header += tlv(0xA6, templates.value, *(tlv(6, oid_value(upp.TEMPLATE + n)) for n in ("5", "8", "13", "14")))
    isim = tlv(0xB5, upp.head(20), tlv(0x81, oid_value(upp.TEMPLATE + "8")),
               tlv(0xA2, tlv(0xA1, tlv(0x83, b"\x7f\xb0"), tlv(0x84, aid))),
               tlv(0xA3, file(b"\x40", tlv(0x80, identity))),
               tlv(0xA4, file(b"\x82", tlv(0x80, b"sip:" + identity), record=65)),
               tlv(0xA5, file(b"\x20", tlv(0x80, b"ims.example"))),
               tlv(0xA6, file(b"\x01", b"\x00")), tlv(0xA8, tlv(0xA1)))
    opt_usim = tlv(0xB4, upp.head(21), tlv(0x81, oid_value(upp.TEMPLATE + "5")), tlv(0xA2, tlv(0x83, b"de")))
    df_5gs = tlv(0xBC, upp.head(22), tlv(0x81, oid_value(upp.TEMPLATE + "13")), tlv(0xA2, tlv(0xA1)))
    df_saip = tlv(0xBD, upp.head(23), tlv(0x81, oid_value(upp.TEMPLATE + "14")), tlv(0xA2, tlv(0xA1)))
    body = [n.octets for n in elements[1:]]
    usim = next(i for i, n in enumerate(elements) if n.tag == 0xB3)
    body[usim:usim] = [opt_usim, df_5gs, df_saip, isim]
    return tlv(0xA0, header) + b"".join(body)


def without_usim_suci(template):
    """The same with service 125 off: the phone calculates the SUCI."""
    services = bytes.fromhex("9EFFBF1DFF3E0083410310010400003E11")
    assert template.count(services) == 1
    return template.replace(services, services[:15] + bytes([services[15] & ~0x10]) + services[16:])


OURS = {
    "usim": lambda: upp.profile(1, k=bytes(range(1, 17))),
    "usim-large": lambda: upp.profile(2, k=bytes(range(1, 17)), filler=70000),
    "isim": lambda: with_isim(upp.profile(3, k=bytes(range(1, 17)))),
    "phone": lambda: without_usim_suci(with_isim(upp.profile(4, k=bytes(range(1, 17))))),
}


@pytest.mark.parametrize("name", OURS)
def test_packages_of_ours_are_as_edited(name, tmp_path):
    compare(OURS[name](), tmp_path, name)


@pytest.mark.skipif(not TS48, reason="no TS.48 profiles beside the repository")
@pytest.mark.parametrize("path", TS48, ids=[p.stem for p in TS48])
def test_gsma_packages_are_as_edited(path, tmp_path):
    template = path.read_bytes()
    made = compare(template, tmp_path, path.stem)
    assert len({len(package) for package in made}) > 3  # lengths did change


def test_what_is_not_given_stays(tmp_path):
    template = OURS["isim"]()
    row = {"iccid": Package(template).element(0xA0).first(0x83).value.hex().rstrip("f"), "imsi": "001010123456789",
           "k": bytes(range(1, 17)).hex(), "opc": bytes(16).hex()}
    assert make(template, [row], tmp_path) == [template]


def test_the_identities_follow_the_imsi(tmp_path):
    template = OURS["isim"]()
    row = {"iccid": upp.iccid(9), "imsi": "001019876543210", "k": "11" * 16, "opc": "22" * 16}
    (package,) = make(template, [row], tmp_path)
    assert package.count(b"001019876543210@ims") == 2
    assert b"001010123456789" not in package
    assert len(package) == len(template)


def test_refusals_name_the_datum(tmp_path):
    template = OURS["usim"]()
    good = {"iccid": upp.iccid(1), "imsi": "001010000000001", "k": "11" * 16, "opc": "22" * 16}
    assert make(template, [dict(good, impi="a@b")], tmp_path)[0].startswith("impi place:")
    assert make(template, [{"iccid": good["iccid"], "imsi": "00101"}], tmp_path)[0].startswith("k missing:")
    got = make(template, [good, dict(good, k="11" * 32), dict(good, opc="")], tmp_path)
    assert isinstance(got[0], bytes)
    assert got[1] == "k length: has 32 octets, the template's algorithm wants 16"
    assert got[2].startswith("opc missing:")


def test_a_mapping_keeps_its_element(tmp_path):
    """An akaParameter that maps to the USIM's has no key to replace."""
    template = OURS["isim"]()
    elements = nodes(template)
    mapping = tlv(0xA4, upp.head(30), tlv(0xA1, tlv(0xA0, tlv(0x80, b"\x01"), tlv(0x81, b"\xa0" * 12))),
                  tlv(0x82, b"\x02"))
    end = len(elements) - 1
    octets_ = b"".join(n.octets for n in elements[:end]) + mapping + elements[end].octets
    assert integer(30, 0x81) in mapping
    compare(octets_, tmp_path, "mapping")
