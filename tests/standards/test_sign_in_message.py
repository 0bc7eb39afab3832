import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conformance.standards.account_ids import checksum_address
from conformance.standards.sign_in_message import MessageRejected, SignInMessage, parse

EXAMPLE = """example.com wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Resources:
- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/
- https://example.com/my-web2-claim.json"""
FULL = """example.com wants you to sign in with your Ethereum account:
0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2

I accept the ExampleOrg Terms of Service: https://example.com/tos

URI: https://example.com/login
Version: 1
Chain ID: 1
Nonce: 32891756
Issued At: 2021-09-30T16:25:24Z
Expiration Time: 2021-10-01T16:25:24Z
Not Before: 2021-09-30T16:25:24.5Z
Request ID: some_id
Resources:
- https://example.com/login"""
CHALLENGE = base64.b64decode(
    "YXBpLnNhbmRib3gub2ZmYmxvY2tzLnh5eiB3YW50cyB5b3UgdG8gc2lnbiBpbiB3aXRoIHlvdXIgRXRoZXJldW0gYWNjb3VudDoKMHg0MzE1OGY0"
    "NWI1RWJEN2IxMTc5MTMwMTMwREYwMDM5MzkyOEMyNjkxCgpPZmZCbG9ja3Mgd2FudHMgdG8gdmVyaWZ5IG93bmVyc2hpcCBvZiB5b3VyIHdhbGxl"
    "dC4gQnkgY29ubmVjdGluZyB5b3VyIHdhbGxldCBhbmQgdXNpbmcgT2ZmQmxvY2tzLCB5b3UgYWdyZWUgdG8gb3VyIFRlcm1zIG9mIHNlcnZpY2Vz"
    "IGFuZCBQcml2YWN5IFBvbGljeQoKVVJJOiBodHRwczovL2FwaS5zYW5kYm94Lm9mZmJsb2Nrcy54eXoKVmVyc2lvbjogMQpDaGFpbiBJRDogMjgw"
    "Ck5vbmNlOiA1dWZvaUVxRGFGdm1mbzc4Cklzc3VlZCBBdDogMjAyNC0wMS0xN1QxODoyMTo1M1o="
).decode()
STATEMENT = "I accept the ExampleOrg Terms of Service: https://example.com/tos"


def swapped(text: str, first: str, second: str) -> str:
    lines = text.split("\n")
    one, other = (
        next(place for place, line in enumerate(lines) if line.startswith(label)) for label in (first, second)
    )
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def without(text: str, label: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith(label))


def test_the_example_of_eip_4361_is_read() -> None:
    assert parse(EXAMPLE) == SignInMessage(
        domain="example.com",
        address="0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        statement=STATEMENT,
        uri="https://example.com/login",
        chain_id=1,
        nonce="32891756",
        issued_at="2021-09-30T16:25:24Z",
        resources=(
            "ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/",
            "https://example.com/my-web2-claim.json",
        ),
    )


def test_the_challenge_printed_in_the_document_is_read() -> None:
    message = parse(CHALLENGE)
    assert message.domain == "api.sandbox.offblocks.xyz"
    assert message.address == "0x43158f45b5EbD7b1179130130DF00393928C2691"
    assert message.address_is_checksummed
    assert message.uri == "https://api.sandbox.offblocks.xyz"
    assert message.chain_id == 280
    assert message.nonce == "5ufoiEqDaFvmfo78"
    assert message.issued_at_time == datetime(2024, 1, 17, 18, 21, 53, tzinfo=UTC)
    optional = (message.scheme, message.expiration_time, message.not_before, message.request_id, message.resources)
    assert optional == (None,) * 5
    assert str(message) == CHALLENGE


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        FULL,
        EXAMPLE.replace("example.com wants", "https://example.com wants"),
        EXAMPLE.replace("example.com wants", "example.com:3388 wants"),
        EXAMPLE.replace("example.com wants", "127.0.0.1 wants"),
        EXAMPLE.replace("example.com wants", "test@127.0.0.1:8080 wants"),
        EXAMPLE.replace("example.com wants", "[2001:db8::7]:8080 wants"),
        EXAMPLE.replace("example.com wants", "[::ffff:192.0.2.1] wants"),
        EXAMPLE.replace("example.com wants", "localhost wants"),
        EXAMPLE.replace("https://example.com/login", "did:example:123#key?a"),
        EXAMPLE.replace("https://example.com/login", "https://[::1]:80/a%20b?c=d&e=/?#f"),
        EXAMPLE.replace(STATEMENT + "\n", ""),
        EXAMPLE.replace(STATEMENT, ""),
        EXAMPLE.replace(STATEMENT, "URI: https://example.com/a-statement-that-looks-like-a-field"),
        EXAMPLE.replace(STATEMENT, "-._~:/?#[]@!$&'()*+,;= aZ0"),
        EXAMPLE.replace("Chain ID: 1", "Chain ID: 0280"),
        EXAMPLE.split("\n- ", maxsplit=1)[0],
        without(FULL, "Request ID"),
        without(FULL, "Expiration Time"),
        without(FULL, "Not Before"),
        FULL.replace("some_id", ""),
        FULL.replace("some_id", "a:b@c%20d"),
        EXAMPLE.lower().replace("ethereum", "Ethereum").split("\n")[0] + EXAMPLE[EXAMPLE.index("\n") :],
    ],
)
def test_a_message_of_the_grammar_is_read_and_written_back(text: str) -> None:
    assert str(parse(text)) == text


