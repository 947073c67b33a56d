"""Revocation lists that are read again by themselves, certificates and lists that end soon, eUICCs that
seem to be several (docs/lists.md)."""

import datetime
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from card import Card, Download
from conftest import folders, new_eid
from harness import NAMES, Site, free_port, wait_for

NIST = "nist"
FAILED = "did=read-lists result=failed"
READ = "did=read-lists result=ok"


@pytest.fixture
def own_site(scratch):
    return Site(scratch / f"site{next(folders)}")


@pytest.fixture
def own(make_rspd, own_site):
    """A daemon with certificates of its own, that a test may replace."""
    return make_rspd(own_site=own_site)


def answer_to(daemon):
    lpa = Download(Card(new_eid(), daemon.site.trees[NIST]), daemon.client())
    lpa.initiate().must()
    return lpa.authenticate("NOTHING").refusal


def make_crl(tree, *revoked, this=-1, following=1095, key=None):
    """A list with dates in days from now."""

    def day(n):
        return datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(days=n)

    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(tree.ci.cert.subject)
        .last_update(day(this))
        .next_update(day(following))
        .add_extension(x509.AuthorityKeyIdentifier(tree.ci.id, None, None), False)
        .add_extension(x509.CRLNumber(2), False)
    )
    for signed in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(signed.cert.serial_number)
            .revocation_date(day(-1))
            .build()
        )
    crl = builder.sign(key or tree.ci.key, hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.PEM).decode()


# ---- revocation lists ----------------------------------------------------------------------------


SERVED, REVOKED = ("8.2.6", "3.8"), ("8.1.2", "6.1")


def test_a_new_list_is_read_without_being_asked(own):
    tree = own.site.trees[NIST]
    assert answer_to(own) == SERVED
    own.site.write(f"{NIST}-crl.pem", make_crl(tree, tree.eum))
    wait_for(lambda: answer_to(own) == REVOKED, "the new list")
    own.site.write(f"{NIST}-crl.pem", make_crl(tree))
    wait_for(lambda: answer_to(own) == SERVED, "the list after it")
    assert "did=reload" not in own.log()


def test_a_list_that_is_moved_into_place_is_read(own):
    tree = own.site.trees[NIST]
    fresh = own.site.write("fresh.pem", make_crl(tree, tree.eum))
    assert answer_to(own) == SERVED
    os.replace(fresh, own.site.folder / f"{NIST}-crl.pem")
    wait_for(lambda: answer_to(own) == REVOKED, "the new list")


