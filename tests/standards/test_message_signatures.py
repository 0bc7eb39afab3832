import base64
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from conformance.standards.message_signatures import (
    ALGORITHMS,
    ECDSA_P256_SHA256,
    ECDSA_P384_SHA384,
    KeyRejected,
    PublicKey,
    Reason,
    ReplayStore,
    SignatureInput,
    SignatureRejected,
    covered_whole,
    declared_signatures,
    key_from_seed,
    load_private_key,
    load_public_key,
    present,
    private_pem,
    public_pem,
    sign,
    signature_base,
    verify,
)

Headers = list[tuple[str, str]]

NOW = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
KEY = key_from_seed(b"client")
KEY_ID = "client-1"
METHOD = "POST"
URL = "https://api.example.com/v1/customers?a=1&b=2"
HEADERS: Headers = [
    ("Host", "api.example.com"),
    ("Content-Type", "application/json"),
    ("Content-Digest", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
    ("Idempotency-Key", "123e4567-e89b-12d3-a456-426614174000"),
    ("Authorization", "Bearer JWT"),
]
COMPONENTS = ("@method", "@path", "@query", "content-digest", "content-type", "idempotency-key", "authorization")


def signed(headers: Headers = HEADERS, **changes: Any) -> Headers:
    options = {"key": KEY, "key_id": KEY_ID, "components": COMPONENTS, "created": NOW, **changes}
    return headers + sign(METHOD, URL, headers, **options)


def verified(headers: Headers, method: str = METHOD, url: str = URL, **changes: Any) -> SignatureInput:
    options = {"key_for": {KEY_ID: KEY.public_key()}.get, "now": NOW, **changes}
    return verify(method, url, headers, **options)


def rejection(check: Callable[[], object]) -> SignatureRejected:
    with pytest.raises(SignatureRejected) as raised:
        check()
    return raised.value


def replaced(headers: Headers, name: str, value: str) -> Headers:
    return [(field, value if field == name else old) for field, old in headers]


def signature_of(headers: Headers) -> bytes:
    return declared_signatures(headers)[0][1]


# --- the examples of RFC 9421 ---------------------------------------------------------------------------------------

RFC_URL = "https://example.com/foo?param=Value&Pet=dog"
RFC_HEADERS: Headers = [
    ("Host", "example.com"),
    ("Date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("Content-Type", "application/json"),
    (
        "Content-Digest",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
    ),
    ("Content-Length", "18"),
]
SHARED_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)


def public(*lines: str) -> PublicKey:
    pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----"])
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey)
    return key


RFC_KEYS: dict[str, PublicKey] = {
    "test-key-rsa-pss": public(
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2",
        "+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+",
        "oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq",
        "gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W",
        "Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4",
        "aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI",
        "2wIDAQAB",
    ),
    "test-key-ecc-p256": public(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf",
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==",
    ),
    "test-key-ed25519": public("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="),
    "test-shared-secret": SHARED_SECRET,
}
RFC_EXAMPLES = {
    "B.2.1, rsa-pss-sha512": (
        'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        (
            "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckz"
            "XaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6"
            "c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO"
            "5Nyt8C8ssinQ98Xw9Q==:"
        ),
    ),
    "B.2.2, rsa-pss-sha512": (
        'sig-b22=("@authority" "content-digest");created=1618884473;keyid="test-key-rsa-pss"',
        (
            "sig-b22=:Fee1uy9YGZq5UUwwYU6vz4dZNvfw3GYrFl1L6YlVIyUMuWswWDNSvql4dVtSeidYjYZUm7SBCENIb5KYy2ByoC3bI+7gydd2i4OAT5l"
            "yDtmeapnAa8uP/b9xUpg+VSPElbBs6JWBIQsd+nMdHDe+ls/IwVMwXktC37SqsnbNyhNp6kcvcWpevjzFcD2VqdZleUz4jN7P+W5A3wHiMGfIjI"
            "Wn36KXNB+RKyrlGnIS8yaBBrom5rcZWLrLbtg6VlrH1+/07RV+kgTh/l10h8qgpl9zQHu7mWbDKTq0tJ8K4ywcPoC4s2I4rU88jzDKDGdTTQFZo"
            "TVZxZmuTM1FvHfzIw==:"
        ),
    ),
    "B.2.3, rsa-pss-sha512": (
        (
            'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")'
            ';created=1618884473;keyid="test-key-rsa-pss"'
        ),
        (
            "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768Zr"
            "CUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/C"
            "CoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo"
            "5fTIztsDZKEgM4cUA==:"
        ),
    ),
    "4.3, ecdsa-p256-sha256": (
        (
            'sig1=("@method" "@authority" "@path" "content-digest" "content-type" "content-length")'
            ';created=1618884475;keyid="test-key-ecc-p256"'
        ),
        "sig1=:X5spyd6CFnAG5QnDyHfqoSNICd+BUP4LYMz2Q0JXlb//4Ijpzp+kve2w4NIyqeAuM7jTDX+sNalzA8ESSaHD3A==:",
    ),
    "B.2.5, hmac-sha256": (
        'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    ),
    "B.2.6, ed25519": (
        (
            'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
            ';created=1618884473;keyid="test-key-ed25519"'
        ),
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
    ),
}