def test_no_statement_and_an_empty_statement_differ() -> None:
    assert parse(EXAMPLE.replace(STATEMENT + "\n", "")).statement is None
    assert parse(EXAMPLE.replace(STATEMENT, "")).statement == ""


def test_no_resources_and_an_empty_list_differ() -> None:
    assert parse(EXAMPLE.split("\nResources", maxsplit=1)[0]).resources is None
    assert parse(EXAMPLE.split("\n- ", maxsplit=1)[0]).resources == ()


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2021-09-30T16:25:24Z", datetime(2021, 9, 30, 16, 25, 24, tzinfo=UTC)),
        ("2021-09-30t16:25:24z", datetime(2021, 9, 30, 16, 25, 24, tzinfo=UTC)),
        ("2021-09-30T16:25:24+05:30", datetime(2021, 9, 30, 10, 55, 24, tzinfo=UTC)),
        ("2021-09-30T16:25:24-23:59", datetime(2021, 10, 1, 16, 24, 24, tzinfo=UTC)),
        ("2021-09-30T16:25:24-00:00", datetime(2021, 9, 30, 16, 25, 24, tzinfo=UTC)),
        ("2024-01-12T14:53:02.65345725Z", datetime(2024, 1, 12, 14, 53, 2, 653457, tzinfo=UTC)),
        ("2024-01-12T14:53:02.5Z", datetime(2024, 1, 12, 14, 53, 2, 500000, tzinfo=UTC)),
        ("2024-01-12T14:53:02." + "123456789" * 20 + "Z", datetime(2024, 1, 12, 14, 53, 2, 123456, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("1990-12-31T15:59:60-08:00", datetime(1991, 1, 1, tzinfo=UTC)),
    ],
)
def test_date_times_of_rfc_3339_are_read_to_the_microsecond(written: str, instant: datetime) -> None:
    message = parse(FULL.replace("2021-09-30T16:25:24Z", written).replace("2021-10-01T16:25:24Z", written))
    assert message.issued_at == written
    assert message.issued_at_time == instant
    assert message.issued_at_time.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "written",
    [
        "2021-13-30T16:25:24Z",
        "2021-00-30T16:25:24Z",
        "2021-02-29T16:25:24Z",
        "2021-09-31T16:25:24Z",
        "2021-09-30T24:00:00Z",
        "2021-09-30T16:60:24Z",
        "2021-09-30T16:25:61Z",
        "2021-09-30T16:25:60Z",
        "2021-09-30T16:25:24",
        "2021-09-30 16:25:24Z",
        "2021-09-30T16:25Z",
        "2021-09-30T16:25:24.Z",
        "2021-09-30T16:25:24,5Z",
        "2021-09-30T16:25:24+24:00",
        "2021-09-30T16:25:24+05:60",
        "2021-09-30T16:25:24+0530",
        "21-09-30T16:25:24Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:60Z",
        "\u0662\u0660\u0662\u0661-09-30T16:25:24Z",
        "Wed Oct 05 2011 16:48:00 GMT+0200 (CEST)",
        "1632932724",
        "",
    ],
)
@pytest.mark.parametrize("label", ["Issued At", "Expiration Time", "Not Before"])
def test_what_is_no_date_time_is_refused(label: str, written: str) -> None:
    lines = [f"{label}: {written}" if line.startswith(label) else line for line in FULL.split("\n")]
    with pytest.raises(MessageRejected, match="RFC 3339 date-time"):
        parse("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "wants you to sign in"),
        ("hello", 1, "wants you to sign in"),
        (EXAMPLE.replace("example.com wants", " wants"), 1, "authority"),
        (EXAMPLE.replace("example.com wants", "https:// wants"), 1, "authority"),
        (EXAMPLE.replace("example.com wants", "exam ple.com wants"), 1, "authority"),
        (EXAMPLE.replace("example.com wants", "exam/ple.com wants"), 1, "authority"),
        (EXAMPLE.replace("example.com wants", "[1::2::3] wants"), 1, "authority"),
        (EXAMPLE.replace("example.com wants", "1https://example.com wants"), 1, "authority"),
        (EXAMPLE.replace("Ethereum", "Ethereal"), 1, "Ethereum account"),
        (EXAMPLE.replace("Ethereum", "ethereum"), 1, "Ethereum account"),
        (EXAMPLE.replace("\n", "\r\n"), 1, "remove the carriage returns"),
        (EXAMPLE.replace("0xC02a", "C02a"), 2, "does not start with 0x"),
        (EXAMPLE.replace("0xC02a", "0XC02a"), 2, "does not start with 0x"),
        (EXAMPLE.replace("0xC02a", "0xC02"), 2, "39 characters after 0x"),
        (EXAMPLE.replace("0xC02a", "0xC02g"), 2, "'g' is not a hex digit"),
        (EXAMPLE.replace("0xC02a", "0xc02a"), 2, "it would be 0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        (CHALLENGE.replace("0130DF", "0131DF"), 2, "checksum of EIP-55"),
        (EXAMPLE.replace("Cc2\n\n", "Cc2\n"), 3, "a blank line after the address"),
        (EXAMPLE.replace(f"{STATEMENT}\n\n", ""), 4, "two blank lines stand between the address and the URI"),
        (EXAMPLE.replace(STATEMENT, "I accept 100%"), 4, "'%' is not one of them"),
        (EXAMPLE.replace(STATEMENT, 'I "accept"'), 4, "'\"' is not one of them"),
        (EXAMPLE.replace(STATEMENT, "Grüezi"), 4, "'ü' is not one of them"),
        (EXAMPLE.replace(STATEMENT, "I accept\nthe terms"), 5, "a single line"),
        (EXAMPLE.replace(f"{STATEMENT}\n", f"\n{STATEMENT}\n"), 5, "a blank line, the statement if there is one"),
        (EXAMPLE.replace(f"{STATEMENT}\n\n", f"{STATEMENT}\n\n\n"), 6, "'URI: '"),
        (EXAMPLE.replace("URI: https://example.com/login", "URI: _not_a_uri_"), 6, "an RFC 3986 URI"),
        (EXAMPLE.replace("URI: https://example.com/login", "URI: "), 6, "an RFC 3986 URI"),
        (EXAMPLE.replace("URI: https://example.com/login", "URI: example.com/login"), 6, "an RFC 3986 URI"),
        (EXAMPLE.replace("URI: https://example.com/login", "URI: https://[1:2]/"), 6, "an RFC 3986 URI"),
        (EXAMPLE.replace("URI: https", "URI:https"), 6, "One blank stands after the colon"),
        (EXAMPLE.replace("URI: https", "uri: https"), 6, "'URI: '"),
        (swapped(FULL, "URI", "Version"), 6, "stand in this order, each once: URI, Version, Chain ID"),
        (without(FULL, "Version"), 7, "'Version: ' and 1"),
        (EXAMPLE.replace("Version: 1", "Version: 2"), 7, "1 after 'Version: '"),
        (without(FULL, "Chain ID"), 8, "'Chain ID: '"),
        (EXAMPLE.replace("Chain ID: 1", "Chain ID: ?"), 8, "decimal digits"),
        (EXAMPLE.replace("Chain ID: 1", "Chain ID: \u0661"), 8, "decimal digits"),
        (EXAMPLE.replace("Chain ID: 1", "Chain ID: " + "1" * 5000), 8, "decimal digits"),
        (EXAMPLE.replace("32891756", "3289175"), 9, "The nonce has 7 characters"),
        (EXAMPLE.replace("32891756", "3289-1756"), 9, "at least 8 letters and digits"),
        (swapped(FULL, "Nonce", "Issued At"), 9, "stand in this order"),
        (without(FULL, "Issued At"), 10, "'Issued At: '"),
        ("\n".join(EXAMPLE.split("\n")[:9]), 10, "got the end of the message"),
        (swapped(FULL, "Expiration Time", "Not Before"), 12, "stand in this order"),
        (swapped(FULL, "Not Before", "Request ID"), 13, "stand in this order"),
        (FULL.replace("Request ID: some_id", "Request ID: some id"), 13, "RFC 3986 path characters"),
        (FULL + "\n- https://example.com/two\nRequest ID: some_id", 17, "stand in this order"),
        (EXAMPLE.replace("- ipfs://", "- _not a uri_"), 12, "an RFC 3986 URI after '- '"),
        (EXAMPLE + " - https://example.com/two", 13, "an RFC 3986 URI after '- '"),
        (EXAMPLE + "\n", 14, "no newline at its end"),
        (CHALLENGE + "\n", 11, "no newline at its end"),
        (CHALLENGE + "\nmore", 11, "the end of the message"),
    ],
)
def test_what_is_no_message_is_refused_with_its_line_and_the_reason(text: str, line: int, said: str) -> None:
    with pytest.raises(MessageRejected) as rejection:
        parse(text)
    assert rejection.value.line == line
    assert said in str(rejection.value)
    assert str(rejection.value).startswith(
        f"Line {line}: expected {rejection.value.expected}, got {rejection.value.got}."
    )


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_an_address_in_one_case_is_read_and_reported(change: object) -> None:
    assert callable(change)
    address = "0x" + str(change("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"))
    message = parse(EXAMPLE.replace("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", address))
    assert message.address == address
    assert not message.address_is_checksummed


