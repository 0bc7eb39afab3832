"""Sign-in messages, by the grammar of EIP-4361."""

from typing import Any

from tools.vectors.case import Case, Topic
from tools.vectors.wallet_signatures import ADDRESS, PRINTED_SIGNER

ABOUT = (
    "The provider writes a challenge, a message of EIP-4361; a client's wallet reads it before it signs, so here the "
    "provider sends and the client accepts. The address is that of a made-up key, see wallet-signatures."
)
RULE = "challenge.grammar"
STATEMENT = "Made up for the test vectors."
ISSUED = "2026-01-15T12:00:00Z"

BASE: dict[str, Any] = {
    "domain": "api.sandbox.offblocks.xyz",
    "address": ADDRESS,
    "statement": STATEMENT,
    "uri": "https://api.sandbox.offblocks.xyz",
    "version": "1",
    "chain_id": 300,
    "nonce": "vectors0vectors1",
    "issued_at": ISSUED,
}
FULL: dict[str, Any] = {
    **BASE,
    "expiration_time": "2026-01-15T13:00:00Z",
    "not_before": "2026-01-15T12:00:00Z",
    "request_id": "request-7",
    "resources": ["https://example.com/terms", "ipfs://bafybeiexample/"],
}


def written(fields: dict[str, Any]) -> str:
    """The text of a message with these fields."""
    optional = (
        ("Expiration Time", "expiration_time"),
        ("Not Before", "not_before"),
        ("Request ID", "request_id"),
    )
    scheme = f"{fields['scheme']}://" if "scheme" in fields else ""
    lines = [
        f"{scheme}{fields['domain']} wants you to sign in with your Ethereum account:",
        fields["address"],
        "",
        *([fields["statement"]] if "statement" in fields else []),
        "",
        f"URI: {fields['uri']}",
        f"Version: {fields['version']}",
        f"Chain ID: {fields['chain_id']}",
        f"Nonce: {fields['nonce']}",
        f"Issued At: {fields['issued_at']}",
        *(f"{label}: {fields[name]}" for label, name in optional if name in fields),
    ]
    if "resources" in fields:
        lines += ["Resources:", *(f"- {uri}" for uri in fields["resources"])]
    return "\n".join(lines)


def fields(base: dict[str, Any], *absent: str, **changed: Any) -> dict[str, Any]:
    """Fields with some changed and some left out."""
    return {name: value for name, value in {**base, **changed}.items() if name not in absent}


PLAIN, WHOLE = written(BASE), written(FULL)


def right(title: str, base: dict[str, Any], *absent: str, reason: str = "right", **changed: Any) -> Case:
    """A message of the grammar that is made from its fields."""
    given = fields(base, *absent, **changed)
    return Case(title, {"message": written(given)}, "valid", "must", reason, RULE, task=given)


def read(title: str, message: str, reason: str) -> Case:
    """A message of the grammar that no producer is asked for."""
    return Case(title, {"message": message}, "valid", "must", reason, RULE)


def wrong(title: str, message: str, reason: str, rule: str = RULE) -> Case:
    """A message that is not of the grammar."""
    return Case(title, {"message": message}, "invalid", "must-not", reason, rule)


def open_(title: str, message: str, reason: str, section: str) -> Case:
    """A message of which the standard leaves open whether it is right."""
    return Case(
        title,
        {"message": message},
        "unspecified",
        "unspecified",
        reason,
        basis="standard",
        source=("eip4361", section),
    )


def without(label: str, text: str = WHOLE) -> str:
    """The text without the line of a label."""
    return "\n".join(line for line in text.split("\n") if not line.startswith(label))


def doubled(label: str) -> str:
    """The text with the line of a label twice."""
    return "\n".join(f"{line}\n{line}" if line.startswith(label) else line for line in WHOLE.split("\n"))


def swapped(first: str, second: str) -> str:
    """The text with the lines of two labels in each other's place."""
    lines = WHOLE.split("\n")
    one, other = (next(i for i, line in enumerate(lines) if line.startswith(label)) for label in (first, second))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def stated(statement: str) -> str:
    """The text with another statement."""
    return PLAIN.replace(STATEMENT, statement)


