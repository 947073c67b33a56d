"""The operator's language: every verb of rspctl, what it answers held against schemas/ctl, what it
refuses and that it then says what to do, and what a wrong client of the control socket gets."""

import json
import pathlib
import re
import shutil
import socket
import subprocess

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from card import Card, Download, certificate_checks, party_oid
from conftest import folders, new_eid
from harness import BUILD, REPOSITORY, Site, wait_for

SCHEMAS = {p.stem: json.loads(p.read_text()) for p in (REPOSITORY / "schemas/ctl").glob("*.json")}
LOCAL = {"pki make-test", "pki csr", "pki check"}  # done by rspctl itself, without the daemon


def run(*words, **settings):
    return subprocess.run(
        [BUILD / "rspctl", *map(str, words)], capture_output=True, text=True, timeout=60, **settings
    )


def ctl(rspd, verb, *words):
    """What the verb printed as JSON; its schema agrees."""
    printed = rspd.ctl(*verb.split(), *words)
    jsonschema.validate(printed, SCHEMAS[verb.replace(" ", "-")]["properties"]["ok"])
    return printed


def refused(rspd, *words):
    """The verb failed; its message and advice, from the JSON or from what rspctl itself says."""
    code, printed, said = rspd.ctl(*words, check=False)
    assert code != 0, printed
    if printed.strip():
        error = json.loads(printed)["error"]
        assert set(error) == {"code", "message", "advice"} and all(error.values()), error
        said = f"{error['message']}; {error['advice']}"
    assert len(said.strip()) > 20, said
    return said


# ---- each verb -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story(rspd, site, scratch):
    """One order from a file to a card, told by rspctl alone; what each verb printed."""
    out = {}
    path, iccid = rspd.desk.write_profile()

    def say(verb, *words):
        out[verb] = ctl(rspd, verb, *words)
        return out[verb]

    certificate = scratch / "operator.pem"
    certificate.write_bytes(pathlib.Path(site.folder / "nist-tls.pem").read_bytes())
    say("operator add", "acme", "--requester", "2.999.20", "--calls", "forget")
    say("operator client add", "acme", "--certificate", certificate)
    say("operator client list", "acme")
    say("operator set", "acme", "--any-requester", "--expired", "accept")
    say("operator show", "acme")
    say("operator list")
    say("operator client remove", "acme", out["operator client add"]["client"])
    say("operator remove", "acme")
    say("profile-type create", "gold", "--keys", "ppk", "--on-delete", "reissue")
    say("profile-type set", "gold", "--low-water", "1", "--imsi-range", "001010000000000-001019999999999")
    say("profile-type list")
    say("profile import", path, "--type", "gold", "--name", "Gold", "--why", "a test")
    say("profile list", "--type", "gold")
    say("profile show", iccid)
    say("order create", "--iccid", iccid)
    say("order confirm", iccid, "--cc", "1234")
    say("order release", iccid)
    code = say("order code", iccid)
    card = Card(new_eid(), site.trees["nist"])
    token = code["code"].split("$")[2]
    Download(card, rspd.client()).until_package(token, "1234")
    say("order reset", iccid)
    say("order show", iccid)
    say("order list", "--state", "released")
    say("order cancel", iccid, "--final", "unavailable")
    say("session list", "--iccid", iccid)
    say("event list", "--iccid", iccid)
    say("stats")
    say("tasks")
    say("log", "es9", "debug")
    say("trace eid", card.eid)
    say("reload")
    say("audit list", "--iccid", iccid)
    rspd.ctl("trace", "eid", card.eid, "off")
    rspd.ctl("log", "es9", "notice")
    out["iccid"], out["card"] = iccid, card
    return out


def test_the_order_is_told_from_file_to_card(story):
    iccid = story["iccid"]
    assert story["profile import"]["iccid"] == iccid
    assert [t["name"] for t in story["profile-type list"]["types"]].count("gold") == 1
    assert [p["iccid"] for p in story["profile list"]["profiles"]] == [iccid]
    verbs = "create", "confirm", "release", "reset", "cancel"
    states = [story[f"order {v}"]["state"] for v in verbs]
    assert states == ["allocated", "confirmed", "released", "released", "unavailable"]
    assert iccid in [o["iccid"] for o in story["order list"]["orders"]]


