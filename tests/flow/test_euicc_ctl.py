"""The operator's verbs for the eIM: eUICCs come in one by one and by file, learn of the eIM by what `eim config`
prints, are told to do things, and what they did is seen; all through rspctl, with rspsim's IPA as the device."""

import base64
import json
import subprocess
import threading
import time

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import der
from conftest import new_eid
from harness import BUILD, NAMES, PATIENCE, REPOSITORY, free_port
from ipa import Ipa

EIM_ID = "eim.example.com"
SCHEMAS = {p.stem: json.loads(p.read_text()) for p in (REPOSITORY / "schemas/ctl").glob("eui*.json")}
SCHEMAS |= {p.stem: json.loads(p.read_text()) for p in (REPOSITORY / "schemas/ctl").glob("eim-*.json")}


@pytest.fixture(scope="module")
def rspd(rspd_module, site):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    site.write("ctl-eim.key", pem.decode())
    daemon = rspd_module(
        **{
            "listener nist": {"esipa": "yes"},
            "coap here": {
                "address": "127.0.0.1",
                "port": free_port(),
                "certificate": site.folder / "nist-tls.pem",
                "key": site.folder / "nist-tls.key",
            },
            "eim": {
                "id": EIM_ID,
                "fqdn": NAMES["nist"],
                "key": site.folder / "ctl-eim.key",
                "polls_per_minute": 0,
                "handout_budget": 1,
                "fence_step": 100,
            },
        }
    )
    daemon.ctl("operator", "add", "acme")
    return daemon


@pytest.fixture(scope="module")
def pki_folder(rspd, site):
    folder = rspd.folder / "pki" / "nist"
    folder.mkdir(parents=True)
    for name in ("ci", "eum"):
        (folder / f"{name}.pem").write_text(getattr(site.trees["nist"], name).pem)
        (folder / f"{name}.key").write_text(getattr(site.trees["nist"], name).key_pem())
    return folder


class Verbs:
    """rspctl; what it answers fits the schemas."""

    def __init__(self, rspd):
        self.rspd = rspd

    def __call__(self, verb, *words):
        said = self.rspd.ctl(*verb.split(), *words)
        jsonschema.validate(said, SCHEMAS[verb.replace(" ", "-")]["properties"]["ok"])
        return said

    def refused(self, *words):
        code, printed, said = self.rspd.ctl(*words, check=False)
        assert code == 1, (printed, said)
        error = json.loads(printed)["error"]
        assert error["message"] and error["advice"]
        return error

    def run(self, *words):
        return subprocess.run(
            [BUILD / "rspctl", "-s", self.rspd.control, *map(str, words)],
            capture_output=True, text=True, timeout=PATIENCE,
        )


@pytest.fixture
def ctl(rspd):
    return Verbs(rspd)


class Device:
    """An IoT card and its IPA, by rspsim."""

    def __init__(self, rspd, folder, pki):
        self.card, self.eid = folder / "card.json", new_eid()
        self.where = ("--eim-connect", f"127.0.0.1:{rspd.ports['nist']}",
                      "--connect", f"127.0.0.1:{rspd.ports['nist']}")
        self.rspsim("ipa", "new", "--pki", pki, "--out", self.card, "--eid", self.eid)

    def rspsim(self, *words):
        ended = subprocess.run(
            [BUILD / "rspsim", *map(str, words)], capture_output=True, text=True, timeout=PATIENCE
        )
        assert ended.returncode == 0, ended
        return ended.stdout

    def associate(self, config):
        self.rspsim("ipa", "associate", "--card", self.card, "--eim-config", config)
        return self

    def poll(self, *words):
        out = self.rspsim("ipa", "run", "--card", self.card, "--transport", "https", "--json", *self.where, *words)
        return json.loads(out)

    def show(self):
        return json.loads(self.rspsim("ipa", "show", "--card", self.card, "--json"))


@pytest.fixture
def device(rspd, ctl, pki_folder, tmp_path):
    """Brought in and associated by what the daemon printed; nothing by hand."""
    made = Device(rspd, tmp_path, pki_folder)
    ctl("euicc add", made.eid)
    config = tmp_path / "eim.der"
    ctl("eim config", "--eid", made.eid, "--out", config)
    return made.associate(config)


# ---- bringing in ---------------------------------------------------------------------------------------