def rfc_request(example: str) -> Headers:
    signature_input, signature = RFC_EXAMPLES[example]
    return [*RFC_HEADERS, ("Signature-Input", signature_input), ("Signature", signature)]


def rfc_verified(headers: Headers, algorithms: Sequence[str] = ALGORITHMS) -> SignatureInput:
    return verify("POST", RFC_URL, headers, key_for=RFC_KEYS.get, now=NOW, algorithms=algorithms)


@pytest.mark.parametrize("example", RFC_EXAMPLES)
def test_the_signatures_of_rfc_9421_verify(example: str) -> None:
    signature_input = rfc_verified(rfc_request(example), [example.split(", ")[1]])
    assert f"{signature_input.label}={signature_input.text}" == RFC_EXAMPLES[example][0]


@pytest.mark.parametrize("example", list(RFC_EXAMPLES)[1:])
def test_the_signatures_of_rfc_9421_do_not_verify_for_an_altered_field(example: str) -> None:
    covered = "Content-Digest" if "content-digest" in RFC_EXAMPLES[example][0] else "Content-Type"
    headers = replaced(rfc_request(example), covered, "text/plain")
    assert rejection(lambda: rfc_verified(headers)).reason is Reason.MISMATCH


def test_the_signature_base_of_rfc_9421_b_2_3_comes_out() -> None:
    headers = rfc_request("B.2.3, rsa-pss-sha512")
    assert signature_base("POST", RFC_URL, headers, declared_signatures(headers)[0][0]) == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@method": POST\n'
        '"@path": /foo\n'
        '"@query": ?param=Value&Pet=dog\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"content-digest": sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm'
        "+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:\n"
        '"content-length": 18\n'
        '"@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
        '"content-length");created=1618884473;keyid="test-key-rsa-pss"'
    )


def test_the_signature_of_rfc_9421_b_2_5_comes_out() -> None:
    fields = sign(
        "POST",
        RFC_URL,
        RFC_HEADERS,
        key=SHARED_SECRET,
        key_id="test-shared-secret",
        components=("date", "@authority", "content-type"),
        created=datetime.fromtimestamp(1618884473, UTC),
        algorithm="hmac-sha256",
        label="sig-b25",
        declare_algorithm=False,
    )
    assert tuple(value for _, value in fields) == RFC_EXAMPLES["B.2.5, hmac-sha256"]


# RFC 9421, appendix B.4: what a proxy may change, and what it may not.
B_4_SIGNATURE: Headers = [
    (
        "Signature-Input",
        'transform=("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"',
    ),
    (
        "Signature",
        "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:",
    ),
]


@pytest.mark.parametrize(
    ("method", "url", "headers", "holds"),
    [
        (
            "GET",
            "https://example.org/demo?name1=Value1&Name2=value2",
            [("Accept", "application/json"), ("Accept", "*/*")],
            True,
        ),
        ("GET", "https://example.org/demo?param=added", [("Accept", "application/json, */*"), ("Date", "now")], True),
        ("GET", "http://EXAMPLE.org:80/demo", [("accept", "  application/json"), ("ACCEPT", "*/*  ")], True),
        ("POST", "https://example.org/demo", [("Accept", "application/json, */*")], False),
        ("GET", "https://example.org/demo/", [("Accept", "application/json, */*")], False),
        ("GET", "https://example.com/demo", [("Accept", "application/json, */*")], False),
        ("GET", "https://example.org/demo", [("Accept", "*/*"), ("Accept", "application/json")], False),
        ("GET", "https://example.org/demo", [("Accept", "application/json,*/*")], False),
    ],
)
def test_only_the_changes_that_rfc_9421_b_4_allows_keep_a_signature(
    method: str, url: str, headers: Headers, *, holds: bool
) -> None:
    def check() -> SignatureInput:
        return verify(method, url, headers + B_4_SIGNATURE, key_for=RFC_KEYS.get, now=NOW, algorithms=["ed25519"])

    if holds:
        assert check().label == "transform"
    else:
        assert rejection(check).reason is Reason.MISMATCH


# --- signing --------------------------------------------------------------------------------------------------------


