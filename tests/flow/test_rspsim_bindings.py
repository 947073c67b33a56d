"""rspsim against the daemon in both bindings of ES9+: download, refusal, cancellation, notifications,
load. What it makes of wrong answers is told in tests/unit/rspsim_asn1_test.c."""

import json
import subprocess

import pytest

from harness import BUILD, NAMES, PATIENCE

BINDINGS = ("json", "asn1")


@pytest.fixture(scope="module")
def pki_folder(rspd, site):
    """The certificates that a card is made from, as `rspctl pki make-test` lays them out."""
    folder = rspd.folder / "pki"
    for curve, tree in site.trees.items():
        (folder / curve).mkdir(parents=True)
        for name in ("ci", "eum"):
            (folder / curve / f"{name}.pem").write_text(getattr(tree, name).pem)
            (folder / curve / f"{name}.key").write_text(getattr(tree, name).key_pem())
    return folder


@pytest.fixture
def rspsim(rspd, pki_folder, tmp_path):
    """Runs a verb of rspsim with one card; (exit code, what it printed as JSON)."""

    def run(*words, card=True):
        if card:
            words += ("--card", tmp_path / "card.json")
        ended = subprocess.run(
            [BUILD / "rspsim", *map(str, words)], capture_output=True, text=True, timeout=PATIENCE
        )
        printed = json.loads(ended.stdout) if "--json" in words else ended.stdout
        return ended.returncode, printed, ended.stderr

    curve = pki_folder / "nist"
    assert run("euicc", "new", "--pki", curve, "--out", tmp_path / "card.json", card=False)[0] == 0
    where = ("--connect", f"127.0.0.1:{rspd.ports['nist']}")
    run.talk = lambda *words, **how: run(*words, *where, "--json", **how)
    return run


def code(order):
    return f"LPA:1${NAMES['nist']}${order.matching_id}"


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_download_and_what_follows(rspd, rspsim, order, binding):
    o = order(cc="1234")
    with rspd.log_lines() as lines:
        status, report, _ = rspsim.talk(
            "download", "--code", code(o) + "$$1", "--cc", "1234", "--binding", binding
        )
    assert (status, report["outcome"], o.state) == (0, "done", "installed"), report
    served = [line for line in lines if "function=" in line]
    assert len(served) == 4 and all(f"binding={binding} " in line for line in served)
    assert rspsim("enable", "--iccid", o.iccid)[0] == 0
    status, report, _ = rspsim.talk("notify", "--binding", binding)
    assert (status, len(report["calls"])) == (0, 1)
    assert report["calls"][0]["http"] == 204


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_refusal(rspsim, binding):
    status, report, _ = rspsim.talk(
        "download", "--code", f"LPA:1${NAMES['nist']}$NOBODYS", "--binding", binding
    )
    last = report["calls"][-1]
    assert (status, report["outcome"], last["function"]) == (
        1,
        "refused by server",
        "authenticateClient",
    )
    if binding == "asn1":
        assert (last["error"], last["message"]) == (6, "matchingIdRefused(6)")
        assert last["subject"] == last["reason"] == ""
    else:
        assert (last["error"], last["subject"], last["reason"]) == (0, "8.2.6", "3.8")


@pytest.mark.parametrize("late", ["", "@package"])
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_cancellation(rspsim, order, binding, late):
    o = order()
    status, report, _ = rspsim.talk(
        "download", "--code", code(o), "--cancel", f"rejected{late}", "--binding", binding
    )
    assert (status, report["outcome"], o.state) == (0, "done", "error"), report


# What a card or an LPA does wrong, and what the server says of it in ASN.1.
BREAKS = {
    "initiate:cut": ("refused by server", 127),
    "initiate:address": ("refused by server", 1),
    "initiate:not-json": ("unreachable", 0),
    "authenticate:cut": ("refused by server", 127),
    "authenticate:signature": ("refused by server", 5),
    "authenticate:transaction": ("refused by server", 10),
    "authenticate:replay": ("done", 0),
    "prepare:signature": ("refused by server", 1),
    "prepare:transaction": ("refused by server", 95),
    "prepare:replay": ("done", 0),
    "notify:twice": ("done", 0),
    "notify:cut": ("done", 0),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_what_is_done_wrong_in_asn1(rspsim, order, fault):
    outcome, error = BREAKS[fault]
    _, report, _ = rspsim.talk(
        "download", "--code", code(order()), "--break", fault, "--binding", "asn1"
    )
    assert (report["outcome"], report["calls"][-1]["error"]) == (outcome, error), report


@pytest.mark.parametrize("binding", BINDINGS)
def test_load(rspd, rspsim, pki_folder, tmp_path, order, binding):
    orders = [order() for _ in range(4)]
    codes = tmp_path / "codes"
    codes.write_text("".join(f"{o.matching_id}\n" for o in orders))
    words = ("load", "--pki", pki_folder / "nist", "--server", NAMES["nist"], "--codes", codes)
    status, report, said = rspsim.talk(
        *words, "--sessions", 4, "--clients", 2, "--binding", binding, card=False
    )
    assert (status, report["completed"], report["failures"]) == (0, 4, {}), (report, said)
    assert {o.state for o in orders} == {"installed"}
    again = rspsim.talk(*words, "--sessions", 1, "--binding", binding, card=False)[1]
    (failure,) = again["failures"]
    assert failure == ("eidMismatch(7)" if binding == "asn1" else "8.1.1/3.8")


def test_the_trace_shows_asn1_in_hexadecimal(rspsim):
    words = ("download", "--code", f"LPA:1${NAMES['nist']}$NOBODYS", "--binding", "asn1", "--trace")
    said = rspsim.talk(*words)[2].splitlines()
    assert said[0].startswith(f"> https://{NAMES['nist']}/gsma/rsp2/asn1 A2")
    assert said[1].startswith("< 200 A28")


def test_an_unknown_binding_is_refused(rspsim):
    status, _, said = rspsim("notify", "--binding", "xml")
    assert status == 64 and "--binding" in said