addresses = st.binary(min_size=20, max_size=20).map(lambda raw: checksum_address("0x" + raw.hex()))
times = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(lambda at: at.isoformat() + "Z")  # noqa: DTZ001 - hypothesis takes naive bounds
uris = st.from_regex(r"[a-z][a-z0-9+.-]*://[a-z0-9.-]+(/[A-Za-z0-9._~!$&'()*+,;=:@-]*)*", fullmatch=True)
messages = st.builds(
    SignInMessage,
    domain=st.from_regex(r"[a-z0-9.-]+(:[0-9]*)?", fullmatch=True),
    address=addresses,
    uri=uris,
    chain_id=st.integers(0, 10**20),
    nonce=st.from_regex(r"[A-Za-z0-9]{8,40}", fullmatch=True),
    issued_at=times,
    scheme=st.none() | st.from_regex(r"[a-z][a-z0-9+.-]*", fullmatch=True),
    statement=st.none() | st.from_regex(r"[A-Za-z0-9 :/?#@!$&'()*+,;=._~-]*", fullmatch=True),
    expiration_time=st.none() | times,
    not_before=st.none() | times,
    request_id=st.none() | st.from_regex(r"[A-Za-z0-9:@%._~-]*".replace("%", ""), fullmatch=True),
    resources=st.none() | st.lists(uris, max_size=3).map(tuple),
)


@given(messages)
def test_every_message_is_read_back_from_its_text(message: SignInMessage) -> None:
    again = parse(str(message))
    assert str(again) == str(message)
    assert again.statement == message.statement
    assert again.resources == message.resources
    assert again.chain_id == message.chain_id


@given(st.data())
def test_an_altered_character_is_refused_or_read_as_another_message(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(FULL) - 1))
    altered = FULL[:place] + data.draw(st.characters(max_codepoint=0x2FF)) + FULL[place + 1 :]
    assume(altered != FULL)
    try:
        message = parse(altered)
    except MessageRejected as rejection:
        assert 1 <= rejection.line <= altered.count("\n") + 1  # noqa: PT017 - either outcome is right
    else:
        assert str(message) == altered