def issued(time: str) -> str:
    """The text with another Issued At."""
    return PLAIN.replace(ISSUED, time)


NO_STATEMENT = written(fields(BASE, "statement"))
LABELS = ("URI: ", "Version: ", "Chain ID: ", "Nonce: ", "Issued At: ")
PUNCTUATION = "-._~:/?#[]@!$&'()*+,;= "

CASES = [
    # ------------------------------------------------------------------------------------------- of the grammar
    right(
        "printed in the documents",
        BASE,
        address=PRINTED_SIGNER,
        statement=(
            "OffBlocks wants to verify ownership of your wallet. By connecting your wallet and using OffBlocks, you "
            "agree to our Terms of services and Privacy Policy"
        ),
        chain_id=280,
        nonce="5ufoiEqDaFvmfo78",
        issued_at="2024-01-17T18:21:53Z",
    ),
    right("with a statement", BASE),
    right("with every field", FULL),
    right("without statement: two blank lines", BASE, "statement", reason="blank-lines"),
    right("with every field but the statement", FULL, "statement", reason="blank-lines"),
    right("with Expiration Time alone", BASE, expiration_time="2026-01-15T13:00:00Z"),
    right("with Not Before alone", BASE, not_before="2026-01-15T12:00:00Z"),
    right("with Request ID alone", BASE, request_id="some_id", reason="request-id"),
    right("with Resources alone", BASE, resources=["https://example.com/terms"], reason="resources"),
    right(
        "with twenty resources",
        BASE,
        resources=[f"https://example.com/terms/{number}" for number in range(20)],
        reason="resources",
    ),
    right("with resources of other schemes", BASE, resources=["did:example:123#key", "urn:isbn:1"], reason="resources"),
    read("with Resources and none of them", f"{PLAIN}\nResources:", "resources"),
    read("with an empty Request ID", f"{PLAIN}\nRequest ID: ", "request-id"),
    right(
        "Request ID of all kinds of path characters", BASE, request_id="a:b@c%20d!$&'()*+,;=-._~", reason="request-id"
    ),
    right("statement with all punctuation that is allowed", BASE, statement=f"a{PUNCTUATION}b", reason="statement"),
    right("statement that looks like a field", BASE, statement="URI: https://example.com", reason="statement"),
    right("statement of a thousand characters", BASE, statement="long " * 199 + "words", reason="statement"),
    right("domain with a port", BASE, domain="api.sandbox.offblocks.xyz:8443", reason="domain"),
    right("domain of IPv4", BASE, domain="127.0.0.1", reason="domain"),
    right("domain of IPv4 with a port", BASE, domain="127.0.0.1:8080", reason="domain"),
    right("domain of IPv6", BASE, domain="[2001:db8::7]", reason="domain"),
    right("domain of IPv6 with a port", BASE, domain="[::1]:8080", reason="domain"),
    right("domain of one label", BASE, domain="localhost", reason="domain"),
    read("domain with user information", PLAIN.replace("api.", "user@api.", 1), "domain"),
    right("origin with its scheme", BASE, scheme="https", reason="domain"),
    right("URI with path, query and fragment", BASE, uri="https://example.com/a%20b?c=d&e=/?#f", reason="uri"),
    right("URI of a scheme without authority", BASE, uri="did:example:123#key", reason="uri"),
    right("URI with IPv6", BASE, uri="https://[::1]:8080/login", reason="uri"),
    right("chain id of 1", BASE, chain_id=1, reason="chain-id"),
    right("chain id above 32 bits", BASE, chain_id=11297108109, reason="chain-id"),
    read("chain id with a leading zero", PLAIN.replace("ID: 300", "ID: 0300"), "chain-id"),
    right("nonce of 8 characters", BASE, nonce="aB3dE6gH", reason="nonce"),
    right("nonce of 8 digits", BASE, nonce="01234567", reason="nonce"),
    right("nonce of 200 characters", BASE, nonce="aB3dE6gH" * 25, reason="nonce"),
    *(
        right(title, BASE, issued_at=time, reason="time")
        for title, time in (
            ("offset ahead of UTC", "2026-01-15T17:30:00+05:30"),
            ("offset behind UTC", "2026-01-15T04:00:00-08:00"),
            ("offset of zero", "2026-01-15T12:00:00+00:00"),
            ("offset of minus zero", "2026-01-15T12:00:00-00:00"),
            ("offset of almost a day", "2026-01-16T11:59:00+23:59"),
            ("lower-case t", "2026-01-15t12:00:00Z"),
            ("lower-case z", "2026-01-15T12:00:00z"),
            ("lower-case t and z", "2026-01-15t12:00:00z"),
            ("fraction of one digit", "2026-01-15T12:00:00.5Z"),
            ("fraction of nine digits", "2026-01-15T12:00:00.123456789Z"),
            ("fraction of twenty digits", "2026-01-15T12:00:00.12345678901234567890Z"),
            ("fraction and offset", "2026-01-15T17:30:00.25+05:30"),
            ("leap day", "2028-02-29T12:00:00Z"),
        )
    ),
    # ------------------------------------------------------------------------------------------------ left open
    open_("address all in lower case", PLAIN.replace(ADDRESS, ADDRESS.lower()), "address", "Message Fields, address"),
    open_(
        "address all in upper case",
        PLAIN.replace(ADDRESS, "0x" + ADDRESS[2:].upper()),
        "address",
        "Message Fields, address",
    ),
    open_("empty statement: three blank lines", stated(""), "statement", "ABNF Message Format, statement"),
    open_("leap second", issued("2016-12-31T23:59:60Z"), "time", "ABNF Message Format, issued-at"),
    # ------------------------------------------------------------------------------------------ not of the grammar
    wrong("without statement: one blank line", NO_STATEMENT.replace("\n\n\n", "\n\n"), "blank-lines"),
    wrong("without statement: no blank line", NO_STATEMENT.replace("\n\n\n", "\n"), "blank-lines"),
    wrong("without statement: four blank lines", NO_STATEMENT.replace("\n\n\n", "\n\n\n\n\n"), "blank-lines"),
    wrong("no blank line before the statement", PLAIN.replace(f"\n\n{STATEMENT}", f"\n{STATEMENT}"), "blank-lines"),
    wrong("no blank line after the statement", PLAIN.replace(f"{STATEMENT}\n\n", f"{STATEMENT}\n"), "blank-lines"),
    wrong("two blank lines after the statement", PLAIN.replace(f"{STATEMENT}\n", f"{STATEMENT}\n\n"), "blank-lines"),
    wrong("blank line among the fields", PLAIN.replace("\nNonce", "\n\nNonce"), "blank-lines"),
    wrong("newline at the end", PLAIN + "\n", "line-ends"),
    wrong("newline at the start", "\n" + PLAIN, "line-ends"),
    wrong("newline after the resources", WHOLE + "\n", "line-ends"),
    wrong("CRLF line ends", PLAIN.replace("\n", "\r\n"), "line-ends"),
    wrong("CR line ends", PLAIN.replace("\n", "\r"), "line-ends"),
    wrong("one CRLF among LF", PLAIN.replace("\nNonce", "\r\nNonce"), "line-ends"),
    wrong("blank at the end of a line", PLAIN.replace("Version: 1", "Version: 1 "), "line-ends"),
    *(wrong(f"without {label.strip(': ')}", without(label), "missing-field") for label in LABELS),
    wrong("without address", PLAIN.replace(f"{ADDRESS}\n", ""), "missing-field"),
    wrong("without the first line", PLAIN.partition("\n")[2], "missing-field"),
    *(wrong(f"{label.strip(': ')} doubled", doubled(label), "repeated-field") for label in (*LABELS, "Request ID: ")),
    *(
        wrong(f"{first.strip(': ')} and {second.strip(': ')} reordered", swapped(first, second), "field-order")
        for first, second in (
            ("URI: ", "Version: "),
            ("Version: ", "Chain ID: "),
            ("Chain ID: ", "Nonce: "),
            ("Nonce: ", "Issued At: "),
            ("Expiration Time: ", "Not Before: "),
            ("Not Before: ", "Request ID: "),
        )
    ),
    wrong("Request ID after the resources", without("Request ID") + "\nRequest ID: request-7", "field-order"),
    wrong("field that the grammar lacks", PLAIN + "\nAudience: example.com", "label"),
    wrong("label in lower case", PLAIN.replace("Nonce: ", "nonce: "), "label"),
    wrong("label without the blank after its colon", PLAIN.replace("Nonce: ", "Nonce:"), "label"),
    wrong("label with two blanks after its colon", PLAIN.replace("Nonce: ", "Nonce:  "), "label"),
    wrong("other words in the first line", PLAIN.replace("wants you to sign in", "wants you to log in"), "label"),
    wrong("first line without its colon", PLAIN.replace("account:", "account"), "label"),
    wrong("account of another network", PLAIN.replace("your Ethereum account", "your Solana account"), "label"),
    *(
        wrong(f"statement with {what}", stated(statement), "statement")
        for what, statement in (
            ("an umlaut", "F\u00fcr die Testvektoren."),
            ("an emoji", "Made up \U0001f642"),
            ("a curly apostrophe", "It\u2019s made up."),
            ("a no-break space", "Made\u00a0up."),
            ("a quotation mark", 'Made "up".'),
            ("angle brackets", "Made <up>."),
            ("a percent sign", "Made up to 100%."),
            ("a backslash", "Made\\up."),
            ("braces", "Made {up}."),
            ("a vertical bar", "Made | up."),
            ("a circumflex", "Made ^ up."),
            ("a backtick", "Made `up`."),
            ("a tab", "Made\tup."),
            ("a null", "Made\0up."),
            ("a second line", "Made up.\nAnd more."),
        )
    ),
    wrong("without domain", PLAIN.replace("api.sandbox.offblocks.xyz wants", " wants"), "domain"),
    wrong("domain with a path", PLAIN.replace("xyz wants", "xyz/login wants"), "domain"),
    wrong("domain with a blank", PLAIN.replace("api.sandbox", "api sandbox", 1), "domain"),
    wrong("domain of broken IPv6", PLAIN.replace("api.sandbox.offblocks.xyz wants", "[1::2::3] wants"), "domain"),
    wrong("scheme without domain", PLAIN.replace("api.sandbox.offblocks.xyz wants", "https:// wants"), "domain"),
    wrong("address without 0x", PLAIN.replace(ADDRESS, ADDRESS[2:]), "address"),
    wrong("address with 0X", PLAIN.replace(ADDRESS, "0X" + ADDRESS[2:]), "address"),
    wrong("address of 39 digits", PLAIN.replace(ADDRESS, ADDRESS[:-1]), "address"),
    wrong("address of 41 digits", PLAIN.replace(ADDRESS, ADDRESS + "0"), "address"),
    wrong("address with a letter beyond f", PLAIN.replace(ADDRESS, ADDRESS[:-1] + "g"), "address"),
    wrong("address with a wrong checksum", PLAIN.replace(ADDRESS, "0x" + ADDRESS[2:].swapcase()), "address"),
    wrong("address as an account id", PLAIN.replace(ADDRESS, f"eip155:300:{ADDRESS}"), "address"),
    wrong("URI without a scheme", PLAIN.replace("URI: https://", "URI: "), "uri"),
    wrong("empty URI", PLAIN.replace("URI: https://api.sandbox.offblocks.xyz", "URI: "), "uri"),
    wrong("URI with a blank", PLAIN.replace("URI: https://api", "URI: https://a pi"), "uri"),
    wrong("URI with other than ASCII characters", PLAIN.replace("URI: https://api", "URI: https://\u00e4pi"), "uri"),
    wrong("version of 2", PLAIN.replace("Version: 1", "Version: 2"), "version", "challenge.version-is-1"),
    wrong("version of 1.0", PLAIN.replace("Version: 1", "Version: 1.0"), "version", "challenge.version-is-1"),
    wrong("chain id in hex", PLAIN.replace("ID: 300", "ID: 0x12c"), "chain-id"),
    wrong("negative chain id", PLAIN.replace("ID: 300", "ID: -300"), "chain-id"),
    wrong("empty chain id", PLAIN.replace("ID: 300", "ID: "), "chain-id"),
    wrong("chain id with its namespace", PLAIN.replace("ID: 300", "ID: eip155:300"), "chain-id"),
    wrong("nonce of 7 characters", PLAIN.replace("vectors0vectors1", "aB3dE6g"), "nonce", "challenge.nonce"),
    wrong("empty nonce", PLAIN.replace("vectors0vectors1", ""), "nonce", "challenge.nonce"),
    wrong("nonce with a hyphen", PLAIN.replace("vectors0vectors1", "vectors0-vectors1"), "nonce", "challenge.nonce"),
    wrong(
        "nonce with an umlaut", PLAIN.replace("vectors0vectors1", "vectors0v\u00e9ctors1"), "nonce", "challenge.nonce"
    ),
    *(
        wrong(title, issued(time), "time")
        for title, time in (
            ("time without a zone", "2026-01-15T12:00:00"),
            ("month of 13", "2026-13-15T12:00:00Z"),
            ("month of 0", "2026-00-15T12:00:00Z"),
            ("30 February", "2026-02-30T12:00:00Z"),
            ("29 February of a common year", "2026-02-29T12:00:00Z"),
            ("hour of 24", "2026-01-15T24:00:00Z"),
            ("minute of 60", "2026-01-15T12:60:00Z"),
            ("second of 61", "2026-01-15T12:00:61Z"),
            ("blank instead of T", "2026-01-15 12:00:00Z"),
            ("time without seconds", "2026-01-15T12:00Z"),
            ("date without time", "2026-01-15"),
            ("fraction without digits", "2026-01-15T12:00:00.Z"),
            ("fraction after a comma", "2026-01-15T12:00:00,5Z"),
            ("offset without its colon", "2026-01-15T17:30:00+0530"),
            ("offset of hours alone", "2026-01-15T17:30:00+05"),
            ("offset of 24 hours", "2026-01-15T12:00:00+24:00"),
            ("year of two digits", "26-01-15T12:00:00Z"),
            ("seconds since 1970", "1768478400"),
            ("time of HTTP", "Thu, 15 Jan 2026 12:00:00 GMT"),
        )
    ),
    wrong("Expiration Time without a zone", WHOLE.replace("13:00:00Z", "13:00:00"), "time"),
    wrong("Not Before with month 13", WHOLE.replace("Not Before: 2026-01", "Not Before: 2026-13"), "time"),
    wrong("Request ID with a blank", WHOLE.replace("request-7", "request 7"), "request-id"),
    wrong("Request ID with a slash", WHOLE.replace("request-7", "request/7"), "request-id"),
    wrong("resource that is no URI", WHOLE.replace("- https://example.com/terms", "- terms"), "resources"),
    wrong(
        "resource without its hyphen",
        WHOLE.replace("- https://example.com/terms", "https://example.com/terms"),
        "resources",
    ),
    wrong(
        "resource after an asterisk",
        WHOLE.replace("- https://example.com/terms", "* https://example.com/terms"),
        "resources",
    ),
    wrong("Resources with a blank after its colon", WHOLE.replace("Resources:", "Resources: "), "resources"),
    wrong("empty text", "", "missing-field"),
    wrong("text that is no sign-in message", "Please sign this.", "label"),
    wrong("text before the message", "Hello\n" + PLAIN, "label"),
    wrong("text after the message", PLAIN + "\nGoodbye", "label"),
]

TOPIC = Topic("offblocks", "sign-in-messages", ABOUT, CASES)
