"""Secrets become placeholders of their shape, the same one the same and another one another."""

import base64
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import process_time
from urllib.parse import parse_qs, quote, quote_plus, urlencode

import pytest

from conformance.exchange import Exchange, Request, Response
from conformance.findings import hiding, shorten
from conformance.recording.redaction import Redactor
from conformance.standards.digest_fields import content_digest

SECRETS = ("apiKey", "apiSecret", "token", "pin")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
KEY = "d04953b7-5878-4fd0-8970-0a5f77fbce59"
SECRET = "64ec977db2e585887c80ed62fe9997994aed8093"


def exchange(asked: object, answered: object, authorization: str | None = None) -> Exchange:
    headers = (("Authorization", authorization), ("Cookie", "a=b")) if authorization else ()
    return Exchange(
        id="toy#1",
        operation=None,
        identity="first",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=0.1,
        request=Request(headers, json.dumps(asked).encode(), "POST", f"https://toy.test/v1?key={KEY}"),
        response=Response((), json.dumps(answered).encode(), 200),
    )


def listing(*customers: object) -> Exchange:
    asked = Request((), b"", "GET", "https://toy.test/customers")
    return replace(exchange({}, {"customers": customers}), request=asked)


def test_secrets_keep_their_shape() -> None:
    redacted = Redactor(SECRETS).exchange(exchange({"apiKey": KEY, "apiSecret": SECRET}, {"token": JWT, "n": 1}))
    assert redacted.request.json() == {
        "apiKey": "00000000-0000-4000-8000-000000000001",
        "apiSecret": "0000000000000000000000000000000000000002",
    }
    assert redacted.response.json() == {"token": "redacted.token.3", "n": 1}
    assert KEY not in redacted.request.url


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    redactor = Redactor(SECRETS)
    redactor.exchange(exchange({"apiSecret": SECRET}, {"token": JWT}))
    again = redactor.exchange(exchange({"note": f"my secret is {SECRET}"}, {"echo": JWT}, f"Bearer {JWT}"))
    assert SECRET not in again.request.body.decode()
    assert JWT not in again.response.body.decode()
    assert again.request.header("Authorization") == "Bearer redacted.token.2"
    assert again.request.header("Cookie") is None
    assert redactor.text(f"got {JWT}") == "got redacted.token.2"


def test_different_secrets_stay_different() -> None:
    redactor = Redactor(SECRETS)
    first = redactor.exchange(exchange({"pin": "123456"}, {}))
    second = redactor.exchange(exchange({"pin": "654321"}, {}))
    again = redactor.exchange(exchange({"pin": "123456"}, {}))
    assert first.request.body == again.request.body != second.request.body


def test_hiding_what_is_hidden_changes_nothing() -> None:
    once = Redactor(SECRETS).exchange(exchange({"apiKey": KEY, "pin": "123456"}, {"token": JWT}))
    redactor = Redactor(SECRETS)
    twice = redactor.exchange(once)
    assert twice == once
    assert redactor.exchange(twice) == once


def test_what_is_no_json_or_nested_too_deep_is_left_alone() -> None:
    redactor = Redactor(SECRETS)
    for body in (b"\xff\xfe", b'"token"', b'{"token": ' + b"[" * 100_000):
        request = Request((), body, "POST", "https://toy.test")
        assert redactor.request(request).body == body


def test_a_secret_is_hidden_however_json_writes_it_and_whatever_stands_beside_it() -> None:
    redactor = Redactor(SECRETS)
    for body, shown in (
        (b'{"token":"abc\\/def+gh==","x":1}', b'{"token":"redacted-token-1","x":1}'),
        (b'{"note":"abc/def+gh=="}', b'{"note":"redacted-token-1"}'),
        (b'{"apiSecret":"a\\"b\\u00fc"}', b'{"apiSecret":"redacted-apiSecret-2"}'),
        ('{"apiSecret":"a\\"bü"}'.encode(), b'{"apiSecret":"redacted-apiSecret-2"}'),
        (b'{"pin":"no utf-8","x":"\xff"}', b'{"pin":"redacted-pin-3","x":"\xff"}'),
    ):
        assert redactor.response(Response((), body, 200)).body == shown


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda value: quote(value, safe=""),
    "in a URL, with small digits": lambda value: re.sub("%..", lambda escape: escape[0].lower(), quote(value, safe="")),
    "in a path": quote,
    "in a form": quote_plus,
    "in a URL in a URL": lambda value: quote(quote(value, safe=""), safe=""),
    "every byte escaped": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "in JSON": lambda value: json.dumps(value)[1:-1],
    "in JSON in JSON": lambda value: json.dumps(json.dumps(value))[3:-3],
    "in JSON in JSON, not in ASCII": lambda value: json.dumps(json.dumps(value, ensure_ascii=False))[3:-3],
    "in JSON in a URL": lambda value: quote(json.dumps(value)[1:-1]),
    "in JSON in HTML": lambda value: html.escape(json.dumps(value)[1:-1]),
    "in HTML": html.escape,
    "in HTML, by numbers": lambda value: "".join(f"&#{ord(each)};" for each in value),
    "in HTML, by hex numbers": lambda value: "".join(f"&#x{ord(each):x};" for each in value),
    "in base64": lambda value: base64.b64encode(value.encode()).decode(),
    "in base64 without padding": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "in base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
    "in base64 in a URL": lambda value: quote(base64.b64encode(value.encode()).decode().rstrip("=")),
}


