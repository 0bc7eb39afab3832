"""Two sets of recordings compared: the shape of what many exchanges show, and each exchange with that of the same test.

What varies by nature (ids, times, keys, nonces, signatures) is compared by its form, by how far a time is from the
exchange, and by where the same text was seen before.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from http import HTTPStatus
from itertools import groupby
from typing import Any

from conformance.drift.form import Change, Comparison, Impact, NotComparableError
from conformance.drift.formats import contrast, skeleton
from conformance.drift.journals import Answer, answer, below, event_of, leaves, place_of, sent
from conformance.drift.shapes import Deviation, Shape, deviations
from conformance.drift.values import Values
from conformance.exchange import Exchange
from conformance.recording.cassettes import Cassette

RulesOf = Callable[[str, Sequence[str], str, str, bool], tuple[str, ...]]
"""The ids of the rules concerned: for an API, the tests that show it, an operation, the place in words, and whether
it is about how long something lives."""

B, R, H = Impact.BREAKING, Impact.RISKY, Impact.HARMLESS
KINDS: Mapping[str, tuple[Impact, str]] = {
    "member-missing": (B, "Do without this member."),
    "member-sometimes-missing": (B, "Be ready for this member to be missing."),
    "member-new": (H, "Nothing."),
    "member-renamed": (B, "Read it under its new name."),
    "member-retyped": (B, "Read the new type."),
    "member-reformed": (B, "Read the new form."),
    "header-missing": (R, "Do without this header."),
    "header-sometimes-missing": (R, "Be ready for this header to be missing."),
    "header-new": (H, "Nothing."),
    "header-renamed": (B, "Read it under its new name."),
    "header-retyped": (R, "Read the new form."),
    "header-reformed": (R, "Read the new form."),
    "header-changed": (R, "See what the new value says."),
    "content-type-changed": (B, "Read the new media type."),
    "encoding-changed": (B, "Decode it in the new way."),
    "body-retyped": (B, "Read the new kind of body."),
    "accepted-now": (B, "Do not rely on the refusal."),
    "refused-now": (B, "Do not send what is refused now."),
    "fails-now": (B, "Do not rely on this until the server answers again."),
    "status-changed": (B, "Take the new status for success."),
    "refusal-changed": (R, "Take the new status for this refusal."),
    "value-changed": (R, "Be ready for the new value."),
    "identity-changed": (R, "Do not rely on this being the same as, or other than, what was seen before."),
    "entries-changed": (R, "Be ready for another number of entries."),
    "expires-earlier": (B, "Use it within the shorter time."),
    "expires-later": (R, "See whether it may live so long."),
    "time-changed": (R, "See what this time says now."),
    "wording-changed": (H, "Nothing, if you do not read the wording."),
    "course-changed": (R, "See what the test was answered before."),
    "webhook-missing": (B, "Do not wait for this webhook."),
    "webhook-more": (R, "Be ready for this webhook to come more often."),
    "recording-missing": (R, "Record this test again: if it fails, that tells what changed."),
    "recording-new": (H, "Nothing."),
}
"""What each kind of change of traffic does to a client that was right before, and what such a client must change."""

_AT_ONCE = 3
"""From how many equal requests on they may have been sent at once."""
_MOST_TESTS = 20
_OF_BODIES = {"content-type": "content-type-changed", "content-encoding": "encoding-changed"}


@dataclass(frozen=True)
class _Pair:
    """An exchange, and the one of the same test that it is compared with.

    Args:
        number: Its number in the test.
        before: The older one.
        after: The newer one.
    """

    number: int
    before: Exchange
    after: Exchange


class _Tally:
    """What was found so far; what many exchanges show of one place is one change."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, str, str, str], list[str]] = {}

    def add(
        self, kind: str, api: str, operation: str, place: str, before: str, after: str, tests: Sequence[str]
    ) -> None:
        """Note a change, with the tests that show it."""
        known = self._found.setdefault((kind, api, operation, place, before, after), [])
        known += [test for test in tests if test not in known]

    def changes(self, rules_of: RulesOf) -> Iterator[Change]:
        """All changes."""
        for (kind, api, operation, place, before, after), tests in self._found.items():
            impact, advice = KINDS[kind]
            rules = rules_of(api, tests, operation, place, kind.startswith("expires"))
            shown = tuple(tests[:_MOST_TESTS])
            yield Change(
                kind,
                impact,
                place,
                before,
                after,
                advice,
                api=api,
                operations=(operation,) if operation else (),
                rules=rules,
                tests=shown,
            )


