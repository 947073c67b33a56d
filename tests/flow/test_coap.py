"""CoAP over DTLS as operators meet it: a [coap] section, libcoap's own client and OpenSSL's, reload, two
instances on one address, the drain."""

import re
import signal
import socket
import ssl
import subprocess

import pytest

from conftest import folders
from harness import PATIENCE, Site, wait_for

DEVICE = "coap devices"


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def make_daemon(make_rspd, scratch):
    """A daemon that serves devices, with certificates of its own; its port is daemon.coap_port."""

    def make(port=None, **more):
        site = Site(scratch / f"coap{next(folders)}")
        port = port or free_udp_port()
        section = {
            "address": "127.0.0.1",
            "port": port,
            "certificate": site.folder / "nist-tls.pem",
            "key": site.folder / "nist-tls.key",
        }
        daemon = make_rspd(own_site=site, **{DEVICE: section}, **more)
        daemon.coap_port = port
        return daemon

    return make


@pytest.fixture
def daemon(make_daemon):
    return make_daemon()


def post(daemon, path, body="x", *options):
    """What Debian's coap-client prints: the payload, or the code of a refusal."""
    run = subprocess.run(
        ["coap-client-openssl", "-n", "-v", "3", "-B", "20", "-m", "post", "-e", body, *options]
        + [f"coaps://127.0.0.1:{daemon.coap_port}{path}"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def presented(daemon):
    """The certificate that a new session sees, DER."""
    run = subprocess.run(
        ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{daemon.coap_port}"],
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", run.stdout, re.DOTALL)
    assert pem, run.stdout + run.stderr
    return ssl.PEM_cert_to_DER_cert(pem[0])


def count(daemon, name):
    return daemon.ask("stats")["counters"][name]


def test_a_path_that_is_none_is_answered_over_coap(daemon):
    assert "4.04" in post(daemon, "/no/such/function")
    assert count(daemon, "coap_requests") == 1
    assert count(daemon, "coap_handshakes") == 1


def test_a_body_over_the_limit_is_refused_before_it_is_kept(make_daemon):
    daemon = make_daemon(limits={"coap_body": 4096})
    assert "4.13" in post(daemon, "/no/such/function", "x" * 6000)
    assert count(daemon, "coap_requests") == 0


def test_a_session_with_a_key_of_the_laboratory(make_daemon):
    daemon = make_daemon()
    path = daemon.site.write("psk", "device-1:" + b"a secret of sixteen".hex() + "\n")
    daemon.options[DEVICE]["psk_file"] = path
    daemon.write_config()
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "did=reload result=ok" in daemon.log(), "the reload")
    assert "4.04" in post(daemon, "/x", "x", "-u", "device-1", "-k", "a secret of sixteen")


def test_a_new_certificate_is_shown_after_a_reload(daemon):
    before = presented(daemon)
    daemon.site.write_pair("nist-tls", daemon.site.trees["nist"].make_tls("eim.example.org"))
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: presented(daemon) != before, "the new certificate")
    assert "4.04" in post(daemon, "/x")


def test_keys_open_to_all_users_change_nothing(daemon):
    path = daemon.site.write("psk", "device-1:" + "11" * 16 + "\n")
    path.chmod(0o644)
    daemon.options[DEVICE]["psk_file"] = path
    daemon.write_config()
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "did=reload result=failed" in daemon.log(), "the refusal")
    assert "is open to all users: chmod o-rw it" in daemon.log()
    assert "4.04" in post(daemon, "/x")


def test_an_address_and_port_belong_to_one_instance(daemon, make_daemon):
    second = make_daemon(port=daemon.coap_port, start=False)
    run = second.once(check=False)
    assert run.returncode == 78
    assert f"another process has 127.0.0.1 UDP port {daemon.coap_port}" in run.stderr
    assert "4.04" in post(daemon, "/x")


def test_a_section_without_certificate_and_key_is_refused(make_rspd, scratch):
    site = Site(scratch / f"coap{next(folders)}")
    section = {"address": "127.0.0.1", "port": free_udp_port()}
    run = make_rspd(own_site=site, start=False, **{DEVICE: section}).once(check=False)
    assert run.returncode == 78
    assert "[coap devices] has neither a certificate nor a psk_file" in run.stderr


def test_a_section_that_is_gone_is_served_no_more_and_one_that_is_new_is(daemon):
    assert "4.04" in post(daemon, "/x")
    daemon.options["coap others"] = {**daemon.options.pop(DEVICE), "port": free_udp_port()}
    daemon.coap_port = daemon.options["coap others"]["port"]
    daemon.write_config()
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: "did=reload result=ok" in daemon.log(), "the reload")
    assert "4.04" in post(daemon, "/x")
    assert "listener=devices stopping" in daemon.log()
    wait_for(lambda: count(daemon, "coap_sessions_open") == 0, "the end of the sessions")