BROKEN = {
    "nothing": lambda tree: "",
    "garbage": lambda tree: "no list\n",
    "the first half": lambda tree: make_crl(tree)[:300],
    "a list and a half": lambda tree: make_crl(tree) + make_crl(tree)[:300],
    "another's signature": lambda tree: make_crl(tree, key=tree.pb.key),
    "a certificate": lambda tree: tree.ci.pem,
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_list_keeps_the_one_in_force_and_says_so_once(own, broken):
    tree = own.site.trees[NIST]
    own.site.write(f"{NIST}-crl.pem", make_crl(tree, tree.eum))
    wait_for(lambda: answer_to(own) == REVOKED, "the new list")
    own.site.write(f"{NIST}-crl.pem", broken(tree))
    wait_for(lambda: FAILED in own.log(), "the broken one to be seen")
    assert answer_to(own) == REVOKED
    line = next(line for line in own.log().splitlines() if FAILED in line)
    assert "level=error" in line and f"{NIST}-crl.pem" in line
    seen = own.log().count(READ)
    own.site.write(f"{NIST}-crl.pem", make_crl(tree))
    wait_for(lambda: own.log().count(READ) > seen, "the good one")
    assert answer_to(own) == SERVED
    assert own.log().count(FAILED) == 1


def test_a_list_that_is_taken_away_stays_in_force(own):
    tree = own.site.trees[NIST]
    path = own.site.write(f"{NIST}-crl.pem", make_crl(tree, tree.eum))
    wait_for(lambda: answer_to(own) == REVOKED, "the new list")
    path.unlink()
    wait_for(lambda: FAILED in own.log(), "the loss to be seen")
    assert answer_to(own) == REVOKED


@pytest.mark.parametrize("broken", ["nothing", "a list and a half"])
def test_a_start_with_a_broken_list_is_refused(make_rspd, own_site, broken):
    daemon = make_rspd(own_site=own_site, start=False)
    own_site.write(f"{NIST}-crl.pem", BROKEN[broken](own_site.trees[NIST]))
    run = daemon.once("--check-config", check=False)
    assert run.returncode == 78 and f"{NIST}-crl.pem" in run.stderr


# ---- what ends -----------------------------------------------------------------------------------


def alerts(daemon):
    rows = daemon.database.rows(
        "select data, operator_id, order_key, seq from outbox"
        " where type = 'alert.certificate-expiry' order by id"
    )
    assert all(operator is None for _, operator, _, _ in rows)  # the house's own
    return [{**data, "key": key, "seq": seq} for data, _, key, seq in rows]


def ending(site, days, role="tls", life=398):
    tree = site.trees[NIST]
    now = datetime.datetime.utcnow().replace(microsecond=0)
    dates = dict(
        not_before=now - datetime.timedelta(days=life - days),
        not_after=now + datetime.timedelta(days=days, hours=1),
    )
    if role == "tls":
        signed = tree.make_tls(NAMES[NIST], f"second-{NAMES[NIST]}", **dates)
    else:
        signed = tree.make_dp(role, **dates)
        setattr(tree, role, signed)
    site.write_pair(f"{NIST}-{role}", signed)
    return signed


@pytest.mark.parametrize(
    "role,days,ahead", [("tls", 29, 30), ("tls", 6, 7), ("tls", 0, 1), ("auth", 6, 7), ("pb", 6, 7)]
)
def test_a_certificate_is_told_of_ahead_of_its_end(make_rspd, own_site, role, days, ahead):
    signed = ending(own_site, days, role)
    daemon = make_rspd(own_site=own_site)
    wait_for(lambda: alerts(daemon), "the alert")
    (alert,) = alerts(daemon)
    section = "listener" if role == "tls" else "credential"
    assert alert["what"] == role and alert["name"] == f"{section} {NIST}"
    assert alert["ahead"] == ahead and alert["daysLeft"] == days
    assert alert["fingerprint"] == signed.cert.fingerprint(hashes.SHA256()).hex().upper()
    assert (alert["key"], alert["seq"]) == (alert["fingerprint"], 1)
    wait_for(lambda: f"alarm=certificate-expiry what={role}" in daemon.log(), "the line")


def test_those_of_the_eim_are_told_of_too(make_rspd, own_site):
    """Its own (SGP.32 §2.6: CERT.EIM.ECDSA) and what devices see in DTLS."""
    tree = own_site.trees[NIST]
    now = datetime.datetime.utcnow().replace(microsecond=0)
    dates = dict(
        not_before=now - datetime.timedelta(days=390), not_after=now + datetime.timedelta(days=5, hours=1)
    )
    own_site.write_pair("eim", tree.make_dp("pb", **dates))
    own_site.write_pair("dtls", tree.make_tls(NAMES[NIST], **dates))
    pairs = {
        name: {"certificate": own_site.folder / f"{name}.pem", "key": own_site.folder / f"{name}.key"}
        for name in ("eim", "dtls")
    }
    daemon = make_rspd(
        own_site=own_site,
        **{
            "listener nist": {"esipa": "yes"},
            "eim": {"id": "eim.example.com", **pairs["eim"]},
            "coap devices": {"address": "127.0.0.1", "port": free_port(), **pairs["dtls"]},
        },
    )
    wait_for(lambda: len(alerts(daemon)) == 2, "both alerts")
    told = {(a["what"], a["name"]): (a["ahead"], a["daysLeft"]) for a in alerts(daemon)}
    assert told == {("eim", "eim"): (7, 5), ("tls", "coap devices"): (7, 5)}
    shown = {(c["what"], c["name"]): c["daysLeft"] for c in daemon.ask("stats")["certificates"]}
    assert shown["eim", "eim"] == shown["tls", "coap devices"] == 5


def test_each_threshold_is_told_once_over_all_instances(make_rspd, own_site):
    ending(own_site, 20)
    daemon = make_rspd(own_site=own_site)
    wait_for(lambda: alerts(daemon), "the alert")
    others = [make_rspd(own_site=own_site, database=daemon.database) for _ in range(2)]
    for other in others:
        other.ctl("reload")
        wait_for(lambda: runs_of(other) >= 2, "it to look")
    assert len(alerts(daemon)) == 1
    # A few days later: as if the next threshold had come.
    daemon.database.rows("update certificate_watch set ahead = 1000")
    for other in others:
        seen = runs_of(other)
        other.ctl("reload")
        wait_for(lambda: runs_of(other) > seen, "it to look")
    assert [a["seq"] for a in alerts(daemon)] == [1, 2]


def runs_of(daemon):
    steps = daemon.ask("stats")["procedures"].get("WatchCertificates", [])
    return next((s["runs"] for s in steps if s["step"] == "find_due"), 0)


def test_a_list_whose_next_update_has_passed_is_told_of(own):
    tree = own.site.trees[NIST]
    own.site.write(f"{NIST}-crl.pem", make_crl(tree, this=-8, following=-1))
    wait_for(lambda: alerts(own), "the alert")
    (alert,) = alerts(own)
    assert alert["what"] == "crl" and alert["name"] == f"ci {NIST}" and alert["ahead"] == 0
    assert alert["daysLeft"] < 0
    wait_for(lambda: "alarm=certificate-expiry what=crl" in own.log(), "the line")


def test_a_list_made_for_a_week_is_told_of_only_at_its_end(own):
    tree = own.site.trees[NIST]
    seen = runs_of(own)
    own.site.write(f"{NIST}-crl.pem", make_crl(tree, this=0, following=6))
    wait_for(lambda: runs_of(own) > seen, "it to look")
    assert alerts(own) == []


def test_stats_and_pki_check_say_how_many_days_are_left(make_rspd, own_site):
    ending(own_site, 12)
    daemon = make_rspd(own_site=own_site)
    told = {(c["what"], c["name"]): c["daysLeft"] for c in daemon.ask("stats")["certificates"]}
    assert told["tls", f"listener {NIST}"] == 12
    for what, name in (("ci", "ci"), ("auth", "credential"), ("pb", "credential"), ("crl", "ci")):
        assert told[what, f"{name} {NIST}"] > 300
    rows = daemon.ctl("pki", "check", "--config", daemon.config, "--json")
    assert any("12 days left" in row["words"] for row in rows)


# ---- eUICCs that seem to be several --------------------------------------------------------------


def clones(daemon):
    return daemon.database.rows(
        "select order_key, seq, data from outbox where type = 'alert.euicc-cloned' order by id"
    )


def session_rows(daemon, eid, peers=(), tacs=()):
    """Sessions as AuthenticateClient leaves them, with these addresses and device types."""
    lpa = Download(Card(eid, daemon.site.trees[NIST]), daemon.client())
    lpa.initiate().must()
    lpa.authenticate("NOTHING").refused("8.2.6", "3.8")
    for peer, tac in [(p, "11223344") for p in peers] + [("192.0.2.1:1", t) for t in tacs]:
        daemon.database.rows(
            "insert into rsp_session select (jsonb_populate_record(s, jsonb_build_object("
            f"'transaction_id', '\\x{os.urandom(16).hex()}', 'peer', '{peer}', 'tac', '{tac}'))).*"
            f" from rsp_session s where eid = '{eid}' limit 1"
        )


@pytest.fixture
def looking(own_site, make_rspd, rspd):
    """Starts another instance, which looks at once; the alerts afterwards."""

    def look(**dp):
        daemon = make_rspd(database=rspd.database, dp=dp)

        def looked():
            steps = daemon.ask("stats")["procedures"].get("WatchClones", [])
            return any(s["step"] == "tell" and s["runs"] for s in steps)

        wait_for(looked, "it to look")
        return daemon

    return look


def test_many_addresses_or_device_types_are_told_once_a_day(rspd, looking):
    many, networks, few, types = (new_eid() for _ in range(4))
    session_rows(rspd, many, [f"192.0.2.{i}:{1000 + i}" for i in range(1, 10)])
    session_rows(rspd, networks, [f"[2001:db8:{i}::1]:443" for i in range(9)])
    session_rows(
        rspd,
        few,
        [f"192.0.2.1:{i}" for i in range(20)] + [f"[2001:db8::{i}]:443" for i in range(20)],
        ["11111111"],
    )
    session_rows(rspd, types, tacs=["11111111", "22222222", "33333333", "44444444"])
    daemon = looking(clone_addresses=8, clone_device_types=4)
    told = {key: data for key, _, data in clones(rspd)}
    assert set(told) == {many, networks, types}
    assert told[many]["addresses"] >= 9 and told[types]["deviceTypes"] >= 4
    assert daemon.log().count("alarm=euicc-cloned") == 3
    looking(clone_addresses=8, clone_device_types=4)
    assert len(clones(rspd)) == 3
    rspd.database.rows(
        f"update euicc_watch set cloned_at = now() - interval '25 hours' where eid = '{many}'"
    )
    looking(clone_addresses=8, clone_device_types=4)
    assert [(key, seq) for key, seq, _ in clones(rspd)[3:]] == [(many, 2)]


def test_limits_of_zero_are_none(rspd, looking, make_rspd):
    eid = new_eid()
    session_rows(rspd, eid, [f"198.51.100.{i}:1" for i in range(1, 40)], ["1" * 8, "2" * 8])
    before = len(clones(rspd))
    looking(clone_addresses=0, clone_device_types=100)
    assert len(clones(rspd)) == before