def test_a_request_is_signed_as_the_standard_writes_it() -> None:
    (input_name, input_value), (name, value) = sign(
        METHOD, URL, HEADERS, key=KEY, key_id=KEY_ID, components=("@method", "content-digest"), created=NOW
    )
    assert (input_name, name) == ("Signature-Input", "Signature")
    assert input_value == (
        'sig=("@method" "content-digest");created=1768478400;keyid="client-1";alg="ecdsa-p384-sha384"'
    )
    assert value.startswith("sig=:")
    assert len(base64.b64decode(value[5:-1])) == 96


def test_signing_is_deterministic_and_depends_on_every_input() -> None:
    assert signed() == signed()
    others = [
        signed(created=NOW + timedelta(seconds=1)),
        signed(components=COMPONENTS[1:]),
        signed(nonce="n"),
        signed(key=key_from_seed(b"other")),
        signed(replaced(HEADERS, "Authorization", "Bearer other")),
    ]
    assert len({signature_of(headers) for headers in [signed(), *others]}) == 6


def test_all_parameters_are_written_and_read_back() -> None:
    headers = signed(expires=NOW + timedelta(seconds=60), nonce="n-1", tag="app", label="my-sig")
    signature_input = verified(headers)
    assert signature_input == SignatureInput(
        label="my-sig",
        components=COMPONENTS,
        created=1768478400,
        expires=1768478460,
        key_id=KEY_ID,
        algorithm=ECDSA_P384_SHA384,
        nonce="n-1",
        tag="app",
        text=dict(headers)["Signature-Input"].removeprefix("my-sig="),
    )


def test_parameters_that_are_not_given_are_not_written() -> None:
    signature_input = verified(signed(created=None, declare_algorithm=False))
    assert signature_input.text.endswith(');keyid="client-1"')
    assert (signature_input.created, signature_input.expires, signature_input.algorithm) == (None, None, None)


PRIVATE_KEYS: dict[str, Any] = {
    ECDSA_P384_SHA384: KEY,
    ECDSA_P256_SHA256: ec.derive_private_key(7, ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    "rsa-pss-sha512": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "hmac-sha256": b"shared secret",
}
PRIVATE_KEYS["rsa-v1_5-sha256"] = PRIVATE_KEYS["rsa-pss-sha512"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("declare_algorithm", [True, False])
def test_every_algorithm_signs_and_verifies_where_it_is_allowed_and_nowhere_else(
    algorithm: str, *, declare_algorithm: bool
) -> None:
    key = PRIVATE_KEYS[algorithm]
    headers = signed(key=key, algorithm=algorithm, declare_algorithm=declare_algorithm)
    keys = {KEY_ID: key if isinstance(key, bytes) else key.public_key()}
    assert verified(headers, key_for=keys.get, algorithms=[algorithm]).key_id == KEY_ID
    other = next(name for name in ALGORITHMS if name.split("-")[0] != algorithm.split("-", maxsplit=1)[0])
    assert rejection(lambda: verified(headers, key_for=keys.get, algorithms=[other])).reason is Reason.WRONG_ALGORITHM


def test_a_key_does_not_sign_with_an_algorithm_of_another_kind() -> None:
    with pytest.raises(KeyRejected, match="A key on the curve secp384r1 cannot sign with hmac-sha256"):
        signed(algorithm="hmac-sha256")
    with pytest.raises(KeyRejected, match="it can with hmac-sha256"):
        signed(key=b"secret")
    with pytest.raises(KeyRejected, match="A key of the kind Ed25519"):
        signed(key=PRIVATE_KEYS["ed25519"])


def test_signing_drops_no_component_in_silence() -> None:
    absent = rejection(lambda: signed(components=("x-missing",)))
    assert absent.reason is Reason.COMPONENT_ABSENT
    assert "covers x-missing, which the message does not have" in str(absent)
    assert rejection(lambda: signed(components=("@path", "@path"))).reason is Reason.COMPONENT_REPEATED


@pytest.mark.parametrize(
    "component", ["Content-Type", '"@path"', "@unknown", "@status", "@path;req", "", "a b", "é", "a;B"]
)
def test_a_component_that_is_none_is_refused(component: str) -> None:
    assert rejection(lambda: signed(components=(component,))).reason in {Reason.MALFORMED, Reason.COMPONENT_ABSENT}


def test_components_with_parameters_are_signed() -> None:
    components = ('@query-param;name="a"', 'content-digest;key="sha-256"', "content-type;bs", "@target-uri", "@scheme")
    headers = signed(components=components)
    signature_input = verified(headers)
    assert signature_input.components == components
    assert signature_base(METHOD, URL, headers, signature_input).split("\n")[:5] == [
        '"@query-param";name="a": 1',
        '"content-digest";key="sha-256": :X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
        '"content-type";bs: :YXBwbGljYXRpb24vanNvbg==:',
        f'"@target-uri": {URL}',
        '"@scheme": https',
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"key_id": "ü"}, "The parameter keyid is 'ü'; expected printable characters of ASCII alone."),
        ({"nonce": "a\nb"}, "The parameter nonce is 'a\\nb'; expected printable"),
        ({"tag": "\x7f"}, "The parameter tag is '\\x7f'; expected printable"),
        ({"label": "Sig"}, "The label is 'Sig'; expected small letters"),
        ({"label": ""}, "The label is ''; expected small letters"),
        ({"label": "1a"}, "The label is '1a'; expected small letters"),
        ({"label": "ü"}, "The label is 'ü'; expected small letters"),
        ({"label": "a\n"}, "The label is 'a\\n'; expected small letters"),
    ],
)
def test_what_no_signature_field_can_hold_is_refused_by_name(wrong: dict[str, Any], said: str) -> None:
    refused = rejection(lambda: signed(**wrong))
    assert refused.reason is Reason.MALFORMED
    assert said in str(refused)


