"""Sending generated requests to an operation, with what really exists in their places: ids, keys, signatures."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from conformance.exchange import Exchange, Generated, Mode
from conformance.generation import internals
from conformance.generation.draft import ABSENT, FURTHER, IDENTITY, MEMBER, METHOD, Draft
from conformance.generation.drawing import drafts
from conformance.recording.journal import Journal
from conformance.scenario import needs, remark, step_failed

_EVERY = 3
"""Of how many requests that fit the specification one has a place that is not filled."""
_OF_ANOTHER = 4
"""Of how many requests one is sent by the last identity."""
_LONGEST_NAME = 100


@dataclass(frozen=True)
class PoolValues:
    """The values of a data pool for one request.

    Args:
        values: What a right client would send in each place, `ABSENT` for nothing.
        if_present: The places among them that are filled only where the draft has a value.
        may_stay: The places among them that may stay as they were generated, so that the request is about nothing that
            exists.
        parent: The number of the case in which what exists was made, None if there was none.
        if_no_name: The places among them that are filled only where the draft has no name of usual length.
        like: Values that are like the right ones and are not, by the places that may stay; every other time one of them
            takes the place of what was generated.
    """

    values: Mapping[str, Any]
    if_present: Collection[str] = ()
    may_stay: Sequence[str] = ()
    parent: int | None = None
    if_no_name: Collection[str] = ()
    like: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def for_draft(self, draft: Draft) -> dict[str, Any]:
        """The values that go into this draft, by their places."""
        return {
            place: value
            for place, value in self.values.items()
            if (place not in self.if_present or draft.value(place) is not ABSENT)
            and (place not in self.if_no_name or not _is_name(draft.value(place)))
        }


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST_NAME


def fill(draft: Draft, number: int, pool: PoolValues) -> tuple[Draft, tuple[str, ...]]:
    """Put what exists into the places of a request, but for some.

    Of the requests that fit the specification every third one keeps what was generated in one place, or the members
    that the specification does not know; its own examples keep all. Of those that do not fit in several places every
    other one is mended in all but the last.

    Args:
        draft: The request as it was generated.
        number: How many of its mode were sent before.
        pool: What exists.

    Returns:
        The request, and the places in which it is not what a right client would send.
    """
    values = pool.for_draft(draft)
    left: list[str] = []
    like: Mapping[str, Sequence[Any]] = {}
    if not draft.wrong:
        may_stay = [place for place in pool.may_stay if place in values and values[place] != draft.value(place)]
        may_stay += [FURTHER] if draft.further else []
        if draft.phase == "examples":
            left = may_stay
        elif may_stay and number % _EVERY == 1:
            turn, place = divmod(number // _EVERY, len(may_stay))
            left = [may_stay[place]]
            like = {} if turn % 2 else {each: found for each in left if (found := pool.like.get(each))}
    elif number % 2 and draft.wrong != (METHOD,):
        mended = [place for place in draft.wrong[:-1] if place in values]
        draft = replace(draft, wrong=tuple(place for place in draft.wrong if place not in mended))
    ready = draft.with_values({place: value for place, value in values.items() if place not in left})
    ready = ready.with_values({place: found[number % len(found)] for place, found in like.items()})
    if not draft.wrong and FURTHER not in left:
        ready = ready.with_values({f"{MEMBER}{name}": ABSENT for name in draft.further})
    return ready, (*draft.wrong, *left)


class Cases:
    """Numbers the cases of one test, and has the journal note with each exchange to which case it belongs.

    Args:
        journal: The journal of the test.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._number = 0

    @contextmanager
    def preparation(self) -> Iterator[int]:
        """While the context lasts, exchanges belong to a new case that only prepares others.

        Yields:
            The number of the case.
        """
        with self.case(Mode.GIVEN) as number:
            yield number

    @contextmanager
    def case(self, mode: Mode, mutated: tuple[str, ...] = (), parent: int | None = None) -> Iterator[int]:
        """While the context lasts, exchanges belong to a new case.

        Args:
            mode: How its request stands to the specification.
            mutated: The places in which its request is not what a right client would send.
            parent: The number of the case that it follows from; None if it follows from none.

        Yields:
            The number of the case.
        """
        self._number += 1
        with self._journal.generating(Generated(self._number, mode, mutated, parent)):
            yield self._number


