"""What a wallet may have signed instead of a challenge, and how."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha3_256, sha256

from eth_hash.auto import keccak

from conformance.diagnosis.form import Mistake
from conformance.standards.account_ids import checksum_address
from conformance.standards.personal_message import message_hash

__all__ = ["MANNERS", "Manner", "Signed", "texts"]

_CHAINS = ("1", "5", "10", "56", "100", "137", "280", "300", "324", "8453", "42161", "43114", "59144", "11155111")
_ONE_BYTE, _TWO_BYTES = 0xFD, 0x10000
_PREFIX = b"\x19Ethereum Signed Message:\n"
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.\d+)?Z")
_SCHEMES = ("https://", "http://")
_LOCAL = ("localhost", "localhost:3000", "localhost:8080", "127.0.0.1")
_URI_LINE = re.compile(r"(?m)^URI: (\S+)$")
_LATER_LINE = re.compile(r"\n(Issued At|Expiration Time|Not Before|Request ID|Nonce|Version): [^\n]*")
_STATEMENT = re.compile(r"\n\n[^\n]+\n\n(?=URI: )")
_CHAIN_LINE = re.compile(r"(?m)^Chain ID: (\d+)$")


@dataclass(frozen=True)
class Signed:
    """A text that may have been signed.

    Args:
        text: The text.
        mistake: What is wrong with it; None for the challenge itself.
    """

    text: bytes
    mistake: Mistake | None = None


@dataclass(frozen=True)
class Manner:
    """A way to sign a text.

    Args:
        mistake: What is wrong with it; None for ``personal_sign``.
        digest: Gives the 32 bytes that are signed for a text.
    """

    mistake: Mistake | None
    digest: Callable[[bytes], bytes]


def texts(message: bytes, issued: str, others: Sequence[bytes], chains: Sequence[str]) -> Iterator[Signed]:
    """What may have been signed, the challenge itself first.

    Args:
        message: The challenge, decoded.
        issued: The challenge as it was issued, in base64.
        others: Other challenges, decoded, such as older ones.
        chains: The chain ids to think of besides the usual ones.
    """
    yield Signed(message)
    yield from (Signed(other, Mistake("signed-older-challenge")) for other in others if other != message)
    yield from _encoded(message, issued)
    yield from _line_ends(message)
    yield from _altered(message, chains)


def _encoded(message: bytes, issued: str) -> Iterator[Signed]:
    base64_text = Mistake("signed-the-base64-text")
    encoded = base64.b64encode(message)
    for text in (issued.encode(errors="replace"), encoded, encoded.rstrip(b"="), base64.urlsafe_b64encode(message)):
        if text != message:
            yield Signed(text, base64_text)
    hex_text = message.hex()
    yield Signed(f"0x{hex_text}".encode(), Mistake("signed-the-hex-text", {"form": "with 0x"}))
    yield Signed(hex_text.encode(), Mistake("signed-the-hex-text", {"form": "without 0x"}))
    yield Signed(f"0x{hex_text.upper()}".encode(), Mistake("signed-the-hex-text", {"form": "with 0x, in upper case"}))
    yield Signed(encoded.hex().encode(), Mistake("signed-the-hex-text", {"form": "of its base64"}))
    for text in (message, issued.encode(errors="replace")):
        if found := re.fullmatch(rb"(?:0[xX])?((?:[0-9a-fA-F]{2})+)", text):
            yield Signed(bytes.fromhex(found[1].decode()), Mistake("signed-hex-as-bytes"))
    yield Signed(b"", Mistake("signed-nothing"))
    plain = message.decode(errors="replace")
    yield Signed(json.dumps(plain).encode(), Mistake("signed-json-string"))
    yield Signed(json.dumps(plain, ensure_ascii=False).encode(errors="replace"), Mistake("signed-json-string"))
    yield Signed(b'"' + message + b'"', Mistake("signed-json-string"))
    yield Signed(plain.encode("utf-16-le"), Mistake("signed-utf-16"))
    yield Signed(b"\xef\xbb\xbf" + message, Mistake("signed-with-byte-order-mark"))


def _line_ends(message: bytes) -> Iterator[Signed]:
    """Texts with other line ends and blanks; of the names that one could have, the narrowest."""
    seen = {message}
    lines = message.replace(b"\r\n", b"\n")
    for name, text in (
        ("signed-with-crlf", lines.replace(b"\n", b"\r\n")),
        ("signed-with-lf", lines),
        ("signed-with-newline", message + b"\n"),
        ("signed-with-newline", message + b"\r\n"),
        ("signed-without-newline", message.rstrip(b"\r\n")),
        ("signed-trimmed", message.strip()),
        ("signed-with-backslash-n", lines.replace(b"\n", b"\\n")),
        ("signed-in-one-line", lines.replace(b"\n", b" ")),
        ("signed-in-one-line", lines.replace(b"\n", b"")),
        ("signed-without-empty-lines", re.sub(rb"\n{2,}", b"\n", lines)),
        ("signed-without-empty-lines", re.sub(rb"\n{3,}", b"\n\n", lines)),
        ("signed-trimmed", re.sub(rb"[ \t]+(?=\n|$)", b"", lines)),
        ("signed-with-space", message + b" "),
    ):
        if text not in seen:
            seen.add(text)
            yield Signed(text, Mistake(name))


def _altered(message: bytes, chains: Sequence[str]) -> Iterator[Signed]:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        return
    yield from _of_chain(text, chains)
    yield from _of_address(text)
    yield from _of_time(text)
    domain = text.partition(" ")[0]
    scheme = next((each for each in _SCHEMES if domain.startswith(each)), None)
    if scheme is not None:
        yield _other(text[len(scheme) :], "signed-without-scheme", right=domain)
    else:
        yield from (_other(each + text, "signed-with-scheme", signed=each + domain) for each in _SCHEMES)
    if text != text.lower():
        yield _other(text.lower(), "signed-in-lower-case")
    yield from _made_anew(text)


def _other(text: str, mistake: str, **facts: str) -> Signed:
    return Signed(text.encode(), Mistake(mistake, facts))


def _of_chain(text: str, chains: Sequence[str]) -> Iterator[Signed]:
    found = _CHAIN_LINE.search(text)
    if found is None:
        return
    for chain in dict.fromkeys((*chains, *_CHAINS)):
        if chain != found[1]:
            other = f"{text[: found.start(1)]}{chain}{text[found.end(1) :]}"
            yield _other(other, "signed-for-other-chain", signed=chain, right=found[1])
    without = text[: found.start()] + text[found.end() + 1 :]
    yield _other(without, "signed-for-other-chain", signed="none", right=found[1])


def _of_address(text: str) -> Iterator[Signed]:
    found = _ADDRESS.search(text)
    if found is None:
        return
    digits = found[0][2:]
    for other in dict.fromkeys((f"0x{digits.lower()}", checksum_address(f"0x{digits}"), f"0x{digits.upper()}")):
        if other != found[0]:
            yield _other(text.replace(found[0], other), "signed-address-in-other-case", signed=other, right=found[0])


def _of_time(text: str) -> Iterator[Signed]:
    found = _TIME.search(text)
    if found is None:
        return
    whole, fraction = found[1], found[2] or ""
    for other in (f"{whole}Z" if fraction else f"{whole}.000Z", f"{whole}{fraction}+00:00"):
        yield _other(text.replace(found[0], other), "signed-time-in-other-form", signed=other)


def _made_anew(text: str) -> Iterator[Signed]:
    """What a program comes to that puts the message together itself (EIP-4361), from what it knows of the sign-in."""
    for made, signed, right in _composed(text):
        if made != text:
            yield _other(made, "signed-message-made-anew", signed=signed, right=right)


def _composed(text: str) -> Iterator[tuple[str, str, str]]:
    """A message with one thing otherwise, what that is, and what is right."""
    domain = text.partition(" ")[0]
    if found := _URI_LINE.search(text):
        line, bare = found[0], found[1].partition("://")[2].rstrip("/")
        for uri in (f"https://{bare}", f"https://{bare}/", f"http://{bare}", f"http://{bare}/", bare):
            yield text.replace(line, f"URI: {uri}"), f"URI: {uri}", line
        for host in dict.fromkeys((*_LOCAL, *_hosts_like(domain))):
            moved = text.replace(domain, host, 1)
            yield moved, f"the domain {host}", domain
            for scheme in _SCHEMES:
                yield moved.replace(line, f"URI: {scheme}{host}"), f"the domain {host} and its URI", domain
    for later in _LATER_LINE.finditer(text):
        yield text.replace(later[0], "", 1), f"no line {later[1]}", later[0].strip()
    if statement := _STATEMENT.search(text):
        for blank in ("\n\n", "\n\n\n"):
            yield text.replace(statement[0], blank, 1), "no statement", "one"


def _hosts_like(domain: str) -> list[str]:
    """The hosts of an API's other environments, by their names."""
    labels = domain.split(".")
    shorter = [".".join(labels[:at] + labels[at + 1 :]) for at in range(len(labels) - 2)]
    registered = ".".join(labels[-2:])
    return [*shorter, registered, f"www.{registered}", f"app.{registered}"]