@pytest.mark.parametrize("label", ["*", "*a", "a.b", "a_-*9"])
def test_a_label_of_any_form_that_fields_can_hold_is_read_back(label: str) -> None:
    headers = signed(label=label, key_id='a "b" \\ ~', nonce="", tag=" ")
    found = verify(METHOD, URL, headers, key_for=lambda _: KEY.public_key(), now=NOW)
    assert (found.label, found.key_id, found.nonce, found.tag) == (label, 'a "b" \\ ~', "", " ")


@pytest.mark.parametrize(
    ("name", "right"),
    [("a+b", "a%2Bb"), ("a%2bb", "a%2Bb"), ("a b", "a%20b"), ("%61", "a"), ("~", "%7E"), ("%2A", "*"), ("/", "%2F")],
)
def test_a_query_parameter_has_one_name(name: str, right: str) -> None:
    url = f"https://api.example/v1?{right}=x"

    def cover(*names: str) -> Headers:
        components = [f'@query-param;name="{each}"' for each in names]
        return sign("GET", url, [], key=KEY, key_id=KEY_ID, components=components, created=NOW)

    assert cover(right)
    refused = rejection(lambda: cover(right, name))
    assert refused.reason is Reason.MALFORMED
    assert f"expected {right!r}" in str(refused)


def test_a_field_is_covered_as_a_whole_in_two_other_ways_of_writing_it() -> None:
    components = ("@method", "a;sf", "b;bs", 'c;key="sf"', "d;sf;bs", "e;tr", '@query-param;name="f"')
    assert covered_whole(components) == {"@method", "a", "b", "d"}


@pytest.mark.parametrize("url", ["/v1/customers", "https://api.example.com/a b", "https:///v1"])
def test_a_url_that_is_not_absolute_and_encoded_is_refused(url: str) -> None:
    refused = rejection(
        lambda: sign("GET", url, [], key=KEY, key_id=KEY_ID, components=("@path",), created=NOW),
    )
    assert refused.reason is Reason.MALFORMED
    assert url in str(refused)


def test_those_components_are_chosen_that_the_message_has() -> None:
    assert present(COMPONENTS, METHOD, URL, HEADERS) == COMPONENTS
    bare = present((*COMPONENTS, "@authority"), "GET", "https://api.example.com/v1/customers", [("AUTHORIZATION", "x")])
    assert bare == ("@method", "@path", "authorization", "@authority")
    assert present(("@query",), "GET", "https://api.example.com/v1/customers?", []) == ("@query",)


# --- verifying ------------------------------------------------------------------------------------------------------


def test_any_order_of_components_and_any_label_verify() -> None:
    assert verified(signed(components=COMPONENTS[::-1], label="x")).components == COMPONENTS[::-1]


@pytest.mark.parametrize("field", [name for name, _ in HEADERS[1:]])
def test_an_altered_covered_field_is_refused(field: str) -> None:
    refused = rejection(lambda: verified(replaced(signed(), field, "altered")))
    assert refused.reason is Reason.MISMATCH
    assert "compare your signature base" in str(refused)


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("PUT", URL),
        (METHOD, URL.replace("customers", "customer")),
        (METHOD, URL.replace("/v1", "")),
        (METHOD, URL.replace("a=1", "a=2")),
        (METHOD, URL.split("?", maxsplit=1)[0]),
    ],
)
def test_an_altered_method_path_or_query_is_refused(method: str, url: str) -> None:
    assert rejection(lambda: verified(signed(), method=method, url=url)).reason is Reason.MISMATCH


@given(st.integers(0, 95), st.integers(1, 255))
def test_any_altered_byte_of_the_signature_is_refused(place: int, change: int) -> None:
    headers = signed()
    altered = bytearray(signature_of(headers))
    altered[place] ^= change
    headers = replaced(headers, "Signature", f"sig=:{base64.b64encode(altered).decode()}:")
    assert rejection(lambda: verified(headers)).reason is Reason.MISMATCH