class DataPool(Protocol):
    """What an API's suite knows of its operations: what exists for them, and how a request is sent."""

    cases: Cases

    @property
    def computed(self) -> Collection[str]:
        """The names of the parameters that a client computes."""

    @property
    def credential(self) -> str:
        """The place of what says who sends a request."""

    @property
    def identities(self) -> Sequence[str]:
        """Who can send."""

    @property
    def safe_only(self) -> bool:
        """Whether nothing may be tried that could change more than the documents say."""

    def values_for(self, operation: str, identity: str) -> PoolValues:
        """What exists for the next request of an identity, made if need be."""

    def send(self, operation: str, identity: str, draft: Draft, *, authorized: bool | None = True) -> Exchange:
        """Send a request with the identity's credentials, with none (None), or with some that nobody has (False)."""

    def follow_up(self, exchange: Exchange, case: int) -> None:
        """Send what shows the effect of a request that was accepted, whose case has this number."""


def exercise(pool: DataPool, specification: Path, operation: str, *, seed: int, examples: int) -> None:
    """Send generated requests to an operation, and what follows from those that are accepted.

    Args:
        pool: What the API's suite knows.
        specification: The API's OpenAPI description.
        operation: The id of the operation.
        seed: What requests are drawn from.
        examples: How many are drawn of each phase and mode at most.

    Raises:
        StepFailedError: If no request at all was accepted.
        NeedError: If schemathesis or hypothesis is not installed, or gives only a part of its cases; what those cases
            would have shown is missing then.
    """
    if not internals.is_installed():
        needs(f"schemathesis and hypothesis, which draw the requests: {internals.INSTALL}")
    for loss in internals.losses():
        remark(loss)
    accepted, last = False, None
    generated = drafts(
        specification, operation, seed=seed, examples=examples, without=pool.computed, safe_only=pool.safe_only
    )
    sent: Counter[object] = Counter()
    for number, draft in enumerate(generated):
        identity = pool.identities[-1 if number % _OF_ANOTHER == _OF_ANOTHER - 1 else 0]
        values = pool.values_for(operation, identity)
        kind = (draft.mode, draft.phase == "examples")
        ready, mutated = fill(draft, sent[kind], values)
        sent[kind] += 1
        with pool.cases.case(Mode.NEGATIVE if draft.wrong else Mode.POSITIVE, mutated, values.parent) as case:
            last = pool.send(operation, identity, ready)
        if METHOD in mutated or not last.response.succeeded:
            continue
        pool.follow_up(last, case)
        if not accepted and not mutated:
            accepted = True
            _send_as_others(pool, operation, draft)
    if not accepted:
        step_failed(f"No generated request to {operation} was accepted", last)
    if not internals.has_coverage_cases():
        needs(f"coverage cases, which the installed schemathesis does not give: {internals.INSTALL_TESTED}")


def _send_as_others(pool: DataPool, operation: str, draft: Draft) -> None:
    """Send an accepted request anew, for things that exist, without credentials, with false ones, and as another."""
    owner = pool.identities[0]
    for authorized in (None, False):
        values = pool.values_for(operation, owner)
        with pool.cases.case(Mode.NEGATIVE, (pool.credential,), values.parent):
            pool.send(operation, owner, fill(draft, 0, values)[0], authorized=authorized)
    if len(pool.identities) > 1 and "{" in draft.template:
        values = pool.values_for(operation, owner)
        with pool.cases.case(Mode.POSITIVE, (IDENTITY,), values.parent):
            pool.send(operation, pool.identities[1], fill(draft, 0, values)[0])
