"""What arrives before a function is reached: HTTP, TLS and JSON as real clients and attackers send
them. Each bad one gets an HTTP 4xx or a status in JSON, one line in the log, and leaves the
database as it was."""

import http.client
import json
import os
import socket
import ssl
import time

import pytest

import der
from card import PATH, Download, b64
from harness import wait_for

FUNCTIONS = [
    "initiateAuthentication",
    "authenticateClient",
    "getBoundProfilePackage",
    "handleNotification",
    "cancelSession",
]
MEMBER = {
    "authenticateClient": "authenticateServerResponse",
    "getBoundProfilePackage": "prepareDownloadResponse",
    "handleNotification": "pendingNotification",
    "cancelSession": "cancelSessionResponse",
}


@pytest.fixture
def untouched(rspd):
    """The database is the same afterwards, and the daemon answers."""
    before = rspd.database.fingerprint()
    yield
    assert rspd.database.fingerprint() == before
    assert rspd.serves()


@pytest.fixture
def call(rspd):
    client = rspd.client()
    yield client.call
    client.close()



# ---- bodies --------------------------------------------------------------------------------------

NOT_JSON = {
    "nothing": b"",
    "text": b"hello",
    "cut short": b'{"transactionId": "00',
    "an array": b"[]",
    "a string": b'"x"',
    "a number": b"17",
    "null": b"null",
    "octets": bytes(range(256)),
    "not UTF-8": b'{"smdpAddress": "\xff\xfe"}',
    "two objects": b"{}{}",
    "nested without end": b"[" * 20000,
    "objects without end": b'{"a":' * 20000,
    "a lone surrogate": b'{"smdpAddress": "\\ud800"}',
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_no_json_object_is_a_bad_request(rspd, untouched, call, function):
    for what, octets in NOT_JSON.items():
        with rspd.log_lines() as lines:
            answer = call(function, octets)
        assert answer.status == 400, (what, answer)
        assert len(lines) == 1, (what, lines)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_members_of_a_wrong_kind(rspd, untouched, call, function):
    members = ["transactionId", "euiccChallenge", "euiccInfo1", "smdpAddress", *MEMBER.values()]
    for value in (None, True, 5, 1.5, [], {}, "", "!", "AA=", "A" * 5000):
        with rspd.log_lines() as lines:
            answer = call(function, dict.fromkeys(members, value))
        assert answer.refusal or answer.status == 204, (value, answer)
        assert len(lines) == 1, (value, lines)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_empty_object(rspd, untouched, call, function):
    with rspd.log_lines() as lines:
        answer = call(function, {})
    assert answer.refusal == ("1.3.1", "2.2") or answer.status == 204
    assert len(lines) == 1, lines


def deep(levels):
    octets = b""
    for _ in range(levels):
        octets = der.tlv(0x30, octets)
    return octets


HOSTILE_DER = {
    "a length of 4 GiB": bytes.fromhex("3084ffffffff00"),
    "a length of 2^63": bytes.fromhex("3088ffffffffffffffff00"),
    "an indefinite length": bytes.fromhex("308000000000"),
    "a tag without end": b"\xbf" + b"\xff" * 500,
    "deep": deep(5000),
    "constructed primitive": bytes.fromhex("bf38 06 a0 04 80 02 0101".replace(" ", "")),
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
}


@pytest.mark.parametrize("function", MEMBER)
def test_hostile_der(rspd, untouched, card, function):
    lpa = Download(card, rspd.client())
    lpa.initiate().must()
    for what, octets in HOSTILE_DER.items():
        for tag in (0xBF38, 0xBF21, 0xBF37, 0xBF41, None):
            wrapped = octets if tag is None else der.tlv(tag, octets)
            body = {"transactionId": lpa.hex_id, MEMBER[function]: b64(wrapped)}
            answer = lpa.client.call(function, body)
            assert answer.refusal or answer.status == 204, (what, answer)


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_a_body_of_ten_megabytes_is_too_large(rspd, untouched, chunked):
    """413 before it is read: the client may find the connection closed while it still writes."""
    with rspd.log_lines() as lines:
        sock = rspd.tls()
        head = b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        head += b"Content-Type: application/json\r\n"
        head += b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 10000000"
        head += b"\r\n\r\n"
        answer = b""
        try:
            sock.sendall(head)
            for _ in range(160):
                piece = b"x" * 65536
                sock.sendall(b"10000\r\n" + piece + b"\r\n" if chunked else piece)
        except OSError:
            pass
        try:
            answer = sock.recv(4096)
        except OSError:
            pass
        sock.close()
        wait_for(lambda: "413" in rspd.log()[-20000:], "the log line")
    assert sum("status=413" in line for line in lines) == 1
    assert answer == b"" or b" 413 " in answer.split(b"\r\n")[0], answer


def test_only_the_announced_size_is_enough_to_refuse(rspd, untouched):
    sock = rspd.tls()
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: 10000000\r\n\r\n"
    )
    assert b" 413 " in sock.recv(4096).split(b"\r\n")[0]
    sock.close()


