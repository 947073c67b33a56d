"""SIGHUP, SIGTERM and the start: configuration and certificates change without dropping a
connection, a wrong configuration changes nothing, a drain finishes what has begun."""

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest

from card import PATH, Card, Download, party_oid
from conftest import folders, new_eid
from harness import BUILD, NAMES, Postgres, Site, wait_for

NIST = "nist"


@pytest.fixture
def own(make_rspd, make_site):
    """A daemon with certificates of its own, that a test may replace."""
    return make_rspd(own_site=make_site())


@pytest.fixture
def make_site(scratch):
    return lambda: Site(scratch / f"site{next(folders)}")


def presented(client):
    sock = client.open().sock
    der = sock.getpeercert(binary_form=True)
    sock.close()
    return der


def reload_now(daemon):
    with daemon.log_lines() as lines:
        mark = len(daemon.log())
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: "reload" in daemon.log()[mark:].lower(), "the reload")
    return "\n".join(lines)


def test_a_new_tls_certificate_is_used_and_connections_stay(own):
    client = own.client()
    lpa = Download(make_card_for(own), client)
    lpa.initiate().must()
    kept = client.connection.sock
    before = presented(own.client())
    fresh = own.site.trees[NIST].make_tls(NAMES[NIST], f"second-{NAMES[NIST]}")
    own.site.write_pair(f"{NIST}-tls", fresh)
    own.signal(signal.SIGHUP)
    wait_for(lambda: presented(own.client()) == fresh.der, "the new certificate")
    assert before != fresh.der
    lpa.initiate().must()
    assert client.connection.sock is kept


def make_card_for(daemon):
    return Card(new_eid(), daemon.site.trees[NIST])


def test_new_credentials_serve_new_sessions_and_old_ones_end_well(own):
    """A session that began under the old DPauth and DPpb goes on with them."""
    order, later = own.desk.order(), own.desk.order()
    card = make_card_for(own)
    old = Download(card, own.client()).until_authenticated(order.matching_id)
    tree = own.site.trees[NIST]
    old_auth = tree.auth.cert
    tree.auth, tree.pb = tree.make_dp("auth"), tree.make_dp("pb")
    for role in ("auth", "pb"):
        own.site.write_pair(f"{NIST}-{role}", getattr(tree, role))
    own.signal(signal.SIGHUP)

    def new_used():
        lpa = Download(make_card_for(own), own.client())
        lpa.initiate().must()
        return lpa.auth_cert == tree.auth.cert and lpa

    lpa = wait_for(new_used, "the new credential")
    assert lpa.auth_cert != old_auth
    assert old.get_package().ok or old.get_package().refusal == ("8.10.1", "3.9")
    lpa.authenticate(later.matching_id).must()
    assert lpa.pb_cert == tree.pb.cert
    lpa.get_package().must()


def test_a_wrong_key_changes_nothing_and_says_so(own):
    path = own.site.folder / f"{NIST}-auth.key"
    right = path.read_text()
    path.write_text("not a key\n")
    said = reload_now(own)
    assert path.name in said or "auth_key" in said
    Download(make_card_for(own), own.client()).initiate().must()
    path.write_text(right)


def test_an_unknown_option_changes_nothing_and_says_where(own):
    own.options["dp"]["no_such_option"] = 1
    own.write_config()
    said = reload_now(own)
    assert "no_such_option" in said and "rspd.conf:" in said
    Download(make_card_for(own), own.client()).initiate().must()


def test_a_changed_limit_is_used_after_a_reload(own):
    own.options["dp"]["download_attempts"] = 1
    own.write_config()
    answer = own.ask_any("reload")
    assert "ok" in answer, answer
    order, card = own.desk.order(), make_card_for(own)
    Download(card, own.client()).until_authenticated(order.matching_id)
    lpa = Download(card, own.client())
    lpa.initiate().must()
    lpa.authenticate(order.matching_id).refused("8.8.5", "6.4")


