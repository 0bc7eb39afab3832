"""What is like a challenge, a wallet's signature of it or its owner, and differs in one property."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from conformance.ids import Ids
from conformance.offblocks.messages import Challenge
from conformance.offblocks.wallet import Wallet
from conformance.standards import personal_message
from conformance.standards.account_ids import checksum_address
from conformance.standards.wallet_signatures import Encoding, encode
from conformance.values import near

UNCHANGED = "returns-challenge-unchanged"
_HALF = 32
"""How many bytes of a wallet's signature are its first number, and its second."""


@dataclass(frozen=True)
class Alteration:
    """A challenge that was altered.

    Args:
        name: In what it differs from the one that was issued.
        challenge: The challenge as it is then.
        broken: The last parts of the ids of the client rules that are broken if its owner signs and sends it.
    """

    name: str
    challenge: Challenge
    broken: tuple[str, ...] = (UNCHANGED,)


def alterations(challenge: Challenge) -> list[Alteration]:
    """A challenge altered in each of the lines that it has, and in how they end."""
    text = "\n".join(challenge.lines)
    changed = [Alteration(name, _with(text, part, other)) for name, part, other in _changes(challenge) if part]
    first, others = changed[:6], changed[6:]
    behind = Alteration("a line feed behind it", _encoded(f"{text}\n"))
    more = Alteration("a line of resources more", _encoded(f"{text}\nResources:\n- https://example.com"))
    returns = Alteration(
        "carriage returns before its line feeds",
        _encoded(text.replace("\n", "\r\n")),
        (UNCHANGED, "owner-signs-the-message"),
    )
    found = [*first, *others[:1], behind, *others[1:2], more, returns, *others[2:]]
    return [each for each in found if each.challenge.text != challenge.text]


def _changes(challenge: Challenge) -> list[tuple[str, str, str]]:
    """What is changed in a challenge: the name of the change, the part that is changed, and what takes its place."""
    nonce, chain, uri, said = (challenge.value(name) or "" for name in ("Nonce", "Chain ID", "URI", "Issued At"))
    address, issued_at = challenge.address, challenge.issued_at
    later = (issued_at + timedelta(seconds=1)).isoformat().replace("+00:00", "Z") if issued_at else ""
    known = address if re.fullmatch("0x[0-9A-Fa-f]{40}", address) else ""
    other = checksum_address(known[:-1] + ("0" if known[-1] != "0" else "1")) if known else ""
    return [
        ("another last character of its nonce", nonce, nonce[:-1] + _another(nonce[-1:])),
        ("a time one second later", said if later else "", later),
        ("another chain", f"Chain ID: {chain}" if chain else "", f"Chain ID: {chain}1"),
        ("another address", known, other),
        ("another domain", challenge.domain, f"{challenge.domain}.example"),
        ("another URI", f"URI: {uri}" if uri else "", f"URI: {uri}/other"),
        ("another first character of its nonce", nonce, _another(nonce[:1]) + nonce[1:]),
        ("another version", "Version: 1", "Version: 2"),
        ("its nonce in the other letter case", nonce, nonce.swapcase()),
    ]


def like_text(challenge: Challenge) -> list[near.NearMiss]:
    """What is like the text that a challenge was issued as, more or less of it too, and stands for other bytes."""
    last = (challenge.message or b"")[-3:]
    appended = base64.b64encode(b"\n" + last).decode()
    behind = near.NearMiss("with more base64 behind it", "length", challenge.text + appended, False)
    return [behind, *(each for each in near.misses(challenge.text, near.BASE64) if each.sort != "blanks")]


def like_signature(wallet: Wallet, challenge: Challenge) -> list[near.NearMiss]:
    """What is like a wallet's signature of a challenge, in hexadecimal digits and of the same length."""
    right = wallet.sign(challenge.to_be_signed)
    first, second, last = right[:_HALF], right[_HALF:-1], right[-1:]
    other = bytes([55 - last[0]])  # 27 for 28, and the other way round
    swapped = near.NearMiss("its two numbers in each other's place", "order", (second + first + last).hex(), True)
    turned = near.NearMiss("the other one of 27 and 28 at its end", "order", (first + second + other).hex(), True)
    numbers = near.misses((first + second).hex(), near.HEX)
    return [
        swapped,
        turned,
        *(near.NearMiss(each.name, each.sort, each.value + last.hex(), True) for each in numbers if each.same_form),
    ]


def short_signatures(key: bytes, challenge: Challenge, ids: Ids) -> dict[str, bytes]:
    """Right signatures of a challenge one of whose numbers is shorter than 32 bytes, by which of them it is.

    Args:
        key: The private key of its owner.
        challenge: The challenge.
        ids: What nonces are drawn from.
    """
    message, wanted = challenge.to_be_signed, {"its first": 0, "its second": _HALF}
    found: dict[str, bytes] = {}
    while len(found) < len(wanted):
        signature = personal_message.sign_with(message, key, ids.draw(32))
        found |= {name: signature for name, place in wanted.items() if signature[place] == 0}
    return found


def failing_signatures(wallet: Wallet, challenge: Challenge) -> dict[str, str]:
    """Signatures of 65 bytes that fail their check in different ways, as they travel, by what is wrong with them."""
    right = wallet.sign(challenge.to_be_signed)
    other = wallet.sign((challenge.message or b"") + b"\n")
    wrong = {
        "of zeros, which no key makes": bytes(_HALF * 2) + b"\x1b",
        "whose numbers are greater than any": b"\xff" * (_HALF * 2) + b"\x1c",
        "that ends with neither 27 nor 28": right[:-1] + b"\x1d",
        "of another text by the owner": other,
    }
    return {name: encode(each, Encoding.BASE64_OF_HEX_TEXT) for name, each in wrong.items()}


def like_account(other: Wallet) -> list[tuple[str, tuple[str, ...], Callable[[Wallet], str]]]:
    """How accounts are made that are like a wallet's, with their names and the client rules that naming them breaks.

    Args:
        other: Another wallet.
    """

    def with_digits(number: int) -> Callable[[Wallet], str]:
        return lambda wallet: f"{wallet.chain}:{checksum_address(f'0x{_digits(wallet, other)[number].value}')}"

    def on_chain(chain: str) -> Callable[[Wallet], str]:
        return lambda wallet: f"{chain}:{wallet.address}"

    return [
        ("on another chain", (), on_chain("eip155:1")),
        *((f"with other digits, number {number + 1}", ("owner-id",), with_digits(number)) for number in range(4)),
    ]


def _digits(wallet: Wallet, other: Wallet) -> Sequence[near.NearMiss]:
    right, another = (each.address.removeprefix("0x").lower() for each in (wallet, other))
    found = near.misses(right, near.HEX, others=[another])
    return [each for each in found if len(each.value) == len(right)]


def _another(character: str) -> str:
    return "a" if character != "a" else "b"


def _with(text: str, before: str, after: str) -> Challenge:
    return _encoded(text.replace(before, after, 1))


def _encoded(text: str) -> Challenge:
    return Challenge(base64.b64encode(text.encode()).decode())
