"""What the bytes of a signature may be, if they are not those that its algorithm makes."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from conformance.diagnosis.form import Mistake

__all__ = ["Reading", "readings", "unreadable"]

_HEX = re.compile(rb"(?:0[xX])?([0-9a-fA-F]{80,})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{60,}={0,2}")
_MOST_MISSING = 4
_SIZES = {
    32: "HMAC-SHA256",
    64: "P-256, secp256k1 and Ed25519",
    65: "an Ethereum wallet",
    96: "P-384",
    114: "Ed448",
    132: "P-521",
    256: "RSA with 2048 bits",
    384: "RSA with 3072 bits",
    512: "RSA with 4096 bits",
}
"""What gives a signature of so many bytes."""


@dataclass(frozen=True)
class Reading:
    """The bytes of a signature as its algorithm makes them.

    Args:
        signature: The bytes; with an elliptic curve r and s, each of its full size.
        mistakes: In what other form they were sent.
        rank: How rare that is; 0 where the form shows it, 1 where only trying can.
    """

    signature: bytes
    mistakes: tuple[Mistake, ...] = ()
    rank: int = 0


def readings(sent: bytes, half: int | None) -> Iterator[Reading]:
    """The ways in which to read what was sent, the right one first, if it can be.

    Args:
        sent: The bytes that were sent.
        half: Bytes of r and of s, None where the algorithm has no such parts.
    """
    for content, mistakes in _unwrapped(sent):
        if half is None:
            yield Reading(content, mistakes)
        else:
            for each in _of_curve(content, half):
                yield Reading(each.signature, (*mistakes, *each.mistakes), each.rank)


def unreadable(sent: bytes, half: int | None, algorithm: str) -> Mistake | None:
    """What is plainly wrong with bytes of which no reading verifies, None if nothing is.

    Args:
        sent: The bytes that were sent.
        half: Bytes of r and of s, None where the algorithm has no such parts.
        algorithm: What the signature should be of.
    """
    if half is None or len(sent) == 2 * half:
        return None
    facts = {"size": str(len(sent)), "expected": str(2 * half), "algorithm": algorithm}
    if _der(sent) is not None:
        return Mistake("signature-in-der", {"expected": str(2 * half)})
    if 0 < 2 * half - len(sent) <= _MOST_MISSING:
        return Mistake("signature-too-short", facts)
    return Mistake("signature-of-other-size", {**facts, "like": _SIZES.get(len(sent), "nothing known")})


def _unwrapped(sent: bytes) -> Iterator[tuple[bytes, tuple[Mistake, ...]]]:
    if found := _HEX.fullmatch(sent):
        if len(found[1]) % 2 == 0:
            yield bytes.fromhex(found[1].decode()), (Mistake("signature-in-hex"),)
    elif _BASE64.fullmatch(sent):
        try:
            text = sent.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
            inner = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            inner = b""
        if inner:
            yield from ((content, (Mistake("signature-in-base64-twice"), *more)) for content, more in _unwrapped(inner))
    yield sent, ()


def _der(content: bytes) -> tuple[int, int] | None:
    try:
        return decode_dss_signature(content)
    except ValueError:
        return None


def _of_curve(content: bytes, half: int) -> Iterator[Reading]:
    size, expected = len(content), str(2 * half)
    if size == 2 * half:
        yield Reading(content)
        yield Reading(content[half:] + content[:half], (Mistake("s-before-r"),), 1)
        yield Reading(content[:half][::-1] + content[half:][::-1], (Mistake("signature-little-endian"),), 1)
        return
    numbers = _der(content)
    if numbers is not None and all(0 < number < 1 << (8 * half) for number in numbers):
        raw = b"".join(number.to_bytes(half, "big") for number in numbers)
        yield Reading(raw, (Mistake("signature-in-der", {"expected": expected}),))
        return
    missing = 2 * half - size
    if 0 < missing <= _MOST_MISSING:
        for of_s in range(missing + 1):
            of_r = missing - of_s
            r, s = content[: half - of_r], content[half - of_r :]
            which = {(True, False): "r", (False, True): "s"}.get((bool(of_r), bool(of_s)), "r and s")
            facts = {"which": which, "size": str(size), "expected": expected, "half": str(half)}
            yield Reading(r.rjust(half, b"\0") + s.rjust(half, b"\0"), (Mistake("leading-zeros-left-out", facts),))
    elif missing in (-1, -2):
        for r_size in (half + 1, half):
            r, s = content[:r_size], content[r_size:]
            if half <= len(s) <= half + 1 and all(len(part) == half or part[0] == 0 for part in (r, s)):
                facts = {"size": str(size), "expected": expected}
                yield Reading(r[-half:] + s[-half:], (Mistake("sign-byte-before-number", facts),))
        if missing == -1 and content[-1] in (0, 1, 27, 28):
            yield Reading(content[:-1], (Mistake("recovery-byte-appended", {"expected": expected}),))