def test_one_is_added_changed_and_removed(ctl):
    eid = new_eid()
    added = ctl("euicc add", eid, "--operator", "acme", "--token", 7, "--counter", 41, "--imei", "490154203237518")
    assert added == {"eid": eid, "operator": "acme", "added": True, "proven": False}
    assert ctl("euicc add", eid, "--operator", "acme", "--token", 7)["added"] is False
    assert ctl.refused("euicc", "add", eid)["code"] == "euicc-known"
    shown = ctl("euicc show", eid)
    assert (shown["operator"], shown["token"], shown["tokenStanding"]) == ("acme", 7, "given")
    assert (shown["counter"], shown["imei"], shown["profiles"]) == (41, "490154203237518", [])
    ctl("euicc set", eid, "--operator", "default", "--token", "none", "--counter", 12)
    shown = ctl("euicc show", eid)
    assert shown["operator"] == "default" and "token" not in shown and shown["counter"] == 41
    ctl("euicc remove", eid)
    assert ctl.refused("euicc", "show", eid)["code"] == "euicc-unknown"
    assert ctl.refused("euicc", "remove", eid)["code"] == "euicc-unknown"


@pytest.mark.parametrize("words", [
    ("--token", "many"), ("--imei", "12"), ("--inject", "ftp://x"), ("--ci", "00" * 20), ("--ci", "xx"),
])
def test_what_cannot_be_is_refused(ctl, words):
    eid = new_eid()
    assert ctl.refused("euicc", "add", eid, *words)["code"] == "arguments"
    assert ctl.refused("euicc", "show", eid)["code"] == "euicc-unknown"


def test_nobody_comes_in_for_an_unknown_operator(ctl):
    assert ctl.refused("euicc", "add", new_eid(), "--operator", "nobody")["code"] == "operator-unknown"


def test_certificates_are_verified_before_they_are_believed(ctl, site, iot_card, tmp_path):
    card = iot_card()
    identity = card.identities[0]
    both = tmp_path / "euicc.pem"
    both.write_text("".join(
        "-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(octets).decode() + "-----END CERTIFICATE-----\n"
        for octets in (identity.euicc.der, identity.eum.der)
    ))
    other = new_eid()
    assert "another" in ctl.refused("euicc", "add", other, "--certificate", both)["message"]
    assert ctl("euicc add", card.eid, "--certificate", both)["proven"] is True
    shown = ctl("euicc show", card.eid)
    assert shown["proven"] and shown["curve"] == "P-256"


def test_a_file_brings_in_what_is_right_and_names_the_rest(ctl, iot_card, tmp_path):
    eids, card = [new_eid() for _ in range(1200)], iot_card()
    known = new_eid()
    ctl("euicc add", known, "--operator", "acme")
    identity = card.identities[0]
    cells = [base64.b64encode(o).decode() for o in (identity.euicc.der, identity.eum.der)]
    lines = ["eid,token,counter,operator,certificate,eum_certificate", *(f"{e},none,5,,," for e in eids)]
    lines += [f"{eids[-1]},none,5,,,", "123,,,,,", f"{new_eid()},x,,,,", f"{new_eid()},,,nobody,,", f"{known},,,,,"]
    lines += [f"{card.eid},,,acme,{','.join(cells)}", f"{new_eid()},,,,{','.join(cells)}"]
    path = tmp_path / "fleet.csv"
    path.write_text("\n".join(lines) + "\n")
    code, printed, said = ctl.rspd.ctl("euicc", "import", path, check=False)
    told = json.loads(printed)
    jsonschema.validate(told, SCHEMAS["euicc-import"]["properties"]["ok"])
    assert code == 1 and (told["rows"], told["added"], told["same"], told["refused"]) == (1207, 1201, 0, 6)
    at = {f["line"] - 1201: (f.get("column"), f["reason"]) for f in told["faults"]}
    assert sorted(at) == [1, 2, 3, 4, 5, 7]
    assert at[1] == ("eid", "stands in line 1201 already") or "managed" in at[1][1]
    assert at[3][0] == "token" and at[4][0] == "operator" and at[7][0] == "certificate"
    shown = ctl("euicc show", card.eid)
    assert shown["proven"] and shown["operator"] == "acme"
    again = json.loads(ctl.rspd.ctl("euicc", "import", path, check=False)[1])
    assert (again["added"], again["same"]) == (0, 1201)