def test_operators_are_kept(story):
    client = story["operator client add"]
    (listed,) = story["operator client list"]["clients"]
    assert (listed["client"], listed["sha256"]) == (client["client"], client["sha256"])
    shown = story["operator show"]
    assert (shown["clients"], shown["types"], shown["expired"], shown["calls"]) == (1, 0, "accept", "forget")
    assert "requester" not in shown
    assert {"default", "acme"} <= {o["name"] for o in story["operator list"]["operators"]}


@pytest.mark.parametrize("words,said", [
    (("operator", "add", "default", "--calls", "forget"), "exists"),
    (("operator", "add", "bad name"), "letters"),
    (("operator", "add", "-x"), "help"),
    (("operator", "add", "fine", "--calls", "sometimes"), "remember"),
    (("operator", "add", "fine", "--expired", "maybe"), "accept"),
    (("operator", "add", "fine", "--requester", ""), "1 to 255"),
    (("operator", "set", "nobody", "--calls", "forget"), "operator list"),
    (("operator", "show", "nobody"), "operator list"),
    (("operator", "remove", "default"), "profile types"),
    (("operator", "client", "add", "default"), "either"),
    (("operator", "client", "add", "default", "--certificate", __file__), "X.509"),
    (("operator", "client", "add", "default", "--certificate", "/nowhere"), "nowhere"),
    (("operator", "client", "remove", "default", "999999"), "client list"),
    (("profile-type", "create", "t", "--operator", "nobody"), "operator list"),
    (("order", "create", "--type", "gold", "--operator", "nobody"), "operator list"),
])
def test_what_is_wrong_with_operators_is_said(rspd, story, words, said):
    assert said in refused(rspd, *words)


def test_a_client_is_somebodys_alone(rspd, site, story):
    tls, ci = site.folder / "nist-tls.pem", site.folder / "nist-ci.pem"
    rspd.ctl("operator", "add", "one", "--requester", "2.999.31")
    rspd.ctl("operator", "add", "two")
    assert "another" in refused(rspd, "operator", "set", "two", "--requester", "2.999.31")
    for client in (("--certificate", tls), ("--ca", ci, "--subject", "CN=es2")):
        rspd.ctl("operator", "client", "add", "one", *client)
        assert "another" in refused(rspd, "operator", "client", "add", "two", *client)
    assert "CA" in refused(rspd, "operator", "client", "add", "two", "--ca", tls, "--subject", "CN=es2")
    for name in ("one", "two"):
        rspd.ctl("operator", "remove", name)


def test_the_order_shows_its_whole_history(story):
    shown = story["order show"]
    assert shown["eid"] == story["card"].eid and shown["linkedAt"] and shown["linkedBy"]
    assert [s["eid"] for s in shown["sessions"]] == [story["card"].eid]
    ways = [(h.get("from"), h.get("to")) for h in shown["history"] if h.get("to")]
    assert ("allocated", "confirmed") in ways and ("released", "downloaded") in ways
    assert "a test" in json.dumps(story["audit list"])


def test_the_activation_code_says_that_a_code_is_needed(story):
    code = story["order code"]["code"]
    assert re.fullmatch(r"1\$smdp\.example\.org\$[0-9A-Z-]+\$\$1", code, re.I), code


def test_no_secret_is_shown(rspd, story):
    """Neither keys of the profile nor the Confirmation Code, in any answer or in the log."""
    said = json.dumps({k: v for k, v in story.items() if k != "card"}) + rspd.log()
    assert "000102030405060708090a0b0c0d0e0f" not in said.lower()
    assert '"1234"' not in said and "=1234" not in said


def test_every_verb_has_help_and_a_schema():
    listed = run("help")
    assert listed.returncode == 0
    for stem in SCHEMAS:
        found = re.search(rf"^  ({stem.replace('-', '[- ]')}) ", listed.stdout, re.MULTILINE)
        assert found, stem
        verb = found[1]
        shown = run("help", *verb.split())
        assert shown.returncode == 0 and verb in shown.stdout
    for verb in LOCAL:
        assert verb in listed.stdout
        assert run("help", *verb.split()).returncode == 0


def test_every_schema_is_one_and_names_arguments_and_answer():
    assert len(SCHEMAS) >= 24
    for stem, schema in SCHEMAS.items():
        jsonschema.Draft7Validator.check_schema(schema)
        assert {"args", "ok"} <= set(schema["properties"]), stem


def test_events_fit_their_schemas(rspd, story):
    folder = REPOSITORY / "schemas" / "events"
    events = story["event list"]["events"]
    types = {e["type"] for e in events}
    assert {"profile.ordered", "profile.released", "profile.downloaded"} <= types
    for event in events:
        schema = json.loads((folder / f"{event['type']}.json").read_text())
        jsonschema.validate(event["data"], schema)