def test_a_revocation_is_used_after_a_reload(own):
    tree = own.site.trees[NIST]
    card = make_card_for(own)
    lpa = Download(card, own.client())
    lpa.initiate().must()
    lpa.authenticate("X").refused("8.2.6", "3.8")
    tree.revoked.append(tree.eum)
    own.site.write(f"{NIST}-crl.pem", tree.make_crl())
    own.signal(signal.SIGHUP)

    def refused():
        lpa = Download(card, own.client())
        lpa.initiate().must()
        return lpa.authenticate("X").refusal == ("8.1.2", "6.1")

    wait_for(refused, "the new list")


# ---- a reload that must wait ----------------------------------------------------------------------


OK = "did=reload result=ok"
WAITING = "did=reload result=waiting"
FAILED = "did=reload result=failed"
POSTPONED = "did=reload result=postponed"


@pytest.fixture
def lonely(own_server, make_rspd, make_site):
    """A daemon with certificates and a PostgreSQL of its own."""
    database = own_server.new_database()
    daemon = make_rspd(database=database, own_site=make_site(), start=False)
    daemon.once("--migrate")
    return daemon.start()


@pytest.fixture
def own_server(scratch):
    server = Postgres(scratch / f"pg{next(folders)}").start()
    yield server
    server.end()


def reload_without_database(daemon):
    daemon.database.close()
    daemon.database.postgres.kill()
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: WAITING in daemon.log(), "the reload to wait")


def test_a_waiting_reload_whose_files_are_gone_is_given_up(lonely):
    """Nothing is stuck: it says so once, and the next one is made when the database is back."""
    path = lonely.site.folder / f"{NIST}-auth.key"
    right = path.read_text()
    reload_without_database(lonely)
    path.unlink()
    wait_for(lambda: FAILED in lonely.log(), "the reload to be given up")
    time.sleep(2)  # several tries' time
    assert lonely.log().count(FAILED) == 1 and path.name in lonely.log()
    lonely.site.write(path.name, right)
    lonely.database.postgres.start()
    wait_for(lambda: "ok" in lonely.ask_any("reload"), "a reload to be taken")
    wait_for(lambda: OK in lonely.log(), "the reload")


def test_a_signal_during_a_reload_is_not_lost(lonely):
    """What was changed after the reload began to wait is read by another one behind it."""
    reload_without_database(lonely)
    lonely.options["log"]["level"] = "info"
    lonely.write_config()
    lonely.signal(signal.SIGHUP)
    wait_for(lambda: POSTPONED in lonely.log(), "the second reload")
    assert lonely.log().count(WAITING) == 1
    lonely.database.postgres.start()
    wait_for(lambda: lonely.log().count(OK) == 2, "both reloads")
    assert set(lonely.ask("log")["areas"].values()) == {"info"}


def test_a_normal_life_warns_of_nothing(make_rspd):
    daemon = make_rspd(log={"level": "info"})
    wait_for(lambda: "lane=listen connection up" in daemon.log(), "the connection that listens")
    daemon.desk.order()
    daemon.stop()
    assert "did=drain" in daemon.log()
    assert not re.findall("^.*level=(?:warning|error) .*$", daemon.log(), re.MULTILINE)


def test_a_start_that_waits_says_so_once_and_goes_on(make_rspd):
    daemon = make_rspd(start=False)
    daemon.database.rows("revoke all on credential_set from flow")
    with open(daemon.log_path, "ab") as log:
        daemon.process = subprocess.Popen(daemon.command(), stderr=log, env=daemon.environment())
    wait_for(lambda: "did=start result=waiting" in daemon.log(), "the start to wait")
    time.sleep(2)  # several tries' time
    assert daemon.log().count("did=start result=waiting") == 1
    daemon.database.rows("grant all on credential_set to flow")
    wait_for(daemon.ready, "the start")


# ---- files that never end ------------------------------------------------------------------------


