"""What the text of a wallet's signature may be, if it is not base64 of the 65 bytes r, s and v or of their hex text."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from coincurve.utils import GROUP_ORDER_INT
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from conformance.diagnosis.form import Mistake
from conformance.standards.personal_message import SIGNATURE_SIZE, Signers

__all__ = ["WalletReading", "unwrapped", "wallet_readings"]

_HEX = re.compile(r"(0[xX])?([0-9a-fA-F]*)")
_STANDARD = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_ANY_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_COMPACT, _HALF, _HIGH = 64, 32, 0x80
_ERC_6492_SUFFIX = bytes.fromhex("6492" * 16)
_ABI_WORD, _FEWEST_WORDS = 32, 3
_NUMBERS = re.compile(r"\s*\d{1,3}(?:\s*,\s*\d{1,3}){39,}\s*")
_FEWEST_DIGITS = 100
"""Hex digits from which on a text is taken for hex rather than for base64, which it could be too."""
_FEWEST_BYTES = 40
"""Bytes of a signature that was cut off, from which on it is one that was."""


@dataclass(frozen=True)
class WalletReading:
    """A signature as it may have been meant.

    Args:
        signature: 65 bytes r || s || v with v in {27, 28}.
        mistakes: In what form it was sent instead.
    """

    signature: bytes
    mistakes: tuple[Mistake, ...] = ()

    @cached_property
    def signers(self) -> Signers:
        """Who signed what, by this signature."""
        return Signers(self.signature)


def unwrapped(text: str) -> tuple[bytes | None, tuple[Mistake, ...]]:
    """The bytes in the text of a signature, and what is wrong with the text.

    Args:
        text: What was sent; right is standard base64 of the bytes, or of their hex text with 0x.

    Returns:
        None if it holds no bytes that can be read.
    """
    if (numbers := _from_json(text)) is not None:
        return numbers, (Mistake("wallet-json"),)
    wrong: list[Mistake] = []
    bare = _without_wrapping(text, wrong)
    content = _from_hex(bare, wrong, inside=False)
    if content is None:
        content = _from_base64(bare, wrong)
        if content is None:
            return None, (*wrong, Mistake("wallet-signature-unreadable", {"text": text[:60]}))
        if not _looks_binary(content):
            content = _told(content, wrong)
    return content, tuple(wrong)


def _told(content: bytes, wrong: list[Mistake]) -> bytes:
    """The bytes that a text tells which was in base64; the text itself if it tells none."""
    if (numbers := _from_json(content.decode("latin-1"))) is not None:
        wrong.append(Mistake("wallet-json"))
        return numbers
    hidden = _without_wrapping(_inner_text(content, wrong), wrong)
    if (digits := _from_hex(hidden, wrong, inside=True)) is not None:
        return digits
    if _ANY_BASE64.fullmatch(hidden) and len(hidden) > _FEWEST_DIGITS // 2:
        again, more = unwrapped(hidden)
        if again is not None:
            wrong += [Mistake("wallet-base64-twice"), *more]
            return again
    return content


def _from_json(text: str) -> bytes | None:
    """The bytes of a signature in JSON: r, s and v or hex text in an object, or a list of numbers; else None."""
    if _NUMBERS.fullmatch(text):
        text = f"[{text}]"
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        match json.loads(text):
            case {"r": str() as r, "s": str() as s, **others}:
                v: Any = others.get("v", others.get("yParity", 27))
                parity = int(v, 0) if isinstance(v, str) else int(v)
                return b"".join(int(part, 16).to_bytes(_HALF, "big") for part in (r, s)) + bytes([parity])
            case {"sig": str() as digits} | {"signature": str() as digits}:
                return bytes.fromhex(digits.removeprefix("0x"))
            case [*numbers]:
                return bytes(numbers)
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    return None


def _without_wrapping(text: str, wrong: list[Mistake]) -> str:
    """The text without white space and quotation marks, which are told."""
    bare = "".join(text.split())
    if bare != text:
        wrong.append(Mistake("wallet-white-space"))
    unquoted = bare.strip("\"'")
    if unquoted != bare:
        wrong.append(Mistake("wallet-quotation-marks"))
    return unquoted


def _from_hex(text: str, wrong: list[Mistake], *, inside: bool) -> bytes | None:
    """The bytes of hex text; a digit without its other half is left out, and told."""
    found = _HEX.fullmatch(text)
    if found is None or not (found[1] or len(text) >= _FEWEST_DIGITS):
        return None
    if not inside:
        wrong.append(Mistake("wallet-hex-not-base64"))
    if found[1] == "0X":
        wrong.append(Mistake("wallet-capital-0x"))
    elif not found[1]:
        wrong.append(Mistake("wallet-missing-0x"))
    if len(found[2]) % 2:
        wrong.append(Mistake("wallet-odd-digits", {"digits": str(len(found[2]))}))
    return bytes.fromhex(found[2][: len(found[2]) // 2 * 2])


def _from_base64(text: str, wrong: list[Mistake]) -> bytes | None:
    if not _ANY_BASE64.fullmatch(text):
        return None
    if not _STANDARD.fullmatch(text):
        wrong.append(Mistake("wallet-base64url"))
    if len(text) % 4:
        wrong.append(Mistake("wallet-without-padding"))
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _looks_binary(content: bytes) -> bool:
    """Whether bytes are those of a signature rather than a text that tells them."""
    plain = content.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return len(content) == SIGNATURE_SIZE or not plain.isascii() or any(byte < ord("\t") for byte in plain)


def _inner_text(content: bytes, wrong: list[Mistake]) -> str:
    text = content.decode("latin-1")
    narrow = re.sub("^(\xff\xfe|\xfe\xff)|\0", "", text)
    if narrow != text and _HEX.fullmatch(narrow.strip().strip("\"'")):
        wrong.append(Mistake("wallet-utf-16"))
        return narrow
    return text


# ------------------------------------------------------------------------------------------------------- the 65 bytes


def wallet_readings(content: bytes) -> tuple[list[WalletReading], Mistake | None]:
    """The ways in which to read the bytes of a signature, the right one first, if it can be.

    Args:
        content: The bytes.

    Returns:
        The readings; and what is plainly wrong with bytes that have none, or of which none verifies.
    """
    found = list(_readings(content))
    return found, _other(content)


def _readings(content: bytes) -> Iterator[WalletReading]:
    if len(content) == SIGNATURE_SIZE:
        yield from _whole(content)
    elif len(content) == _COMPACT:
        parity, head = divmod(content[_HALF], _HIGH)
        expanded = content[:_HALF] + bytes([head]) + content[_HALF + 1 :] + bytes([27 + parity])
        yield WalletReading(expanded, (Mistake("wallet-compact"),))
        for v in (27, 28):
            yield WalletReading(content + bytes([v]), (Mistake("wallet-v-left-out", {"v": str(v)}),))
    elif numbers := _der(content):
        r, s = (number.to_bytes(_HALF, "big") for number in numbers)
        for v in (27, 28):
            yield WalletReading(r + s + bytes([v]), (Mistake("wallet-der", {"v": str(v)}),))


def _whole(content: bytes) -> Iterator[WalletReading]:
    v, body = content[-1], content[:-1]
    high = (Mistake("wallet-high-s"),) if _is_high(body[_HALF:]) else ()
    if v in (27, 28):
        yield WalletReading(content, high)
        facts = {"v": str(v), "right": str(55 - v)}
        yield WalletReading(body + bytes([55 - v]), (Mistake("wallet-other-v", facts), *high))
    elif v in (0, 1):
        facts = {"v": str(v), "right": str(v + 27)}
        yield WalletReading(body + bytes([v + 27]), (Mistake("wallet-v-of-0-or-1", facts), *high))
        yield WalletReading(body + bytes([28 - v]), (Mistake("wallet-other-v", {**facts, "right": str(28 - v)}), *high))
    else:
        for right in (27, 28):
            yield WalletReading(body + bytes([right]), (Mistake("wallet-other-v", {"v": str(v), "right": str(right)}),))
    if content[0] in (0, 1, 27, 28):
        turned = content[1:] + bytes([content[0] % 27 + 27])
        yield WalletReading(turned, (Mistake("wallet-v-first", {"v": str(content[0])}),))
    swapped = body[_HALF:] + body[:_HALF]
    for right in (27, 28):
        yield WalletReading(swapped + bytes([right]), (Mistake("wallet-s-before-r"),))


def _is_high(s: bytes) -> bool:
    return GROUP_ORDER_INT // 2 < int.from_bytes(s, "big") < GROUP_ORDER_INT


def _der(content: bytes) -> tuple[int, int] | None:
    try:
        r, s = decode_dss_signature(content)
    except ValueError:
        return None
    return (r, s) if 0 < r < GROUP_ORDER_INT and 0 < s < GROUP_ORDER_INT else None


def _other(content: bytes) -> Mistake | None:
    """What bytes are that are no signature of one key."""
    if content and not _looks_binary(content):
        return Mistake("wallet-text", {"text": content[:60].decode("latin-1")})
    size, facts = len(content), {"size": str(len(content)), "expected": str(SIGNATURE_SIZE)}
    owners, rest_of_owners = divmod(size, SIGNATURE_SIZE)
    words, rest_of_words = divmod(size, _ABI_WORD)
    kinds = (
        (content.endswith(_ERC_6492_SUFFIX), Mistake("wallet-erc-6492")),
        (size == _COMPACT, Mistake("wallet-compact")),
        (_der(content) is not None, Mistake("wallet-der", {"v": "27 or 28"})),
        (owners > 1 and not rest_of_owners, Mistake("wallet-multisig", {**facts, "owners": str(owners)})),
        (words >= _FEWEST_WORDS and not rest_of_words, Mistake("wallet-erc-1271", facts)),
        (size > 2 * SIGNATURE_SIZE, Mistake("wallet-erc-1271", facts)),
        (
            _FEWEST_BYTES <= size < SIGNATURE_SIZE,
            Mistake("wallet-truncated", {**facts, "missing": str(SIGNATURE_SIZE - size)}),
        ),
        (size != SIGNATURE_SIZE, Mistake("wallet-other-size", facts)),
    )
    return next((mistake for fits, mistake in kinds if fits), None)
