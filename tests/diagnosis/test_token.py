"""What is said of a token: its form, its time, and what stands in its place; never the token itself."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conformance.cli import app
from conformance.clock import EPOCH_OF_WORLDS
from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.texts import as_json, summary
from conformance.diagnosis.token import claims_in, diagnose_token
from conformance.ids import Ids
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start

NOW = EPOCH_OF_WORLDS
KEY = "PLANBOK-X-API-KEY"
UUID = str(Ids("key").uuid())


def b64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def token(header: Any = None, size: int = 32, **claims: Any) -> str:
    """A token signed with HS256, with changed claims; `...` for one that is left out."""
    payload = {
        "iss": "issuer?>",
        "sub": UUID,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
        **claims,
    }
    payload = {name: value for name, value in payload.items() if value is not ...}
    parts = [b64url(json.dumps(each).encode()) for each in (header or {"alg": "HS256", "typ": "JWT"}, payload)]
    signed = ".".join(parts)
    return f"{signed}.{b64url(hmac.digest(b'secret', signed.encode(), hashlib.sha256)[:size])}"


RIGHT = token()
HEADER, PAYLOAD, SIGNATURE = RIGHT.split(".")


def names(diagnosis: Diagnosis) -> list[str]:
    return [mistake.name for mistake in diagnosis.mistakes]


def at(**ahead: float) -> int:
    return int((NOW + timedelta(**ahead)).timestamp())


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"{RIGHT}\n",
        f"Bearer {RIGHT}",
        f"Authorization: Bearer {RIGHT}",
        f"authorization: bearer {RIGHT}\r\n",
        token({"alg": "RS256"}, iat=..., nbf=at(seconds=0)),
        f"{KEY}: pk_live_0123456789",
        f"{KEY.lower()}: {UUID}",
    ],
)
def test_a_right_one_is_valid(text: str) -> None:
    diagnosis = diagnose_token(text, NOW, key_header=KEY)
    assert (diagnosis.valid, names(diagnosis)) == (True, [])


MISTAKES = [
    ("", ["token-empty"]),
    ("Authorization: Bearer", ["token-empty"]),
    ("not-a-token", ["token-is-none"]),
    (f"Authorization: {RIGHT}", ["token-scheme-missing"]),
    (f"Authorization: Token {RIGHT}", ["token-scheme-other"]),
    (f"Authorization: Bearer Bearer {RIGHT}", ["token-scheme-twice"]),
    (f"Authorization: Bearer {UUID}", ["token-is-uuid"]),
    (UUID.upper(), ["token-is-uuid"]),
    (
        f"Authorization: Basic {base64.b64encode(b'name:secret-value').decode()}",
        ["token-scheme-other", "token-is-basic"],
    ),
    ("-----BEGIN PUBLIC KEY-----\nMHYw", ["token-white-space", "token-is-key-pem"]),
    (f'"{RIGHT}"', ["token-quotation-marks"]),
    (f"{RIGHT[:50]}\n{RIGHT[50:]}", ["token-white-space"]),
    (f" {RIGHT}", ["token-white-space"]),
    (json.dumps({"token": RIGHT, "tokenType": "Bearer"}), ["token-as-json"]),
    (f"{HEADER}.{PAYLOAD}", ["token-cut-off"]),
    (HEADER, ["token-cut-off"]),
    (f"{RIGHT}.{SIGNATURE}.{SIGNATURE}", ["token-encrypted"]),
    (f"{RIGHT}.x", ["token-parts"]),
    (f"{HEADER}.{PAYLOAD}.", ["token-signature-missing"]),
    (token(size=20), ["token-signature-size"]),
    (f"{HEADER}.{PAYLOAD}.{SIGNATURE}=", ["token-padded"]),
    (f"{HEADER[:-2]}.{PAYLOAD}.{SIGNATURE}", ["token-part-unreadable"]),
    (f"{HEADER}.{PAYLOAD[5:]}.{SIGNATURE}", ["token-part-unreadable"]),
    (token({"alg": "none"}), ["token-not-signed"]),
    (token(exp=at(seconds=0)), ["token-expired"]),
    (token(exp=at(days=-30)), ["token-expired"]),
    (token(nbf=at(minutes=10)), ["token-not-yet"]),
    (token(iat=at(minutes=10)), ["token-issued-later"]),
    (token(exp=at(hours=1) * 1000), ["token-time-in-milliseconds"]),
    (token(exp="tomorrow"), ["token-time-no-number"]),
    (token(exp=...), ["token-without-expiry"]),
    (f"Authorization: {token(exp=at(hours=-3))}", ["token-scheme-missing", "token-expired"]),
    (f"{KEY}: Bearer pk_live_0123456789", ["key-with-scheme"]),
    (f"{KEY}: {RIGHT}", ["key-is-token"]),
    (f'{KEY}: "pk_live_0123456789"', ["token-quotation-marks"]),
    (f"{KEY}: ", ["token-empty"]),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_is_named_and_the_token_is_not_told(text: str, expected: list[str]) -> None:
    diagnosis = diagnose_token(text, NOW, key_header=KEY)
    assert (names(diagnosis), diagnosis.valid) == (expected, False)
    told = summary(diagnosis) + json.dumps(as_json(diagnosis))
    for secret in (SIGNATURE, PAYLOAD, UUID, "pk_live", "secret-value"):
        assert secret not in told


def test_base64_of_the_other_alphabet_is_named() -> None:
    odd = next(each for each in (token(sub="?" * number + ">~") for number in range(9)) if {"-", "_"} & set(each))
    wrong = odd.replace("-", "+").replace("_", "/")
    assert set(names(diagnose_token(wrong, NOW))) == {"token-standard-base64"}


@pytest.mark.parametrize(
    ("ago", "told"),
    [(timedelta(seconds=5), "5 s"), (timedelta(minutes=90), "90 minutes"), (timedelta(days=3), "3 days")],
)
def test_how_long_ago_a_token_expired_is_told(ago: timedelta, told: str) -> None:
    expired = token(exp=int((NOW - ago).timestamp()))
    assert f"expired {told} ago" in summary(diagnose_token(expired, NOW))


@given(
    st.text(max_size=80) | st.sampled_from([each for each, _ in MISTAKES]),
    st.sampled_from(["", "Authorization: ", f"{KEY}: "]),
)
def test_any_text_is_diagnosed(text: str, header: str) -> None:
    diagnosis = diagnose_token(header + text, NOW, key_header=KEY)
    assert diagnosis.unexplained == ()
    claims_in(header + text)
    summary(diagnosis)


# --------------------------------------------------------------------------------------------------------- the command


@pytest.mark.parametrize(("text", "code"), [(RIGHT, 0), (token(exp=at(hours=-3)), 1)])
@pytest.mark.parametrize("json_wanted", [True, False])
def test_the_command_tells_whose_it_is_and_not_the_token(
    text: str, code: int, json_wanted: bool, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"Authorization: Bearer {text}\n", encoding="utf-8")
    words = ["explain", "token", str(file), "--at", NOW.isoformat(), *(["--json"] if json_wanted else [])]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, result.output
    assert f"for the subject '{UUID}'" in result.stderr
    assert "good until '2026-01-15T" in result.stderr
    for secret in text.split("."):
        assert secret not in result.output
    if json_wanted:
        assert json.loads(result.stdout)["valid"] is (code == 0)


@pytest.mark.parametrize(
    ("given", "words", "told"),
    [
        ("x" * 200_000, ["-"], "longer than the 100000 characters"),
        (RIGHT, ["-", "--at", "soon"], "--at is 'soon', and no time"),
        (RIGHT, ["-", "--at", "9" * 20], "and no time"),
        (RIGHT, ["no-such-file"], "No such file"),
    ],
)
def test_wrong_usage_is_explained(given: str, words: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["explain", "token", *words], input=given)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert SIGNATURE not in result.output


@pytest.mark.parametrize("moment", [NOW.isoformat(), "2026-01-15T12:00:00", str(at()), f"{at()}000"])
def test_times_are_given_in_several_forms(moment: str) -> None:
    result = CliRunner().invoke(app, ["explain", "token", "-", "--at", moment], input=token(exp=at(seconds=1)))
    assert result.exit_code == 0, result.output


def test_the_sandbox_refuses_with_the_same_words() -> None:
    with start() as sandbox:
        control = Control(sandbox.origin, sandbox.add_fault)
        world = World(control, "token", clock="frozen")
        base = world.base_urls["offblocks"]
        with httpx.Client(trust_env=False) as http:
            for value, told in (
                (RIGHT, "is the token alone; put `Bearer ` before it"),
                (f"Bearer {UUID}", "That is a UUID, as an API key is"),
                (f"Bearer {HEADER}.{PAYLOAD}", "has two of three parts"),
            ):
                answer = http.get(f"{base}/v1/customers", headers={"Authorization": value})
                assert answer.status_code == 401
                assert told in answer.text
        control.close()
