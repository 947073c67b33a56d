"""Profiles that are a template and personal data: each card gets the package that an independent editor makes of
them, whatever happens on the way; variants by what the card can do; versions kept by the order."""

import itertools
import json

import pytest

import upp
from card import Card, Download
from conftest import new_eid
from harness import NAMES
from personalise import personalised

numbers = itertools.count(500_000)
TEMPLATE = upp.profile(499_999, k=bytes(range(1, 17)))


def row(**more):
    """Personal data for the template; a K that is not the published one."""
    number = next(numbers)
    return {
        "iccid": upp.iccid(number),
        "imsi": f"00101{number:010d}",
        "k": f"{number:032x}",
        "opc": f"{number + 1:032x}",
        "pin1": f"{number % 10000:04d}",
        "puk1": f"{number % 100000000:08d}",
        **more,
    }


def csv_of(rows):
    names = list(dict.fromkeys(name for r in rows for name in r))
    return "\n".join([",".join(names), *(",".join(r.get(n, "") for n in names) for r in rows)]) + "\n"


def write(rspd, name, octets):
    path = rspd.folder / name
    path.write_bytes(octets if isinstance(octets, bytes) else octets.encode())
    return path


def make_type(rspd, name, *templates, words=()):
    files = [write(rspd, f"{name}-{i}.der", octets) for i, octets in enumerate(templates or [TEMPLATE])]
    given = [word for file in files for word in ("--template", file)]
    return rspd.ctl("profile-type", "create", name, *given, *words)


def load(rspd, name, rows, *words):
    path = write(rspd, f"{name}.csv", csv_of(rows))
    return rspd.ctl("profile", "load", path, "--type", name, *words)


def download(rspd, site, iccid, card=None):
    """Orders the profile and installs it; what the card holds."""
    order = rspd.desk.order(iccid=iccid)
    card = card or Card(new_eid(), site.trees["nist"])
    Download(card, rspd.client()).run(order.matching_id)
    assert order.state == "installed"
    return card.profiles[iccid]


def test_personalised(rspd, site):
    make_type(rspd, "plain")
    rows = [row() for _ in range(3)]
    told = load(rspd, "plain", rows)
    assert told == {
        "type": "plain", "rows": 3, "loaded": 3, "refused": 0, "dryRun": False, "faults": [], "fileRefused": False
    }
    for r in rows:
        held = download(rspd, site, r["iccid"])
        assert held["upp"] == personalised(TEMPLATE, r)


def test_template_by_a_second_daemon(rspd_module, rspd, site):
    """Compiled templates are a cache: whoever serves the card makes the same package."""
    other = rspd_module(database=rspd.database)
    make_type(rspd, "shared")
    r = row()
    load(rspd, "shared", [r])
    order = rspd.desk.order(iccid=r["iccid"])
    card = Card(new_eid(), site.trees["nist"])
    first = Download(card, rspd.client()).until_package(order.matching_id)
    again = Download(card, other.client()).until_package(order.matching_id)
    assert first.package.upp == again.package.upp == personalised(TEMPLATE, r)
    assert first.package.metadata == again.package.metadata


def test_metadata_is_the_types_with_the_profiles_iccid(rspd, site):
    make_type(rspd, "named", words=["--profile-name", "Harbour", "--provider", "Sea", "--ppr1", "--owner", "00101"])
    r = row()
    load(rspd, "named", [r])
    held = download(rspd, site, r["iccid"])
    assert b"Harbour" in held["metadata"] and b"Sea" in held["metadata"]
    assert upp.swapped(r["iccid"]) in held["metadata"]
    shown = rspd.ctl("profile", "show", r["iccid"])
    assert (shown["name"], shown["templateVersion"], shown["ppr1"]) == ("Harbour", 1, True)


def test_an_order_keeps_its_version(rspd, site):
    make_type(rspd, "versions")
    rows = [row(), row()]
    load(rspd, "versions", rows)
    newer = upp.profile(499_998, k=bytes(range(1, 17)), filler=900)
    old = rspd.desk.order(iccid=rows[0]["iccid"])
    added = rspd.ctl("profile-type", "template", "add", "versions", write(rspd, "newer.der", newer))
    assert (added["version"], added["class"]) == (2, "operational")
    card = Card(new_eid(), site.trees["nist"])
    Download(card, rspd.client()).run(old.matching_id)
    assert card.profiles[rows[0]["iccid"]]["upp"] == personalised(TEMPLATE, rows[0])
    assert download(rspd, site, rows[1]["iccid"])["upp"] == personalised(newer, rows[1])