# ------------------------------------------------------------------------------------------------------------- manners


def _prefixed(length: str) -> Callable[[bytes], bytes]:
    return lambda text: keccak(_PREFIX + length.encode() + text)


def _of_hash(of: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda text: message_hash(of(text))


def _of_hex(of: Callable[[bytes], bytes], prefix: str) -> Callable[[bytes], bytes]:
    return lambda text: message_hash((prefix + of(text).hex()).encode())


def _otherwise_prefixed(name: str) -> Callable[[bytes], bytes]:
    return lambda text: keccak(f"\x19{name} Signed Message:\n{len(text)}".encode() + text)


def _begun(start: bytes) -> Callable[[bytes], bytes]:
    """The prefix with something else as its first byte, such as an escape that nothing has read."""
    return lambda text: keccak(start + _PREFIX[1:] + str(len(text)).encode() + text)


def _of_bitcoin(text: bytes) -> bytes:
    long = b"\xfd" + (len(text) % _TWO_BYTES).to_bytes(2, "little")
    size = bytes([len(text)]) if len(text) < _ONE_BYTE else long
    return _sha256(_sha256(b"\x18Bitcoin Signed Message:\n" + size + text))


def _sha256(text: bytes) -> bytes:
    return sha256(text).digest()


def _doubly(text: bytes) -> bytes:
    return message_hash(_PREFIX + str(len(text)).encode() + text)


MANNERS: Sequence[Manner] = (
    Manner(None, message_hash),
    Manner(Mistake("signed-without-prefix", {"hash": "Keccak-256"}), keccak),
    Manner(Mistake("signed-without-prefix", {"hash": "SHA-256"}), _sha256),
    Manner(Mistake("signed-without-prefix", {"hash": "SHA3-256"}), lambda text: sha3_256(text).digest()),
    Manner(Mistake("signed-without-prefix", {"hash": "Keccak-256 twice"}), lambda text: keccak(keccak(text))),
    Manner(Mistake("signed-the-hash", {"hash": "Keccak-256"}), _of_hash(keccak)),
    Manner(Mistake("signed-the-hash", {"hash": "SHA-256"}), _of_hash(_sha256)),
    Manner(Mistake("signed-the-hash", {"hash": "SHA3-256"}), _of_hash(lambda text: sha3_256(text).digest())),
    Manner(Mistake("signed-the-hex-of-hash", {"hash": "Keccak-256"}), _of_hex(keccak, "0x")),
    Manner(Mistake("signed-the-hex-of-hash", {"hash": "Keccak-256"}), _of_hex(keccak, "")),
    Manner(Mistake("signed-the-hex-of-hash", {"hash": "SHA-256"}), _of_hex(_sha256, "0x")),
    Manner(Mistake("signed-the-hex-of-hash", {"hash": "SHA-256"}), _of_hex(_sha256, "")),
    Manner(Mistake("signed-with-two-prefixes"), _doubly),
    Manner(Mistake("signed-with-two-prefixes"), _of_hash(message_hash)),
    Manner(Mistake("signed-with-wrong-length", {"length": "32"}), _prefixed("32")),
    Manner(Mistake("signed-with-wrong-length", {"length": "none"}), _prefixed("")),
    *(
        Manner(Mistake("signed-with-other-prefix", {"prefix": name}), _otherwise_prefixed(name))
        for name in ("TRON", "Klaytn", "Conflux", "Ethereum Classic")
    ),
    Manner(Mistake("signed-with-other-prefix", {"prefix": "Bitcoin"}), _of_bitcoin),
    Manner(Mistake("signed-with-prefix-without-0x19"), _begun(b"")),
    Manner(Mistake("signed-with-prefix-without-0x19"), _begun(b"\\x19")),
    Manner(Mistake("signed-with-prefix-without-0x19"), _begun(b"\\u0019")),
    Manner(Mistake("signed-with-sha-256-for-keccak"), lambda text: _sha256(_PREFIX + str(len(text)).encode() + text)),
    Manner(
        Mistake("signed-with-wrong-length", {"length": "that in characters"}),
        lambda text: keccak(_PREFIX + str(len(text.decode(errors="replace"))).encode() + text),
    ),
)
"""The ways to sign a text, ``personal_sign`` first."""
