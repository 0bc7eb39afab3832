"""What is said of a webhook that does not verify: each mistake, two at once, none that is known; never the secret."""

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conformance.cli import app
from conformance.clock import EPOCH_OF_WORLDS, stopwatch
from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.texts import NONE_FITS, as_json, lines, summary
from conformance.ids import Ids
from conformance.planbok.webhooks import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    WebhookRejected,
    diagnose,
    verify,
)

NOW = EPOCH_OF_WORLDS
DRAWN = Ids("explain webhook")
EVENT: dict[str, Any] = {
    "event": "wallet.created",
    "timestamp": "2026-01-15T12:00:00.000Z",
    "idempotencyKey": str(DRAWN.uuid()),
    "data": {"name": "Zoë & <Ω>", "url": "https://a.example/b", "amount": 100, "list": [1, 2.5, None]},
}


@dataclass
class Sender:
    """Signs as the receiver of the beta verifies, but for what is changed; written without our code."""

    secret: bytes = f"whsec_{DRAWN.alphanumeric(24)}".encode()
    body: bytes = json.dumps(EVENT, separators=(",", ":"), ensure_ascii=False).encode()
    time: str = str(int(NOW.timestamp()))
    used_secret: Callable[[bytes], bytes] = bytes
    signed_body: Callable[[bytes], bytes] = bytes
    signed: Callable[[str, bytes], bytes] = lambda time, body: time.encode() + b"." + body
    mac: Callable[[bytes, bytes], bytes] = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
    written: Callable[[bytes], str] = lambda digest: f"sha256={digest.hex()}"
    renamed: dict[str, str | None] = field(default_factory=dict)

    @property
    def headers(self) -> list[tuple[str, str]]:
        digest = self.mac(self.used_secret(self.secret), self.signed(self.time, self.signed_body(self.body)))
        found = {SIGNATURE_HEADER: self.written(digest), TIMESTAMP_HEADER: self.time, ID_HEADER: "id-7"}
        named = ((self.renamed.get(name, name), value) for name, value in found.items())
        return [(name, value) for name, value in named if name]

    def diagnosis(self) -> Diagnosis:
        return diagnose(self.headers, self.body, self.secret.decode(), NOW)


def names(diagnosis: Diagnosis) -> list[str]:
    return [mistake.name for mistake in diagnosis.mistakes]


def rewritten(**options: Any) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(json.loads(body), **options).encode()


def as_go(body: bytes) -> bytes:
    text = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


def as_php(body: bytes) -> bytes:
    return json.dumps(json.loads(body), separators=(",", ":")).replace("/", "\\/").encode()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


