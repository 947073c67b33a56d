"""An editor of profile packages for tests: takes a package apart into nested lists, changes what the data of a
subscriber ask for, and writes all of it anew. It was written from the standards' descriptions (TCA
profile package, TS 31.102, TS 31.103) and knows nothing of how rspd does it."""

from der import Node, nodes, tlv

HEADER, PIN, PUK, AKA, SD = 0xA0, 0xA2, 0xA3, 0xA4, 0xA6
MF, USIM, OPT_USIM, ISIM, DF_5GS, DF_SAIP = 0xB0, 0xB3, 0xB4, 0xB5, 0xBC, 0xBD


class Element:
    """A TLV that may be changed: `value` is octets, or a list of elements."""

    def __init__(self, tag, value):
        self.tag, self.value = tag, value

    @classmethod
    def of(cls, node):
        first = node.octets[0]
        return cls(node.tag, [cls.of(c) for c in node.children] if first & 0x20 else node.value)

    def octets(self):
        if isinstance(self.value, bytes):
            return tlv(self.tag, self.value)
        return tlv(self.tag, *(e.octets() for e in self.value))

    def all(self, tag):
        return [e for e in self.value if e.tag == tag]

    def first(self, *path):
        here = self
        for tag in path:
            found = here.all(tag) if here else []
            here = found[0] if found else None
        return here


def swap(digits):
    digits += "F" * (len(digits) % 2)
    return bytes.fromhex("".join(digits[i + 1] + digits[i] for i in range(0, len(digits), 2)))


def shortest(number):
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


class File:
    """What a File element says: a descriptor, perhaps, and fills."""

    ORDER = [0x82, 0x83, 0x84, 0x8A, 0x8B, 0x80, 0xC6, 0x88, 0xA5, 0xC7]

    def __init__(self, element):
        self.element = element
        self.fcp = element.first(0xA1)

    def member(self, tag):
        found = self.fcp and self.fcp.first(tag)
        return found.value if found else None

    @property
    def size(self):
        return int.from_bytes(self.member(0x80) or b"", "big")

    @property
    def record(self):
        descriptor = self.member(0x82) or b""
        return int.from_bytes(descriptor[2:4], "big") if len(descriptor) == 4 else 0

    def pattern(self):
        """A function from the place in a record to the octet that stands there unwritten, or None."""
        info = self.fcp and self.fcp.first(0xA5)
        if info and (repeat := info.first(0xC2)):
            return lambda i: repeat.value[i % len(repeat.value)]
        if info and (fill := info.first(0xC1)):
            return lambda i: fill.value[min(i, len(fill.value) - 1)]
        return None

    def content(self):
        """What the fills make of the file, up to the last of them, and the first record at least."""
        written, at = {}, 0
        for e in self.element.value:
            if e.tag == 0x82:
                at += int.from_bytes(e.value, "big")
            elif e.tag == 0x83:
                written.update({at + i: octet for i, octet in enumerate(e.value)})
                at += len(e.value)
        unwritten = self.pattern() or (lambda i: 0xFF)
        end = max([self.record, *(i + 1 for i in written)])
        return bytes(written.get(i, unwritten(i % self.record if self.record else i)) for i in range(end))

    def fill(self, content):
        self.element.value = [e for e in self.element.value if e.tag not in (0x82, 0x83)]
        self.element.value.append(Element(0x83, content))

    def describe(self, tag, value):
        if self.fcp is None:
            self.fcp = Element(0xA1, [])
            self.element.value.insert(0, self.fcp)
        members = {e.tag: e for e in self.fcp.value}
        members[tag] = Element(tag, value)
        self.fcp.value = sorted(members.values(), key=lambda e: self.ORDER.index(e.tag))

    def resize(self, size, record=None):
        if record and record != self.record:
            self.describe(0x82, (self.member(0x82) or b"\x42\x21")[:2] + record.to_bytes(2, "big"))
        self.describe(0x80, shortest(size))