@given(st.data())
def test_any_altered_character_of_the_signature_input_is_refused(data: st.DataObject) -> None:
    headers = signed()
    value = dict(headers)["Signature-Input"]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda drawn: drawn != value[place]))
    rejection(lambda: verified(replaced(headers, "Signature-Input", value[:place] + other + value[place + 1 :])))


FIELD_VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    st.from_regex(r"(/[A-Za-z0-9._~%41-]{0,8}){1,4}(\?[a-z=&]{0,10})?", fullmatch=True),
    st.dictionaries(st.from_regex(r"x-[a-z]{1,8}", fullmatch=True), FIELD_VALUES, max_size=3),
)
def test_what_is_signed_verifies(method: str, path: str, fields: dict[str, str]) -> None:
    url = "https://api.example.com" + path.replace("%", "")
    headers = list(fields.items())
    components = present(("@method", "@target-uri", "@path", "@query", *fields), method, url, headers)
    headers += sign(method, url, headers, key=KEY, key_id=KEY_ID, components=components, created=NOW)
    assert verify(method, url, headers, key_for=lambda _: KEY.public_key(), now=NOW).components == components


def test_another_key_of_the_same_kind_is_refused() -> None:
    keys = {KEY_ID: key_from_seed(b"other").public_key()}
    assert rejection(lambda: verified(signed(), key_for=keys.get)).reason is Reason.MISMATCH


def test_an_unknown_and_an_unnamed_key_are_refused() -> None:
    unknown = rejection(lambda: verified(signed(key_id="nobody")))
    assert (unknown.reason, "the id 'nobody'" in str(unknown)) == (Reason.UNKNOWN_KEY, True)
    unnamed = replaced(signed(), "Signature-Input", 'sig=("@method");created=1768478400')
    assert "no parameter keyid" in str(rejection(lambda: verified(unnamed)))


def test_the_algorithm_follows_from_the_key_and_not_from_the_request() -> None:
    p256 = PRIVATE_KEYS[ECDSA_P256_SHA256]
    headers = signed(key=p256, algorithm=ECDSA_P256_SHA256, declare_algorithm=False)
    refused = rejection(lambda: verified(headers, key_for={KEY_ID: p256.public_key()}.get))
    assert refused.reason is Reason.WRONG_ALGORITHM
    assert "is for ecdsa-p256-sha256" in str(refused)


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    pem = public_pem(KEY).encode()
    headers = signed(key=pem, algorithm="hmac-sha256")
    refused = rejection(lambda: verified(headers, algorithms=ALGORITHMS))
    assert refused.reason is Reason.WRONG_ALGORITHM


@pytest.mark.parametrize("declared", ["ecdsa-p256-sha256", "none", "rsa-pss-sha512", "ECDSA-P384-SHA384"])
def test_a_declared_algorithm_other_than_that_of_the_key_is_refused(declared: str) -> None:
    headers = signed()
    value = dict(headers)["Signature-Input"].replace(ECDSA_P384_SHA384, declared)
    assert rejection(lambda: verified(replaced(headers, "Signature-Input", value))).reason is Reason.WRONG_ALGORITHM


