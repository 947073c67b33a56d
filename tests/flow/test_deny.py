"""The deny-lists (docs/lists.md): EUM and eUICC certificates, EIDs and firmware that are not served, in
both instances on one database, without a statement, for nobody but eUICCs that have proved themselves."""

import base64
import itertools
import time

import pytest

import pki
from card import Card, Download
from conftest import new_eid
from harness import wait_for

WHY = "reported by the test"
NOTHING = "NO-SUCH-TOKEN"
SERVED = ("8.2.6", "3.8")  # it came as far as its MatchingID
EFFECTIVE = 1.0  # seconds
TIMER = 0.5  # of an instance that nobody tells
ranges = itertools.count(1)


@pytest.fixture
def denying(twins):
    """Adds entries at the first instance; they go with the test."""
    made = []

    def add(kind, **what):
        made.append(twins[0].ask("deny add", kind=kind, why=WHY, **what)["id"])
        return made[-1]

    yield add
    for entry in made:
        twins[0].ask("deny remove", id=entry)


def answer_to(daemon, card):
    client = daemon.client()
    lpa = Download(card, client)
    lpa.initiate().must()
    return lpa.authenticate(NOTHING).refusal


def soon(daemon, card, answer):
    """The answer comes to be within the time that the manual promises, with some patience for slow machines."""
    began = time.monotonic()
    wait_for(lambda: answer_to(daemon, card) == answer, lambda: answer_to(daemon, card), 20)
    return time.monotonic() - began


def card_of(site, eid=None, eum=None):
    tree = site.trees["nist"]
    card = Card(eid or new_eid(), tree)
    if eum:
        identity = card.identities[0]
        identity.eum, identity.euicc = eum, tree.make_euicc(card.eid, eum=eum)
        identity.key = identity.euicc.key
    return card


def der64(signed):
    return base64.b64encode(signed.der).decode()


def hexed(octets):
    return octets.hex().upper()