@pytest.mark.parametrize("secret", ["tok/en+Value=99", 'blank and "quotes" & <more>', "schlüssel/ö€😀", SECRET, JWT])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_hidden_in_every_spelling(secret: str, spelling: str) -> None:
    spelled = SPELLINGS[spelling](secret)
    shown, known = Redactor(SECRETS), Redactor(())
    shown.response(Response((), json.dumps({"token": secret}).encode(), 200))
    known.know({"first": {"token": secret}})
    for redactor in (shown, known):
        placeholder = redactor.text(secret)
        assert placeholder != secret
        request = Request((("Location", f"/a?t={spelled}&b=c%20d"),), f"<{spelled}>".encode(), "GET", f"/?t={spelled}")
        redacted = redactor.request(request)
        assert redacted.url == f"/?t={placeholder}"
        assert redacted.header("Location") == f"/a?t={placeholder}&b=c%20d"
        assert redacted.body.decode() == f"<{placeholder}>"
        assert redactor.request(redacted) == redacted


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:", "longer:"])
@pytest.mark.parametrize("after", ["", "z", "yz", "xyz"])
def test_a_secret_within_something_in_base64_is_hidden(before: str, after: str) -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api_secret": SECRET}})
    told = redactor.text(f"Basic {base64.b64encode(f'{before}{SECRET}{after}'.encode()).decode()}")
    start, placeholder, end = told.removeprefix("Basic ").partition(f"{1:040x}")
    assert placeholder
    assert len(start) <= (len(before) * 8 + 5) // 6
    assert len(end.rstrip("=")) <= (len(after) * 8 + 5) // 6 + 1


def test_a_digest_follows_the_body_from_which_a_secret_is_taken() -> None:
    redactor = Redactor(SECRETS)
    body, other = json.dumps({"apiSecret": SECRET}).encode(), b"other"
    for algorithm in ("sha-256", "sha-512"):
        digest = ("Content-Digest", content_digest(body, algorithm))
        redacted = redactor.request(Request((digest,), body, "POST", "https://toy.test"))
        assert redacted.headers == (("Content-Digest", content_digest(redacted.body, algorithm)),)
        assert redacted.body != body
    wrong = (("Content-Digest", content_digest(other)),)
    assert redactor.request(Request(wrong, body, "POST", "https://toy.test")).headers == wrong
    assert redactor.response(Response(wrong, other, 200)).headers == wrong


def test_escapes_of_what_is_no_secret_stay() -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api_secret": "a/b+c=d&e f", "pin": "x"}})
    for text in (
        "/?a=%2F%zz%&b=%",
        '{"a":"\\u00fc\\ud83d\\n\\/","b":"&amp;&#x2f;&nothing;&#99999999;"}',
        "%ff%FE",
        "eA==",
    ):
        assert redactor.text(text) == text


def test_what_spells_a_secret_and_is_one_itself_stays_another() -> None:
    redactor = Redactor(SECRETS)
    right, escaped, coded = "tok/en+Value=99", "tok%2Fen+Value=99", base64.b64encode(b"tok/en+Value=99").decode()
    for first, second in ((right, escaped), (escaped, right), (coded, right), (right, coded)):
        redactor = Redactor(SECRETS)
        told = [redactor.response(Response((), json.dumps({"token": each}).encode(), 200)) for each in (first, second)]
        assert len({response.body for response in told}) == 2


