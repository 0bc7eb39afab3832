"""The search for what was signed: right things first, then one mistake, then two, as many tries as are allowed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from conformance.diagnosis import base_edits, field_edits, target_edits
from conformance.diagnosis.draft import Draft, Surroundings
from conformance.diagnosis.edits import altered
from conformance.diagnosis.form import Explanation, Mistake
from conformance.diagnosis.readings import Reading, readings
from conformance.diagnosis.ways import KnownKey, Way, cost, half_size, ways

__all__ = ["MODEST", "THOROUGH", "Found", "holds", "search"]

MODEST, THOROUGH = 5_000, 20_000
"""What tries of two mistakes may cost together, in hundredths of a millisecond; a client waits for a refusal."""

_EDITS = (*base_edits.EDITS, *target_edits.EDITS, *field_edits.EDITS)
_MOST_ALTERNATIVES = 3
_LARGEST_BASE, _MOST_COMPONENTS = 8 * 1024, 30
"""Characters of a base and its URL, and lines, that are altered; larger ones would take too long."""
_SINGLES = 12_000
"""What tries of one mistake may cost together; so much that all are tried with one key."""


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Args:
        valid: Whether the signature is right, however its bytes were sent.
        expected: The base that should have been signed.
        reading: How the bytes of the signature are to be read; None if nothing verifies.
        key: The key that signed; the expected one if nothing verifies.
        explanations: What explains that it is not right.
    """

    valid: bool
    expected: str
    reading: Reading | None
    key: KnownKey
    explanations: tuple[Explanation, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """What may have been signed.

    Args:
        mistakes: The mistakes that lie in it.
        draft: The base.
        rank: How rare they are together.
        edit: The number of the last edit.
        place: How far behind in what their edits make they stand together; what comes first is likelier.
    """

    mistakes: tuple[Mistake, ...]
    draft: Draft
    rank: int
    edit: int = 0
    place: int = 0


@dataclass(frozen=True)
class _Signer:
    """A key and a way, with the mistakes that lie in choosing them."""

    key: KnownKey
    way: Way
    readings: tuple[Reading, ...]
    mistakes: tuple[Mistake, ...]
    rank: int

    @property
    def cost(self) -> int:
        return cost(self.key.key) * len(self.readings)

    def reads(self, text: bytes) -> Reading | None:
        """The reading of the signature with which it is one of the text."""
        return next((each for each in self.readings if self.way.verifies(text, each.signature)), None)


def search(
    drafts: Sequence[Draft],
    around: Surroundings,
    signature: bytes,
    keys: Sequence[KnownKey],
    declared: str | None,
    effort: int = THOROUGH,
) -> Found:
    """Find out what was signed, how and with which key.

    Args:
        drafts: What should have been signed; several where what is known leaves that open.
        around: What is known besides.
        signature: The bytes that were sent.
        keys: The keys that may have signed, the right one first.
        declared: The algorithm that the signature declares.
        effort: What tries of two mistakes may cost, `MODEST` or `THOROUGH`.
    """
    signers = list(_signers(keys, signature, declared))
    expected = drafts[0].text
    if reading := holds(drafts, signature, keys[0], declared):
        return Found(valid=True, expected=expected, reading=reading, key=keys[0])
    size = len(expected) + len(drafts[0].value("@target-uri"))
    if size > _LARGEST_BASE or len(drafts[0].components) > _MOST_COMPONENTS:
        return Found(valid=False, expected=expected, reading=None, key=keys[0])
    for batch in _batches(drafts, around, signers, effort):
        if hit := _first(batch):
            signer, reading, group = hit
            fits = group[0].draft.text
            shown = "" if fits == expected else fits
            explanations = tuple(
                Explanation((*signer.mistakes, *mistakes), shown) for mistakes in _distinct(group) or [()]
            )
            return Found(valid=False, expected=expected, reading=reading, key=signer.key, explanations=explanations)
    for signer in _by_reading(signers[:1], signature):
        if reading := signer.reads(_bytes(expected)):
            return Found(valid=True, expected=expected, reading=reading, key=signer.key)
    return Found(valid=False, expected=expected, reading=None, key=keys[0])


def holds(drafts: Sequence[Draft], signature: bytes, key: KnownKey, declared: str | None) -> Reading | None:
    """How the bytes of a signature are to be read, if it is a right one of what should have been signed.

    Args:
        drafts: What should have been signed; several where what is known leaves that open.
        signature: The bytes that were sent.
        key: The key that should have signed.
        declared: The algorithm that the signature declares.
    """
    right = [signer for signer in _signers([key], signature, declared) if not signer.mistakes]
    tried = (signer.reads(_bytes(draft.text)) for draft in drafts for signer in right)
    return next(filter(None, tried), None)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _signers(keys: Sequence[KnownKey], signature: bytes, declared: str | None) -> Iterator[_Signer]:
    """Each key in each way, the right way of the right key first."""
    for number, key in enumerate(keys):
        read = tuple(each for each in readings(signature, half_size(key.key)) if each.rank == 0)
        other = (Mistake("other-key", {"key": key.name, "expected": keys[0].name}),) if number else ()
        for way in ways(key.key, declared):
            mistakes = (*other, way.mistake) if way.mistake else other
            yield _Signer(key, way, read, mistakes, way.rank)


def _by_reading(signers: Sequence[_Signer], signature: bytes) -> Iterator[_Signer]:
    """The signers with those readings of a signature that only trying can tell."""
    for signer in signers:
        rare = tuple(each for each in readings(signature, half_size(signer.key.key)) if each.rank)
        if rare:
            yield replace(signer, readings=rare)


# ---------------------------------------------------------------------------------------------------------- in batches


def _first(batch: Iterable[tuple[_Signer, list[_Candidate]]]) -> tuple[_Signer, Reading, list[_Candidate]] | None:
    for signer, group in batch:
        if reading := signer.reads(_bytes(group[0].draft.text)):
            return signer, reading, group
    return None


def _distinct(group: Sequence[_Candidate]) -> list[tuple[Mistake, ...]]:
    """Different mistakes that come to the same, the likelier first."""
    found: dict[tuple[str, ...], tuple[Mistake, ...]] = {}
    for each in sorted(group, key=lambda candidate: candidate.rank):
        found.setdefault(tuple(sorted(mistake.name for mistake in each.mistakes)), each.mistakes)
    return list(found.values())[:_MOST_ALTERNATIVES]


def _batches(
    drafts: Sequence[Draft], around: Surroundings, signers: Sequence[_Signer], effort: int
) -> Iterator[Iterator[tuple[_Signer, list[_Candidate]]]]:
    """What is tried together: first all single mistakes, then pairs, from the likely to the unlikely."""
    plain = [_Candidate((), draft, 0) for draft in drafts]
    right = [signer for signer in signers if not signer.mistakes]
    single = [signer for signer in signers if len(signer.mistakes) == 1]
    double = [signer for signer in signers if len(signer.mistakes) == 2]  # noqa: PLR2004  (another key and a wrong way)
    seen = {draft.text for draft in drafts}
    singles = [each for draft in drafts for each in _edited(_Candidate((), draft, 0), around)]
    purse = _Purse(_SINGLES)
    yield purse.spend(right, _grouped([each for each in singles if each.rank == 0], seen))
    yield purse.spend(single, _grouped(plain, set()))
    yield purse.spend(right, _grouped([each for each in singles if each.rank], seen))
    purse = _Purse(effort)
    if not purse.has_for(right):
        return
    yield purse.spend(double, _grouped(plain, set()))
    for rank in (0, 1, 2):
        for first in range(rank + 1):
            chosen = [each for each in singles if each.rank == rank - first]
            yield purse.spend([each for each in single if each.rank == first], _grouped(chosen, set()))
        if not purse.has_for(right):
            return
        pairs: Iterable[_Candidate] = _pairs(singles, around, rank)
        if rank == 0:
            pairs = sorted(pairs, key=lambda pair: pair.place)
        yield purse.spend(right, _grouped(pairs, seen, most=purse.has_for(right)))


def _edited(candidate: _Candidate, around: Surroundings, after: int = -1, most: int = 2) -> Iterator[_Candidate]:
    """A candidate with one mistake more, made by an edit that comes after another one."""
    for number, edit in enumerate(_EDITS):
        if number > after and edit.rank <= most:
            for place, (rank, (mistake, draft)) in enumerate(altered((edit,), candidate.draft, around)):
                mistakes, total = (*candidate.mistakes, mistake), candidate.rank + rank
                yield _Candidate(mistakes, draft, total, number, candidate.place + place)


def _pairs(singles: Sequence[_Candidate], around: Surroundings, rank: int) -> Iterator[_Candidate]:
    """Two mistakes whose ranks make up a sum."""
    for first in singles:
        if first.rank <= rank:
            for pair in _edited(first, around, first.edit, rank - first.rank):
                if pair.rank == rank:
                    yield pair


def _grouped(candidates: Iterable[_Candidate], seen: set[str], most: int | None = None) -> list[list[_Candidate]]:
    """The candidates whose text is new, those with the same text together; `seen` learns the texts.

    Args:
        candidates: The candidates.
        seen: Texts that were tried.
        most: How many texts are wanted at the most; None for all.
    """
    groups: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        text = candidate.draft.text
        if text not in seen:
            if most is not None and len(groups) >= most and text not in groups:
                break
            groups.setdefault(text, []).append(candidate)
    seen.update(groups)
    return list(groups.values())


class _Purse:
    """What tries may cost.

    Args:
        left: In hundredths of a millisecond.
    """

    def __init__(self, left: int) -> None:
        self._left = left

    def has_for(self, signers: Sequence[_Signer]) -> int:
        """How many texts can still be tried with each of these."""
        return max(0, self._left) // max(1, sum(signer.cost for signer in signers))

    def spend(
        self, signers: Sequence[_Signer], groups: Sequence[list[_Candidate]]
    ) -> Iterator[tuple[_Signer, list[_Candidate]]]:
        """The tries for which there is enough left."""
        for group in groups:
            for signer in signers:
                self._left -= signer.cost
                if self._left < 0:
                    return
                yield signer, group