def compare(
    before: Mapping[str, Cassette], after: Mapping[str, Cassette], names: tuple[str, str], rules_of: RulesOf
) -> Comparison:
    """What changed between two sets of recordings.

    Args:
        before: The older cassettes by the id of their test.
        after: The newer ones.
        names: What messages call the two.
        rules_of: Finds the rules concerned.

    Raises:
        NotComparableError: If no test is in both.
    """
    shared = [test for test in before if test in after]
    if not shared:
        raise NotComparableError(f"No test was recorded in both {names[0]} and {names[1]}, so nothing can be compared.")
    tally = _Tally()
    for test in before:
        if test not in after:
            tally.add("recording-missing", before[test].api, "", f"the recording of {test}", "recorded", "", [test])
    for test in after:
        if test not in before:
            tally.add("recording-new", after[test].api, "", f"the recording of {test}", "", "recorded", [test])
    shapes = _Shapes()
    for test in shared:
        _Test(test, before[test], after[test], tally, shapes).compare()
    shapes.compare(tally, stand_still=all(map(_stands_still, (*before.values(), *after.values()))))
    changes = _without_consequences(list(tally.changes(rules_of)), shapes)
    told = [f"{name}, {_origins(side)}" for name, side in zip(names, (before, after), strict=True)]
    return Comparison("traffic", told[0], told[1], changes, tuple(_remarks(before, after, shared)))


def _stands_still(cassette: Cassette) -> bool:
    """Whether it was recorded in a world of its own, whose clock stands still."""
    return cassette.origin == "reference sandbox"


def _origins(side: Mapping[str, Cassette]) -> str:
    days = sorted(cassette.recorded.date().isoformat() for cassette in side.values())
    origins = " and ".join(sorted({cassette.origin for cassette in side.values()}))
    return f"{len(side)} recordings of {origins}, {days[0] if days[0] == days[-1] else f'{days[0]} to {days[-1]}'}"


def _remarks(before: Mapping[str, Cassette], after: Mapping[str, Cassette], shared: Sequence[str]) -> Iterator[str]:
    drawn = sum(_is_drawn(before[test], after[test]) for test in shared)
    if drawn:
        yield f"{drawn} tests draw their requests from the seed, which differs, so that these were not compared."
    suites = {cassette.suite for side in (before, after) for cassette in side.values()}
    if len(suites) > 1:
        versions = ", ".join(sorted(suites))
        yield f"The recordings are of different versions of the suite ({versions}), which may ask otherwise."


def _is_drawn(before: Cassette, after: Cassette) -> bool:
    generated = any(exchange.generated for exchange in (*before.exchanges, *after.exchanges))
    return generated and before.seed != after.seed


def _without_consequences(changes: Sequence[Change], shapes: "_Shapes") -> list[Change]:
    """The changes without those that another one of the same place explains, and without new values of mere data."""
    told = {(change.api, change.place) for change in changes if change.kind.startswith("member-")}
    kept = []
    for change in changes:
        of_values = change.kind in {"value-changed", "identity-changed", "time-changed"}
        if of_values and (change.api, change.place) in told:
            continue
        if change.kind == "value-changed" and shapes.is_data(change.api, change.place):
            continue
        kept.append(change)
    return kept


_Part = tuple[str, str, str]
"""The name of an API, an operation or webhook, and the part of it in words."""


class _Shapes:
    """The shapes of what was answered and sent, each before and after."""

    def __init__(self) -> None:
        self._shapes: dict[_Part, tuple[Shape, Shape]] = {}
        self._tests: dict[_Part, list[str]] = {}

    def add(self, key: "_Part", side: int, value: Any, test: str, known: Container[str] = ()) -> None:
        """Note what was seen.

        Args:
            key: Where.
            side: 0 before, 1 after.
            value: What was seen.
            test: The id of the test.
            known: The texts that the client had sent or been answered before.
        """
        self._shapes.setdefault(key, (Shape(), Shape()))[side].add(value, known)
        tests = self._tests.setdefault(key, [])
        if not tests or tests[-1] != test:
            tests.append(test)

    def is_data(self, api: str, place: str) -> bool:
        """Whether the texts at a place are data, each another one, so that none of them is news."""
        for (of, operation, part), (before, _) in self._shapes.items():
            if of == api and place.startswith(f"{operation} {part} /"):
                shape: Shape | None = before
                for name in place.removeprefix(f"{operation} {part} /").split("/"):
                    shape = shape and (shape.entries if name == "*" else shape.members.get(name))
                return bool(shape and shape.is_data)
        return False

    def compare(self, tally: _Tally, *, stand_still: bool) -> None:
        """Tell what differs; of what lists hold on a server that others use too, only types and members.

        Args:
            tally: Takes what is found.
            stand_still: Whether all was recorded in worlds of their own.
        """
        for key, (before, after) in self._shapes.items():
            api, operation, part = key
            if not before.count or not after.count:
                continue
            for each in deviations(before, after):
                if not stand_still and "*" in each.path and each.what in {"reformed", "reworded"}:
                    continue
                kind, place = _called(each, part)
                tally.add(kind, api, operation, f"{operation} {place}", each.before, each.after, self._tests[key])