def test_credentials_are_hidden_where_nothing_says_that_they_are_secret() -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api_key": KEY, "api_secret": SECRET, "signing_key_id": "key-1", "webhook_secret": ""}})
    redacted = redactor.exchange(exchange({"text": f"({SECRET})", "id": "key-1"}, {"echo": f"<{KEY}>"}))
    assert redacted.request.members()["id"] == "key-1"
    assert SECRET not in str(redacted)
    assert KEY not in str(redacted)


def test_secrets_are_found_at_any_depth() -> None:
    redacted = Redactor(SECRETS).exchange(exchange({"list": [{"deep": {"token": JWT}}]}, None))
    assert JWT not in redacted.request.body.decode()


def entered(**fields: str) -> Request:
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    return Request(headers, urlencode(fields).encode(), "POST", "https://toy.test/page")


def test_what_is_entered_into_a_form_is_hidden_there_and_nowhere_else() -> None:
    redactor = Redactor(SECRETS)
    first = redactor.request(entered(csrf="a b", pin="000001"))
    other = redactor.request(entered(csrf="a b", pin="000002"))
    again = redactor.request(entered(csrf="a b", pin="000001"))
    assert parse_qs(first.body.decode()) == {"csrf": ["a b"], "pin": ["«pin-1»"]}
    assert parse_qs(other.body.decode()) == {"csrf": ["a b"], "pin": ["«pin-2»"]}
    assert again == first
    assert Redactor(SECRETS).request(first) == first
    assert redactor.text("0000010") == "0000010"


def test_headers_that_hold_secrets_are_hidden() -> None:
    request = Request((("X-Toy-Key", SECRET),), b"", "GET", "https://toy.test")
    assert Redactor((), ("X-Toy-Key",)).request(request).header("x-toy-key") == f"{1:040x}"


def test_a_secret_of_a_letter_is_hidden_where_it_stands_alone() -> None:
    redactor = Redactor(SECRETS)
    redactor.know({"first": {"api_key": "x"}})
    redactor.hide("api_key", "x")
    told = redactor.text('{"apiKey":"x"} was answered 4xx')
    assert told.endswith(" was answered 4xx")
    assert '"x"' not in told


@pytest.mark.parametrize("number", [3, 300])
def test_secrets_are_hidden_in_every_spelling_however_many_they_are(number: int) -> None:
    redactor, tokens = Redactor(SECRETS), [f'to"ken/{index:06d}/{SECRET}' for index in range(number)]
    for token in [*tokens, "z7"]:
        redactor.learn(Response((), json.dumps({"token": token}).encode()))
    token, other = tokens[-1], tokens[0]
    coded = base64.b64encode(f"a:{token}:b".encode()).decode()
    text = f"{token}{other} {json.dumps(token)} {quote(token, safe='')} {coded} z7 1z70"
    hidden, own = redactor.text(text), f"redacted-token-{number}"
    assert hidden.startswith(f'{own}redacted-token-1 "{own}" {own} ')
    assert hidden.endswith(f" redacted-token-{number + 1} 1z70")
    assert [spelt for spelt in (SECRET, quote(token), coded[8:-8]) if spelt in hidden] == []


# ----------------------------------------------------------------------------------------------------- parts, strangers


def in_hex(value: str) -> str:
    return value.encode().hex()


@pytest.mark.parametrize("start", [0, 7, 20])
@pytest.mark.parametrize("length", [12, 13, 20])
@pytest.mark.parametrize("spelling", ["as it is", "in base64", "in hex", "every byte escaped", "in JSON in JSON"])
def test_a_part_of_what_is_somebodys_own_is_hidden(start: int, length: int, spelling: str) -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api_secret": SECRET}}, in_parts=True)
    spell = SPELLINGS.get(spelling, in_hex)
    part = SECRET[start : start + length]
    told = redactor.text(f"began with <{spell(part)}>, and went on")
    assert told.startswith("began with <")
    assert told.endswith(">, and went on")
    assert not [at for at in range(len(part) - 11) if spell(part[at : at + 12]) in told]


def test_what_a_private_key_has_in_common_with_others_is_no_part_of_a_secret() -> None:
    redactor = Redactor(())
    begin, end = (f"-----{word} PRIVATE KEY-----\n" for word in ("BEGIN", "END"))
    key = f"{begin}MIG2AgEAMBAGByqGSM49AgEGBSuBBAAi\nBIGeMIGbAgEBBDD7k2Xo0M1hUQ==\n{end}"
    redactor.know({"first": {"signing_key": key}}, in_parts=True)
    assert redactor.text(begin) == begin
    assert redactor.text("it was BIGeMIGbAgEBBDD7k2X") == "it was redacted-signing_key"