def pipe_at(path):
    path.unlink()
    os.mkfifo(path, 0o600)


ENDLESS = {
    "a pipe": pipe_at,
    "a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", ["ci.pem", "crl.pem", "auth.pem", "auth.key", "pb.key"])
@pytest.mark.parametrize("spoil", ENDLESS.values(), ids=ENDLESS)
def test_what_is_no_file_is_refused_at_once(unstarted, name, spoil):
    path = unstarted.site.folder / f"{NIST}-{name}"
    spoil(path)
    run = unstarted.once("--check-config", check=False)
    assert run.returncode == 78 and f"{path.name}: is not a file" in run.stderr


def test_a_reload_does_not_wait_for_a_pipe(own):
    pipe_at(own.site.folder / f"{NIST}-crl.pem")
    assert "is not a file" in reload_now(own)
    Download(make_card_for(own), own.client()).initiate().must()


# ---- SIGTERM -------------------------------------------------------------------------------------


def test_a_drain_finishes_what_has_begun(rspd, make_rspd, make_card):
    """A request that is half sent when SIGTERM comes is answered, then the connection closed."""
    daemon = make_rspd(database=rspd.database)
    lpa = Download(make_card(), daemon.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    sock = lpa.client.open().sock
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(octets) + octets[:50]
    )
    daemon.signal(signal.SIGTERM)
    wait_for(lambda: not accepts(daemon), "the listener to close")
    sock.sendall(octets[50:])
    got = b""
    while piece := sock.recv(65536):
        got += piece
    assert b"Executed-Success" in got
    assert b"connection: close" in got.lower()
    assert daemon.process.wait(30) == 0


def accepts(daemon):
    try:
        daemon.raw().close()
    except OSError:
        return False
    return True


def test_rspctl_drain_ends_the_daemon_too(rspd, make_rspd):
    daemon = make_rspd(database=rspd.database)
    daemon.ctl("drain")
    assert daemon.process.wait(30) == 0
    assert not daemon.control.exists()


def test_idle_connections_do_not_hold_up_the_end(rspd, make_rspd, make_card):
    daemon = make_rspd(database=rspd.database, limits={"drain_seconds": 60})
    lpa = Download(make_card(), daemon.client())
    lpa.initiate().must()
    daemon.signal(signal.SIGTERM)
    assert daemon.process.wait(30) == 0


# ---- the start -----------------------------------------------------------------------------------


def test_check_config_says_that_all_is_well(rspd):
    assert rspd.once("--check-config").returncode == 0


@pytest.fixture
def unstarted(rspd, make_rspd, make_site):
    return make_rspd(database=rspd.database, own_site=make_site(), start=False)


CONFIG_FAULTS = {
    "an unknown option": ("dp", "nonsense", "1"),
    "a number that is none": ("limits", "tasks", "many"),
    "a number out of range": ("listener nist", "port", "70000"),
    "a version that is none": ("dp", "svn_lowest", "2"),
    "an address that is none": ("listener nist", "address", "localhost"),
    "an unknown level": ("log", "level", "loud"),
    "a file that is not there": ("ci nist", "certificate", "nothing.pem"),
    "an empty value": ("rspd", "seal_key", ""),
}


@pytest.mark.parametrize("section,option,value", CONFIG_FAULTS.values(), ids=CONFIG_FAULTS)
def test_a_wrong_option_is_refused_by_name(unstarted, section, option, value):
    unstarted.options.setdefault(section, {})[option] = value
    unstarted.write_config()
    run = unstarted.once("--check-config", check=False)
    assert run.returncode == 78, run.stderr
    assert option in run.stderr or value in run.stderr


@pytest.mark.parametrize("limits,said", [({}, False), ({"confirmation_code_attempts": 10}, True),
                                         ({"download_attempts": 5}, True), ({"download_attempts": 6}, False)])
