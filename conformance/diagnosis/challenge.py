"""What is wrong with a wallet's signature of a challenge: its form, what was signed, how, and by whom."""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part
from conformance.diagnosis.wallet_readings import WalletReading, unwrapped, wallet_readings
from conformance.diagnosis.wallet_texts import MANNERS, Manner, Signed, texts
from conformance.standards.account_ids import AccountId, AccountIdRejected, checksum_address, checksum_state

__all__ = ["Owner", "decoded_challenge", "diagnose_challenge", "diagnose_signature"]

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_CHAIN_LINE = re.compile(r"(?m)^Chain ID: (\d+)$")
_MOST_ALTERNATIVES = 3
_ALIKE = 4
"""The most digits in which two addresses differ that are said to be nearly the same."""


@dataclass(frozen=True)
class Owner:
    """The account that is to sign.

    Args:
        address: Its address, in any letter case.
        chain: The reference of its chain, such as ``300``; None if it is not known.
        mistakes: What is wrong with how it was written.
    """

    address: str
    chain: str | None = None
    mistakes: tuple[Mistake, ...] = ()

    @cached_property
    def account(self) -> bytes:
        """The bytes of the address; none if it is a placeholder or otherwise no address."""
        return bytes.fromhex(self.address[2:]) if _ADDRESS.fullmatch(self.address) else b""

    @classmethod
    def read(cls, text: str) -> "Owner":
        """The owner that a CAIP-10 account id names, or an address alone.

        Raises:
            AccountIdRejected: If it names none.
        """
        bare, wrong = text.strip(), []
        place, _, address = bare.rpartition(":")
        if address.startswith("0X"):
            wrong.append(Mistake("owner-capital-0x"))
            address = f"0x{address[2:]}"
        elif re.fullmatch(r"[0-9a-fA-F]{40}", address):
            wrong.append(Mistake("owner-missing-0x", {"address": address}))
            address = f"0x{address}"
        if not place and _ADDRESS.fullmatch(address):
            account, chain = address, None
            wrong.append(Mistake("owner-without-chain", {"address": address}))
        else:
            parsed = AccountId.parse(f"{place}:{address}" if place else bare)
            if parsed.chain.namespace != "eip155":
                raise AccountIdRejected(
                    f"The account {bare} is on {parsed.chain}; only signatures of Ethereum accounts (eip155) are known."
                )
            account, chain = parsed.address, parsed.chain.reference
        if checksum_state(account) == "wrong":
            facts = {"address": account, "right": checksum_address(account)}
            wrong.append(Mistake("owner-checksum-wrong", facts))
        return cls(account, chain, tuple(wrong))


@dataclass(frozen=True)
class _Case:
    """What is judged, with all that may have been signed instead."""

    message: bytes
    issued: str
    owner: Owner
    others: tuple[bytes, ...] = ()
    digests: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def named(self) -> str | None:
        """The address that the challenge names as the one that signs in."""
        found = _ADDRESS.search(self.message.decode(errors="replace"))
        return found[0] if found else None


def decoded_challenge(text: str) -> bytes:
    """The message of a challenge as it was issued, in base64; a text that is none stands for itself."""
    bare = "".join(text.split())
    if re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", bare):
        plain = bare.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
            if bare == text.strip() and re.fullmatch(r"[^\x00-\x08\x0e-\x1f]*", decoded.decode()):
                return decoded
        except ValueError:
            pass
    return text.encode(errors="surrogateescape")


def diagnose_challenge(
    challenges: Sequence[str], signature: str, owner: Owner, digests: Mapping[str, bytes] | None = None
) -> Diagnosis:
    """Say what is wrong with the signature of a challenge.

    Args:
        challenges: The challenge as it was issued, then others that may have been signed, such as older ones.
        signature: The signature as it was sent.
        owner: Who is to sign.
        digests: Hashes of typed data that may have been signed instead (EIP-712), by what they are of.
    """
    first, *others = challenges
    case = _Case(decoded_challenge(first), first, owner, tuple(map(decoded_challenge, others)), digests or {})
    return Diagnosis("challenge", (*_of_owner(case), *_of_signature(case, signature)))


def diagnose_signature(
    signature: str, message: bytes, address: str, others: Sequence[bytes] = (), chain: str | None = None
) -> Diagnosis:
    """Say what is wrong with a wallet's signature of a message.

    Args:
        signature: The signature as it was sent.
        message: The bytes that were to be signed by ``personal_sign``.
        address: The address that was to sign.
        others: Other messages that may have been signed, such as older ones.
        chain: The reference of the account's chain.
    """
    issued = base64.b64encode(message).decode()
    case = _Case(message, issued, Owner(address, chain), tuple(others))
    return Diagnosis("challenge", tuple(_of_signature(case, signature)))


# ------------------------------------------------------------------------------------------------------------ the owner


def _of_owner(case: _Case) -> Iterator[Part]:
    owner, wrong = case.owner, [*case.owner.mistakes]
    found = _CHAIN_LINE.search(case.message.decode(errors="replace"))
    if found and owner.chain is not None and found[1] != owner.chain:
        wrong.append(Mistake("owner-on-other-chain", {"owner": owner.chain, "challenge": found[1]}))
    if case.named is not None and case.named.lower() != owner.address.lower():
        wrong.append(_other_address("owner-not-in-challenge", owner.address, case.named))
    if wrong:
        yield Part("owner", valid=False, explanations=(Explanation(tuple(wrong)),))


