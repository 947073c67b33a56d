"""rspsim's IoT card and IPA against the daemon's eIM over all three transports of ESipa (SGP.32 §6). What the
card makes of wrong packages is told in tests/unit/rspsim_iot_test.c."""

import base64
import json
import re
import ssl
import subprocess
import urllib.request
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import der
import eim_desk as want
from conftest import new_eid
from der import tlv
from eim_desk import EimDesk, psmos
from harness import BUILD, NAMES, PATIENCE, free_port

EIM_ID = "eim.example.com"
TRANSPORTS = ("https", "json", "coap", "coap-json")
AT_THE_END = "nothing waits"


@pytest.fixture(scope="module")
def eim_key(site):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    site.write("ipa-eim.key", pem.decode())
    return key


@pytest.fixture(scope="module")
def udp_port():
    return free_port()


@pytest.fixture(scope="module")
def rspd(rspd_module, site, eim_key, udp_port):
    return rspd_module(
        **{
            "listener nist": {"esipa": "yes"},
            "coap here": {
                "address": "127.0.0.1",
                "port": udp_port,
                "certificate": site.folder / "nist-tls.pem",
                "key": site.folder / "nist-tls.key",
            },
            "eim": {
                "id": EIM_ID,
                "key": site.folder / "ipa-eim.key",
                "polls_per_minute": 0,
                "handout_budget": 2,
            },
        }
    )


@pytest.fixture(scope="module")
def pki_folder(rspd, site):
    folder = rspd.folder / "pki"
    (folder / "nist").mkdir(parents=True)
    for name in ("ci", "eum"):
        (folder / "nist" / f"{name}.pem").write_text(getattr(site.trees["nist"], name).pem)
        (folder / "nist" / f"{name}.key").write_text(getattr(site.trees["nist"], name).key_pem())
    return folder / "nist"


@pytest.fixture
def desk(rspd):
    return EimDesk(rspd.database)


def configuration(key, token=False):
    """EimConfigurationData of the daemon's eIM, its key bare, nothing pinned (§2.11.1.1)."""
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return tlv(
        0x30,
        der.text(EIM_ID, 0x80),
        der.text(NAMES["nist"], 0x81),
        der.integer(2, 0x82),
        der.integer(0, 0x83),
        tlv(0x84, b"\xff") if token else b"",
        tlv(0xA5, tlv(0xA0, der.Node(public).value)),
        tlv(0x89),
    )


class Sim:
    """An IoT card of rspsim; it is a card to the eIM's desk too."""

    def __init__(self, folder, pki, site, where, transport):
        self.path, self.where, self.transport = folder / "card.json", where, transport
        self.eid = new_eid()
        self.identities = [SimpleNamespace(tree=site.trees["nist"])]
        self.pki = pki

    def verb(self, *words):
        ended = subprocess.run(
            [BUILD / "rspsim", *map(str, words)], capture_output=True, text=True, timeout=PATIENCE
        )
        return ended.returncode, ended.stdout, ended.stderr

    def new(self, config, *words):
        made = self.verb(
            "ipa", "new", "--pki", self.pki, "--out", self.path, "--eid", self.eid, *words
        )
        assert made[0] == 0, made
        given = self.verb("ipa", "associate", "--card", self.path, "--eim-config", config)
        assert given[0] == 0, given
        return self

    def run(self, *words, code=0):
        status, out, err = self.verb(
            "ipa", "run", "--card", self.path, "--transport", self.transport, "--json",
            *self.where, *words,
        )
        assert status == code, (out, err)
        return json.loads(out)

    @property
    def card(self):
        return json.loads(self.verb("ipa", "show", "--card", self.path, "--json")[1])

    def enabled(self):
        return [p["iccid"] for p in self.card["profiles"] if p["state"] == "enabled"]


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    return request.param


@pytest.fixture
def make_sim(rspd, site, pki_folder, udp_port, eim_key, tmp_path):
    def make(*words, transport="https", token=False):
        port = udp_port if transport.startswith("coap") else rspd.ports["nist"]
        where = (
            "--eim-connect", f"127.0.0.1:{port}",
            "--connect", f"127.0.0.1:{rspd.ports['nist']}",
        )
        config = tmp_path / "eim.der"
        config.write_bytes(configuration(eim_key, token))
        return Sim(tmp_path, pki_folder, site, where, transport).new(config, *words)

    return make


@pytest.fixture
def sim(make_sim, transport):
    return make_sim(transport=transport)


def download(sim, order):
    """A profile on the card, without the eIM."""
    status, out, err = sim.verb(
        "download", "--card", sim.path, "--code", f"1${NAMES['nist']}${order.matching_id}",
        *sim.where[2:],
    )
    assert status == 0, (out, err)
    return order.iccid


# ---- packages --------------------------------------------------------------------------------------