def test_a_limit_of_codes_that_is_never_reached_is_told(unstarted, limits, said):
    unstarted.options.setdefault("dp", {}).update(limits)
    unstarted.write_config()
    run = unstarted.once("--check-config")
    assert ("confirmation_code_attempts" in run.stderr) is said, run.stderr
    unstarted.start()
    assert ("alarm=code-attempts" in unstarted.log()) is said


WRONG_LINES = ["[nonsense]\nx = 1\n", "nonsense\n", "[dp]\n[dp]\n", "[ci nist]\n"]


@pytest.mark.parametrize("text", WRONG_LINES)
def test_a_wrong_line_is_refused_with_file_and_line(unstarted, text):
    before = unstarted.config.read_text()
    unstarted.config.write_text(before + text)
    run = unstarted.once("--check-config", check=False)
    assert run.returncode == 78, run.stderr
    line = before.count("\n") + 1
    assert f"rspd.conf:{line}" in run.stderr or f"rspd.conf:{line + 1}" in run.stderr


def test_certificates_of_different_oids_are_refused(unstarted):
    tree = unstarted.site.trees[NIST]
    unstarted.site.write_pair(f"{NIST}-pb", tree.make_dp("pb", rid="2.999.12"))
    run = unstarted.once("--check-config", check=False)
    assert run.returncode == 78 and "OID" in run.stderr.upper()
    assert party_oid(tree.auth.cert) == "2.999.10"


WRONG_CREDENTIALS = {
    "a key of another certificate": lambda s, t: s.write(f"{NIST}-auth.key", t.pb.key_pem()),
    "the roles exchanged": lambda s, t: (
        s.write_pair(f"{NIST}-auth", t.pb),
        s.write_pair(f"{NIST}-pb", t.auth),
    ),
    "a certificate of no known CI": lambda s, t: s.write_pair(
        f"{NIST}-auth", type(t)("nist", "Another CI").auth
    ),
    "a TLS key of another certificate": lambda s, t: s.write(f"{NIST}-tls.key", t.pb.key_pem()),
    "a seal key of the wrong length": lambda s, t: s.write("seal.key", "00" * 31 + "\n"),
    "a cluster key that is no hex": lambda s, t: s.write("cluster.key", "xy" * 32 + "\n"),
}


@pytest.mark.parametrize("spoil", WRONG_CREDENTIALS.values(), ids=WRONG_CREDENTIALS)
def test_wrong_keys_and_certificates_are_refused_before_the_start(unstarted, spoil):
    spoil(unstarted.site, unstarted.site.trees[NIST])
    run = unstarted.once(check=False)
    assert run.returncode == 78, run.stderr
    assert run.stderr.strip()


def test_a_database_without_our_schema_is_refused(unstarted, postgres):
    unstarted.database = postgres.new_database()
    unstarted.write_config()
    run = unstarted.once(check=False)
    assert run.returncode in (65, 69, 78) and "--migrate" in run.stderr


def test_migrating_twice_changes_nothing(rspd):
    before = rspd.database.fingerprint()
    rspd.once("--migrate")
    assert rspd.database.fingerprint() == before


def test_version(rspd):
    run = subprocess.run([BUILD / "rspd", "--version"], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("rspd ")


def test_the_control_socket_is_ours_alone(rspd):
    mode = os.stat(rspd.control)
    assert stat.S_ISSOCK(mode.st_mode)
    assert mode.st_mode & 0o007 == 0


def test_a_start_may_be_cut_short(make_rspd):
    """SIGTERM between the control socket and the listeners: what has begun ends, and nothing begins."""
    rspd = make_rspd()
    for _ in range(5):
        rspd.stop()
        with open(rspd.log_path, "ab") as log:
            rspd.process = subprocess.Popen(
                rspd.command(), stderr=log, stdout=log, env=rspd.environment()
            )

        def answers():
            with contextlib.suppress(OSError, ValueError):
                return rspd.ask("tasks")

        wait_for(answers, "the control socket")
    rspd.stop()
