"""Profiles that are a template and personal data: each card gets the package that an independent editor makes of
them, whatever happens on the way; variants by what the card can do; versions kept by the order."""

import itertools

import pytest

import upp
from card import Card, Download
from conftest import new_eid
from harness import REPOSITORY
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
    assert told == {"type": "plain", "rows": 3, "loaded": 3, "refused": 0, "dryRun": False, "faults": []}
    for r in rows:
        held = download(rspd, site, r["iccid"])
        assert held["upp"] == personalised(TEMPLATE, r)