def _called(deviation: Deviation, part: str) -> tuple[str, str]:
    """The kind of a deviation, and the part of an operation in which it is."""
    path = "/".join(deviation.path)
    if deviation.what == "reworded":
        return "wording-changed", f"{part} /{path}" if path else part
    if part.endswith("headers"):
        return f"header-{deviation.what}", f"{part} {path}"
    if not deviation.path:
        return "body-retyped", part
    return f"member-{deviation.what}", f"{part} /{path}"


class _Test:
    """One test, recorded twice.

    Args:
        test: Its id.
        before: The older cassette.
        after: The newer one.
        tally: Takes what is found.
        shapes: Takes the shapes.
    """

    def __init__(self, test: str, before: Cassette, after: Cassette, tally: _Tally, shapes: _Shapes) -> None:
        self._test = test
        self._sides = (before, after)
        self._api = before.api
        self._tally = tally
        self._shapes = shapes
        self._stands_still = all(map(_stands_still, self._sides))
        self._took_another_course = False
        self._values = Values(stands_still=self._stands_still)

    def compare(self) -> None:
        """Compare all that was recorded."""
        if _is_drawn(*self._sides):
            return
        for pair in self._pairs():
            self._compare(pair)
        self._webhooks()

    def _say(self, kind: str, operation: str, part: str, before: str, after: str) -> None:
        place = f"{operation} {part}" if part else operation
        self._tally.add(kind, self._api, operation, place, before, after, [self._test])

    def _pairs(self) -> Iterator[_Pair]:
        """The exchanges that ask for the same at the same point of the test."""
        before, after = ([below(each, side.base_url) for each in side.exchanges] for side in self._sides)
        asked = [_asked(exchange) for exchange in before], [_asked(exchange) for exchange in after]
        number = 0
        last_alike = "the start of a test"
        matcher = SequenceMatcher(None, asked[0], asked[1], autojunk=False)
        for tag, first, last, from_, to in matcher.get_opcodes():
            if tag == "equal":
                for one, other in _in_step(before[first:last], after[from_:to]):
                    number += 1
                    yield _Pair(number, one, other)
                last_alike = place_of(before[last - 1])
                continue
            if not self._took_another_course:
                self._say("course-changed", last_alike, "and what follows", _next(before[first:]), _next(after[from_:]))
                self._took_another_course = True
            for side, exchanges in enumerate((before[first:last], after[from_:to])):
                for exchange in exchanges:
                    self._note_sent(side, exchange, 0)
                    self._note_answered(side, answer(exchange.response), place_of(exchange), 0)

    # ---------------------------------------------------------------------------------------------------- one exchange

    def _compare(self, pair: _Pair) -> None:
        one, other = pair.before.response, pair.after.response
        operation = place_of(pair.before)
        answers = answer(one), answer(other)
        for side, exchange in enumerate((pair.before, pair.after)):
            self._note_sent(side, exchange, pair.number)
            part = f"response {_group(exchange.response.status)}"
            self._shapes.add((self._api, operation, f"{part} headers"), side, dict(answers[side].headers), self._test)
            if answers[side].kind in {"JSON", "page"}:
                known = self._values.known(side)
                self._shapes.add((self._api, operation, part), side, answers[side].value, self._test, known)
        if one.status != other.status:
            broken = ", ".join(sorted(pair.before.breaks))
            part = f"status, asked by a request that breaks {broken}" if broken else "status"
            self._say(_status_kind(one.status, other.status), operation, part, str(one.status), str(other.status))
        else:
            self._answers(pair, answers, operation)
        for side in (0, 1):
            self._note_answered(side, answers[side], operation, pair.number)

    def _answers(self, pair: _Pair, answers: tuple[Answer, Answer], operation: str) -> None:
        """Compare two answers with the same status."""
        part = f"response {_group(pair.before.response.status)}"
        if answers[0].kind != answers[1].kind:
            self._say("body-retyped", operation, part, answers[0].kind, answers[1].kind)
            return
        for name, value in answers[0].headers.items():
            other = answers[1].headers.get(name, value)
            changed = skeleton(value).lower() != skeleton(other).lower() and not self._values.are_echoes(value, other)
            of_body = name in _OF_BODIES and _plain(value) != _plain(other)
            if changed and (of_body or self._stands_still):
                kind = _OF_BODIES[name] if of_body else "header-changed"
                self._say(kind, operation, f"{part} header {name}", *contrast(value, other))
        at = pair.before.at.timestamp(), pair.after.at.timestamp()
        for each in self._values.contrasts(answers[0].value, answers[1].value, at):
            self._say(each.kind, operation, _where(part, each.path), each.before, each.after)

    def _note_sent(self, side: int, exchange: Exchange, number: int) -> None:
        for path, text in sent(exchange.request):
            self._values.note(side, text, (number, f"request of {place_of(exchange)}, {'/'.join(path)}"))

    def _note_answered(self, side: int, told: Answer, operation: str, number: int) -> None:
        for path, value in leaves(told.value):
            if isinstance(value, str):
                self._values.note(side, value, (number, f"response of {operation}, {'/'.join(path)}"))

    # -------------------------------------------------------------------------------------------------------- webhooks

    def _webhooks(self) -> None:
        generated = any(exchange.generated for side in self._sides for exchange in side.exchanges)
        went_elsewhere = self._took_another_course and generated  # what was drawn after it is something else
        counted = []
        for side, cassette in enumerate(self._sides):
            counted.append(Counter(event_of(delivery) for delivery in cassette.deliveries))
            for delivery in cassette.deliveries:
                told, event = answer(delivery.request), f"webhook {event_of(delivery)}"
                self._shapes.add((self._api, event, "headers"), side, dict(told.headers), self._test)
                self._shapes.add((self._api, event, "body"), side, told.value, self._test)
        for event in dict.fromkeys((*counted[0], *counted[1])):
            before, after = counted[0][event], counted[1][event]
            if before != after and not went_elsewhere and (self._stands_still or not after or not before):
                kind = "webhook-missing" if after < before else "webhook-more"
                self._say(kind, f"webhook {event}", "", _times(before), _times(after))


