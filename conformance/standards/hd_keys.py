"""Keys derived from a seed along a path: BIP-32 for secp256k1, SLIP-0010 for ed25519.

The library slip10 derives; here are paths that are read strictly and errors that say which part is wrong.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from slip10 import HARDENED_INDEX, SLIP10

__all__ = ["Curve", "DerivationRejected", "HdKey", "derive_key", "parse_path"]

_SEED_SIZES = range(16, 65)
_MAX_DEPTH = 255
_STEP = re.compile(r"(0|[1-9][0-9]{0,9})('?)")


class Curve(StrEnum):
    """The curve of a key, which decides how it is derived."""

    SECP256K1 = "secp256k1"
    ED25519 = "ed25519"


class DerivationRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A seed or a path from which no key follows; the message says which part is wrong and what is expected."""


@dataclass(frozen=True)
class HdKey:
    """A pair of keys in the tree of a seed; printing it does not show its secrets.

    Args:
        private_key: 32 bytes.
        public_key: For secp256k1 33 bytes, the compressed form of SEC 1, section 2.3.3; for ed25519 32 bytes (RFC 8032,
            section 5.1.5), without the zero byte that SLIP-0010 puts before them.
        chain_code: 32 bytes, which with a key give its children.
    """

    private_key: bytes = field(repr=False)
    public_key: bytes
    chain_code: bytes = field(repr=False)


@lru_cache(maxsize=1024)
def derive_key(seed: bytes, path: str, curve: Curve) -> HdKey:
    """The keys at `path` in the tree of `seed` (BIP-32, Child key derivation functions; SLIP-0010).

    The last thousand stay in memory, since deriving one takes as long as all else that an answer takes.

    Args:
        seed: 16 to 64 bytes (BIP-32, Master key generation).
        path: As `parse_path` takes it. On ed25519 every step is hardened, since SLIP-0010 knows no other there.
        curve: The curve of the keys.

    Raises:
        DerivationRejected: If `seed` has another size or `path` cannot be followed.
    """
    if len(seed) not in _SEED_SIZES:
        raise DerivationRejected(f"The seed has {len(seed)} bytes, expected 16 to 64.")
    indexes = parse_path(path)
    if curve is Curve.ED25519:
        for position, index in enumerate(indexes, 1):
            if index < HARDENED_INDEX:
                raise DerivationRejected(
                    f"Step {position} of the path {_quoted(path)} is {index}, not hardened; "
                    f"on ed25519 all steps are: expected {index}'."
                )
    node = SLIP10.from_seed(seed, curve_name=curve.value).get_child_from_path(list(indexes))
    public_key = node.pubkey[1:] if curve is Curve.ED25519 else node.pubkey
    return HdKey(node.privkey, public_key, node.chaincode)


def parse_path(text: str) -> tuple[int, ...]:
    """The child numbers of a path such as ``m/44'/60'/0'/0/0`` (BIP-32, The key tree; BIP-44, Path levels).

    Args:
        text: ``m``, then for each step a slash, a decimal number below 2**31 without leading zeros, and ``'`` if the
            step is hardened.

    Returns:
        One number a step, 2**31 higher where the step is hardened; none for ``m``, the master key.

    Raises:
        DerivationRejected: If `text` has another form; the message names the step.
    """
    root, *steps = text.split("/")
    if root != "m":
        raise DerivationRejected(
            f"The path {_quoted(text)} does not start at m; expected a path such as m/44'/60'/0'/0/0."
        )
    if len(steps) > _MAX_DEPTH:
        raise DerivationRejected(f"The path has {len(steps)} steps, expected at most {_MAX_DEPTH}.")
    return tuple(_index(step, position, text) for position, step in enumerate(steps, 1))


def _index(step: str, position: int, path: str) -> int:
    match = _STEP.fullmatch(step)
    if not match:
        hint = "; write ' for hardened" if step[-1:] in ("h", "H") else ""
        raise DerivationRejected(
            f"Step {position} of the path {_quoted(path)} is {_quoted(step)}, expected a decimal number without "
            f"leading zeros, and ' after it if it is hardened{hint}."
        )
    index = int(match[1])
    if index >= HARDENED_INDEX:
        raise DerivationRejected(
            f"Step {position} of the path {_quoted(path)} is {index}, expected a number below 2147483648; "
            "a hardened step is written with ' after the number."
        )
    return index + HARDENED_INDEX if match[2] else index


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= 80 else f"{text[:80]!r}..."  # noqa: PLR2004 - a line of a message