def test_the_first_variant_that_the_card_can_take(rspd, site):
    late = upp.profile(499_997, k=bytes(range(1, 17)), version=(3, 3), filler=700)
    make_type(rspd, "variants", late, TEMPLATE)
    rows = [row(), row()]
    load(rspd, "variants", rows)
    for r, version, template in ((rows[0], (3, 3, 1), late), (rows[1], (2, 3, 1), TEMPLATE)):
        card = Card(new_eid(), site.trees["nist"])
        card.profile_version = bytes(version)
        assert download(rspd, site, r["iccid"], card)["upp"] == personalised(template, r)


def test_no_variant_for_the_card(rspd, site):
    late = upp.profile(499_996, k=bytes(range(1, 17)), version=(3, 3))
    make_type(rspd, "late", late)
    r = row()
    load(rspd, "late", [r])
    order = rspd.desk.order(iccid=r["iccid"])
    card = Card(new_eid(), site.trees["nist"])
    card.profile_version = bytes([2, 1, 0])
    answer = Download(card, rspd.client())
    answer.initiate()
    answer.authenticate(order.matching_id).refused("8.2.5", "4.3")
    shown = order.show()
    assert shown["state"] == "error" and shown["error"] == "NOT_ELIGIBLE"
    words = "the package has format 3.3, the eUICC knows up to 2.1"
    assert shown["sessions"][-1]["why"] == words
    assert any(entry.get("why") == words for entry in shown["history"])
    events = rspd.ask("event list", iccid=r["iccid"])["events"]
    assert [e["data"]["why"] for e in events if e["type"] == "profile.failed"] == [words]


def test_reissued_with_new_keys(rspd, site):
    make_type(rspd, "again", words=["--on-delete", "reissue"])
    r = row()
    load(rspd, "again", [r])
    order = rspd.desk.order(iccid=r["iccid"])
    card = Card(new_eid(), site.trees["nist"])
    first = Download(card, rspd.client()).run(order.matching_id)
    first.notify(card.notification("delete", r["iccid"], NAMES["nist"]))
    del card.profiles[r["iccid"]]
    second = Download(card, rspd.client()).run(order.matching_id)
    assert card.profiles[r["iccid"]]["upp"] == personalised(TEMPLATE, r)
    assert first.package.octets != second.package.octets


@pytest.mark.parametrize(
    "octets,words",
    [
        (b"", "Base64"),
        (b"\x30\x00", "profile package cannot be offered"),
        (TEMPLATE[:-1], "profile package cannot be offered"),
    ],
    ids=["nothing", "no package", "cut short"],
)
def test_no_template(rspd, octets, words):
    path = write(rspd, "wrong.der", octets)
    code, _, said = rspd.ctl("profile-type", "create", "wrong", "--template", path, check=False)
    assert code == 1 and words in said


def test_a_template_that_needs_what_loaded_profiles_lack(rspd):
    """The first template has the published K; rows need none. The second wants one of each row."""
    make_type(rspd, "lacking", upp.profile(499_995))
    r = row()
    del r["k"], r["opc"]
    load(rspd, "lacking", [r])
    wanting = write(rspd, "wanting.der", TEMPLATE)
    code, printed, _ = rspd.ctl("profile-type", "template", "add", "lacking", wanting, "--class", "test", check=False)
    assert code == 1 and '"template-needs-more"' in printed and ": k" in printed
    code, printed, _ = rspd.ctl("profile-type", "template", "add", "lacking", wanting, check=False)
    assert code == 1 and '"template-needs-more"' in printed or '"metadata-invalid"' in printed
    assert rspd.ask("profile-type show", name="lacking")["version"] == 1