OTHER_BODY = {
    "python": rewritten(),
    "python, compact": rewritten(separators=(",", ":")),
    "python, sorted": rewritten(sort_keys=True),
    "pretty": rewritten(indent=2, ensure_ascii=False),
    "go": as_go,
    "go, encoder": lambda body: as_go(body) + b"\n",
    "php": as_php,
    "newline": lambda body: body + b"\n",
    "CRLF": lambda body: body + b"\r\n",
    "byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "empty": lambda body: b"",
    "data alone": lambda body: json.dumps(json.loads(body)["data"], separators=(",", ":")).encode(),
    "base64": base64.b64encode,
}
MISTAKES: dict[str, tuple[dict[str, Any], list[str]]] = {
    **{f"body: {name}": ({"signed_body": change}, ["webhook-other-body"]) for name, change in OTHER_BODY.items()},
    "secret: newline": ({"used_secret": lambda key: key + b"\n"}, ["webhook-secret-other-end"]),
    "secret: blank": ({"used_secret": lambda key: key + b" "}, ["webhook-secret-other-end"]),
    "secret: white space": ({"secret": b"abc-1 \n", "used_secret": bytes.strip}, ["webhook-secret-white-space"]),
    "secret: quoted": ({"secret": b'"abc-1"', "used_secret": lambda key: key[1:-1]}, ["webhook-secret-quoted"]),
    "secret: hex": (
        {"secret": b"00ff10a0" * 4, "used_secret": lambda key: bytes.fromhex(key.decode())},
        ["webhook-secret-decoded"],
    ),
    "secret: base64": (
        {"secret": base64.b64encode(bytes(range(7, 40))), "used_secret": base64.b64decode},
        ["webhook-secret-decoded"],
    ),
    "secret: encoded": ({"used_secret": base64.b64encode}, ["webhook-secret-encoded"]),
    "secret: after whsec_": ({"used_secret": lambda key: key[6:]}, ["webhook-secret-without-prefix"]),
    "secret: after whsec_, decoded": (
        {"secret": b"whsec_" + base64.b64encode(bytes(24)), "used_secret": lambda key: base64.b64decode(key[6:])},
        ["webhook-secret-without-prefix"],
    ),
    "body alone": ({"signed": lambda time, body: body}, ["webhook-body-alone"]),
    "no full stop": ({"signed": lambda time, body: time.encode() + body}, ["webhook-separator"]),
    "colon": ({"signed": lambda time, body: time.encode() + b":" + body}, ["webhook-separator"]),
    "turned": ({"signed": lambda time, body: body + b"." + time.encode()}, ["webhook-order-turned"]),
    "id too": ({"signed": lambda time, body: b"id-7." + time.encode() + b"." + body}, ["webhook-id-signed"]),
    "milliseconds signed": (
        {"signed": lambda time, body: f"{time}000.".encode() + body},
        ["webhook-signed-milliseconds"],
    ),
    "time of the body": (
        {"signed": lambda time, body: EVENT["timestamp"].encode() + b"." + body},
        ["webhook-signed-body-time"],
    ),
    "clock read twice": (
        {"signed": lambda time, body: str(int(time) - 1).encode() + b"." + body},
        ["webhook-timestamp-changed"],
    ),
    "SHA-1": ({"mac": lambda key, text: hmac.new(key, text, "sha1").digest()}, ["webhook-other-algorithm"]),
    "SHA-512": ({"mac": lambda key, text: hmac.new(key, text, "sha512").digest()}, ["webhook-other-algorithm"]),
    "plain": ({"mac": lambda key, text: hashlib.sha256(text).digest()}, ["webhook-plain-hash"]),
    "plain with the secret": ({"mac": lambda key, text: hashlib.sha256(key + text).digest()}, ["webhook-plain-hash"]),
    "swapped": (
        {"mac": lambda key, text: hmac.new(text, key, hashlib.sha256).digest()},
        ["webhook-key-and-text-swapped"],
    ),
    "no prefix": ({"written": bytes.hex}, ["webhook-prefix-missing"]),
    "other prefix": ({"written": lambda digest: f"v1={digest.hex()}"}, ["webhook-prefix-other"]),
    "prefix in capitals": ({"written": lambda digest: f"SHA256={digest.hex()}"}, ["webhook-prefix-other"]),
    "base64": ({"written": lambda digest: f"sha256={b64(digest)}"}, ["webhook-base64"]),
    "base64url": (
        {
            "mac": lambda key, text: b"\xfb\xff" * 16,
            "written": lambda digest: f"sha256={base64.urlsafe_b64encode(digest).decode()}",
        },
        ["webhook-base64url"],
    ),
    "base64 of hex": ({"written": lambda digest: f"sha256={b64(digest.hex().encode())}"}, ["webhook-base64-of-hex"]),
    "0x": ({"written": lambda digest: f"sha256=0x{digest.hex()}"}, ["webhook-hex-with-0x"]),
    "quoted": ({"written": lambda digest: f'"sha256={digest.hex()}"'}, ["webhook-quotation-marks"]),
    "cut off": ({"written": lambda digest: f"sha256={digest.hex()[:50]}"}, ["webhook-digits"]),
    "nonsense": ({"written": lambda digest: "sha256=valid"}, ["webhook-signature-unreadable"]),
    "header missing": ({"renamed": {SIGNATURE_HEADER: None}}, ["webhook-header-missing"]),
    "timestamp missing": ({"renamed": {TIMESTAMP_HEADER: None}}, ["webhook-header-missing"]),
    "header renamed": ({"renamed": {SIGNATURE_HEADER: "X-Hub-Signature-256"}}, ["webhook-header-renamed"]),
    "stale": ({"time": str(int(NOW.timestamp()) - 301)}, ["webhook-too-old"]),
    "future": ({"time": str(int(NOW.timestamp()) + 301)}, ["webhook-too-new"]),
    "milliseconds": ({"time": f"{int(NOW.timestamp())}123"}, ["webhook-timestamp-milliseconds"]),
    "fraction": ({"time": f"{int(NOW.timestamp())}.5"}, ["webhook-timestamp-fraction"]),
    "date": ({"time": "2026-01-15T12:00:00Z"}, ["webhook-timestamp-date"]),
    "word": ({"time": "now"}, ["webhook-timestamp-no-number"]),
    "no event": ({"body": b'{"event": 5}'}, ["webhook-no-event"]),
    "two: python and a newline of the secret": (
        {"signed_body": rewritten(), "used_secret": lambda key: key + b"\n"},
        ["webhook-other-body", "webhook-secret-other-end"],
    ),
    "two: body alone, without the newline": (
        {"body": json.dumps(EVENT).encode() + b"\n", "signed_body": bytes.strip, "signed": lambda time, body: body},
        ["webhook-other-body", "webhook-body-alone"],
    ),
    "two: milliseconds and a colon": (
        {"signed": lambda time, body: f"{time}000:".encode() + body},
        ["webhook-signed-milliseconds", "webhook-separator"],
    ),
    "two: SHA-512 in base64": (
        {
            "mac": lambda key, text: hmac.new(key, text, "sha512").digest(),
            "written": lambda digest: f"sha256={b64(digest)}",
        },
        ["webhook-base64", "webhook-other-algorithm"],
    ),
    "two: stale, and no prefix": (
        {"time": str(int(NOW.timestamp()) - 900), "written": bytes.hex},
        ["webhook-too-old", "webhook-prefix-missing"],
    ),
}