# ---- pictures ------------------------------------------------------------------------------------


def test_codes_as_pictures(rspd, order, tmp_path):
    o = order()
    png, svg = tmp_path / "code.png", tmp_path / "code.svg"
    rspd.ctl("order", "code", o.iccid, "--png", png)
    rspd.ctl("order", "code", o.iccid, "--svg", svg)
    assert png.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert svg.read_text().lstrip().startswith("<?xml") or "<svg" in svg.read_text()
    shown = run("-s", rspd.control, "order", "code", o.iccid, "--qr")
    assert shown.returncode == 0 and f"${o.matching_id}" in shown.stdout
    assert "█" in shown.stdout or "▀" in shown.stdout


def test_a_directory_is_imported_with_what_is_wrong_named(rspd, tmp_path):
    good = [rspd.desk.write_profile() for _ in range(3)]
    for path, _ in good:
        shutil.move(path, tmp_path / path.name)
    (tmp_path / "broken.der").write_bytes((tmp_path / good[0][0].name).read_bytes()[:-5])
    done = run("-s", rspd.control, "profile", "import", tmp_path)
    assert done.returncode != 0
    assert "broken.der" in done.stdout + done.stderr
    for _, iccid in good:
        assert rspd.ask("profile show", iccid=iccid)["state"] == "available"


WRONG_PACKAGES = {
    "empty": lambda octets: b"",
    "cut short": lambda octets: octets[:-1],
    "octets behind": lambda octets: octets + b"\x00",
    "without end": lambda octets: octets[:-9],
    "without header": lambda octets: octets[63:],
    "twice": lambda octets: octets * 2,
    "another ICCID in EF.ICCID": lambda octets: octets.replace(
        bytes.fromhex("9894449999"), bytes.fromhex("9894449998"), 1
    ),
    "noise": lambda octets: bytes(range(256)) * 4,
}


@pytest.mark.parametrize("spoil", WRONG_PACKAGES.values(), ids=WRONG_PACKAGES)
def test_a_wrong_package_is_refused_with_the_reason(rspd, spoil):
    path, iccid = rspd.desk.write_profile()
    path.write_bytes(spoil(path.read_bytes()))
    refused(rspd, "profile", "import", path)
    assert "error" in rspd.ask_any("profile show", iccid=iccid)


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "order show 8944000000000000007",
        "order create --iccid 8944000000000000007",
        "order create --type no-such-type",
        "order create --iccid 12",
        "order create --eid 123",
        "order confirm 8944000000000000007 --release",
        "order cancel 8944000000000000007 --final maybe",
        "order code 8944000000000000007",
        "profile show 8944000000000000007",
        "profile import /no/such/file",
        "profile-type create x --keys gold",
        "log no-such-area debug",
        "log es9 loud",
        "trace eid 123",
        "no-such-verb",
        "order",
        "order show",
        "order show 8944000000000000007 --no-such-option",
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(rspd, words):
    refused(rspd, *words.split())


def test_without_a_daemon_rspctl_says_so(tmp_path):
    done = run("-s", tmp_path / "nothing", "stats")
    assert done.returncode == 69
    assert str(tmp_path / "nothing") in done.stderr


def test_the_socket_may_come_from_the_environment(rspd):
    done = run("stats", env={"RSPD_CONTROL": str(rspd.control), "PATH": "/usr/bin"})
    assert done.returncode == 0, done.stderr


# ---- the socket itself ---------------------------------------------------------------------------