def serial(signed):
    n = signed.cert.serial_number
    return hexed(n.to_bytes(n.bit_length() // 8 + 1, "big"))


EUM_NAMES = {
    "certificate": lambda s, ci: {"certificate": der64(s)},
    "pem": lambda s, ci: {"certificate": base64.b64encode(s.pem.encode()).decode()},
    "key": lambda s, ci: {"keyId": hexed(s.id)},
    "serial": lambda s, ci: {"issuer": hexed(ci.id), "serial": serial(s)},
    "key-with-colons": lambda s, ci: {"keyId": s.id.hex(":")},
}


@pytest.mark.parametrize("name", EUM_NAMES.values(), ids=EUM_NAMES)
def test_an_eum_is_denied_in_every_instance_within_a_second(twins, site, denying, name):
    tree = site.trees["nist"]
    eum = tree.make_eum()
    denied, other = card_of(site, eum=eum), card_of(site)
    assert answer_to(twins[1], denied) == SERVED
    denying("eum", **name(eum, tree.ci))
    took = [soon(daemon, denied, ("8.1.2", "6.1")) for daemon in twins]
    assert max(took) < EFFECTIVE + 4  # never an assertion on an exact time: the machine may be busy
    assert [answer_to(daemon, other) for daemon in twins] == [SERVED, SERVED]


@pytest.mark.parametrize("name", EUM_NAMES.values(), ids=EUM_NAMES)
def test_one_euicc_certificate_is_denied(twins, site, denying, name):
    card = card_of(site)
    signed = card.identities[0].euicc
    denying("euicc", **name(signed, site.trees["nist"].eum))
    for daemon in twins:
        soon(daemon, card, ("8.1.3", "6.1"))
        assert answer_to(daemon, card_of(site)) == SERVED


def test_an_entry_for_an_eum_does_not_deny_an_euicc(twins, site, denying):
    card = card_of(site)
    denying("eum", keyId=hexed(card.identities[0].euicc.id))
    denied = card_of(site)
    denying("eid", eids=denied.eid)
    soon(twins[1], denied, ("8.1.1", "3.8"))  # so the entry before it is in force too
    assert answer_to(twins[1], card) == SERVED


def block():
    """Beginning of EIDs that no other test has."""
    return f"890490329{next(ranges):07d}"


def test_ranges_of_eids_are_denied_from_end_to_end(twins, site, denying):
    first, second, third = block(), block(), block()
    denying("eid", eids=f"{first}5")
    denying("eid", eids=f"{second}{'1' * 16}-{second}{'3' * 16}")
    denying("eid", eids=f"{second}{'2' * 16}")  # inside the one before
    denying("eid", eids=f"{third}{'0' * 16}")
    cases = {
        f"{first}4{'9' * 15}": SERVED,
        f"{first}5{'0' * 15}": ("8.1.1", "3.8"),
        f"{first}5{'9' * 15}": ("8.1.1", "3.8"),
        f"{first}6{'0' * 15}": SERVED,
        f"{second}{'1' * 15}0": SERVED,
        f"{second}{'1' * 16}": ("8.1.1", "3.8"),
        f"{second}{'2' * 15}3": ("8.1.1", "3.8"),
        f"{second}{'3' * 16}": ("8.1.1", "3.8"),
        f"{second}{'3' * 15}4": SERVED,
    }
    soon(twins[1], card_of(site, f"{third}{'0' * 16}"), ("8.1.1", "3.8"))
    for eid, answer in cases.items():
        assert answer_to(twins[1], card_of(site, eid)) == answer, eid


def test_firmware_is_denied_for_all_or_for_one_maker(twins, site, denying):
    mine, other = card_of(site, block() + "0" * 16), card_of(site)
    version = ".".join(map(str, firmware_of(mine)))
    denying("firmware", firmware=version, eids=mine.eid[:16])
    soon(twins[1], mine, ("8.2.5", "4.3"))
    assert answer_to(twins[1], other) == SERVED
    major, minor, _ = firmware_of(mine)
    entry = denying("firmware", firmware=f"{major}.{minor}.0-{major}.{minor}.255")
    soon(twins[1], other, ("8.2.5", "4.3"))
    twins[0].ask("deny remove", id=entry)
    soon(twins[1], other, SERVED)
    below = f"0.0.0-{major}.{minor - 1}.255" if minor else f"{major + 1}.0.0"
    denying("firmware", firmware=below)
    denied = card_of(site)
    denying("eid", eids=denied.eid)
    soon(twins[1], denied, ("8.1.1", "3.8"))
    assert answer_to(twins[1], other) == SERVED


def firmware_of(card):
    """euiccFirmwareVer, tag 83, of what the card says of itself."""
    info = card.info2()
    at = info.index(b"\x83\x03")
    return tuple(info[at + 2 : at + 5])


def test_taking_an_entry_away_serves_again(twins, site, denying):
    card = card_of(site)
    entry = denying("eid", eids=card.eid)
    soon(twins[1], card, ("8.1.1", "3.8"))
    twins[1].ask("deny remove", id=entry, why="it was found")
    for daemon in twins:
        soon(daemon, card, SERVED)


def test_no_package_leaves_for_an_eid_denied_meanwhile(twins, site, denying):
    first, second = twins
    card = card_of(site)
    order = first.desk.order()
    lpa = Download(card, second.client()).until_authenticated(order.matching_id)
    denying("eid", eids=card.eid)
    soon(second, card, ("8.1.1", "3.8"))
    lpa.get_package(key=card_of(site).identities[0].key).refused("8.1", "6.1")
    lpa.get_package().refused("8.1.1", "3.8")
    assert order.state == "released"


def test_a_denied_peer_costs_no_statement_and_leaves_no_row(twins, site, denying):
    card = card_of(site)
    denying("eid", eids=card.eid)
    soon(twins[1], card, ("8.1.1", "3.8"))
    sessions = twins[1].database.value("select count(*) from rsp_session")

    def admissions():
        return twins[1].ask("stats")["statements"].get("session_admit", {}).get("count", 0)

    before = admissions()
    for _ in range(3):
        assert answer_to(twins[1], card) == ("8.1.1", "3.8")
    assert admissions() == before
    assert twins[1].database.value("select count(*) from rsp_session") == sessions


def test_who_has_not_proved_itself_does_not_learn_what_is_denied(twins, site, denying):
    """Anybody can write a certificate with any EID, and knows the certificates of others."""
    card = card_of(site)
    denying("eid", eids=card.eid)
    soon(twins[1], card, ("8.1.1", "3.8"))
    tree, identity = site.trees["nist"], card.identities[0]
    right, key = identity.euicc, identity.key
    stranger = pki.Tree("nist", "Another CI")
    identity.euicc = tree.make_euicc(card.eid, signing_key=tree.pb.key)
    assert answer_to(twins[1], card) == ("8.1.3", "6.1")
    identity.euicc = stranger.make_euicc(card.eid)
    identity.eum, eum = stranger.eum, identity.eum
    assert answer_to(twins[1], card) == ("8.11.1", "3.9")
    identity.euicc, identity.eum = right, eum
    identity.key = card_of(site).identities[0].key
    assert answer_to(twins[1], card) == ("8.1", "6.1")
    identity.key = key
    assert answer_to(twins[1], card) == ("8.1.1", "3.8")


# ---- the verbs -----------------------------------------------------------------------------------


def test_the_list_says_what_who_why_and_the_trail_too(rspd, site, denying):
    eid = new_eid()
    tree = site.trees["nist"]
    number = denying("eid", eids=eid)
    eum = tree.make_eum()
    certificate = denying("eum", certificate=der64(eum))
    firmware = denying("firmware", firmware="1.2.3-1.2.9", eids="8901")
    entries = {e["id"]: e for e in rspd.ask("deny list", limit=1000)["entries"]}
    assert entries[number]["eids"] == eid and entries[number]["kind"] == "eid"
    assert entries[number]["why"] == WHY and entries[number]["by"].startswith("ctl:")
    assert entries[certificate]["issuer"] == hexed(tree.ci.id)
    assert int(entries[certificate]["serial"], 16) == eum.cert.serial_number
    assert entries[firmware]["firmware"] == "1.2.3-1.2.9"
    assert entries[firmware]["eids"] == f"8901{'0' * 28}-8901{'9' * 28}"
    assert {e["kind"] for e in rspd.ask("deny list", kind="eum")["entries"]} == {"eum"}
    (entry,) = rspd.ask("deny list", after=certificate, limit=1)["entries"]
    assert entry["id"] == firmware
    trail = rspd.ask("audit list", eid=eid)["entries"]
    assert [(e["act"], WHY in e["why"]) for e in trail] == [("deny_add", True)]


def test_the_same_entry_again_is_the_same_and_removing_twice_too(rspd, denying):
    eids = block()
    entry = denying("eid", eids=eids)
    again = rspd.ask("deny add", kind="eid", eids=eids, why="again")
    assert again == {"id": entry, "added": False}
    assert rspd.ask("deny remove", id=entry) == {"id": entry}
    assert rspd.ask("deny remove", id=entry) == {"id": entry}
    fresh = denying("eid", eids=eids)
    assert fresh != entry


def test_an_unknown_entry_cannot_be_removed(rspd):
    assert rspd.ask_any("deny remove", id=2**30)["error"]["code"] == "entry-unknown"


WRONG = [
    dict(kind="nothing", eids="89"),
    dict(kind="eid"),
    dict(kind="eid", eids="89x"),
    dict(kind="eid", eids="9-8"),
    dict(kind="eid", eids="8" * 33),
    dict(kind="eid", eids="89", firmware="1.0.0"),
    dict(kind="eid", eids="89", keyId="00" * 20),
    dict(kind="eum"),
    dict(kind="eum", keyId="00" * 19),
    dict(kind="eum", issuer="00" * 20),
    dict(kind="eum", serial="01"),
    dict(kind="eum", keyId="00" * 20, issuer="00" * 20, serial="01"),
    dict(kind="eum", eids="89"),
    dict(kind="euicc", certificate="bm90aGluZw=="),
    dict(kind="firmware"),
    dict(kind="firmware", firmware="1.2"),
    dict(kind="firmware", firmware="1.2.256"),
    dict(kind="firmware", firmware="1.2.3.4"),
    dict(kind="firmware", firmware="1.2.3-1.2.2"),
    dict(kind="firmware", firmware="1.2.3", keyId="00" * 20),
]


@pytest.mark.parametrize("what", WRONG, ids=[" ".join(f"{k}={v}" for k, v in w.items())[:60] for w in WRONG])
def test_what_makes_no_entry_is_refused_with_words(rspd, what):
    before = rspd.ask("deny list", limit=1000)
    error = rspd.ask_any("deny add", why=WHY, **what)["error"]
    assert error["code"] == "arguments" and error["advice"]
    assert rspd.ask("deny list", limit=1000) == before


def test_rspctl_adds_lists_and_removes(rspd, site):
    eum = site.trees["nist"].make_eum()
    path = site.write("denied-eum.pem", eum.pem)
    made = rspd.ctl("deny", "add", "eum", "--certificate", path, "--why", WHY)
    listed = rspd.ctl("deny", "list", "--kind", "eum")["entries"]
    assert [e["id"] for e in listed] == [made["id"]]
    rspd.ctl("deny", "remove", made["id"])
    assert rspd.ctl("deny", "list", "--kind", "eum")["entries"] == []
    code, _, said = rspd.ctl("deny", "add", "eid", "--eids", "89", check=False)
    assert code == 64 and "--why" in said


def test_a_new_instance_knows_the_list_before_it_serves(rspd, make_rspd, site):
    card = card_of(site)
    entry = rspd.ask("deny add", kind="eid", eids=card.eid, why=WHY)["id"]
    assert answer_to(make_rspd(database=rspd.database), card) in (("8.1.1", "3.8"),)
    rspd.ask("deny remove", id=entry)


def test_the_list_is_followed_without_notifications_too(rspd, make_rspd, site):
    """Nobody says that it changed; the timer finds it, each time behind the one before."""
    daemon = make_rspd(database=rspd.database)
    took = []
    for _ in range(5):
        card = card_of(site)
        rspd.database.rows(
            "insert into deny (kind, eid_low, eid_high, why, added_by)"
            f" values ('eid', '{card.eid}', '{card.eid}', 'by hand', 'the test')"
        )
        took.append(soon(daemon, card, ("8.1.1", "3.8")))
    assert min(took[1:]) < EFFECTIVE  # a wait is a whole period; the best one of several, for machines are busy


def test_the_other_instance_hears_of_it_sooner_than_its_timer(twins, site, denying):
    took = []
    for _ in range(8):
        card = card_of(site)
        denying("eid", eids=card.eid)
        took.append(soon(twins[1], card, ("8.1.1", "3.8")))
    assert min(took) < TIMER / 2 and sorted(took)[len(took) // 2] < TIMER
