"""`conformance explain` reads requests as people have them, and ends with the exit code that fits."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from conformance.cli import app
from conformance.commands.curl import RequestUnreadableError
from conformance.commands.request_files import read_written
from conformance.commands.sign import as_curl
from conformance.diagnosis import search, ways
from conformance.diagnosis.texts import NONE_FITS
from conformance.exchange import Exchange, Request, Response
from conformance.files import data_path
from conformance.recording.har import to_har
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import key_from_seed, public_pem, sign
from conformance.standards.personal_message import address_of
from conformance.standards.personal_message import sign as personal_sign

SCHEMA = jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/explanation.json").read_bytes()))
KEY, OTHER = key_from_seed(b"one"), key_from_seed(b"two")
BODY = b'{"chainId":"eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d"}'
PATH = "/w/1/offblocks/v1/customers?a=%2F"
URL = f"https://api.example.com{PATH}"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def signed(url: str = URL, method: str = "POST", key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> Request:
    headers = [
        ("Host", httpx.URL(url).netloc.decode()),
        ("Content-Type", "application/json"),
        ("Content-Digest", content_digest(BODY)),
        ("Content-Length", str(len(BODY))),
        ("Idempotency-Key", "123e4567-e89b-12d3-a456-426614174000"),
    ]
    components = ("@method", "@target-uri", "content-digest", "content-type", "idempotency-key")
    added = sign(changes.get("as_method", method), changes.get("as_url", url), headers, key=key, key_id="one",
                 components=components, created=CREATED)  # fmt: skip
    return Request(method=method, url=url, headers=(*headers, *added), body=BODY)


def raw(request: Request, *, end: str = "\r\n", target: str | None = None, leave_out: tuple[str, ...] = ()) -> bytes:
    shown = httpx.URL(request.url).raw_path.decode() if target is None else target
    lines = [f"{request.method} {shown} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers if name.lower() not in leave_out]
    return end.join([*lines, "", ""]).encode() + request.body


def har(request: Request) -> dict[str, Any]:
    return to_har([Exchange("1", None, "first", CREATED, 0.1, request, Response(status=401))])


def curl(request: Request) -> bytes:
    leave_out = {"host", "content-length"}
    headers = [(name, value) for name, value in request.headers if name.lower() not in leave_out]
    return as_curl(httpx.Request(request.method, request.url, headers=headers, content=request.body)).encode()


def curl_by_url(request: Request) -> bytes:
    headers = " ".join(f"--header '{name}: {value}'" for name, value in request.headers)
    return f"curl --request {request.method} {headers} --data-binary '{BODY.decode()}' --url '{request.url}'".encode()


def curl_of_a_browser(request: Request) -> bytes:
    headers = " \\\n  ".join(f"-H $'{name}: {value}'" for name, value in request.headers)
    body = f"--data-raw $'{BODY.decode()}' --compressed"
    return f"curl '{request.url}' \\\n  -X {request.method} \\\n  {headers} \\\n  {body}".encode()


FORMS: dict[str, Callable[[Request], bytes]] = {
    "raw with CRLF": raw,
    "raw with LF": lambda request: raw(request, end="\n"),
    "raw in absolute form": lambda request: raw(request, target=request.url),
    "raw without length": lambda request: raw(request, end="\n", leave_out=("content-length",)) + b"\n",
    "raw with a newline more": lambda request: raw(request) + b"\r\n",
    "raw as curl -v shows it": lambda request: b"".join(
        b"> " + line + b"\n" for line in raw(request, end="\n").split(b"\n")
    ),
    "an archive": lambda request: json.dumps(har(request)).encode(),
    "an entry of an archive": lambda request: json.dumps(har(request)["log"]["entries"][0]).encode(),
    "the request of an entry": lambda request: json.dumps(har(request)["log"]["entries"][0]["request"]).encode(),
    "an entry of our log": lambda request: json.dumps(
        {"request": {"method": request.method, "url": request.url, "headers": request.headers, "body": BODY.decode()}}
    ).encode(),
    "curl": curl,
    "curl with --url": curl_by_url,
    "curl of a browser": curl_of_a_browser,
    "UTF-8 with a mark": lambda request: b"\xef\xbb\xbf" + raw(request),
}


def explain(*words: object, given: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, words)], input=given)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "one.pem").write_text(public_pem(KEY))
    (folder / "two.pem").write_text(public_pem(OTHER))
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_a_request_is_read_in_each_form(form: str, keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "request"
    file.write_bytes(FORMS[form](signed()))
    shown = explain("request", file, "--public-key", keys / "one.pem")
    assert (shown.exit_code, shown.stdout) == (0, "signature sig: valid\nContent-Digest: valid\n"), shown.output
    file.write_bytes(FORMS[form](signed(as_method="PUT")))
    shown = explain("request", file, "--public-key", keys / "one.pem")
    assert shown.exit_code == 1
    assert "other-method" in shown.stdout


def test_what_fits_stands_beside_what_was_expected(keys: Path) -> None:
    shown = explain("request", "-", "--public-key", keys / "one.pem", given=raw(signed(as_method="PUT")))
    assert '  first line that differs, 1:\n    expected: "@method": POST\n    fits:     "@method": PUT' in shown.stdout
    assert shown.stdout.count('"@signature-params"') == 2


def test_the_json_is_that_of_the_schema(keys: Path) -> None:
    given = raw(signed(as_method="PUT"))
    shown = explain("request", "-", "--public-key", keys / "one.pem", "--json", given=given)
    document = json.loads(shown.stdout)
    SCHEMA.validate(document)
    assert document["mistakes"] == ["other-method"]
    assert document["parts"][0]["explanations"][0]["first_difference"]["line"] == 1


def test_the_base_url_says_where_it_went(keys: Path) -> None:
    request = signed("https://gateway.example.com/w/1/offblocks/v1/customers?a=%2F")
    for target in (PATH, "/v1/customers?a=%2F"):
        given = raw(request, target=target, leave_out=("host",))
        unknown = explain("request", "-", "--public-key", keys / "one.pem", given=given)
        assert unknown.exit_code == 2
        assert "give --base-url" in unknown.stderr
        base_url = "https://gateway.example.com/w/1/offblocks"
        known = explain("request", "-", "--public-key", keys / "one.pem", "--base-url", base_url, given=given)
        assert known.exit_code == 0, known.output


def test_behind_a_proxy_the_other_host_is_named(keys: Path) -> None:
    request = signed("http://127.0.0.1:9000/v1/customers")
    shown = explain(
        "request", "-", "--public-key", keys / "one.pem", "--base-url", "https://api.example.com", given=curl(request)
    )
    assert shown.exit_code == 1
    assert {"other-host", "other-scheme"} <= {line.strip().partition(":")[0] for line in shown.stdout.splitlines()}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_a_file_shows_no_scheme_either_will_do(scheme: str, keys: Path) -> None:
    shown = explain(
        "request", "-", "--public-key", keys / "one.pem", given=raw(signed(f"{scheme}://api.example.com/v1"))
    )
    assert shown.exit_code == 0, shown.output


def test_a_key_that_signed_instead_is_named_by_its_file(keys: Path) -> None:
    given = raw(signed(key=OTHER))
    shown = explain("request", "-", "--public-key", keys / "one.pem", "--public-key", keys / "two.pem", given=given)
    assert shown.exit_code == 1
    assert f"verifies with the key {keys / 'two.pem'}, not with {keys / 'one.pem'}" in shown.stdout


def test_the_key_that_the_signature_names_is_the_right_one(keys: Path) -> None:
    order = ("--public-key", keys / "two.pem", "--public-key", keys / "one.pem")
    assert explain("request", "-", *order, given=raw(signed())).exit_code == 0


def test_an_api_adds_what_it_wants(keys: Path) -> None:
    unsigned = signed()
    added = sign("POST", URL, unsigned.headers[:5], key=KEY, key_id="one", components=("@path",), created=CREATED)
    given = raw(Request(method="POST", url=URL, headers=(*unsigned.headers[:5], *added), body=BODY))
    assert explain("request", "-", "--public-key", keys / "one.pem", given=given).exit_code == 0
    shown = explain("request", "-", "--public-key", keys / "one.pem", "--api", "offblocks", given=given)
    assert shown.exit_code == 1
    assert "does not cover @method, @query, content-digest, idempotency-key" in shown.stdout


def test_a_digest_and_a_signature_that_are_both_wrong_are_both_named(keys: Path) -> None:
    request = signed(as_method="PUT")
    altered = Request(method="POST", url=URL, headers=request.headers, body=BODY + b"\n")
    headers = tuple((name, value) for name, value in altered.headers if name != "Content-Length")
    given = raw(
        Request(method="POST", url=URL, headers=(*headers, ("Content-Length", str(len(BODY) + 1))), body=BODY + b"\n")
    )
    shown = explain("request", "-", "--public-key", keys / "one.pem", "--json", given=given)
    assert json.loads(shown.stdout)["mistakes"] == ["other-method", "digest-of-other-bytes"]


def test_what_nothing_explains_is_told_so(keys: Path) -> None:
    shown = explain("request", "-", "--public-key", keys / "two.pem", given=raw(signed()))
    assert shown.exit_code == 1
    assert NONE_FITS in shown.stdout
    assert '    "@method": POST' in shown.stdout


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "one")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(KEY.public_key())
    until = datetime(2027, 1, 1, tzinfo=UTC)
    built = builder.serial_number(1).not_valid_before(CREATED).not_valid_after(until).sign(KEY, hashes.SHA384())
    return built.public_bytes(Encoding.PEM)


def _jwk() -> dict[str, str]:
    numbers = KEY.public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(part.to_bytes(48, "big")).rstrip(b"=").decode() for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-384", "x": x, "y": y, "kid": "one"}


PUBLIC = KEY.public_key()
KEY_FORMS = {
    "PEM": public_pem(KEY).encode(),
    "DER": PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "base64 of PEM": base64.b64encode(public_pem(KEY).encode()),
    "base64 of DER": base64.b64encode(PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)),
    "certificate": _certificate(),
    "JSON Web Key": json.dumps(_jwk()).encode(),
    "JSON Web Key Set": json.dumps({"keys": [_jwk()]}).encode(),
    "OpenSSH": PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
    "point": PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex().encode(),
    "private key": KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
}


@pytest.mark.parametrize("form", KEY_FORMS)
def test_a_key_is_read_in_each_form(form: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY_FORMS[form])
    shown = explain("request", "-", "--public-key", file, given=raw(signed()))
    assert shown.exit_code == 0, shown.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "There is no key"),
        (b"text", "There is no key"),
        (b"{}", "kty None"),
        (b'{"kty": "EC", "crv": "P-384"}', "cannot be read"),
        (b"[1]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read"),
    ],
)
def test_what_is_no_key_is_exit_2(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    shown = explain("request", "-", "--public-key", file, given=raw(signed()))
    assert shown.exit_code == 2
    assert said in shown.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"\r\n", "The file is empty"),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "holds an answer"),
        (b"nothing", "is no request line"),
        (b"GET /v1 HTTP/1.1\r\nno header\r\n\r\n", "is no header"),
        (b"GET v1 HTTP/1.1\r\nHost: a\r\n\r\n", "neither a path"),
        (b'{"log": {"entries": []}}', "holds 0 requests"),
        (b'[{"request": {}}, {"request": {}}]', "holds 2 requests"),
        (b'{"request": {}}', "no request with method, url and headers"),
        (b"[" * 100_000, "cannot be read as such"),
        (b'{"method": "GET", "url": "/v1", "headers": []}', "does not begin with http"),
        (b"curl 'http://a/", "The command line cannot be read"),
        (b"curl --form a=b http://a/", "no curl command line"),
        (b"curl http://[::1/", "is no URL"),
        (b"GET http://a:99999/ HTTP/1.1\n\n", "is no URL"),
        (b'{"method": "GET", "url": "http://[::1/", "headers": []}', "is no URL"),
        (b"curl -X GET", "There is no URL"),
    ],
)
def test_what_is_no_request_is_exit_2_and_says_so(content: bytes, said: str, keys: Path) -> None:
    shown = explain("request", "-", "--public-key", keys / "one.pem", given=content)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert said in shown.stderr


def test_bytes_that_are_no_utf_8_are_searched_as_well(keys: Path) -> None:
    given = raw(signed()).replace(b"/v1/customers", b"/v1/\xe7ustomers")
    shown = explain("request", "-", "--public-key", keys / "one.pem", given=given)
    assert shown.exit_code == 1
    assert NONE_FITS in shown.stdout


@given(st.binary(max_size=120), st.sampled_from([b"", b"GET / HTTP/1.1\n", b"{", b"curl "]))
def test_any_bytes_are_a_request_or_are_refused(content: bytes, start: bytes) -> None:
    with suppress(RequestUnreadableError):
        read_written(start + content, "https://api.example.com")


@pytest.mark.parametrize("length", ["9" * 5000, "²", "-5", ""])
def test_a_length_that_is_none_is_passed_over(length: str, keys: Path) -> None:
    given = raw(signed()).replace(f"Content-Length: {len(BODY)}".encode(), f"Content-Length: {length}".encode())
    assert explain("request", "-", "--public-key", keys / "one.pem", given=given).exit_code == 0


def test_comments_before_a_request_are_passed_over(keys: Path) -> None:
    given = b"### create\n# @name create\n@host = api.example.com\n\n" + raw(signed())
    assert explain("request", "-", "--public-key", keys / "one.pem", given=given).exit_code == 0


def test_wrong_usage_is_exit_2(keys: Path, tmp_path: Path) -> None:
    for words in (
        ("request", "-"),
        ("request", tmp_path / "nowhere", "--public-key", keys / "one.pem"),
        ("request", "-", "--public-key", tmp_path / "nowhere"),
        ("request", "-", "--public-key", keys / "one.pem", "--api", "planbok"),
        ("request", "-", "--public-key", keys / "one.pem", "--base-url", "api.example.com"),
        ("challenge", "--challenge", "a", "--signature", "b", "--owner", "nobody"),
        ("challenge", "--challenge", "a", "--signature", "b"),
        ("challenge", "--challenge", "a" * 200_000, "--signature", "b", "--owner", f"eip155:1:0x{'1' * 40}"),
    ):
        shown = explain(*words, given=raw(signed()))
        assert shown.exit_code == 2, words
        assert "Traceback" not in shown.output


# ---------------------------------------------------------------------------------------------------------- challenges

WALLET = bytes(range(1, 33))
MESSAGE = b"a message\nof two lines"
CHALLENGE = base64.b64encode(MESSAGE).decode()
OWNER = f"eip155:1:{address_of(WALLET)}"


def sent(message: bytes) -> str:
    return base64.b64encode(f"0x{personal_sign(message, WALLET).hex()}".encode()).decode()


@pytest.mark.parametrize("challenge", [CHALLENGE, MESSAGE.decode()])
def test_a_challenge_is_explained(challenge: str) -> None:
    right = explain("challenge", "--challenge", challenge, "--signature", sent(MESSAGE), "--owner", OWNER)
    assert (right.exit_code, right.stdout) == (0, "signature: valid\n")
    text = sent(CHALLENGE.encode())
    wrong = explain("challenge", "--challenge", CHALLENGE, "--signature", text, "--owner", OWNER, "--json")
    assert wrong.exit_code == 1
    SCHEMA.validate(json.loads(wrong.stdout))
    assert json.loads(wrong.stdout)["mistakes"] == ["signed-the-base64-text"]


def test_an_older_challenge_is_named() -> None:
    older = base64.b64encode(b"older").decode()
    shown = explain(
        "challenge", "--challenge", CHALLENGE, "--challenge", older, "--signature", sent(b"older"), "--owner", OWNER
    )
    assert "signed-older-challenge" in shown.stdout


def test_typed_data_that_was_signed_is_named_and_none_is_exit_2(tmp_path: Path) -> None:
    file = tmp_path / "typed.json"
    file.write_text(json.dumps({"types": {}}))
    words = ("challenge", "--challenge", CHALLENGE, "--signature", sent(b"x"), "--owner", OWNER, "--typed-data", file)
    assert explain(*words).exit_code == 2
    document = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}],
            "Mail": [{"name": "contents", "type": "string"}],
        },
        "primaryType": "Mail",
        "domain": {"name": "Ether Mail"},
        "message": {"contents": "Hello"},
    }
    file.write_text(json.dumps(document))
    text = sent(json.dumps(document, separators=(",", ":")).encode())
    shown = explain("challenge", "--challenge", CHALLENGE, "--signature", text, "--owner", OWNER, "--typed-data", file)
    assert "signed-typed-data" in shown.stdout
    assert "its JSON text" in shown.stdout


# ------------------------------------------------------------------------------------------------------------ how much


def test_the_most_common_mistakes_are_found_within_few_tries(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bytes] = []

    def counted(key: Any, declared: str | None) -> Iterator[ways.Way]:
        for way in ways.ways(key, declared):

            def verifies(text: bytes, signature: bytes, way: ways.Way = way) -> bool:
                tries.append(text)
                return way.verifies(text, signature)

            yield replace(way, verifies=verifies)

    monkeypatch.setattr(search, "ways", counted)
    file = tmp_path / "request"
    file.write_bytes(raw(signed(as_method="PUT")))
    assert "PUT" in explain("request", file, "--public-key", keys / "one.pem").stdout
    assert 1 < len(tries) < 500, "benchmarks/explanation.py measures what they cost"