def test_bodies_of_64_kib_are_normal(rspd, card):
    lpa = Download(card, rspd.client())
    body = lpa.initiate_body()
    body["padding"] = "x" * 65536
    lpa.initiate(body).must()


# ---- paths, methods, headers ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/gsma/rsp2/es9plus/",
        "/gsma/rsp2/es9plus/unknownFunction",
        "/gsma/rsp2/es9plus/initiateauthentication",
        "/gsma/rsp2/es9plus/../es9plus/initiateAuthentication",
        "/gsma/rsp2/es9plus/initiateAuthentication/",
        "/gsma/rsp2/es2plus/downloadOrder",
        "//gsma/rsp2/es9plus/initiateAuthentication%00",
        "/" + "a" * 3000,
    ],
)
def test_unknown_paths(rspd, untouched, path):
    with rspd.log_lines() as lines:
        client = rspd.client(per_call=True)
        answer = client.request(path, b"{}", {"Content-Type": "application/json"})
    assert answer.status == 404
    assert len(lines) == 1, lines


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_other_methods(rspd, untouched, method):
    with rspd.log_lines() as lines:
        answer = rspd.client(per_call=True).request(PATH + FUNCTIONS[0], b"", method=method)
    assert answer.status == 405
    assert "POST" in answer.headers.get("Allow", "POST")
    assert len(lines) == 1, lines


@pytest.mark.parametrize(
    "value",
    [
        "application/json",
        "application/json;charset=UTF-8",
        "application/json; charset=utf-8",
        "Application/JSON",
        'application/json ; charset="utf-8"',
        "",
    ],
)
def test_content_types_that_are_json(rspd, card, value):
    lpa = Download(card, rspd.client())
    answer = lpa.client.call(FUNCTIONS[0], lpa.initiate_body(), {"Content-Type": value})
    lpa.take_initiate(answer.must())


OTHER_TYPES = ["text/plain", "application/x-gsma-rsp-asn1", "application/jsonx", "x"]


@pytest.mark.parametrize("value", OTHER_TYPES)
def test_content_types_that_are_not_json(rspd, untouched, card, value):
    lpa = Download(card, rspd.client())
    with rspd.log_lines() as lines:
        answer = lpa.client.call(FUNCTIONS[0], lpa.initiate_body(), {"Content-Type": value})
    assert answer.status == 415
    assert len(lines) == 1, lines


def test_expect_100_continue_is_answered_at_once(rspd, card):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    sock = lpa.client.open().sock
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(octets)
    )
    assert sock.recv(4096).startswith(b"HTTP/1.1 100 ")
    sock.sendall(octets)
    response = http.client.HTTPResponse(sock)
    response.begin()
    assert response.status == 200
    assert b"Executed-Success" in response.read()
    sock.close()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunked_bodies(rspd, card, size):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    connection = lpa.client.open()
    pieces = (octets[i : i + size] for i in range(0, len(octets), size))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", PATH + FUNCTIONS[0], pieces, headers, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 200 and b"Executed-Success" in response.read()
    connection.close()


def test_requests_in_a_pipeline_are_answered_in_order(rspd, card):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    one = (
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(octets) + octets
    )
    sock = lpa.client.open().sock
    sock.sendall(one * 3)
    got = b""
    while got.count(b"Executed-Success") < 3:
        piece = sock.recv(65536)
        assert piece, got
        got += piece
    assert got.count(b"HTTP/1.1 200 ") == 3
    sock.close()


