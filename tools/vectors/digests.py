"""Content-Digest fields."""

import hashlib
import json

from tools.vectors.case import Case, Topic, encoded

ABOUT = (
    "A client sends a body with its Content-Digest (RFC 9530); the provider accepts the request or not. What is judged "
    "is the field against the body alone."
)
BODY = b'{"chainId":"eip155:300:0x22227A31dd842196A246d8f3b775998560eAa61d","externalId":"vector-1"}'
MISMATCH, UNKNOWN = "digest.mismatch-refused", "digest.unknown-algorithm-refused"
BYTES = "client.digests-sent-bytes"
ALGORITHM = "client.digest-algorithm"


def sha(body: bytes, bits: int = 256) -> bytes:
    """The SHA-2 hash of `body`."""
    return hashlib.new(f"sha{bits}", body).digest()


def field(digest: bytes, name: str = "sha-256") -> str:
    """A member of the field."""
    return f"{name}=:{encoded(digest)}:"


def content(value: str | None, body: bytes = BODY) -> dict[str, str | None]:
    """The input of a case."""
    return {"body_base64": encoded(body), "content_digest": value}


def right(title: str, body: bytes, reason: str = "right") -> Case:
    """A body with its sha-256."""
    return Case(
        title, content(field(sha(body)), body), "valid", "must", reason, BYTES, task={"body_base64": encoded(body)}
    )


def wrong(title: str, value: str | None, reason: str, rule: str = MISMATCH, body: bytes = BODY) -> Case:
    """A field that does not vouch for the body."""
    return Case(title, content(value, body), "invalid", "must-not", reason, rule)


def open_(title: str, value: str, reason: str, section: str, produce: str = "unspecified") -> Case:
    """What the documents and the standard leave to the receiver."""
    return Case(title, content(value), produce, "unspecified", reason, basis="standard", source=("rfc9530", section))


RIGHT, LONG = field(sha(BODY)), field(sha(BODY, 512), "sha-512")
SPOILT = field(sha(b"other"))
REPRINTED = json.dumps(json.loads(BODY)).encode()