def test_who_is_asked_first_then_executes(rspd, desk, sim, order):
    """From an EID alone to the believed list of profiles: the eIM asks for certificates, token, capabilities."""
    iccid = download(sim, order())
    desk.add(sim)
    number = desk.want(sim, psmos(want.LIST_PROFILES))
    told = sim.run()
    assert told["words"] == AT_THE_END and told["packages"] == 1
    assert told["dataRequests"] >= 1
    assert desk.state(number) == "done", desk.package(number)
    assert desk.profiles(sim)[iccid]["state"] == "disabled"
    assert sim.card["results"] == [] and sim.card["eims"][0]["counter"] == 1


def test_a_token_is_learnt_from_the_card(desk, make_sim):
    sim = make_sim(token=True)
    assert sim.card["eims"][0]["token"] == 1
    desk.add(sim)
    number = desk.want(sim, psmos(want.GET_RAT))
    sim.run()
    assert desk.state(number) == "done"


def test_a_profile_is_enabled(rspd, desk, sim, order):
    iccid = download(sim, order())
    desk.add(sim)
    number = desk.want(sim, psmos(want.enable(iccid)))
    sim.run()
    assert sim.enabled() == [iccid] and desk.state(number) == "done"
    assert desk.profiles(sim)[iccid]["state"] == "enabled"
    assert sim.card["notifications"] == []  # the eIM has taken them over


def test_no_network_rolls_back(rspd, desk, sim, order):
    first, second = download(sim, order()), download(sim, order())
    desk.add(sim)
    desk.want(sim, psmos(want.enable(first)))
    sim.run()
    number = desk.want(sim, psmos(want.enable(second, rollback=True)))
    told = sim.run("--no-connectivity")
    assert "no network: rolled back" in told["acts"]
    assert sim.enabled() == [first]
    assert desk.profiles(sim)[first]["state"] == "enabled"
    assert desk.state(number) == "failed", desk.package(number)


def test_a_lost_result_is_fetched(rspd, desk, sim):
    desk.add(sim)
    number = desk.want(sim, psmos(want.GET_RAT))
    sim.run("--rounds", 1)  # what the eIM asks first
    for _ in range(8):
        desk.pass_time(sim)
        sim.run("--rounds", 1, *(["--lose-result", 1] if desk.state(number) == "waiting" else []))
        if desk.state(number) == "done":
            break
    assert desk.state(number) == "done", desk.package(number)
    assert sim.card["eims"][0]["counter"] == 1  # executed once
    assert sim.card["results"] == []


def test_a_result_may_come_twice(desk, sim):
    desk.add(sim)
    number = desk.want(sim, psmos(want.GET_RAT))
    sim.run("--repeat-result")
    assert desk.state(number) == "done"


def test_fallback_is_asked_after(rspd, desk, sim, order):
    iccid = download(sim, order())
    desk.add(sim)
    desk.want(sim, psmos(want.LIST_PROFILES))
    sim.run()
    marked = sim.verb(
        "ipa", "show", "--card", sim.path, "--iccid", iccid, "--mark", "fallback", "--json"
    )
    assert marked[0] == 0, marked
    desk.want(sim, psmos(want.set_fallback(iccid)))
    sim.run()
    assert sim.card["fallback"] == iccid
    sim.run("--do", "fallback")
    sim.run()
    assert sim.enabled() == [iccid]
    assert desk.profiles(sim)[iccid]["state"] == "enabled"


def test_an_emergency_refuses_and_is_tried_again(rspd, desk, make_sim, order):
    sim = make_sim()
    iccid = download(sim, order())
    desk.add(sim)
    desk.want(sim, psmos(want.LIST_PROFILES))
    sim.run()
    sim.run("--iccid", iccid, "--mark", "emergency", "--do", "emergency")
    desk.want(sim, psmos(want.GET_RAT))
    sim.run()
    assert sim.card["eims"][0]["counter"] == 1  # refused before it counted
    assert sim.enabled() == [iccid]


# ---- downloads -------------------------------------------------------------------------------------


def test_a_direct_download_is_triggered(rspd, desk, sim, order):
    o = order()
    desk.add(sim)
    code = f"1${NAMES['nist']}${o.matching_id}"
    number = desk.want(sim, want.download(code), kind="trigger")
    told = sim.run()
    assert told["downloads"] == 1, told
    assert [p["iccid"] for p in sim.card["profiles"]] == [o.iccid]
    assert desk.state(number) == "done", desk.package(number)
    assert o.state == "installed"