def _other_address(name: str, owner: str, other: str) -> Mistake:
    """That two addresses differ; in which digits, if in few."""
    pairs = list(zip(owner[2:].lower(), other[2:].lower(), strict=False))
    places = [at for at, (left, right) in enumerate(pairs, 1) if left != right]
    facts = {"owner": owner, "other": other}
    if 0 < len(places) <= _ALIKE:
        told = ", ".join(f"digit {at} after 0x is {pairs[at - 1][0]} and should be {pairs[at - 1][1]}" for at in places)
        return Mistake(f"{name}-by-a-digit", {**facts, "digits": told})
    return Mistake(name, facts)


# -------------------------------------------------------------------------------------------------------- the signature


def _of_signature(case: _Case, text: str) -> Iterator[Part]:
    content, form = unwrapped(text)
    readings, other = wallet_readings(content) if content is not None else ([], None)
    expected = case.message.decode(errors="replace")
    if not readings:
        wrong = (*form, *([other] if other else ()))
        if wrong:
            yield Part("form of the signature", valid=False, explanations=(Explanation(wrong),))
        else:
            yield Part("signature", valid=False, expected=expected)
        return
    hits = _search(case, readings)
    if hits:
        forms = {tuple(each.name for each in hit.reading.mistakes): hit.reading.mistakes for hit in hits}
        shapes = [(*form, *mistakes) for mistakes in forms.values()]
    else:
        known = readings[0].mistakes if other is None else (other,)
        shapes = [(*form, *(each for each in known if each.name in _PLAIN))]
    if any(shapes):
        explanations = tuple(Explanation(shape) for shape in shapes if shape)
        yield Part("form of the signature", valid=False, explanations=explanations)
    if hits and not hits[0].mistakes:
        yield Part("signature", valid=True, expected=expected)
        return
    if hits:
        found = {tuple(each.name for each in hit.mistakes): hit for hit in reversed(hits)}
        explanations = tuple(
            Explanation(hit.mistakes, hit.text) for hit in list(reversed(found.values()))[:_MOST_ALTERNATIVES]
        )
        yield Part("signature", valid=False, explanations=explanations, expected=expected)
        return
    yield Part("signature", valid=False, explanations=tuple(_by_another(case, readings)), expected=expected)


_PLAIN = {"wallet-compact", "wallet-der", "wallet-v-of-0-or-1"}
"""What the form of a signature shows without trying."""


@dataclass(frozen=True)
class _Hit:
    """What was found to be the owner's signature."""

    reading: WalletReading
    mistakes: tuple[Mistake, ...]
    text: str


def _search(case: _Case, readings: Sequence[WalletReading]) -> list[_Hit]:
    """All that the signature can be one of by the owner, of as few mistakes as will do."""
    chains = () if case.owner.chain is None else (case.owner.chain,)
    signed = list(texts(case.message, case.issued, case.others, chains))
    right, *ways = MANNERS
    for batch in (
        [(signed[0], right)],
        [*((each, right) for each in signed[1:]), *((signed[0], way) for way in ways)],
        [(each, way) for each in signed[1:] for way in ways],
    ):
        hits = [hit for each, way in batch for hit in _tried(case, readings, each, way)]
        if len(batch) > 1 and batch[0][1] is right:
            hits += _typed(case, readings)
        if hits:
            return hits
    again = [
        (Signed(second.text), (first.mistake, second.mistake))
        for first in signed[1:]
        if first.mistake and len(first.text) <= 4 * len(case.message)
        for second in list(texts(first.text, "", (), ()))[1:]
        if second.mistake
    ]
    seen = {each.text for each in signed}
    for each, mistakes in again:
        if each.text not in seen:
            seen.add(each.text)
            for hit in _tried(case, readings[:1], each, right):
                return [_Hit(hit.reading, tuple(filter(None, mistakes)), hit.text)]
    return []


def _tried(case: _Case, readings: Sequence[WalletReading], each: Signed, way: Manner) -> Iterator[_Hit]:
    digest = way.digest(each.text)
    for reading in readings:
        if reading.signers.account(digest) == case.owner.account:
            mistakes = tuple(filter(None, (each.mistake, way.mistake)))
            yield _Hit(reading, mistakes, each.text.decode(errors="replace") if each.mistake else "")
            return


def _typed(case: _Case, readings: Sequence[WalletReading]) -> Iterator[_Hit]:
    for what, digest in case.digests.items():
        for reading in readings:
            if reading.signers.account(digest) == case.owner.account:
                yield _Hit(reading, (Mistake("signed-typed-data", {"what": what}),), "")


def _by_another(case: _Case, readings: Sequence[WalletReading]) -> Iterator[Explanation]:
    """Who would have signed the challenge, if nothing else was wrong."""
    signer = readings[0].signers.account(MANNERS[0].digest(case.message))
    if signer is None:
        return
    address = checksum_address(f"0x{signer.hex()}")
    mistake = _other_address("signed-by-another-account", case.owner.address, address)
    named = case.named is not None and case.named.lower() == address.lower()
    yield Explanation((mistake,), certain=named or mistake.name.endswith("by-a-digit"))
