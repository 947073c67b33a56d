"""ES9+ in its ASN.1 binding (SGP.22 §6.6), written and read by hand. Bodies go in and come out under the
names and forms of the JSON binding, so that the card and its LPA (card.py) speak either."""

import base64

import der
import seeds
from der import tlv
from web import Answer, Client

PATH = "/gsma/rsp2/asn1"
MEDIA_TYPE = "application/x-gsma-rsp-asn1"
REQUEST = RESPONSE = 0xA2
TAG = {
    "initiateAuthentication": 0xBF39,
    "getBoundProfilePackage": 0xBF3A,
    "authenticateClient": 0xBF3B,
    "handleNotification": 0xBF3D,
    "cancelSession": 0xBF41,
}

# The error integers of the module, by the codes that the JSON binding has for the same.
UNDEFINED = 127
ERRORS = {
    "initiateAuthentication": {
        ("8.8.1", "3.8"): 1,  # invalidDpAddress
        ("8.8.3", "3.1"): 2,  # euiccVersionNotSupportedByDp
        ("8.8.2", "3.1"): 3,  # ciPKNotSupported
        ("8.8.4", "3.7"): 3,
    },
    "authenticateClient": {
        ("8.1.2", "6.1"): 1,  # eumCertificateInvalid
        ("8.1.2", "6.3"): 2,  # eumCertificateExpired
        ("8.1.3", "6.1"): 3,  # euiccCertificateInvalid
        ("8.1.3", "6.3"): 4,  # euiccCertificateExpired
        ("8.1", "6.1"): 5,  # euiccSignatureInvalid
        ("8.2.6", "3.8"): 6,  # matchingIdRefused
        ("8.1.1", "3.8"): 7,  # eidMismatch
        ("8.2.5", "4.3"): 8,  # noEligibleProfile
        ("8.2", "1.2"): 8,
        ("8.11.1", "3.9"): 9,  # ciPKUnknown
        ("8.10.1", "3.9"): 10,  # invalidTransactionId
        ("8.1", "4.8"): 11,  # insufficientMemory
    },
    "getBoundProfilePackage": {
        ("8.1", "6.1"): 1,  # euiccSignatureInvalid
        ("8.2.7", "2.2"): 2,  # confirmationCodeMissing
        ("8.2.7", "3.8"): 3,  # confirmationCodeRefused
        ("8.2.7", "6.4"): 4,  # confirmationCodeRetriesExceeded
        ("8.2", "3.7"): 5,  # bppRebindingRefused
        ("8.8.5", "4.10"): 6,  # downloadOrderExpired
        ("8.10.1", "3.9"): 95,  # invalidTransactionId
    },
    "cancelSession": {
        ("8.10.1", "3.9"): 1,  # invalidTransactionId
        ("8.1", "6.1"): 2,  # euiccSignatureInvalid
    },
}

# Members of a success in their order: JSON name, tag, and whether the tag belongs to the JSON octets.
SUCCESS = {
    "initiateAuthentication": [
        ("transactionId", 0x80, False),
        ("serverSigned1", 0x30, True),
        ("serverSignature1", 0x5F37, True),
        ("euiccCiPKIdToBeUsed", 0x04, True),
        ("serverCertificate", 0x30, True),
    ],
    "authenticateClient": [
        ("transactionId", 0x80, False),
        ("profileMetadata", 0xBF25, True),
        ("smdpSigned2", 0x30, True),
        ("smdpSignature2", 0x5F37, True),
        ("smdpCertificate", 0x30, True),
    ],
    "getBoundProfilePackage": [("transactionId", 0x80, False), ("boundProfilePackage", 0xBF36, True)],
    "cancelSession": [],
}


def unb64(text):
    return base64.b64decode(text)


def members(function, body):
    """What stands under the function's tag."""
    identifier = tlv(0x80, bytes.fromhex(body.get("transactionId", "")))
    if function == "initiateAuthentication":
        challenge = tlv(0x81, unb64(body["euiccChallenge"]))
        return challenge + der.text(body["smdpAddress"], 0x83) + unb64(body["euiccInfo1"])
    if function == "authenticateClient":
        return identifier + unb64(body["authenticateServerResponse"])
    if function == "getBoundProfilePackage":
        return identifier + unb64(body["prepareDownloadResponse"])
    if function == "cancelSession":
        response = der.read(unb64(body["cancelSessionResponse"]), 0xBF41)
        return identifier + tlv(0xA1, response.value)
    return tlv(0xA0, unb64(body["pendingNotification"]))


def request(function, body):
    return tlv(REQUEST, tlv(TAG[function], members(function, body)))


class Asn1Answer(Answer):
    """`body` of a success has the names and forms of JSON; `error` is the integer of a failure."""

    def __init__(self, function, plain):
        self.function, self.status, self.headers = function, plain.status, plain.headers
        self.octets, self.body, self.error = plain.octets, None, None
        if self.status == 200:
            self.read()

    def read(self):
        (inner,) = der.read(self.octets, RESPONSE).expect(TAG[self.function])
        (arm,) = inner.children
        if arm.tag == 0x81:
            self.error = int.from_bytes(arm.value, "big")
            assert arm.octets == der.integer(self.error, 0x81), self
            return
        assert arm.tag == 0xA0, self
        wanted = SUCCESS[self.function]
        self.body = {"header": {"functionExecutionStatus": {"status": "Executed-Success"}}}
        for (name, _, whole), node in zip(wanted, arm.expect(*(tag for _, tag, _ in wanted))):
            text = base64.b64encode(node.octets).decode() if whole else node.value.hex().upper()
            self.body[name] = text

    def failed(self, error):
        """The function failed with exactly this integer."""
        assert (self.status, self.error) == (200, error), self
        return self

    def refused(self, subject, reason):
        return self.failed(ERRORS[self.function].get((subject, reason), UNDEFINED))


class Asn1Client(Client):
    """Calls the same functions at the same listener."""

    def call(self, function, body, headers=()):
        octets = body if isinstance(body, bytes) else request(function, body)
        plain = self.post(octets, headers)
        named = "" if isinstance(body, bytes) else body.get("transactionId", "")
        seeds.keep_asn1(function, octets, bytes.fromhex(named), plain)
        return Asn1Answer(function, plain)

    def post(self, octets, headers=()):
        answer = self.request(PATH, octets, {"Content-Type": MEDIA_TYPE, **dict(headers)})
        if answer.status == 200:
            assert answer.headers["Content-Type"] == MEDIA_TYPE
            assert answer.headers["X-Admin-Protocol"] == "gsma/rsp/v2.5.0"
        return answer