def test_a_signature_in_der_is_refused_and_named() -> None:
    headers = signed()
    signature = signature_of(headers)
    der = encode_dss_signature(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
    refused = rejection(lambda: verified(replaced(headers, "Signature", f"sig=:{base64.b64encode(der).decode()}:")))
    assert refused.reason is Reason.WRONG_FORM
    assert "expected 96 for ecdsa-p384-sha384: r and s of 48 bytes each; it looks like DER" in str(refused)


@pytest.mark.parametrize("size", [0, 64, 95, 97])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    headers = replaced(signed(), "Signature", f"sig=:{base64.b64encode(bytes(size)).decode()}:")
    refused = rejection(lambda: verified(headers))
    assert refused.reason is Reason.WRONG_FORM
    assert f"has {size} bytes" in str(refused)
    assert "DER" not in str(refused)


def test_required_components_must_be_covered() -> None:
    headers = signed(components=("@path", '@query-param;name="a"'))
    assert verified(headers, required=("@path", '@query-param;name="a"')).components
    refused = rejection(lambda: verified(headers, required=("@path", "@method", "content-digest")))
    assert refused.reason is Reason.COMPONENT_MISSING
    assert "it must cover @method, content-digest too" in str(refused)
    assert rejection(lambda: verified(headers, required=("@query-param",))).reason is Reason.COMPONENT_MISSING


def test_a_covered_field_that_was_taken_away_is_refused() -> None:
    headers = [(name, value) for name, value in signed() if name != "Content-Digest"]
    refused = rejection(lambda: verified(headers))
    assert refused.reason is Reason.COMPONENT_ABSENT
    assert "content-digest" in str(refused)


def test_a_covered_query_parameter_that_was_taken_away_is_refused() -> None:
    headers = signed(components=('@query-param;name="a"',))
    refused = rejection(lambda: verified(headers, url="https://api.example.com/v1/customers?b=2"))
    assert refused.reason is Reason.COMPONENT_ABSENT


def test_a_component_covered_twice_is_refused() -> None:
    headers = replaced(signed(), "Signature-Input", f'sig=("@path" "@path");created=1768478400;keyid="{KEY_ID}"')
    assert rejection(lambda: verified(headers)).reason is Reason.COMPONENT_REPEATED


def test_a_signature_that_covers_nothing_verifies_unless_something_is_required() -> None:
    headers = signed(components=())
    assert verified(headers).components == ()
    assert rejection(lambda: verified(headers, required=("@method",))).reason is Reason.COMPONENT_MISSING


@pytest.mark.parametrize(
    ("age", "reason"),
    [(300, None), (301, Reason.TOO_OLD), (-5, None), (-6, Reason.IN_THE_FUTURE)],
)
def test_created_is_held_to_its_limits(age: int, reason: Reason | None) -> None:
    headers = signed(created=NOW - timedelta(seconds=age))
    assert verified(headers).created == NOW.timestamp() - age

    def limited() -> SignatureInput:
        return verified(headers, max_age=timedelta(seconds=300), max_ahead=timedelta(seconds=5))

    if reason is None:
        assert limited().created
    else:
        refused = rejection(limited)
        assert refused.reason is reason
        assert f"{abs(age)} s" in str(refused)


@pytest.mark.parametrize("limit", ["max_age", "max_ahead"])
def test_created_is_needed_where_it_is_limited(limit: str) -> None:
    limits: dict[str, Any] = {limit: timedelta(seconds=5)}
    refused = rejection(lambda: verified(signed(created=None), **limits))
    assert refused.reason is Reason.CREATED_MISSING


def test_a_signature_holds_until_it_expires() -> None:
    headers = signed(expires=NOW)
    assert verified(headers).expires == NOW.timestamp()
    refused = rejection(lambda: verified(headers, now=NOW + timedelta(seconds=2)))
    assert refused.reason is Reason.EXPIRED
    assert "expired 2 s ago" in str(refused)


def test_a_time_far_beyond_any_calendar_is_judged_too() -> None:
    headers = replaced(signed(), "Signature-Input", f'sig=();created=999999999999999;keyid="{KEY_ID}"')
    assert rejection(lambda: verified(headers, max_ahead=timedelta(0))).reason is Reason.IN_THE_FUTURE
    assert rejection(lambda: verified(headers, seen=ReplayStore())).reason is Reason.MISMATCH


# --- several signatures ---------------------------------------------------------------------------------------------


def doubled(other_key: ec.EllipticCurvePrivateKey) -> Headers:
    first = sign(METHOD, URL, HEADERS, key=KEY, key_id=KEY_ID, components=COMPONENTS, created=NOW, label="one")
    second = sign(METHOD, URL, HEADERS, key=other_key, key_id=KEY_ID, components=("@path",), created=NOW, label="two")
    return HEADERS + first + second


def test_each_of_several_signatures_must_verify() -> None:
    assert verified(doubled(KEY)).label == "one"
    refused = rejection(lambda: verified(doubled(key_from_seed(b"other"))))
    assert refused.reason is Reason.MISMATCH
    assert "signature two" in str(refused)


@pytest.mark.parametrize(
    ("stranger", "said"),
    [
        ({"created": NOW - timedelta(days=1)}, "The signature proxy was created 86400 s ago"),
        ({"created": NOW + timedelta(days=1)}, "The signature proxy was created 86400 s ahead"),
        ({"created": NOW, "expires": NOW - timedelta(seconds=9)}, "The signature proxy expired 9 s ago"),
        ({"created": None}, "The signature proxy has no parameter created"),
        ({"created": NOW, "components": ("@path",)}, "The signature proxy covers @path"),
        ({"created": NOW, "key": b"shared", "algorithm": "hmac-sha256"}, "The signature proxy declares the algorithm"),
        ({"created": NOW, "key": key_from_seed(b"other")}, "The signature proxy does not verify"),
    ],
)
def test_a_refusal_names_the_signature_that_it_is_about(stranger: dict[str, Any], said: str) -> None:
    added: dict[str, Any] = {"key": KEY, "key_id": KEY_ID, "components": ("@method",), "label": "proxy", **stranger}
    headers = signed() + sign(METHOD, URL, HEADERS, **added)
    limits: dict[str, Any] = {
        "max_age": timedelta(minutes=5),
        "max_ahead": timedelta(minutes=1),
        "required": ("@method",),
    }
    assert said in str(rejection(lambda: verified(headers, **limits)))


def test_a_replayed_and_a_misshapen_signature_are_named() -> None:
    headers, seen = signed(label="mine"), ReplayStore()
    verified(headers, seen=seen)
    assert "The signature mine was accepted before" in str(rejection(lambda: verified(headers, seen=seen)))
    short = replaced(headers, "Signature", "mine=:AAAA:")
    assert "The signature mine has 3 bytes" in str(rejection(lambda: verified(short)))


# --- the fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signature_input", "signature", "reason", "said"),
    [
        (None, None, Reason.MISSING, "no Signature-Input header"),
        (None, "sig=:AAAA:", Reason.MISSING, "no Signature-Input header"),
        ("sig=()", None, Reason.MISSING, "no Signature header"),
        ("", "", Reason.MISSING, "no Signature-Input header"),
        ("sig=(", "sig=:AAAA:", Reason.MALFORMED, "Signature-Input is not a dictionary"),
        ("sig=(é)", "sig=:AAAA:", Reason.MALFORMED, "Signature-Input is not a dictionary"),
        ("text", "sig=:AAAA:", Reason.LABEL_MISMATCH, "the same labels"),
        ("text", "text", Reason.MALFORMED, "no list of components under text"),
        ('sig="@method"', "sig=:AAAA:", Reason.MALFORMED, "no list of components under sig"),
        ("sig=()", "sig=AAAA", Reason.MALFORMED, "expected sig=:base64:"),
        ("sig=()", "sig=:AA*A:", Reason.MALFORMED, "Signature is not a dictionary"),
        ("sig=()", "other=:AAAA:", Reason.LABEL_MISMATCH, "labels sig and Signature has other"),
        ("sig=(), two=()", "sig=:AAAA:", Reason.LABEL_MISMATCH, "labels sig, two and Signature has sig"),
        ("sig=(), sig=()", "sig=:AAAA:", Reason.MALFORMED, "the label sig twice"),
        ("sig=()", "sig=:AAAA:, sig=:AAAA:", Reason.MALFORMED, "the label sig twice"),
        ("sig=(@method)", "sig=:AAAA:", Reason.MALFORMED, "Signature-Input is not a dictionary"),
        ("sig=(method)", "sig=:AAAA:", Reason.MALFORMED, "which is no component"),
        ('sig=("Content-Type")', "sig=:AAAA:", Reason.MALFORMED, "'Content-Type', which is no component"),
        ('sig=("a;b")', "sig=:AAAA:", Reason.MALFORMED, "'a;b', which is no component"),
        ('sig=("")', "sig=:AAAA:", Reason.MALFORMED, "which is no component"),
        ('sig=();created="1"', "sig=:AAAA:", Reason.MALFORMED, "created of sig is '1', expected an integer"),
        ("sig=();created=1.5", "sig=:AAAA:", Reason.MALFORMED, "expected an integer"),
        ("sig=();expires", "sig=:AAAA:", Reason.MALFORMED, "expires of sig is True, expected an integer"),
        ("sig=();keyid=client-1", "sig=:AAAA:", Reason.MALFORMED, "expected a string in quotes"),
        ("sig=();alg=1", "sig=:AAAA:", Reason.MALFORMED, "alg of sig is 1, expected a string in quotes"),
        ("sig=();nonce=:AAAA:", "sig=:AAAA:", Reason.MALFORMED, "expected a string in quotes"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(
    signature_input: str | None, signature: str | None, reason: Reason, said: str
) -> None:
    fields = [("Signature-Input", signature_input), ("signature", signature)]
    refused = rejection(lambda: verified([(name, value) for name, value in fields if value is not None]))
    assert refused.reason is reason
    assert said in str(refused)


def test_what_is_declared_is_read_from_fields_in_any_spelling() -> None:
    headers = [
        ("SIGNATURE-input", 'a=( "@method"  "@query-param";name="x" );created=1;keyid="k";unknown=2'),
        ("signature-INPUT", "b=()"),
        ("Signature", "b=:AQ==:, a=:AAAA:"),
    ]
    (first, first_bytes), (second, second_bytes) = declared_signatures(headers)
    assert first.components == ("@method", '@query-param;name="x"')
    assert first.text == '("@method" "@query-param";name="x");created=1;keyid="k";unknown=2'
    assert (first.label, first.created, first.key_id, first_bytes) == ("a", 1, "k", bytes(3))
    assert (second.label, second.components, second.key_id, second_bytes) == ("b", (), None, b"\x01")


@pytest.mark.parametrize("value", ["line\nbreak", "line\rbreak", "Zürich"])
def test_a_value_that_would_break_the_signature_base_is_refused(value: str) -> None:
    assert rejection(lambda: signed([("X-A", value)], components=("x-a",))).reason is Reason.MALFORMED


# --- replay ---------------------------------------------------------------------------------------------------------


def test_a_signature_is_accepted_once_where_replays_are_remembered() -> None:
    seen = ReplayStore()
    headers = signed()
    assert verified(headers, seen=seen)
    refused = rejection(lambda: verified(headers, seen=seen))
    assert refused.reason is Reason.REPLAYED
    assert "sign each request anew" in str(refused)
    assert verified(headers)
    assert verified(signed(nonce="another"), seen=seen)


def test_a_nonce_is_accepted_once_per_key_whatever_else_changes() -> None:
    seen = ReplayStore()
    assert verified(signed(nonce="n"), seen=seen)
    again = signed(nonce="n", created=NOW + timedelta(seconds=1))
    assert rejection(lambda: verified(again, seen=seen)).reason is Reason.REPLAYED


def test_the_second_signature_that_anybody_can_make_of_the_first_is_a_replay() -> None:
    seen = ReplayStore()
    headers = signed()
    signature = signature_of(headers)
    assert verified(headers, seen=seen)
    twin = signature[:48] + (ec.SECP384R1().group_order - int.from_bytes(signature[48:], "big")).to_bytes(48, "big")
    headers = replaced(headers, "Signature", f"sig=:{base64.b64encode(twin).decode()}:")
    assert verified(headers)
    assert rejection(lambda: verified(headers, seen=seen)).reason is Reason.REPLAYED


def test_a_rejected_signature_is_not_remembered() -> None:
    seen = ReplayStore()
    headers = signed()
    rejection(lambda: verified(headers, method="PUT", seen=seen))
    assert verified(headers, seen=seen)


def test_a_signature_is_remembered_as_long_as_it_could_be_accepted() -> None:
    seen = ReplayStore()
    headers = signed()
    limit = timedelta(seconds=300)
    assert verified(headers, seen=seen, max_age=limit)
    later = NOW + limit
    assert rejection(lambda: verified(headers, seen=seen, max_age=limit, now=later)).reason is Reason.REPLAYED
    assert rejection(lambda: verified(headers, seen=seen, max_age=limit, now=later + limit)).reason is Reason.TOO_OLD


def test_a_store_forgets_what_has_ended() -> None:
    seen = ReplayStore()
    assert not seen.seen_before("k", b"short", now=0, until=10)
    assert not seen.seen_before("k", b"long", now=0, until=math.inf)
    assert seen.seen_before("k", b"short", now=10, until=10)
    assert not seen.seen_before("other", b"short", now=10, until=10)
    assert not seen.seen_before("k", b"short", now=11, until=20)
    assert seen.seen_before("k", b"long", now=1000, until=math.inf)
    assert len(seen._until) == 1


# --- keys -----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=40))
def test_a_key_follows_from_its_seed(seed: bytes) -> None:
    assert private_pem(key_from_seed(seed)) == private_pem(key_from_seed(seed))
    assert private_pem(key_from_seed(seed)) != private_pem(key_from_seed(seed + b"x"))


def test_keys_are_read_back_from_their_pem() -> None:
    assert load_private_key(private_pem(KEY)).private_numbers() == KEY.private_numbers()
    assert load_public_key(public_pem(KEY)).public_numbers() == KEY.public_key().public_numbers()
    assert public_pem(KEY) == public_pem(KEY.public_key())


def test_a_key_is_read_as_openssl_writes_it() -> None:
    sec1 = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"
    assert "BEGIN EC PRIVATE KEY" in sec1
    assert load_private_key(parameters + sec1).private_numbers() == KEY.private_numbers()


def p256_pem(part: str) -> str:
    key = PRIVATE_KEYS[ECDSA_P256_SHA256]
    if part == "public":
        return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no PEM text"),
        ("key.pem", "this is no PEM text"),
        (public_pem(KEY), "-----BEGIN PRIVATE KEY-----.*this is another kind of PEM text"),
        (base64.b64encode(private_pem(KEY).encode()).decode(), "base64 of PEM text; decode it first"),
        (
            KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")).decode(),
            "without a password",
        ),
        (private_pem(KEY).replace("MIG", "!!!"), "cannot be read"),
        (private_pem(KEY)[:100] + private_pem(KEY)[140:], "cannot be read"),
        (p256_pem("private"), "curve secp256r1 was given, expected one on P-384.*openssl ecparam -name secp384r1"),
    ],
)
def test_what_is_no_private_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(KeyRejected, match=said):
        load_private_key(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no PEM text"),
        (private_pem(KEY), "-----BEGIN PUBLIC KEY-----.*this is another kind of PEM text"),
        (base64.b64encode(public_pem(KEY).encode()).decode(), "base64 of PEM text; decode it first"),
        (public_pem(KEY)[:100] + public_pem(KEY)[140:], "cannot be read"),
        (p256_pem("public"), "curve secp256r1 was given, expected one on P-384"),
    ],
)
def test_what_is_no_public_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(KeyRejected, match=said):
        load_public_key(text)