def test_a_right_one_is_valid() -> None:
    diagnosis = Sender().diagnosis()
    assert (diagnosis.valid, names(diagnosis), summary(diagnosis)) == (True, [], "")
    assert [part.name for part in diagnosis.parts] == [TIMESTAMP_HEADER, SIGNATURE_HEADER, "event"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_first_and_the_secret_is_not_told(mistake: str) -> None:
    changes, expected = MISTAKES[mistake]
    sender = Sender(**changes)
    diagnosis = sender.diagnosis()
    assert (names(diagnosis), diagnosis.valid) == (expected, False)
    told = summary(diagnosis) + json.dumps(as_json(diagnosis)) + "\n".join(lines(diagnosis))
    assert sender.secret.decode().strip() not in told.replace("sha256", "")


SINGLE = [mistake for mistake in MISTAKES if not mistake.startswith("two:")]


@pytest.mark.parametrize("mistake", SINGLE)
def test_the_verifier_refuses_with_the_same_words(mistake: str) -> None:
    changes, _ = MISTAKES[mistake]
    sender = Sender(**changes)
    diagnosis = sender.diagnosis()
    explained = replace(diagnosis, parts=tuple(part for part in diagnosis.parts if part.explanations))
    with pytest.raises(WebhookRejected) as caught:
        verify(sender.headers, sender.body, sender.secret.decode(), now=NOW)
    if mistake != "header renamed":  # the verifier sees the headers of its own names alone
        assert str(caught.value) == summary(explained)


ALONE = {"base64url", "cut off", "nonsense", "header missing", "timestamp missing", "plain"}
"""Mistakes that hide whatever else is wrong, or that use no secret."""
PAIRS = [
    (first, second)
    for first, second in combinations([mistake for mistake in SINGLE if mistake not in ALONE], 2)
    if not set(MISTAKES[first][0]) & set(MISTAKES[second][0])
    and not (first in {"milliseconds signed", "clock read twice"} and "time" in MISTAKES[second][0])
    and not (second == "no event" and {"signed", "signed_body"} & set(MISTAKES[first][0]))
]


@pytest.mark.parametrize("part", range(4))
def test_two_mistakes_at_once_are_both_named(part: int) -> None:
    drawn = Ids("pairs", part)
    for _ in range(60):
        first, second = PAIRS[drawn.below(len(PAIRS))]
        (changes, one), (others, two) = MISTAKES[first], MISTAKES[second]
        assert sorted(names(Sender(**changes, **others).diagnosis())) == sorted(one + two), (first, second)


def test_two_forms_that_come_to_the_same_are_both_told() -> None:
    plain = {"event": "e", "data": {"a": 1}}
    sender = Sender(body=json.dumps(plain).encode(), secret=b"aa" * 16)
    sender.signed_body = rewritten(separators=(",", ":"))
    (part,) = (part for part in sender.diagnosis().parts if not part.valid)
    assert "or other compact writers" in summary(Diagnosis("webhook", (part,)))


@pytest.mark.parametrize("number", range(12))
def test_what_no_mistake_explains_is_said_to_be_unexplained(number: int) -> None:
    ids = Ids("unexplained", number)
    sender = Sender(used_secret=lambda _: ids.draw(32)) if number % 2 else Sender(signed_body=lambda _: ids.draw(50))
    diagnosis = sender.diagnosis()
    assert [part.name for part in diagnosis.unexplained] == [SIGNATURE_HEADER]
    assert NONE_FITS in summary(diagnosis)


def test_a_header_that_comes_twice_is_named() -> None:
    sender = Sender()
    diagnosis = diagnose([*sender.headers, *sender.headers], sender.body, sender.secret.decode(), NOW)
    assert "webhook-header-repeated" in names(diagnosis)


def test_a_large_body_is_explained_in_half_a_second() -> None:
    body = json.dumps({**EVENT, "data": {"x": "y" * 900_000}}).encode()
    sender = Sender(body=body, signed_body=lambda body: body + b"\n")
    started = stopwatch()
    assert names(sender.diagnosis()) == ["webhook-other-body"]
    assert stopwatch() - started < 5  # a slow machine included


@given(
    st.lists(
        st.tuples(st.sampled_from([SIGNATURE_HEADER, TIMESTAMP_HEADER, "Host"]), st.text(max_size=80)), max_size=4
    ),
    st.binary(max_size=60),
)
def test_anything_is_diagnosed(headers: list[tuple[str, str]], body: bytes) -> None:
    diagnosis = diagnose(headers, body, "secret", NOW)
    json.dumps(as_json(diagnosis))
    assert list(lines(diagnosis))
    assert not diagnosis.valid


def test_javascript_signs_what_it_writes(node: str) -> None:
    body = json.dumps({"event": "e", "data": {"10": 1.0, "2": 1e21, "ü": "\u2028"}}).encode()
    program = "process.stdout.write(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8'))))"
    written = subprocess.run([node, "-e", program], input=body, capture_output=True, check=True).stdout
    assert written != body
    diagnosis = Sender(body=body, signed_body=lambda _: written).diagnosis()
    assert "JSON.stringify" in summary(diagnosis)


# --------------------------------------------------------------------------------------------------------- the command


def run(sender: Sender, folder: Path, *words: str, secret: str | None = None) -> Any:
    file = folder / "body"
    file.write_bytes(sender.body)
    headers = [word for name, value in sender.headers for word in ("--header", f"{name}: {value}")]
    command = ["explain", "webhook", "--secret-env", "SECRET", *headers, "--body", str(file), "--at", NOW.isoformat()]
    environment = {"SECRET": sender.secret.decode() if secret is None else secret}
    return CliRunner().invoke(app, [*command, *words], env=environment)


def test_the_command_says_what_is_wrong_and_ends_with_its_code(tmp_path: Path) -> None:
    right, wrong = Sender(), Sender(signed_body=rewritten())
    assert run(right, tmp_path).exit_code == 0
    result = run(wrong, tmp_path)
    assert result.exit_code == 1
    assert "webhook-other-body: The signature is of the body parsed and written again as Python's" in result.stdout
    told = json.loads(run(wrong, tmp_path, "--json").stdout)
    assert (told["subject"], told["valid"], told["mistakes"]) == ("webhook", False, ["webhook-other-body"])
    assert wrong.secret.decode() not in result.output


def test_headers_may_stand_in_a_file(tmp_path: Path) -> None:
    sender, file = Sender(), tmp_path / "headers"
    file.write_text("\r\n".join(f"{name}: {value}" for name, value in sender.headers), encoding="utf-8")
    (tmp_path / "body").write_bytes(sender.body)
    words = ["--header", f"@{file}", "--body", str(tmp_path / "body"), "--at", str(int(NOW.timestamp()))]
    result = CliRunner().invoke(
        app, ["explain", "webhook", "--secret-env", "SECRET", *words], env={"SECRET": sender.secret.decode()}
    )
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "secret", "told"),
    [
        ([], "", "'SECRET' is not set, or empty"),
        (["--header", "no colon"], "s", "A header is 'Name: value'"),
        (["--header", ": value"], "s", "A header is 'Name: value'"),
        (["--header", "@no-such-file"], "s", "The headers in no-such-file cannot be read"),
        (["--at", "yesterday"], "s", "--at is 'yesterday', and no time"),
        (["--body", "no-such-file"], "s", "No such file"),
    ],
)
def test_wrong_usage_is_explained(words: list[str], secret: str, told: str, tmp_path: Path) -> None:
    result = run(Sender(), tmp_path, *words, secret=secret)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.stderr.split())


def test_how_old_it_is_goes_by_the_time_that_is_given(tmp_path: Path) -> None:
    result = run(Sender(), tmp_path, "--at", (NOW + timedelta(minutes=6)).isoformat())
    assert result.exit_code == 1
    assert "X-Webhook-Timestamp is 360 s before this receiver's time, and 300 s are allowed" in result.stdout