# ---- many ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", ("keep", "new", "resume"))
def test_polls_by_the_hundred(rspd, site, transport, connections, udp_port):
    port = udp_port if transport.startswith("coap") else rspd.ports["nist"]
    kind = "coap" if transport.startswith("coap") else "https"
    counters = [f"{kind}_handshakes", f"{kind}_handshakes_resumed"]
    before = [rspd.ask("stats")["counters"][name] for name in counters]
    ended = subprocess.run(
        [BUILD / "rspsim", "load", "--ipa", "--server", NAMES["nist"], "--eim-connect",
         f"127.0.0.1:{port}", "--transport", transport, "--connections", connections, "--ca",
         site.folder / "nist-ci.pem", "--sessions", "60", "--clients", "4", "--json"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    told = json.loads(ended.stdout)
    assert ended.returncode == 0 and told["completed"] == 60, (told, ended.stderr)
    assert told["getEimPackage_p50_ms"] > 0 and told["failures"] == {}
    made, resumed = (rspd.ask("stats")["counters"][name] - was for name, was in zip(counters, before))
    assert made == (4 if connections == "keep" else 60)
    assert resumed == (56 if connections == "resume" else 0)


def test_cards_of_a_folder_work_on_their_packages(rspd, desk, make_sim, site, tmp_path):
    sim = make_sim()  # whose configuration file the others are given
    folder = tmp_path / "cards"
    made = sim.verb(
        "ipa", "new", "--pki", sim.pki, "--out", folder, "--count", "3", "--eim-config",
        tmp_path / "eim.der",
    )
    assert made[0] == 0, made
    numbers = []
    for eid in made[1].split():
        card = SimpleNamespace(eid=eid, identities=sim.identities)
        assert desk.add(card) == "added"
        numbers.append(desk.want(card, psmos(want.GET_RAT)))
    status, out, err = sim.verb(
        "load", "--ipa", "--server", NAMES["nist"], *sim.where, "--cards", folder, "--ca",
        site.folder / "nist-ci.pem", "--sessions", "3", "--clients", "2", "--json",
    )
    assert status == 0, (out, err)
    told = json.loads(out)
    assert told["completed"] == 3 and told["provideEimPackageResult_p50_ms"] > 0
    assert [desk.state(n) for n in numbers] == ["done"] * 3


def test_a_stranger_is_not_believed(rspd, make_sim, transport, tmp_path, site):
    """Neither trust nor a server: another CA is no eIM of ours."""
    sim = make_sim(transport=transport)
    other = tmp_path / "other.pem"
    other.write_text(site.trees["brainpool"].ci.pem)
    told = sim.run("--ca", other, code=69)
    assert told["outcome"] == "unreachable"
    assert re.search("verif|trust|certificate", told["words"], re.IGNORECASE), told["words"]


# ---- injection (§5.14.4) ---------------------------------------------------------------------------


@pytest.fixture
def pushed(make_sim, site):
    """A card whose IPA listens; push(octets, json=…) is its answer."""
    sim = make_sim()
    port = free_port()
    serving = subprocess.Popen(
        [BUILD / "rspsim", "ipa", "serve", "--card", sim.path, "--listen", f"127.0.0.1:{port}",
         "--certificate", site.folder / "nist-tls.pem", "--key", site.folder / "nist-tls.key",
         *sim.where],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert "listening" in serving.stdout.readline()
    context = ssl.create_default_context(cafile=site.folder / "nist-ci.pem")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = False

    def push(body, path="/gsma/rsp2/asn1"):
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", data=body, method="POST")
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:
            return answer.headers["Content-Type"], answer.read()

    push.sim, push.said = sim, serving.stdout
    yield push
    serving.kill()
    serving.wait()


def test_packages_are_pushed_to_a_listening_ipa(pushed):
    kind, answer = pushed(tlv(0xBF4E, tlv(0xBF52, tlv(0x5C, b"\x5a"))))
    assert kind == "application/x-gsma-rsp-asn1"
    assert answer == bytes.fromhex("bf4e08bf5205a103020101")
    asked = base64.b64encode(tlv(0xBF52, tlv(0x5C, b"\xa8"))).decode()
    kind, answer = pushed(
        json.dumps({"ipaEuiccDataRequest": asked}).encode(),
        "/gsma/rsp2/esipa/transferEimPackage",
    )
    answer = json.loads(answer)
    assert kind.startswith("application/json")
    assert answer.keys() == {"header", "ipaEuiccDataResponse"}
    assert base64.b64decode(answer["ipaEuiccDataResponse"])[:2] == b"\xbf\x52"
    assert pushed(b"nothing")[1] == bytes.fromhex("bf4e03020101")


def test_a_pushed_trigger_is_worked_on_behind_the_answer(pushed, order, desk):
    desk.add(pushed.sim)
    o = order()
    code = f"1${NAMES['nist']}${o.matching_id}"
    answer = pushed(tlv(0xBF4E, want.download(code)))[1]
    assert answer == bytes.fromhex("bf4e020500")  # eimPackageReceived
    assert pushed.said.readline() == "done\n"
    assert o.state == "installed"
    assert [p["iccid"] for p in pushed.sim.card["profiles"]] == [o.iccid]