def raw_lines(rspd, *requests):
    """Answers to request lines on one connection, in order."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(rspd.control))
        lines = s.makefile("rwb")
        out = []
        for r in requests:
            lines.write(r + b"\n")
            lines.flush()
            out.append(json.loads(lines.readline()))
        return out


WRONG_REQUESTS = [
    b"hello",
    b"[]",
    b"{}",
    b'{"verb": 5}',
    b'{"verb": "no such verb"}',
    b'{"verb": "stats", "args": []}',
    b'{"verb": "stats", "args": {"more": 1}}',
    b'{"verb": "order show", "args": {}}',
    b'{"verb": "order show", "args": {"iccid": 5}}',
    b'{"verb": "order show", "args": {"iccid": "x"}}',
    b'{"verb": "order create", "args": {"iccid": "8944000000000000007", "eid": "5"}}',
    b"[" * 5000,
    b"\xff\xfe",
]


def test_a_wrong_request_is_answered_and_the_connection_goes_on(rspd):
    requests = [r for w in WRONG_REQUESTS for r in (w, b'{"verb": "tasks", "args": {}}')]
    answers = raw_lines(rspd, *requests)
    for wrong, right in zip(answers[::2], answers[1::2]):
        assert set(wrong["error"]) == {"code", "message", "advice"}, wrong
        assert "ok" in right


@pytest.mark.parametrize("number", [2**31 - 1, 2**31, 2**63 - 1])
def test_numbers_are_as_large_as_the_schemas_say(rspd, number):
    """Rows have numbers of 63 bits; a low water is one of 31."""
    assert rspd.ask("order list", before=number, limit=number)["orders"] == rspd.ask("order list")["orders"]
    assert rspd.ask("audit verify", after=number)["seals"] == 0
    assert rspd.ask_any("order show", id=number)["error"]["code"] == "not-ordered"
    assert rspd.ask_any("deny remove", id=number)["error"]["code"] != "arguments"
    answer = rspd.ask_any("profile-type create", name=f"low-{number}", lowWater=number)
    if number < 2**31:
        assert answer["ok"]["name"] == f"low-{number}"
    else:
        assert answer["error"]["code"] == "arguments" and "2147483647" in answer["error"]["message"]


def test_rspctl_refuses_a_number_that_is_none(rspd):
    for number in (2**63, "1x", "-1", ""):
        assert "--before" in refused(rspd, "order", "list", "--before", number)


def test_a_request_without_end_is_not_read_for_ever(rspd):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(rspd.control))
        try:
            for _ in range(64):
                s.sendall(b"x" * 65536)
        except OSError:
            pass
        got = b""
        try:
            got = s.recv(65536)
        except OSError:
            pass
        assert got == b"" or b"error" in got
    assert rspd.ask("stats")


def test_many_may_ask_at_once(rspd):
    sockets = []
    for _ in range(8):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(60)
        s.connect(str(rspd.control))
        s.sendall(b'{"verb": "stats", "args": {}}\n')
        sockets.append(s)
    for s in sockets:
        assert b'"ok"' in s.makefile("rb").readline()
        s.close()


# ---- keys and certificates -----------------------------------------------------------------------


def test_keys_rotate_under_a_running_daemon(make_rspd, scratch, session, make_card):
    """New seal and cluster keys, the old ones named as former: nothing sealed is lost, a session
    that began under the old key ends well."""
    site = Site(scratch / f"site{next(folders)}")
    daemon = make_rspd(own_site=site)
    order, later = daemon.desk.order(), daemon.desk.order()
    card = Card(new_eid(), site.trees["nist"])
    begun = Download(card, daemon.client()).until_authenticated(order.matching_id)
    for name in ("seal", "cluster"):
        old = (site.folder / f"{name}.key").read_text()
        site.write(f"{name}.former", old)
        site.write(f"{name}.key", "%064x" % (int(old, 16) ^ 1) + "\n")
        daemon.options.setdefault("rspd", {})[f"former_{name}_key"] = site.folder / f"{name}.former"
    daemon.write_config()
    assert "ok" in daemon.ask_any("reload")
    ctl(daemon, "key rotate")
    begun.get_package().must()
    Download(card, daemon.client()).run(later.matching_id)
    current, former = ctl(daemon, "key list")["keys"]
    if current["use"] != "current":
        current, former = former, current
    assert (former["keyId"], former["use"]) == (begun.hex_id[:2], "former")
    assert (current["use"], current["awaited"], former["awaited"]) == ("current", 0, 1)

    def known():
        keys = ctl(daemon, "key list")["keys"]
        return {k["keyId"]: (k["use"], k["awaited"]) for k in keys}

    daemon.options["rspd"].pop("former_seal_key")
    kept = daemon.options["rspd"].pop("former_cluster_key")
    daemon.write_config()
    assert "ok" in daemon.ask_any("reload")
    wait_for(lambda: known()[former["keyId"]] == ("missing", 1), known)
    # Taken out too early: the phone keeps the result until the key is back.
    result = begun.install()
    assert begun.notify(result).status == 503
    assert order.state == "downloaded"
    daemon.options["rspd"]["former_cluster_key"] = kept
    daemon.write_config()
    assert "ok" in daemon.ask_any("reload")
    wait_for(lambda: known()[former["keyId"]] == ("former", 1), known)
    assert begun.notify(result).status == 204
    assert known() == {current["keyId"]: ("current", 0), former["keyId"]: ("former", 0)}
    Download(card, daemon.client()).run(daemon.desk.order().matching_id)
    assert order.state == "installed"


@pytest.fixture(scope="module")
def made_pki(scratch):
    folder = scratch / "made"
    done = run("pki", "make-test", folder, "--dns", "smdp.example.org", "--oid", "2.999.10")
    assert done.returncode == 0, done.stderr
    return folder


def test_make_test_makes_what_was_agreed(made_pki):
    files = "ci eum dpauth dppb dptls dsauth dstls eim eimtls operator".split()
    for curve in ("nist", "brainpool"):
        for stem in files:
            assert (made_pki / curve / f"{stem}.pem").read_text().startswith("-----BEGIN")
            key = made_pki / curve / f"{stem}.key"
            assert key.stat().st_mode & 0o777 == 0o600
        assert (made_pki / curve / "ci.crl.pem").exists()
    for name in ("cluster", "seal"):
        assert re.fullmatch(r"[0-9a-fA-F]{64}\n", (made_pki / f"{name}.key").read_text())
    assert (made_pki / "rspd.conf").exists()


def test_our_own_checks_agree_with_the_test_pki(made_pki):
    for curve in ("nist", "brainpool"):
        ci = x509.load_pem_x509_certificate((made_pki / curve / "ci.pem").read_bytes())
        for role in ("auth", "pb"):
            pem = (made_pki / curve / f"dp{role}.pem").read_bytes()
            octets = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
            assert party_oid(certificate_checks(octets, ci, role)) == "2.999.10"


def test_pki_check_is_content_with_the_test_pki(made_pki):
    done = run("pki", "check", "--config", made_pki / "rspd.conf")
    assert done.returncode == 0, done.stdout + done.stderr


def test_pki_check_finds_what_is_wrong(made_pki):
    nist, brainpool = made_pki / "nist", made_pki / "brainpool"
    right = {
        "--ci": nist / "ci.pem",
        "--auth-certificate": nist / "dpauth.pem",
        "--auth-key": nist / "dpauth.key",
        "--pb-certificate": nist / "dppb.pem",
        "--pb-key": nist / "dppb.key",
    }

    def check(**change):
        options = {**right, **{f"--{k.replace('_', '-')}": v for k, v in change.items()}}
        return run("pki", "check", *(w for pair in options.items() for w in pair))

    assert check().returncode == 0, check().stdout + check().stderr
    wrong = [
        dict(auth_key=nist / "dppb.key"),
        dict(auth_certificate=nist / "dppb.pem", auth_key=nist / "dppb.key"),
        dict(ci=brainpool / "ci.pem"),
        dict(pb_certificate=nist / "eum.pem", pb_key=nist / "eum.key"),
    ]
    for change in wrong:
        done = check(**change)
        assert done.returncode != 0, change
        assert (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("role", ["auth", "pb", "tls"])
@pytest.mark.parametrize("curve", ["nist", "brainpool"])
def test_a_request_for_a_certificate(tmp_path, role, curve):
    key, out = tmp_path / "k.key", tmp_path / "r.csr"
    words = ["--role", role, "--curve", curve, "--oid", "2.999.10", "--key", key, "--out", out]
    if role == "tls":
        words += ["--dns", "smdp.example.org"]
    done = run("pki", "csr", *words)
    assert done.returncode == 0, done.stderr
    request = x509.load_pem_x509_csr(out.read_bytes())
    assert request.is_signature_valid
    assert key.stat().st_mode & 0o777 == 0o600
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (oid,) = names.get_values_for_type(x509.RegisteredID)
    assert oid.dotted_string == "2.999.10"
    assert (names.get_values_for_type(x509.DNSName) == ["smdp.example.org"]) == (role == "tls")


def test_a_traced_eid_is_shown_whole_and_step_by_step(rspd, lpa, order):
    rspd.ctl("trace", "eid", lpa.card.eid)
    lpa.until_authenticated(order().matching_id)
    rspd.ctl("trace", "eid", lpa.card.eid, "off")
    traced = rspd.log()
    assert f" eid={lpa.card.eid} " in traced
    assert "procedure=AuthenticateClient step=judge_order" in traced
    lpa.until_authenticated(order().matching_id)
    assert lpa.card.eid not in rspd.log()[len(traced):]