@pytest.mark.parametrize(
    "become_known",
    [
        lambda redactor: redactor.hide("apiSecret", SECRET),
        lambda redactor: redactor.know({"first": {"api_secret": SECRET}}),
        lambda redactor: redactor.exchange(listing({"id": "c-1", "name": SECRET})),
    ],
    ids=["shown", "known", "of a stranger"],
)
def test_what_was_harmless_is_hidden_once_it_is_known_for_a_secret(become_known: Callable[[Redactor], object]) -> None:
    redactor = Redactor(SECRETS, personal=["name"])
    text = f"it says {SECRET}"
    assert redactor.text(text) == redactor.text(text) == text
    become_known(redactor)
    assert SECRET not in redactor.text(text)


def test_a_text_is_hidden_before_it_is_cut() -> None:
    redactor = Redactor(SECRETS)
    redactor.response(Response((), json.dumps({"token": JWT}).encode(), 200))
    text = "x" * 290 + JWT
    with hiding(redactor.text):
        assert shorten(text) == "x" * 290 + "redacted.t… (336 characters)"
        assert shorten(JWT * 2000) == "redacted.token.1" * 18 + "redacted.tok… (92000 characters)"
    assert JWT[:10] in shorten(text)


def test_very_many_secrets_take_a_time_that_grows_with_their_number_alone() -> None:
    def seconds(number: int) -> float:
        redactor = Redactor(SECRETS)
        body = json.dumps([{"token": f"secret-{each:09d}", "pin": f"{each:06d}"} for each in range(number)]).encode()
        began = process_time()
        shown = redactor.response(Response((), body, 200)).body
        assert b"secret-" not in shown
        return process_time() - began

    seconds(100)
    assert seconds(4000) < 20 * max(seconds(1000), 0.05)


STRANGERS = {
    "customers": [
        {"id": "c-1", "name": "Grace Hopper", "refId": "hopper-17"},
        {"id": "c-2", "name": "Al", "refId": "27c9aa3b-f12d-43b9-8e91-5264ccc998de"},
        {"id": "mine", "name": "Test Person", "refId": "test-1"},
        {"id": "c-3", "chainId": "eip155:280:0x22227A31dd842196A246d8f3b775998560eAa61d"},
    ]
}


def test_who_the_customers_of_others_are_is_hidden_and_who_ones_own_are_is_not() -> None:
    redactor = Redactor((), personal=("name", "refId", "chainId"))
    redactor.exchange(exchange({"name": "Test Person", "refId": "test-1"}, {"data": {"id": "mine"}}))
    listed = listing(*STRANGERS["customers"])
    shown = redactor.exchange(listed).response.json()["customers"]
    by_id = {each["id"]: each for each in shown}
    assert by_id["mine"] == {"id": "mine", "name": "Test Person", "refId": "test-1"}
    assert re.fullmatch("redacted-name-[0-9]", by_id["c-1"]["name"])
    assert re.fullmatch("redacted-name-[0-9]", by_id["c-2"]["name"])
    assert re.fullmatch("0{8}-0{4}-40{3}-80{3}-0{11}[0-9]", by_id["c-2"]["refId"])
    assert re.fullmatch("eip155:280:0x0{39}[0-9]", by_id["c-3"]["chainId"])
    told = redactor.text("Grace Hopper is hopper-17; Al was also there, at 0x22227A31dd842196A246d8f3b775998560eAa61d")
    assert "Hopper" not in told
    assert "hopper-17" not in told
    assert "Al was also there" in told
    assert redactor.exchange(listed).response.json()["customers"] == shown


def test_a_secret_that_is_like_its_placeholder_is_hidden_once() -> None:
    redactor = Redactor(())
    redactor.know({"first": {"api-key": "planted-api-key-Qw3Er5Ty7Ui9Op"}}, in_parts=True)
    told = redactor.text('{"a": "\\"planted-api-key-Qw3Er5Ty7Ui9Op\\"", "b": "api-key-Qw3Er5Ty"}')
    assert told == '{"a": "\\"redacted-api-key-1\\"", "b": "redacted-api-key"}'
    assert redactor.text(told) == told