def test_http_1_0_is_answered(rspd, card):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    sock = lpa.client.open().sock
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.0\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(octets) + octets
    )
    got = b""
    while piece := sock.recv(65536):
        got += piece
    assert b"Executed-Success" in got
    sock.close()


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
HEADS = {
    "no HTTP": b"hello\r\n\r\n",
    "octets": os.urandom(200) + b"\r\n\r\n",
    "a header without end": b"POST / HTTP/1.1\r\nX: " + b"a" * 200000,
    "headers without end": b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 50000,
    "a negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "a length that is no number": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "a chunk size that is no number": CHUNKED + b"zz\r\n",
    "a chunk of 2^64": CHUNKED + b"ffffffffffffffff\r\n",
    "another version": b"POST / HTTP/9.9\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("octets", HEADS.values(), ids=HEADS)
def test_hostile_heads(rspd, untouched, octets):
    sock = rspd.tls()
    got = b""
    try:
        sock.sendall(octets)
        got = sock.recv(4096)
    except OSError:
        pass
    sock.close()
    status = got.split(b" ")[1:2]
    assert got == b"" or status[0].startswith(b"4") or status == [b"505"], got


SMUGGLED = b"POST /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
ENDS = {
    "two lengths, the first right": b"Content-Length: %(all)d\r\nContent-Length: %(body)d\r\n",
    "two lengths, the last right": b"Content-Length: %(body)d\r\nContent-Length: %(all)d\r\n",
    "three lengths": b"Content-Length: %(body)d\r\ncontent-length: %(body)d\r\nContent-Length: %(all)d\r\n",
    "a list of lengths": b"Content-Length: %(body)d, %(all)d\r\n",
    "a length beside chunks": b"Content-Length: %(body)d\r\nTransfer-Encoding: chunked\r\n",
    "an encoding that is none": b"Content-Length: %(body)d\r\nTransfer-Encoding: chunked, identity\r\n",
}


@pytest.mark.parametrize("fields", ENDS.values(), ids=ENDS)
def test_a_body_whose_end_is_doubtful_is_refused(rspd, untouched, card, fields):
    """RFC 9112 §6.3: a balancer in between could see another request in what follows."""
    body = json.dumps(Download(card, rspd.client()).initiate_body()).encode()
    chunked = b"Transfer" in fields and b"identity" not in fields
    sent = (b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n" if chunked else body) + SMUGGLED
    head = (
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\n" + fields % {b"body": len(body), b"all": len(body + SMUGGLED)}
    )
    sock = rspd.tls()
    sock.sendall(head + b"\r\n" + sent)
    got = b""
    while piece := sock.recv(65536):
        got += piece
    sock.close()
    assert got.startswith(b"HTTP/1.1 400 ") and got.count(b"HTTP/1.1 ") == 1, got


def test_a_length_that_is_said_twice_is_one(rspd, card):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    sock = rspd.tls()
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\n" + b"Content-Length: %d\r\n" % len(octets) * 2 + b"\r\n" + octets
    )
    response = http.client.HTTPResponse(sock)
    response.begin()
    assert response.status == 200 and b"Executed-Success" in response.read()
    sock.close()


# ---- TLS -----------------------------------------------------------------------------------------


def test_tls_1_2_and_1_3_and_nothing_older(rspd):
    spoken = set()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client = rspd.client()
        client.context.minimum_version = client.context.maximum_version = version
        spoken.add(client.open().sock.version())
    assert spoken == {"TLSv1.2", "TLSv1.3"}
    client = rspd.client()
    client.context.set_ciphers("ALL:@SECLEVEL=0")
    client.context.minimum_version = ssl.TLSVersion.TLSv1
    client.context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        client.open()


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"])
def test_the_cipher_suites_that_must_be_offered(rspd, cipher):
    client = rspd.client()
    client.context.maximum_version = ssl.TLSVersion.TLSv1_2
    client.context.set_ciphers(cipher)
    assert client.open().sock.cipher()[0] == cipher


def test_a_client_that_knows_p_256_alone(rspd):
    client = rspd.client()
    client.context.set_ecdh_curve("prime256v1")
    assert client.open().sock.version()


def test_only_http_1_1_by_alpn(rspd):
    client = rspd.client()
    client.context.set_alpn_protocols(["h2", "http/1.1"])
    assert client.open().sock.selected_alpn_protocol() == "http/1.1"


def test_sessions_are_resumed_at_either_daemon(twins):
    """Ticket keys derive from the cluster key, so a balancer does not defeat resumption."""
    first, second = twins
    client = first.client()
    client.context.maximum_version = ssl.TLSVersion.TLSv1_2
    sock = client.open().sock
    ticket = sock.session
    assert not sock.session_reused and ticket.has_ticket
    for daemon in (first, second):
        client.port = daemon.ports["nist"]
        assert client.open(session=ticket).sock.session_reused


def test_plain_http_on_the_tls_port_is_no_http(rspd, untouched):
    sock = rspd.raw()
    sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
    got = b""
    try:
        while piece := sock.recv(4096):
            got += piece
    except OSError:
        pass
    assert b"HTTP/1.1 2" not in got
    sock.close()


# ---- clients that take their time ----------------------------------------------------------------

PATIENT = dict(handshake_seconds=1, head_seconds=1, body_seconds=1, idle_seconds=2)


@pytest.fixture(scope="module")
def hasty(rspd, rspd_module):
    """A daemon whose deadlines are short enough to be waited for."""
    return rspd_module(database=rspd.database, limits=PATIENT)


def closed_by_server(sock):
    """Waits for the end of the connection; what came before it."""
    got = b""
    try:
        while piece := sock.recv(4096):
            got += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return got


def dribble(sock, octets, pause=0.1):
    """Octet by octet, each in time, until the server has had enough."""
    end = time.monotonic() + 30
    sock.settimeout(pause)
    for i in range(10**6):
        assert time.monotonic() < end, "the server has endless patience"
        try:
            sock.send(octets[i % len(octets)].to_bytes(1, "big"))
            if sock.recv(4096) == b"":
                return
        except (socket.timeout, ssl.SSLWantReadError):
            continue
        except OSError:
            return


CLIENT_HELLO_START = bytes.fromhex("1603010200010001fc0303")


def test_a_handshake_that_stalls(hasty):
    sock = hasty.raw()
    sock.sendall(CLIENT_HELLO_START)
    closed_by_server(sock)


def test_a_client_hello_that_dribbles(hasty):
    sock = hasty.raw()
    sock.sendall(CLIENT_HELLO_START)
    dribble(sock, b"\x00")


def test_a_head_that_dribbles(hasty):
    sock = hasty.tls()
    sock.sendall(b"POST / HTTP/1.1\r\n")
    dribble(sock, b"X: y\r\n")


def test_a_body_that_dribbles(hasty):
    sock = hasty.tls()
    sock.sendall(
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    dribble(sock, b" ")


def test_an_idle_connection_is_closed_but_not_too_soon(hasty, make_card):
    lpa = Download(make_card(), hasty.client())
    for _ in range(3):
        lpa.initiate().must()
    closed_by_server(lpa.client.connection.sock)
    lpa.client.close()
    lpa.initiate().must()


def test_slow_clients_do_not_hold_up_others(hasty, make_card):
    stalled = [hasty.raw() for _ in range(20)]
    for sock in stalled[:10]:
        sock.sendall(CLIENT_HELLO_START)
    Download(make_card(), hasty.client()).initiate().must()
    for sock in stalled:
        closed_by_server(sock)


def test_clients_that_leave_in_the_middle(rspd, untouched, card):
    lpa = Download(card, rspd.client())
    octets = json.dumps(lpa.initiate_body()).encode()
    request = (
        b"POST " + PATH.encode() + b"initiateAuthentication HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(octets) + octets
    )
    for cut in (1, 40, 200, len(request) - 1, len(request)):
        sock = rspd.tls()
        sock.sendall(request[:cut])
        sock.close()
    lpa.initiate().must()


def test_beyond_the_connection_limit_new_clients_wait(rspd, make_rspd, make_card):
    """At the cap the listener pauses; when a connection goes the next one is served."""
    daemon = make_rspd(database=rspd.database, limits={"connections": 4})
    held = [daemon.tls() for _ in range(4)]
    waiting = daemon.raw()
    waiting.settimeout(0.3)
    client = daemon.client()
    with pytest.raises((socket.timeout, OSError)):
        client.context.wrap_socket(waiting, server_hostname=client.name)
    waiting.close()
    for sock in held:
        sock.close()
    Download(make_card(), daemon.client()).initiate().must()


def test_beyond_the_handshake_limit_finished_ones_still_get_in(rspd, make_rspd, make_card):
    daemon = make_rspd(database=rspd.database, limits={"handshakes": 3, "handshake_seconds": 1})
    stalled = [daemon.raw() for _ in range(5)]
    Download(make_card(), daemon.client()).initiate().must()
    for sock in stalled:
        sock.close()
