"""The test card's own cryptography against the published vectors of key agreement, SCP03t,
signatures and the Confirmation Code hash: what the flow tests lean on must not lean on rspd."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import der
from rspcrypto import (
    CURVES,
    Scp03t,
    Scp03tError,
    hash_cc,
    point,
    shared_info,
    shared_secret,
    sign,
    verifies,
    x963,
)

EID = "89049032123451234512345678901235"
TRANSACTION = bytes(range(16))

INTEROP_Z = bytes.fromhex("c9a993dd4879a8f7161f2085410edd4f9652f1df37be097ba96ba2ca6be528fe")
OWN_Z = bytes.fromhex("4fe243908f378aa1c2a69538822e6ed908c3225d8692575507c649901245150a")
OTPK_DP = (
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
    "4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"
)
OTPK_EUICC = (
    "041f140146bfb1b251f84f4ddbe0d4cdcfd77afd984a9520e35794021f8312bb9e"
    "ec995a08b1fa7704df3dcc0b50a9665263fb7711f95f9f8a449c5096e47c892b"
)
CONFIGURE_ISDP = bytes.fromhex("bf2400")
METADATA = bytes.fromhex("bf25165a0a980010325476981032149102535092044e616d65")
UPP = bytes(i % 256 for i in range(1100))


def private_key(first):
    scalar = int.from_bytes(bytes(range(first, first + 32)), "big")
    return ec.derive_private_key(scalar, CURVES["nist"])


def test_interop_vector_key_derivation():
    host_id = bytes.fromhex("8080808080808080")
    info = shared_info(host_id, EID)
    assert info.hex() == "88100880808080808080801089049032123451234512345678901235"
    assert x963(INTEROP_Z, info).hex() == (
        "406d507b448a699e7a36a38494debbde"
        "472f5bfadd97f21d34f3ce9b51b92751"
        "9ec07f5b36a13e12a991d66e294e6242"
    )


INTEROP_SEGMENTS = [
    ("bf2400", "8718f6fe031e4b9cfe87c8e1e62f3fde85c49412d7722a6a2d89"),
    (
        "bf252d5a0a98001032547698103214910947534d415f54455354921147534d415f54"
        "4553545f50524f46494c45950100",
        "8838bf252d5a0a98001032547698103214910947534d415f54455354921147534d415f54"
        "4553545f50524f46494c459501008a62cc9adbb5ccbc",
    ),
    (
        "bf26368010000102030405060708090a0b0c0d0e0f8110010102030405060708090a0b0c0d0e0f"
        "8210020102030405060708090a0b0c0d0e0f",
        "8748a14c800a001992351cd46ad2945654674369701d82b7b46567652bc8fbed234939fc57fba748"
        "015525fd6c651e9d3d1330652d42a0cfad950e912122af4ec5362d3c0bc535729c40",
    ),
]


def test_interop_vector_segments_both_ways():
    host_id = bytes.fromhex("8080808080808080")
    sender = Scp03t.from_z(INTEROP_Z, host_id, EID)
    card = Scp03t.from_z(INTEROP_Z, host_id, EID)
    for plain, segment in INTEROP_SEGMENTS:
        plain, segment = bytes.fromhex(plain), bytes.fromhex(segment)
        assert sender.protect(segment[0], plain) == segment
        assert card.unprotect(der.read(segment)) == plain


def test_own_vector_key_agreement():
    dp, euicc = private_key(0x01), private_key(0x21)
    assert point(dp).hex() == OTPK_DP
    assert point(euicc).hex() == OTPK_EUICC
    assert shared_secret(dp, point(euicc)) == OWN_Z
    assert shared_secret(euicc, point(dp)) == OWN_Z
    keys = x963(OWN_Z, shared_info(b"TESTHOST", EID))
    assert keys[:16].hex() == "d862b15191310732775c89fe36861bf3"
    assert keys[16:32].hex() == "119767ba27e84cdf9cab5c28dae2da93"
    assert keys[32:].hex() == "fae231fd4c60031bace54bbafabe258c"


def own_channel():
    return Scp03t.from_z(OWN_Z, b"TESTHOST", EID)


def check_profile_segments(channel, expected):
    for at, (start, mac, digest, size) in zip((0, 1007), expected):
        segment = channel.protect(0x86, UPP[at : at + 1007])
        assert len(segment) == size
        assert segment.hex().startswith(start)
        assert segment[-8:].hex() == mac
        assert hashlib.sha256(segment).hexdigest() == digest


def test_own_vector_session_keys():
    channel = own_channel()
    assert channel.protect(0x87, CONFIGURE_ISDP).hex() == (
        "87189efe890b6d92335b9cf1cc20f5cdfee253aad8bf42b19076"
    )
    assert channel.protect(0x88, METADATA).hex() == "8821" + METADATA.hex() + "37baa4133f0fb862"
    check_profile_segments(
        channel,
        [
            (
                "868203f8c2fa6eea5837f9e5",
                "47fe45eb0ad83ba8",
                "dc6c06f36abdd033298efd4dfc9c4ea8b865472a2f04304ef41cb38bee7c81dc",
                1020,
            ),
            (
                "866885b7dec8cdfa0c4bc5df",
                "c97bba8e6bbf59f7",
                "f10d96f4cac6cbe8c3dd606549c7bbe2a09a5e9069f93677c5dbb2e3f2f93592",
                106,
            ),
        ],
    )


def test_own_vector_protection_keys():
    channel = own_channel()
    channel.protect(0x87, CONFIGURE_ISDP)
    channel.protect(0x88, METADATA)
    keys = [bytes([n]) * 16 for n in (0x11, 0x22, 0x33)]
    replace = der.tlv(0xBF26, *(der.tlv(0x80 + i, k) for i, k in enumerate(keys)))
    assert channel.protect(0x87, replace).hex() == (
        "87488e18694746cc26178657ba114b4bf83bffcf8ffdff0b3d6facae4fc930183319bb88cc9a4f2f"
        "454b6b0d16218dc249dfc8498effa8d6e2c910edffbf2ddf59e68324d05f32dfd13e"
    )
    check_profile_segments(
        Scp03t(*keys),
        [
            (
                "868203f81cf361ec68280fd1",
                "66f0cd240a6356e7",
                "7a825d931cb299bc4460f6b6bd9d2b995fba764bb732039e21cdc868b032ba2c",
                1020,
            ),
            (
                "8668cbdd94e8e0a987bb81db",
                "b5648b34a8897d17",
                "aaab568a775b8dd0c36779a9b9e103bf544a79ea7c8b8c0616b19da379913682",
                106,
            ),
        ],
    )


@pytest.mark.parametrize("at", [0, 1, 9, -1])
def test_card_refuses_a_changed_segment(at):
    segment = bytearray(own_channel().protect(0x87, CONFIGURE_ISDP))
    segment[at] ^= 1
    with pytest.raises((Scp03tError, der.DerError)):
        own_channel().unprotect(der.read(bytes(segment)))


def test_card_refuses_a_segment_over_1020_octets():
    segment = own_channel().protect(0x86, UPP[:1008])
    with pytest.raises(Scp03tError):
        own_channel().unprotect(der.read(segment))


PK_DPAUTH = (
    "044dfed4f4694791bf1695cea0307a35b418019695387bb75b7d2447b6b5209f04"
    "45ae4e5e521cd13888d75fe07c8580222ae20dbaac1d77cd76304993421bd739"
)
PK_DPPB = (
    "04104c2ae3d02def9c979261a7c6710076b970721d0955a2644ae05fae4bc2314e"
    "5dc09f6bf0118026165342e212318775e365f3b57325373066b9906e0bd1388d"
)
SIGNED = [
    (
        "serverSignature1",
        PK_DPAUTH,
        "30488010000102030405060708090a0b0c0d0e0f8110101112131415161718191a1b1c1d1e1f"
        "8310736d64702e6578616d706c652e636f6d8410202122232425262728292a2b2c2d2e2f",
        "804f574680434cb2a39a5bcd0e5f7922f099d91dbc046e2f7be9846f71d2c69c"
        "3f6cc8c8dfd7d0eb4cc27d0b55020599dee6cac0bd55fd6928cbdf7cd81f07a3",
    ),
    (
        "smdpSignature2",
        PK_DPPB,
        "30158010000102030405060708090a0b0c0d0e0f010100" + "5f3740" + 64 * "a5",
        "f2d24acef8c6084d65a6573f4e02cfeb65bdadd37fc6b7252c17b76eb89e658a"
        "bde3faaf48556641b204f11e4fc50a908c475241ca583a3352b381158568e92d",
    ),
    (
        "smdpSign",
        PK_DPPB,
        "8201018010000102030405060708090a0b0c0d0e0fa610800188810110840854455354484f5354"
        "5f4941" + OTPK_DP + "5f4941" + OTPK_EUICC,
        "f1105dea7fe7676a14effe10a4bb6edbe04c61d624cd81f9df9787e05d7da3d2"
        "a998ec54d70623d45a0b21013e1778bb57b6ee493bdc798343399b63bf18917f",
    ),
]


@pytest.mark.parametrize("name,key,octets,signature", SIGNED, ids=[s[0] for s in SIGNED])
def test_signature_vectors(name, key, octets, signature):
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVES["nist"], bytes.fromhex(key))
    octets, signature = bytes.fromhex(octets), bytes.fromhex(signature)
    assert verifies(public, octets, signature)
    assert not verifies(public, octets + b"\x00", signature)
    assert not verifies(public, octets, signature[32:] + signature[:32])


@pytest.mark.parametrize("curve", CURVES)
def test_own_signatures_verify(curve):
    key = ec.generate_private_key(CURVES[curve])
    signature = sign(key, b"octets")
    assert len(signature) == 64
    assert verifies(key.public_key(), b"octets", signature)
    assert not verifies(key.public_key(), b"Octets", signature)


def test_confirmation_code_vector():
    assert hashlib.sha256(b"12345678").hexdigest() == (
        "ef797c8118f02dfb649607dd5d3f8c7623048c9c063d532cc95c5ed7a898a64f"
    )
    assert hash_cc("12345678", TRANSACTION).hex() == (
        "ab311c0527db635c7bac464efc070d69afecbba55a894064b394c56165610ec0"
    )


EVENT_BITS = [(0, "03020780"), (1, "03020640"), (2, "03020520"), (3, "03020410")]


@pytest.mark.parametrize("bit,octets", EVENT_BITS)
def test_event_bits_lose_their_trailing_zeros(bit, octets):
    assert der.named_bits(bit).hex() == octets
    assert der.bit_numbers(der.read(bytes.fromhex(octets)).value) == [bit]
