"""The LPA's side of HTTPS: one server name, one CI, connections and TLS sessions under control, and
answers with what SGP.22 §6.5.1.4 puts around them."""

import http.client
import json
import socket
import ssl

import seeds
from card import PATH

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256"
TIMEOUT = 60  # the sanitizer build on a busy machine answers late; a hanging one not at all


class Answer:
    def __init__(self, status, headers, octets):
        self.status, self.headers, self.octets = status, headers, octets
        self.body = None
        if status == 200 and headers["Content-Type"].startswith("application/json"):
            self.body = json.loads(octets)

    def __repr__(self):
        return f"<HTTP {self.status} {self.octets[:300]!r}>"

    @property
    def execution(self):
        return self.body["header"]["functionExecutionStatus"]

    @property
    def ok(self):
        return self.body is not None and self.execution["status"] == "Executed-Success"

    @property
    def refusal(self):
        """Subject and reason code of a failed function; None for anything else."""
        if self.body is None or self.execution["status"] != "Failed":
            return None
        data = self.execution["statusCodeData"]
        return data["subjectCode"], data["reasonCode"]

    def only(self, *members):
        """The body of a success, which has these members and no other (strict clients)."""
        assert self.ok, self
        assert set(self.body) == {"header", *members}, set(self.body)
        assert self.body["header"] == {
            "functionExecutionStatus": {"status": "Executed-Success"}
        }, self.body["header"]
        return self.body

    def must(self):
        assert self.ok, self
        return self

    def refused(self, subject, reason):
        """The function failed with exactly this, and nothing else is in the body (§6.5.1.4)."""
        assert self.status == 200, self
        assert self.refusal == (subject, reason), self
        assert set(self.body) == {"header"}, self.body
        return self


class Connection(http.client.HTTPConnection):
    """HTTP over a TLS socket to 127.0.0.1, with the name in SNI and in the certificate check."""

    def __init__(self, client, session=None):
        super().__init__(client.name, client.port, timeout=TIMEOUT)
        self.client, self.session = client, session

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.client.port), timeout=TIMEOUT)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.client.context.wrap_socket(
            raw, server_hostname=self.client.name, session=self.session
        )


class Client:
    """Calls ES9+ functions at one listener. One connection for all calls, or one for each."""

    def __init__(self, name, port, ci_pem, curve="nist", per_call=False):
        self.name, self.port, self.per_call = name, port, per_call
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(cadata=ci_pem)
        if curve == "brainpool":
            # TLS 1.3 has no code point for a brainpoolP256r1 signature that OpenSSL 3.0 knows.
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
            self.context.set_ecdh_curve("brainpoolP256r1")
            self.context.set_ciphers(CIPHERS)
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def open(self, session=None):
        connection = Connection(self, session)
        connection.connect()
        return connection

    def request(self, path, octets=b"", headers=(), method="POST"):
        """One exchange. A kept connection that the server has closed is opened once more."""
        fields = {"User-Agent": "gsma-rsp-lpad", "X-Admin-Protocol": "gsma/rsp/v2.5.0"}
        fields.update(headers)
        fields = {k: v for k, v in fields.items() if v is not None}
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = self.open()
            try:
                self.connection.request(method, path, octets, fields)
                response = self.connection.getresponse()
                answer = Answer(response.status, response.headers, response.read())
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                if fresh or attempt == 2:
                    raise
        if self.per_call or answer.headers.get("Connection", "").lower() == "close":
            self.close()
        return answer

    def call(self, function, body, headers=()):
        fields = {"Content-Type": "application/json", **dict(headers)}
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.request(PATH + function, octets, fields)
        seeds.keep_call(function, fields, octets, answer)
        if answer.status == 200:
            assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
            assert answer.headers["X-Admin-Protocol"] == "gsma/rsp/v2.5.0"
        return answer