def _asked(exchange: Exchange) -> tuple[object, ...]:
    """What an exchange asks for, whatever it is answered and whatever ids it names."""
    generated = exchange.generated.case if exchange.generated else None
    return place_of(exchange), exchange.request.method, exchange.identity, exchange.breaks, generated


def _next(exchanges: Sequence[Exchange]) -> str:
    """What a test asks for next, in words."""
    if not exchanges:
        return "the test ends"
    breaks = ", ".join(sorted(exchanges[0].breaks))
    return f"{place_of(exchanges[0])} is asked" + (f", by a request that breaks {breaks}" if breaks else "")


def _in_step(before: Sequence[Exchange], after: Sequence[Exchange]) -> Iterator[tuple[Exchange, Exchange]]:
    """The exchanges in pairs; where the same was asked many times at once, any order of the answers is the same."""
    pairs = list(zip(before, after, strict=True))
    for _, group in groupby(pairs, key=lambda pair: _asked(pair[0])):
        run = list(group)
        sides = [[pair[side] for pair in run] for side in (0, 1)]
        statuses = [Counter(exchange.response.status for exchange in side) for side in sides]
        if len(run) >= _AT_ONCE and statuses[0] == statuses[1]:
            sides = [sorted(side, key=lambda exchange: exchange.response.status) for side in sides]
        yield from zip(*sides, strict=True)


def _plain(value: str) -> str:
    """A media type or encoding without its parameters."""
    return value.partition(";")[0].strip().lower()


def _times(count: int) -> str:
    return {0: "does not come", 1: "comes once"}.get(count, f"comes {count} times")


def _group(status: int) -> str:
    """The answers that have one shape: those of success, and those of each refusal."""
    return "2XX" if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else str(status)


def _status_kind(before: int, after: int) -> str:
    if after >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "fails-now"
    succeeded = [status < HTTPStatus.BAD_REQUEST for status in (before, after)]
    if succeeded[0] != succeeded[1]:
        return "accepted-now" if succeeded[1] else "refused-now"
    return "status-changed" if succeeded[0] else "refusal-changed"


def _where(part: str, path: Sequence[str]) -> str:
    return f"{part} /{'/'.join(path)}" if path else part