@pytest.mark.parametrize("text", ["iccid\n1\n", "token\n1\n", "eid,eid\n1,2\n", ""])
def test_a_file_of_something_else_brings_nothing(ctl, tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    code, printed, _ = ctl.rspd.ctl("euicc", "import", path, check=False)
    told = json.loads(printed)
    assert told["added"] == 0 and (code == 1) == (text != "")


def test_lists_are_filtered_and_paged(ctl):
    prefix = "8904907777"
    eids = sorted(prefix + f"{n:022d}" for n in range(5))
    for n, eid in enumerate(eids):
        ctl("euicc add", eid, "--operator", "acme" if n % 2 else "default")

    def listed(*words):
        return [e["eid"] for e in ctl("euicc list", "--prefix", prefix, *words)["euiccs"]]

    assert listed() == eids
    assert listed("--operator", "acme") == eids[1::2]
    assert listed("--operator", "nobody") == []
    assert listed("--limit", 2) == eids[:2] and listed("--limit", 2, "--all") == eids
    assert listed("--after", eids[3]) == eids[4:]
    assert listed("--silent", 1) == eids and listed("--unknown") == []
    table = ctl.run("euicc", "list", "--prefix", prefix, "--csv").stdout.splitlines()
    assert table[0].startswith("eid,operator") and len(table) == 6


# ---- the data by which an eUICC learns of us ---------------------------------------------------------------


def test_the_configuration_names_key_counter_and_what_to_pin(ctl):
    eid = new_eid()
    ctl("euicc add", eid, "--counter", 9)
    told = ctl("eim config", "--eid", eid)
    assert told["token"] and told["tls"] and told["counter"] == 9
    assert {(f["key"], f["form"]) for f in told["forms"]} == {("public-key", "implicit"), ("public-key", "whole")}
    node = der.read(base64.b64decode(told["forms"][0]["octets"]))
    assert node.get(0x80).value == EIM_ID.encode() and node.get(0x83).value == b"\x09"
    assert node.get(0x84).value == b"\xff" and node.get(0xA5) and node.get(0xA6)
    plain = der.read(base64.b64decode(ctl("eim config", "--no-tls", "--no-token")["forms"][0]["octets"]))
    assert plain.find(0x84) is None and plain.find(0xA6) is None
    assert ctl.refused("eim", "config", "--eid", new_eid())["code"] == "euicc-unknown"


# ---- wanting -----------------------------------------------------------------------------------------------


def test_a_wish_is_followed_until_its_result_is_in(ctl, device):
    running = subprocess.Popen(
        [BUILD / "rspctl", "-s", ctl.rspd.control, "euicc", "list-profiles", device.eid, "--wait"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    while not ctl("euicc queue show", device.eid)["packages"]:
        time.sleep(0.05)
    device.poll()
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, (out, err)
    assert "waiting" in err and "done" in err and "listProfileInfo" in out
    shown = ctl("euicc show", device.eid)
    assert shown["proven"] and shown["lastSeen"] and shown["listedAt"] and shown["version"] == "1.2.0"


def test_a_profile_is_downloaded_enabled_and_seen(ctl, device, order):
    made = order()
    code = f"LPA:1${NAMES['nist']}${made.matching_id}"
    queued = ctl("euicc download", device.eid, "--code", code)
    device.poll()
    done = ctl("euicc result", queued["package"])
    assert done["state"] == "done" and done["result"] == {"installed": made.iccid}
    switched = ctl("euicc enable", device.eid, made.iccid)
    device.poll()
    assert ctl("euicc result", switched["package"])["state"] == "done"
    shown = ctl("euicc show", device.eid)
    assert shown["enabled"] == made.iccid
    (profile,) = shown["profiles"]
    assert (profile["state"], profile["evidence"], profile["package"]) == ("enabled", "result", switched["package"])


def test_a_failure_is_the_exit_code(ctl, device):
    poller = threading.Timer(0.5, device.poll)
    poller.start()
    ended = ctl.run("--json", "euicc", "enable", device.eid, "8988000000000000011", "--wait")
    poller.join()
    told = json.loads(ended.stdout)
    assert ended.returncode == 1 and told["state"] == "failed"
    assert told["result"]["results"][0]["command"] == "enable"


def test_waiting_ends_in_time(ctl, device):
    ended = ctl.run("euicc", "rat", device.eid, "--wait", "--timeout", 1)
    assert ended.returncode == 75 and "queue" in ended.stderr


def test_several_commands_in_one_package(ctl, device, order):
    made = order()
    ctl("euicc download", device.eid, "--code", f"LPA:1${NAMES['nist']}${made.matching_id}")
    device.poll()
    queued = ctl("euicc send", device.eid, "--do", f"enable {made.iccid}", "--do", "list-profiles")
    device.poll()
    told = ctl("euicc result", queued["package"])
    assert [r["command"] for r in told["result"]["results"]] == ["enable", "listProfileInfo"]
    assert ctl("euicc show", device.eid)["enabled"] == made.iccid


@pytest.mark.parametrize("words", [
    ("enable", "8988000000000000011", "now"), ("list-profiles", "8988000000000000011"), ("enable", "1"),
    ("fly",), ("immediate-enable", "perhaps"), ("delete-eim",), ("enable",),
])
def test_commands_that_are_none(ctl, words):
    eid = new_eid()
    ctl("euicc add", eid)
    assert ctl.refused("euicc", "send", eid, "--do", " ".join(words))["code"] == "arguments"
    assert ctl("euicc queue show", eid)["packages"] == []


def test_every_command_goes_into_the_queue(ctl, rspd, tmp_path):
    eid, iccid, config = new_eid(), "8988000000000000011", tmp_path / "eim.der"
    ctl("euicc add", eid)
    ctl("eim config", "--out", config, "--no-tls")
    wanted = [
        ("enable", iccid), ("disable", iccid), ("delete", iccid), ("list-profiles", "--v1.0"), ("rat",),
        ("fallback set", iccid), ("fallback unset",), ("default-dp", "smdp.example.org"),
        ("immediate-enable", "--smdp-oid", "2.999.10", "--smdp", "smdp.example.org"), ("immediate-enable", "--off"),
        ("add-eim", config), ("update-eim", config, "--whole"), ("delete-eim", "other.example.com"), ("list-eim",),
        ("data",), ("data", "--tag", "info2", "--tag", "notifications"), ("download", "--default"),
        ("download", "--smds", "smds.example.org"), ("download", "--code", "LPA:1$smdp.example.net$X"),
    ]
    numbers = [ctl("euicc " + words[0], eid, *words[1:])["package"] for words in wanted]
    queue = ctl("euicc queue show", eid)["packages"]
    assert [p["package"] for p in queue] == numbers[::-1]
    assert {p["state"] for p in queue} == {"waiting"}
    assert [p["kind"] for p in queue][:5] == ["trigger"] * 3 + ["data"] * 2
    bodies = dict(rspd.database.rows(f"select id, body from eim_package where eid = '{eid}'"))
    assert bytes.fromhex("88370a") in bytes(bodies[numbers[8]])  # 2.999.10
    assert bytes(bodies[numbers[13]]) == bytes.fromhex("a102ab00")


def test_what_cannot_be_wanted(ctl):
    eid, iccid = new_eid(), "8988000000000000011"
    assert ctl.refused("euicc", "rat", eid)["code"] == "eid-unknown"
    ctl("euicc add", eid)
    for words in (("download", eid), ("download", eid, "--default", "--smds", "x"), ("download", eid, "--code", "x"),
                  ("data", eid, "--tag", "weather"), ("rat", eid, "--priority", 101), ("rat", eid, "--deadline", "soon"),
                  ("immediate-enable", eid, "--smdp-oid", "2"), ("enable", eid, iccid[:5])):
        assert ctl.refused("euicc", *words)["code"] == "arguments"


# ---- the queue ---------------------------------------------------------------------------------------------


def test_what_never_went_out_is_taken_back(ctl, device):
    first = ctl("euicc rat", device.eid, "--priority", 5, "--why", "looking")["package"]
    second = ctl("euicc list-eim", device.eid, "--deadline", "2090-01-01")["package"]
    queue = {p["package"]: p for p in ctl("euicc queue show", device.eid)["packages"]}
    assert queue[first]["priority"] == 5 and queue[first]["why"] == "looking"
    assert queue[second]["deadline"].startswith("2090-01-01")
    assert ctl("euicc queue cancel", second)["state"] == "cancelled"
    device.poll()
    assert ctl("euicc result", first)["state"] == "done"
    assert ctl.refused("euicc", "queue", "cancel", first)["code"] == "package-went-out"
    assert ctl.refused("euicc", "queue", "close", first, "--why", "x")["code"] == "package-not-unknown"
    assert ctl.refused("euicc", "queue", "cancel", 10**12)["code"] == "package-unknown"


def test_what_is_unknown_is_given_up(ctl, rspd, desk, device):
    ctl("euicc list-eim", device.eid)
    device.poll()  # everything is known that a package needs
    number = ctl("euicc rat", device.eid)["package"]
    silent = Ipa(device, rspd.client())  # fetches, and never answers
    silent.poll()
    for _ in range(3):
        desk.pass_time(device)
        silent.poll()
    assert ctl("euicc result", number)["state"] == "unknown"
    assert device.eid in [e["eid"] for e in ctl("euicc list", "--unknown", "--all")["euiccs"]]
    assert ctl("euicc queue close", number, "--why", "the device is broken")["state"] == "failed"
    assert ctl("euicc result", number)["result"] == {"error": "given-up"}


def test_counters_are_lifted_after_a_restore(ctl):
    eid = new_eid()
    ctl("euicc add", eid, "--counter", 3)
    assert ctl("eim fence", "--eid", eid, "--why", "restored") == {"lifted": 1, "step": 100}
    assert ctl("euicc show", eid)["counter"] == 103
    assert ctl.refused("eim", "fence", "--why", "x")["code"] == "arguments"
    assert ctl.refused("eim", "fence", "--eid", new_eid(), "--why", "x")["code"] == "euicc-unknown"


def test_people_see_tables(ctl, device):
    ctl("euicc list-eim", device.eid)
    device.poll()
    shown = ctl.run("euicc", "show", device.eid).stdout
    assert "profiles" in shown and EIM_ID in shown
    assert "listEim" in ctl.run("euicc", "queue", "show", device.eid).stdout