class Package:
    def __init__(self, octets):
        self.elements = [Element.of(n) for n in nodes(octets)]
        self.own_imsi = self.read_imsi()

    def octets(self):
        return b"".join(e.octets() for e in self.elements)

    def all(self, tag):
        return [e for e in self.elements if e.tag == tag]

    def element(self, tag):
        return (self.all(tag) or [None])[0]

    def read_imsi(self):
        octets = File(self.element(USIM).first(0xA3)).content()
        digits = "".join(f"{b & 15:X}{b >> 4:X}" for b in octets[1 : 1 + octets[0]])
        return digits[1:].rstrip("F")

    def file(self, element, tag):
        """The File of that tag, put into its place when there is none."""
        member = element.first(tag)
        if member is None:
            member = Element(tag, [])
            element.value.append(member)
            element.value.sort(key=lambda e: e.tag & 0x1F)
        return File(member)

    def transparent(self, element, tag, content, own_size=False):
        file = self.file(element, tag)
        if len(content) > file.size and (file.size or not own_size):
            file.resize(len(content))
        if file.pattern():
            content = content.ljust(file.size, b"\xff")
        file.fill(content)

    # ---- a method a datum

    def iccid(self, digits):
        self.element(HEADER).first(0x83).value = bytes.fromhex(digits + "F" * (20 - len(digits)))
        self.element(MF).first(0xA4, 0x83).value = swap(digits + "F" * (20 - len(digits)))

    def imsi(self, digits):
        parity = "9" if len(digits) % 2 else "1"
        body = swap(parity + digits)
        self.transparent(self.element(USIM), 0xA3, (bytes([len(body)]) + body).ljust(9, b"\xff"), True)
        self.acc((1 << int(digits[-1])).to_bytes(2, "big"))
        isim = self.element(ISIM)
        for tag in (0xA3, 0xA4) if isim else ():
            octets = isim.first(tag).octets()
            changed = Element.of(Node(octets.replace(self.own_imsi.encode(), digits.encode())))
            isim.first(tag).value = changed.value

    def acc(self, classes):
        self.transparent(self.element(USIM), 0xB2, classes, True)

    def k(self, octets):
        for aka in self.all(AKA):
            if parameter := aka.first(0xA1, 0xA1):
                parameter.first(0x82).value = octets

    def opc(self, octets):
        for aka in self.all(AKA):
            if parameter := aka.first(0xA1, 0xA1):
                parameter.first(0x83).value = octets

    def code(self, kind, path, reference, value):
        for element in self.all(kind):
            listed = element.first(*path)
            for one in listed.value if listed else ():
                if int.from_bytes(one.first(0x80).value, "big") == reference:
                    one.first(0x81).value = value.ljust(8, b"\xff")

    def pin(self, reference, value):
        self.code(PIN, (0xA1, 0xA0), reference, value)

    def puk(self, reference, value):
        self.code(PUK, (0xA1,), reference, value)

    def key(self, version, identifier, octets):
        for domain in self.all(SD):
            for one in domain.first(0xA2).value if domain.first(0xA2) else ():
                if (one.first(0x83).value, one.first(0x82).value) == (bytes([version]), bytes([identifier])):
                    one.first(0x30, 0x30, 0x86).value = octets
                    return

    def number(self, element, tag, number, least):
        """The first record of EF.MSISDN or EF.SMSP."""
        file = self.file(element, tag)
        length = file.record or least
        content = bytearray(file.content() if file.record else b"\xff" * least)
        plus = number.startswith("+")
        digits = swap(number.lstrip("+"))
        coded = (bytes([len(digits) + 1, 0x91 if plus else 0x81]) + digits).ljust(12, b"\xff")
        if least == 14:
            content[length - 14 : length] = coded + b"\xff\xff"
        else:
            content[length - 28] &= 0xFD
            content[length - 15 : length - 3] = coded
        if not file.record:
            file.resize(length, length)
        file.fill(bytes(content))

    def msisdn(self, number):
        self.number(self.element(OPT_USIM), 0xA7, number, 14)

    def smsc(self, number):
        self.number(self.element(USIM), 0xAB, number, 28)

    def impi(self, text):
        self.transparent(self.element(ISIM), 0xA3, tlv(0x80, text.encode()))

    def impu(self, *texts):
        file = self.file(self.element(ISIM), 0xA4)
        records = [tlv(0x80, t.encode()) for t in texts]
        length = max([file.record, *map(len, records)])
        count = max(len(texts), file.size // file.record if file.record else 0)
        if length != file.record or count * length > file.size:
            file.resize(count * length, length)
        content = b"".join(r.ljust(length, b"\xff") for r in records)
        if file.pattern():
            content = content.ljust(count * length, b"\xff")
        file.fill(content)

    def routing_indicator(self, digits):
        self.transparent(self.element(DF_5GS), 0xAC, swap(digits.ljust(4, "F")) + b"\xff\xff", True)

    def suci(self, content):
        services = File(self.element(USIM).first(0xA8)).content()
        if len(services) > 15 and services[15] >> 4 & 1:
            self.transparent(self.element(DF_SAIP), 0xA3, content)
        else:
            self.transparent(self.element(DF_5GS), 0xA9, content)

    def suci_key(self, identifier, key):
        scheme = b"\x01\x01" if len(key) == 32 else b"\x02\x01"
        self.suci(tlv(0xA0, scheme) + tlv(0xA1, tlv(0x80, bytes([identifier])), tlv(0x81, key)))


def personalised(template, row):
    """The package of a row: a dictionary of columns as rspd reads them."""
    package = Package(template)
    hexadecimal = {name: bytes.fromhex(text) for name, text in row.items() if is_hexadecimal(name)}
    package.iccid(row["iccid"])
    if "imsi" in row:
        package.imsi(row["imsi"])
    for name in ("acc", "k", "opc"):
        if name in row:
            getattr(package, name)(hexadecimal[name])
    for name, reference in (("pin1", 0x01), ("pin2", 0x81)):
        if name in row:
            package.pin(reference, row[name].encode())
    for number in range(1, 6):
        if text := row.get(f"adm{number}"):
            package.pin(0x09 + number, bytes.fromhex(text) if len(text) == 16 else text.encode())
    for name, reference in (("puk1", 0x01), ("puk2", 0x81)):
        if name in row:
            package.puk(reference, row[name].encode())
    for name in ("msisdn", "smsc", "impi", "routing_indicator"):
        if name in row:
            getattr(package, name)(row[name])
    if "impu" in row:
        package.impu(*(row[n] for n in ("impu", "impu2", "impu3") if n in row))
    if "suci_key" in row:
        package.suci_key(int(row["suci_key_id"]), hexadecimal["suci_key"])
    if "suci_calc_info" in row:
        package.suci(hexadecimal["suci_calc_info"])
    for name, octets in hexadecimal.items():
        if name[:3] in KEYS:
            number = int(name[3:], 10 if name.startswith("ki") else 16)
            package.key(number, KEYS[name[:3]], octets)
        elif name.startswith("key_"):
            package.key(int(name[4:6], 16), int(name[7:9], 16), octets)
    return package.octets()


KEYS = {"kic": 1, "kid": 2, "kik": 3, "enc": 1, "mac": 2, "dek": 3, "psk": 1}


def is_hexadecimal(name):
    return name in ("k", "opc", "acc", "suci_key", "suci_calc_info") or name[:3] in (*KEYS, "key")