def test_a_template_is_held_against_keys_and_networks_of_loaded_profiles(rspd):
    """One row of two has OTA keys: a newer template must have a place for them, and the owner whose IMSIs they are."""
    make_type(rspd, "held")
    load(rspd, "held", [row()])
    load(rspd, "held", [row(kic1="a1" * 16, kid1="a2" * 16)])
    newer = upp.profile(499_994, k=bytes(range(1, 17)), filler=800)
    other = write(rspd, "other.der", newer.replace(b"\x82\x01\x02\x83\x01\x01", b"\x82\x01\x02\x83\x01\x02"))

    def add(file, *words):
        code, printed, _ = rspd.ctl("profile-type", "template", "add", "held", file, *words, check=False)
        told = json.loads(printed)
        return told["version"] if code == 0 else (told["error"]["code"], told["error"]["message"])

    code, message = add(other)
    assert code == "template-needs-more" and "kid1 has no place" in message
    code, message = add(write(rspd, "newer.der", newer), "--owner", "00102")
    assert code == "template-needs-more" and "network" in message
    assert rspd.ask("profile-type show", name="held")["version"] == 1
    assert add(other, "--variant") == 1  # leaves out what it has no place for
    assert add(rspd.folder / "newer.der", "--owner", "00101") == 2


def test_templates_where_there_is_no_place_for_them(rspd):
    rspd.ask("profile-type create", name="imported")
    file = write(rspd, "place.der", TEMPLATE)

    def refused(*words):
        code, printed, _ = rspd.ctl("profile-type", "template", "add", *words, check=False)
        assert code == 1
        return printed

    assert '"type-without-template"' in refused("imported", file, "--variant")
    assert '"type-unknown"' in refused("nobody", file)
    assert '"operator-unknown"' in refused("imported", file, "--operator", "nobody")
    make_type(rspd, "full", *[TEMPLATE] * 4)
    more = [word for _ in range(4) for word in ("--also", file)]
    assert '"template-too-many"' in refused("full", file, *more, "--variant")
    assert rspd.ctl("profile-type", "template", "add", "full", file, *more)["added"] == 5
    code, printed, _ = rspd.ctl("profile-type", "create", "full", "--template", file, check=False)
    assert code == 1 and '"type-exists"' in printed


def test_types_with_templates_are_shown(rspd):
    make_type(rspd, "shown", TEMPLATE, words=["--low-water", "7", "--imsi-range", "001010000000000-001019999999999"])
    load(rspd, "shown", [row(), row()])
    (listed,) = [t for t in rspd.ask("profile-type list")["types"] if t["name"] == "shown"]
    assert (listed["stock"], listed["version"], listed["variants"], listed["lowWater"]) == (2, 1, 1, 7)
    shown = rspd.ask("profile-type show", name="shown")
    assert shown["imsiRange"] == "001010000000000-001019999999999"
    assert [t["variant"] for t in shown["templates"]] == [1]
    assert [(x["profiles"], x["source"]) for x in shown["loads"]] == [(2, "shown.csv")]
    assert rspd.ask_any("profile-type show", name="nobody")["error"]["code"] == "type-unknown"


def test_keys_are_rotated(rspd, site, scratch):
    """Personal data and templates opened with the former key, then sealed with the current one."""
    make_type(rspd, "sealed")
    rows = [row(), row()]
    load(rspd, "sealed", rows)
    seals = (
        "select distinct encode(substring(s from 2 for 4), 'hex') from ("
        "select personal s from profile where personal is not null union all select upp from template) x"
    )
    before = rspd.database.rows(seals)
    former = scratch / f"former-{next(numbers)}.key"
    former.write_text((site.folder / "seal.key").read_text())
    former.chmod(0o600)
    fresh = scratch / f"fresh-{next(numbers)}.key"
    fresh.write_text("5a" * 32 + "\n")
    fresh.chmod(0o600)
    rspd.options["rspd"] = {"seal_key": fresh, "former_seal_key": former}
    rspd.write_config()
    rspd.ask("reload")
    assert download(rspd, site, rows[0]["iccid"])["upp"] == personalised(TEMPLATE, rows[0])
    rspd.ctl("key", "rotate")
    after = rspd.database.rows(seals)
    assert len(after) == 1 and after != before
    assert download(rspd, site, rows[1]["iccid"])["upp"] == personalised(TEMPLATE, rows[1])