CASES = [
    right("sha-256", BODY),
    right("sha-256 of RFC 9530, appendix B.1", b'{"hello": "world"}\n'),
    right("sha-256 of a body that is no text", bytes(range(256))),
    right("sha-256 of a body with other than ASCII characters", '{"externalId":"Z\u00fcrich"}'.encode()),
    right("sha-256 of a large body", BODY * 1000),
    right("sha-256 of a body with a newline at its end", BODY + b"\n"),
    right("sha-256 of an empty body", b"", "no-body"),
    Case("empty body without a digest", content(None, b""), "valid", "must", "no-body", "digest.none-on-simulator"),
    Case("sha-512", content(LONG), "valid", "unspecified", "right", "digest.sha-512-accepted"),
    Case(
        "sha-512 of an empty body",
        content(field(sha(b"", 512), "sha-512"), b""),
        "valid",
        "unspecified",
        "no-body",
        "digest.sha-512-accepted",
    ),
    Case("sha-256 and sha-512", content(f"{RIGHT}, {LONG}"), "valid", "must", "several", BYTES),
    Case("sha-512 and sha-256 without a blank between", content(f"{LONG},{RIGHT}"), "valid", "must", "several", BYTES),
    # --------------------------------------------------------------------------------------------- left open
    open_(
        "sha-256 right and sha-512 wrong",
        f"{RIGHT}, {field(sha(b'other', 512), 'sha-512')}",
        "one-of-several-wrong",
        "2",
        "invalid",
    ),
    open_("sha-256 wrong and sha-512 right", f"{SPOILT}, {LONG}", "one-of-several-wrong", "2", "invalid"),
    open_("sha-256 beside an unknown algorithm", f"{RIGHT}, foo=:AAAA:", "unknown-algorithm", "2"),
    open_("sha-256 twice, the last one right", f"{SPOILT}, {RIGHT}", "repeated-algorithm", "2"),
    open_("sha-256 with a parameter", f"{RIGHT};a=1", "parameters", "2"),
    open_("sha-256 with blanks around it", f"  {RIGHT}  ", "form", "2"),
    # ------------------------------------------------------------------------------------------------- wrong
    wrong("body without a digest", None, "missing", "digest.missing-refused"),
    wrong("empty field", "", "missing", "digest.missing-refused"),
    wrong("sha-256 of another body", SPOILT, "other-body"),
    wrong("sha-512 of another body", field(sha(b"other", 512), "sha-512"), "other-body"),
    wrong("sha-256 and sha-512 both wrong", f"{SPOILT}, {field(sha(b'other', 512), 'sha-512')}", "other-body"),
    wrong("sha-256 of an empty body with a body", field(sha(b"")), "other-body"),
    wrong("sha-256 of a body with none", RIGHT, "no-body", body=b""),
    wrong("sha-256 with its last bit changed", field(sha(BODY)[:-1] + bytes([sha(BODY)[-1] ^ 1])), "other-body"),
    wrong("one character of the body changed", RIGHT, "other-body", body=BODY.replace(b"vector-1", b"vector-2")),
    wrong("body with a newline added", RIGHT, "line-ends", body=BODY + b"\n"),
    wrong("hash with a newline added", field(sha(BODY + b"\n")), "line-ends"),
    wrong("hash of CRLF for LF", field(sha(BODY + b"\r\n")), "line-ends", body=BODY + b"\n"),
    wrong("hash of the document printed with blanks", field(sha(REPRINTED)), "reserialised"),
    wrong(
        "hash of the document with its keys in another order",
        field(sha(json.dumps(dict(reversed(json.loads(BODY).items())), separators=(",", ":")).encode())),
        "reserialised",
    ),
    wrong(
        "hash of the document with escapes",
        field(sha(b'{"a":"Z\\u00fcrich"}')),
        "reserialised",
        body='{"a":"Z\u00fcrich"}'.encode(),
    ),
    wrong("hash of the body in base64", field(sha(encoded(BODY).encode())), "encoding"),
    wrong("hex of the hash", f"sha-256=:{sha(BODY).hex()}:", "encoding"),
    wrong("base64 of the hex of the hash", field(sha(BODY).hex().encode()), "encoding"),
    wrong("sha-512 under the name sha-256", field(sha(BODY, 512)), "length"),
    wrong("sha-256 under the name sha-512", field(sha(BODY), "sha-512"), "length"),
    wrong("hash cut by a byte", field(sha(BODY)[:-1]), "length"),
    wrong("hash of no bytes", "sha-256=::", "length"),
    wrong("md5 alone", field(hashlib.md5(BODY, usedforsecurity=False).digest(), "md5"), "unknown-algorithm", UNKNOWN),
    wrong("sha-384 alone", field(sha(BODY, 384), "sha-384"), "unknown-algorithm", UNKNOWN),
    wrong("algorithm that nobody has", "foo=:AAAA:", "unknown-algorithm", UNKNOWN),
    wrong("without colons", f"sha-256={encoded(sha(BODY))}", "form"),
    wrong("in quotes", f'sha-256="{encoded(sha(BODY))}"', "form"),
    wrong("without the algorithm", f":{encoded(sha(BODY))}:", "form"),
    wrong("in the form of the older field Digest", f"SHA-256={encoded(sha(BODY))}", "form"),
    wrong("algorithm in upper case", RIGHT.replace("sha-256", "SHA-256"), "form"),
    wrong("algorithm without its hyphen", RIGHT.replace("sha-256", "sha256"), "unknown-algorithm", UNKNOWN),
    wrong("text that is no field", "digest", "form"),
]

TOPIC = Topic("offblocks", "digests", ABOUT, CASES)
