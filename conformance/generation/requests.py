"""Generated requests: what a specification describes and what it does not, drawn by schemathesis from a seed.

schemathesis and hypothesis are imported when requests are drawn and not before, so that a replay needs neither.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice, zip_longest
from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

import yaml

from conformance.catalogue import Basis
from conformance.exchange import Exchange, Generated, Mode
from conformance.findings import Finding, Outcome, judged
from conformance.recording.journal import Journal
from conformance.scenario import step_failed
from conformance.specification import Problem, Specification

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from schemathesis import Case
    from schemathesis.schemas import APIOperation
    from schemathesis.specs.openapi.schemas import OpenApiSchema

_NOT_ALLOWED = 405
KEPT = 12
"""How many cases of a test a recording keeps at most, besides those that they follow from."""
ABSENT: Any = object()
"""Stands for a value that is not there."""
METHOD = "method"
"""The place of a method that the specification does not have at the path."""
IDENTITY = "identity"
"""The place of an identity to which the things that a request is about do not belong."""
CONTENT_TYPE = "header Content-Type"
"""The place of the type of a body."""
FURTHER = "body /*"
"""The place of members that the specification does not know."""

_JSON = "application/json"
_MEMBER = "body /"
_EVERY = 3
_HARMLESS = {"OPTIONS", "QUERY", "TRACE"}
_SAID = {Basis.DOCUMENTED, Basis.STANDARD}
_LONGEST_NAME = 100
_SENDABLE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")
_ESCAPED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")
_OTHER_PATHS = {"", ".", ".."}
_SETTINGS = {"generation": {"with-security-parameters": False, "allow-x00": False}}

Item = TypeVar("Item")


@dataclass(frozen=True)
class Draft:
    """One generated request, before what really exists is put into it.

    Args:
        phase: The phase of schemathesis that it comes of: ``examples``, ``coverage`` or ``fuzzing``.
        method: The method, in upper case.
        template: The template of the path.
        values: What stands in each place of path, query and headers as text, a list for what stands there more than
            once: ``path id``, ``query page``, ``header Idempotency-Key``.
        body: The parsed body, bytes for one that is no JSON, `ABSENT` for none.
        wrong: The places that do not fit the specification.
        further: The names of members that the specification does not know.
    """

    phase: str
    method: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    body: Any = ABSENT
    wrong: tuple[str, ...] = ()
    further: tuple[str, ...] = ()

    @property
    def mode(self) -> Mode:
        """How it stands to the specification."""
        return Mode.NEGATIVE if self.wrong else Mode.POSITIVE

    def value(self, place: str) -> Any:
        """What stands in a place such as ``query page`` or ``body /name``, `ABSENT` if nothing does."""
        if not place.startswith(_MEMBER):
            return self.values.get(place, ABSENT)
        return self.body.get(place.removeprefix(_MEMBER), ABSENT) if isinstance(self.body, dict) else ABSENT

    def is_wrong(self, place: str) -> bool:
        """Whether a place, what it lies in, or what lies in it, does not fit the specification."""
        around = {place, "body" if place.startswith("body") else place}
        return any(each in around or each.startswith(f"{place}/") for each in self.wrong)

    def with_values(self, values: Mapping[str, Any]) -> "Draft":
        """The request with these values in their places, `ABSENT` for none, but for the places that are wrong."""
        changed, body = dict(self.values), self.body
        for place, value in values.items():
            if self.is_wrong(place):
                continue
            if not place.startswith(_MEMBER):
                changed[place] = value
            elif isinstance(body, dict):
                body = {**body, place.removeprefix(_MEMBER): value}
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if value is not ABSENT}
        return replace(self, values={place: each for place, each in changed.items() if each is not ABSENT}, body=body)

    def _named(self, kind: str) -> dict[str, Any]:
        return {place.removeprefix(kind): value for place, value in self.values.items() if place.startswith(kind)}

    @property
    def path(self) -> str:
        """The path below the base URL, with the query."""
        values, query = self._named("path "), self._named("query ")
        path = re.sub(r"\{([^{}]+)\}", lambda name: _escaped(values[name[1]]), self.template)
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    @property
    def headers(self) -> dict[str, str]:
        """The header fields."""
        return self._named("header ")

    @property
    def content(self) -> bytes | None:
        """The bytes of the body, None for none."""
        if self.body is ABSENT or isinstance(self.body, bytes):
            return None if self.body is ABSENT else self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def _escaped(value: str) -> str:
    return value if _ESCAPED.fullmatch(value) else quote(value, safe="")


# --------------------------------------------------------------------------------------------------------- drawing


def drafts(
    specification: Path,
    operation: str,
    *,
    seed: int,
    examples: int,
    without: Collection[str] = (),
    harmless: bool = False,
) -> tuple[Draft, ...]:
    """Requests for an operation: those of the specification's examples first, then of each phase and mode.

    Args:
        specification: An OpenAPI description.
        operation: The id of the operation.
        seed: What they are drawn from; the same one gives the same requests.
        examples: How many are drawn of each phase and mode at most.
        without: The names of parameters that are not generated, since a client computes them from the request.
        harmless: Whether methods that change nothing are the only ones to be tried where a path does not have them.
    """
    with secluded():
        found = _drawn(specification.read_bytes(), operation, seed, examples, frozenset(without))
    others = [draft for draft in found if draft.wrong == (METHOD,) and not (harmless and draft.method not in _HARMLESS)]
    tried = _spread([others], max(1, examples // 4), seed)
    return tuple(draft for draft in found if draft.wrong != (METHOD,) or draft in tried)


@contextmanager
def secluded() -> Iterator[None]:
    """Have hypothesis draw from a seed alone, and keep nothing on the disk.

    Otherwise it would draw from the constants of all modules that happen to be loaded, and write them and a table of
    Unicode into the working directory.
    """
    from hypothesis import configuration  # noqa: PLC0415  (half a second that only drawing should cost)
    from hypothesis.internal.conjecture import providers  # noqa: PLC0415  (as above)
    from hypothesis.internal.constants_ast import Constants  # noqa: PLC0415  (as above)

    home = configuration.storage_directory(intent_to_write=False).home_directory
    constants = providers._get_local_constants  # noqa: SLF001  (hypothesis has no setting for it)
    configuration.set_hypothesis_home_dir(devnull)
    providers._get_local_constants = Constants  # noqa: SLF001  (as above)
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(home)
        providers._get_local_constants = constants  # noqa: SLF001  (as above)


@cache
def _drawn(content: bytes, operation: str, seed: int, examples: int, without: frozenset[str]) -> tuple[Draft, ...]:
    from schemathesis import GenerationMode  # noqa: PLC0415  (a second that only drawing should cost)
    from schemathesis.generation.coverage import GenerationSession  # noqa: PLC0415  (as above)

    known, schema = _described(content, without)
    chosen = schema.find_operation_by_id(operation)
    reader = _Reader(known, operation, chosen)
    found = reader.read(
        "examples", [case for each in chosen.get_strategies_from_examples() for case in _fuzz(each, 0, 1)]
    )
    covering = schema.iter_coverage_cases(
        chosen,
        generation_modes=list(GenerationMode),
        generation_config=schema.config.generation_for(operation=chosen),
        session=GenerationSession(),
    )
    covered = reader.read("coverage", covering)
    groups: dict[Mode, dict[tuple[str, ...], list[Draft]]] = {Mode.POSITIVE: {}, Mode.NEGATIVE: {}}
    for draft in covered:
        groups[draft.mode].setdefault(draft.wrong, []).append(draft)
    found += groups[Mode.NEGATIVE].pop((METHOD,), [])
    found += groups[Mode.NEGATIVE].get(("body",), [])[:1]
    for grouped in groups.values():
        found += _spread(list(grouped.values()), examples, seed)
    for generated in GenerationMode:
        found += reader.read("fuzzing", _fuzz(chosen.as_strategy(generation_mode=generated), seed, examples))
    unique: dict[object, Draft] = {}
    for draft in found:
        unique.setdefault((draft.method, draft.path, *sorted(draft.headers.items()), draft.content), draft)
    return tuple(unique.values())


@cache
def _described(content: bytes, without: frozenset[str]) -> "tuple[Specification, OpenApiSchema]":
    import schemathesis  # noqa: PLC0415  (a second that only drawing should cost)
    from schemathesis.config import SchemathesisConfig  # noqa: PLC0415  (as above)

    document = yaml.load(content, Loader=yaml.CSafeLoader)
    known = Specification(document, "")
    schema = schemathesis.openapi.from_dict(_thinned(document, without), config=SchemathesisConfig.from_dict(_SETTINGS))
    return known, schema


def _thinned(value: Any, without: Collection[str]) -> Any:
    """A part of the document without the parameters of these names."""
    match value:
        case dict():
            return {name: _thinned(each, without) for name, each in value.items()}
        case list():
            return [_thinned(each, without) for each in value if not _is_one(each, without)]
        case _:
            return value


def _is_one(value: Any, names: Collection[str]) -> bool:
    """Whether a value is a parameter of one of these names, or refers to one that is called so."""
    if not isinstance(value, dict):
        return False
    called = str(value.get("$ref", ""))
    return value.get("name") in names or called.removeprefix("#/components/parameters/") in {
        name.replace("-", "") for name in names
    }


def _fuzz(strategy: "SearchStrategy[Case[Any]]", seed: int, count: int) -> "list[Case[Any]]":
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415  (a second that only drawing should cost)
    from hypothesis import seed as seeded  # noqa: PLC0415  (as above)
    from hypothesis.errors import Unsatisfiable  # noqa: PLC0415  (as above)

    found: list[Case[Any]] = []
    quiet = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )

    @seeded(seed)
    @quiet
    @given(strategy)
    def draw(case: "Case[Any]") -> None:
        found.append(case)

    with suppress(Unsatisfiable):
        draw()
    return found[:count]


def _spread(groups: Sequence[Sequence[Item]], count: int, seed: int) -> list[Item]:
    """So many items of all groups in turn; which of them depends on the seed where there are more."""
    turned = [[*group[seed % len(group) :], *group[: seed % len(group)]] for group in groups if group]
    start = seed % len(turned) if turned else 0
    rounds = zip_longest(*turned[start:], *turned[:start], fillvalue=ABSENT)
    return list(islice((item for each in rounds for item in each if item is not ABSENT), count))


class _Reader:
    """Reads the cases of schemathesis, and finds for itself what in them does not fit the specification.

    Args:
        known: The specification.
        operation: The id of the operation.
        chosen: The operation as schemathesis has it.
    """

    def __init__(self, known: Specification, operation: str, chosen: "APIOperation[Any, Any, Any, Any]") -> None:
        self._known = known
        self._operation = known.operations[operation]
        self._members = _members(chosen.definition.raw.get("requestBody", {}), chosen.schema.raw_schema)
        self._parameters = {
            f"{parameter.location.value} {parameter.name}": parameter.definition
            for parameter in chosen.iter_parameters()
        }

    def read(self, phase: str, cases: "Iterable[Case[Any]]") -> list[Draft]:
        """The drafts of all cases that can be sent."""
        return [draft for case in cases if (draft := self._draft(phase, case)) is not None]

    def _draft(self, phase: str, case: "Case[Any]") -> Draft | None:
        from schemathesis.core import NOT_SET  # noqa: PLC0415  (a second that only drawing should cost)

        kinds = {"path": case.path_parameters, "query": case.query, "header": case.headers}
        values = {
            f"{kind} {name}": _as_text(value) for kind, held in kinds.items() for name, value in (held or {}).items()
        }
        known = {place: value for place, value in values.items() if place in self._parameters}
        if case.method.upper() != self._operation.method:
            path = {place: value for place, value in known.items() if place.startswith("path ")}
            return Draft(phase, case.method.upper(), self._operation.path, path, wrong=(METHOD,))
        draft = Draft(
            phase,
            self._operation.method,
            self._operation.path,
            known,
            ABSENT if case.body is NOT_SET or not self._operation.request else case.body,
        )
        if isinstance(draft.body, dict):
            draft = replace(draft, further=tuple(name for name in draft.body if name not in self._members))
        kind = values.get(CONTENT_TYPE, _JSON)
        if kind != _JSON and draft.body is not ABSENT:
            return replace(draft, values={**known, CONTENT_TYPE: kind}, wrong=(CONTENT_TYPE,))
        wrong = [place for place in self._parameters if not self._fits(place, draft.value(place))]
        problems = self._known.request_problems(self._operation.id, _JSON, draft.content or b"")
        wrong += [f"body {problem.pointer}".strip() for problem in problems]
        return replace(draft, wrong=tuple(dict.fromkeys(wrong))) if _can_be_sent(draft) else None

    def _fits(self, place: str, value: Any) -> bool:
        import jsonschema_rs  # noqa: PLC0415  (40 ms that only drawing should cost)

        definition = self._parameters[place]
        if value is ABSENT or isinstance(value, list):
            return value is ABSENT and not definition.get("required", False)
        readings = [value]
        with suppress(ValueError):
            readings.append(json.loads(value))
        schema = {name: each for name, each in definition["schema"].items() if not name.startswith("x-")}
        return any(jsonschema_rs.is_valid(schema, reading, validate_formats=True) for reading in readings)


def _members(value: Any, document: Mapping[str, Any]) -> set[str]:
    """The names of the members of a body that a part of the document describes, references followed."""
    found: set[str] = set()
    pending = [value]
    while pending:
        match pending.pop():
            case {"$ref": str(reference)}:
                node: Any = document
                for token in reference.removeprefix("#/").split("/"):
                    node = node[token]
                pending.append(node)
            case {"properties": dict(properties), **others}:
                found |= set(properties)
                pending.append({"allOf": others.get("allOf", [])})
            case {"content": dict(content)}:
                pending.extend(each.get("schema") for each in content.values())
            case {"allOf": list(parts)}:
                pending.extend(parts)
    return found


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return str(value)
        case list():
            return [_as_text(each) for each in value]
        case _:
            return json.dumps(value)


def _can_be_sent(draft: Draft) -> bool:
    """Whether HTTP can carry its headers, and its path stays one of the operation."""
    paths = [value for place, value in draft.values.items() if place.startswith("path ")]
    return all(_SENDABLE.fullmatch(value) for value in draft.headers.values()) and not _OTHER_PATHS & {*paths}


# --------------------------------------------------------------------------------------------------------- sending


@dataclass(frozen=True)
class Supply:
    """What really exists, for the places of one request.

    Args:
        values: What a right client would send in each place, `ABSENT` for nothing.
        where_there: The places among them that are filled only where something stands already.
        where_empty: The places among them that are filled only where no name of usual length stands.
        loose: The places among them that may keep what was generated, which then is about nothing that exists.
        parent: The number of the case in which what exists was made, None if there was none.
    """

    values: Mapping[str, Any]
    where_there: Collection[str] = ()
    loose: Sequence[str] = ()
    parent: int | None = None
    where_empty: Collection[str] = ()

    def of(self, draft: Draft) -> dict[str, Any]:
        """The values for the places of one request."""
        return {
            place: value
            for place, value in self.values.items()
            if (place not in self.where_there or draft.value(place) is not ABSENT)
            and (place not in self.where_empty or not _is_name(draft.value(place)))
        }


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST_NAME


def supplied(draft: Draft, number: int, supply: Supply) -> tuple[Draft, tuple[str, ...]]:
    """A request with what exists in its places, and the places in which it still is not what a client would send.

    Of the requests that fit the specification every third one keeps what was generated in one place, or the members
    that the specification does not know; its own examples keep all. Of those that do not fit in several places every
    other one is mended in all but the last.

    Args:
        draft: The request as it was generated.
        number: How many of its mode were sent before.
        supply: What exists.
    """
    values = supply.of(draft)
    left: list[str] = []
    if not draft.wrong:
        loose = [place for place in supply.loose if place in values and values[place] != draft.value(place)]
        loose += [FURTHER] if draft.further else []
        if draft.phase == "examples":
            left = loose
        elif loose and number % _EVERY == 1:
            left = [loose[number // _EVERY % len(loose)]]
    elif number % 2 and draft.wrong != (METHOD,):
        mended = [place for place in draft.wrong[:-1] if place in values]
        draft = replace(draft, wrong=tuple(place for place in draft.wrong if place not in mended))
    ready = draft.with_values({place: value for place, value in values.items() if place not in left})
    if not draft.wrong and FURTHER not in left:
        ready = ready.with_values({f"{_MEMBER}{name}": ABSENT for name in draft.further})
    return ready, (*draft.wrong, *left)


class Series:
    """The cases of one test, numbered.

    Args:
        journal: What keeps their exchanges.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._number = 0

    @contextmanager
    def given(self) -> Iterator[int]:
        """A case that only prepares others; gives its number."""
        with self.case(Mode.GIVEN) as number:
            yield number

    @contextmanager
    def case(self, mode: Mode, mutated: tuple[str, ...] = (), parent: int | None = None) -> Iterator[int]:
        """A case of which each exchange is kept so; gives its number."""
        self._number += 1
        with self._journal.generating(Generated(self._number, mode, mutated, parent)):
            yield self._number


class Feed(Protocol):
    """What an API's suite knows of its operations: what exists for them, and how a request is sent."""

    series: Series

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
    def harmless(self) -> bool:
        """Whether nothing may be tried that could change more than the documents say."""

    def supply(self, operation: str, identity: str) -> Supply:
        """What exists for the next request of an identity, made if need be."""

    def send(self, operation: str, identity: str, draft: Draft, *, authorized: bool | None = True) -> Exchange:
        """Send a request with the identity's credentials, with none (None), or with some that nobody has (False)."""

    def follow(self, exchange: Exchange, case: int) -> None:
        """Send what shows the effect of a request that was accepted, whose case has this number."""


def exercise(feed: Feed, specification: Path, operation: str, *, seed: int, examples: int) -> None:
    """Send generated requests to an operation, and what follows from those that are accepted.

    Args:
        feed: What the API's suite knows.
        specification: The API's OpenAPI description.
        operation: The id of the operation.
        seed: What requests are drawn from.
        examples: How many are drawn of each phase and mode at most.

    Raises:
        StepFailedError: If no request at all was accepted.
    """
    accepted, last = False, None
    generated = drafts(
        specification, operation, seed=seed, examples=examples, without=feed.computed, harmless=feed.harmless
    )
    turns: Counter[object] = Counter()
    for number, draft in enumerate(generated):
        identity = feed.identities[-1 if number % 4 == 3 else 0]  # noqa: PLR2004  (a quarter of the requests)
        supply = feed.supply(operation, identity)
        kind = (draft.mode, draft.phase == "examples")
        ready, mutated = supplied(draft, turns[kind], supply)
        turns[kind] += 1
        with feed.series.case(Mode.NEGATIVE if draft.wrong else Mode.POSITIVE, mutated, supply.parent) as case:
            last = feed.send(operation, identity, ready)
        if METHOD in mutated or not last.response.succeeded:
            continue
        feed.follow(last, case)
        if not accepted and not mutated:
            accepted = True
            _repeat(feed, operation, draft)
    if not accepted:
        step_failed(f"No generated request to {operation} was accepted", last)


def _repeat(feed: Feed, operation: str, draft: Draft) -> None:
    """Send an accepted request anew, for things that exist, without credentials, with false ones, and as another."""
    owner = feed.identities[0]
    for authorized in (None, False):
        supply = feed.supply(operation, owner)
        with feed.series.case(Mode.NEGATIVE, (feed.credential,), supply.parent):
            feed.send(operation, owner, supplied(draft, 0, supply)[0], authorized=authorized)
    if len(feed.identities) > 1 and "{" in draft.template:
        supply = feed.supply(operation, owner)
        with feed.series.case(Mode.POSITIVE, (IDENTITY,), supply.parent):
            feed.send(operation, feed.identities[1], supplied(draft, 0, supply)[0])


# -------------------------------------------------------------------------------------------------------- afterwards


def unsupported_method(rule: str, exchange: Exchange, specification: Specification, version: str) -> Finding:
    """What a method shows that a path does not have; Allow may name methods that no document describes.

    Args:
        rule: The id of the rule that asks for 405, with the methods that there are (RFC 9110 sections 10.2.1, 15.5.6).
        exchange: The request and its answer.
        specification: What is described of the path.
        version: What paths of the API begin with, such as ``v1``.
    """
    status, method = exchange.response.status, exchange.request.method
    allow = exchange.response.header("Allow")
    allowed = {name.strip() for name in (allow or "").split(",")}
    described = specification.methods_at(f"/{version}/{exchange.request.path.partition(f'/{version}/')[2]}")
    return judged(
        rule,
        held=status == _NOT_ALLOWED and described <= allowed and method not in allowed,
        where="response status and header Allow",
        expected=f"405 with {' and '.join(sorted(described))}",
        got=f"{status} with {allow or 'none'}, to {method}",
        exchange=exchange,
    )


def wrong_places(exchange: Exchange, specification: Specification) -> list[tuple[str, Problem | None]]:
    """The places in which a generated request does not fit the specification, with what is wrong there in a body.

    A body is read by the specification as it is now; of the other places, what was generated is believed. Only what a
    document or a standard says counts.
    """
    generated = exchange.generated
    if generated is None or exchange.operation is None:
        return []
    parameters = specification.operations[exchange.operation].parameters
    said = {f"{each.place} {each.name}" for each in parameters if each.basis in _SAID}
    places = [place for place in generated.mutated if generated.mode is Mode.NEGATIVE and place in said]
    problems = specification.request_problems(exchange.operation, _JSON, exchange.request.body)
    in_body = [(f"body {each.pointer}".strip(), each) for each in problems if each.basis in _SAID]
    return [*((place, None) for place in places), *in_body]


def kept(exchanges: Sequence[Exchange], most: int = KEPT) -> list[Exchange]:
    """A few of the exchanges of a test: of generated cases those that differ in method, status, mode or mutated places.

    What prepares them is kept but for the steps of a hosted page, which no rule judges and no replay takes again.

    Args:
        exchanges: The exchanges in the order of their ends; all are kept if none was generated.
        most: How many cases are kept, besides those that they follow from.
    """
    cases = {mark.case: (each, mark) for each in exchanges if (mark := each.generated)}
    chosen: dict[object, int] = {}
    for number, (last, mark) in cases.items():
        if mark.mode is not Mode.GIVEN and len(chosen) < most:
            chosen.setdefault((last.request.method, last.response.status, mark.mode, mark.mutated), number)
    wanted: set[int] = set()
    pending: list[int | None] = [*chosen.values()]
    while pending:
        following = pending.pop()
        if following in cases and following not in wanted:
            wanted.add(following)
            pending.append(cases[following][1].parent)
    return [each for each in exchanges if each.generated is None or _is_kept(each, each.generated, wanted)]


def _is_kept(exchange: Exchange, generated: Generated, wanted: Collection[int]) -> bool:
    is_step = exchange.operation is None and generated.mode is Mode.GIVEN
    return generated.case in wanted and not is_step


def reached(findings: Sequence[Finding], rule: str) -> list[Finding]:
    """Findings, without those of the rule that requests are accepted if none was: whatever refused them blocks it.

    Args:
        findings: What was found of generated requests.
        rule: The id of that rule.
    """
    accepted = any(finding.rule == rule and finding.outcome is Outcome.HELD for finding in findings)
    return [finding for finding in findings if accepted or finding.rule != rule]


def simplest(findings: Sequence[Finding], exchanges: Sequence[Exchange]) -> list[Finding]:
    """Findings, of the generated requests that break a rule at one place the shortest with what it was made to be.

    Args:
        findings: What was found in one test.
        exchanges: Its exchanges.
    """
    made = {exchange.id: exchange for exchange in exchanges if exchange.generated}
    first: dict[object, Finding] = {}
    others = []
    for finding in findings:
        exchange = made.get(finding.exchange or "")
        if finding.outcome is not Outcome.BROKEN or exchange is None:
            others.append(finding)
            continue
        place = (finding.rule, re.sub(r"/[0-9]+", "/0", finding.where))
        known = made[first[place].exchange or ""] if place in first else None
        if known is None or _length(exchange) < _length(known):
            first[place] = finding
    return others + [_described_by(finding, made[finding.exchange or ""]) for finding in first.values()]


def _length(exchange: Exchange) -> int:
    return len(exchange.request.url) + len(exchange.request.body)


def _described_by(finding: Finding, exchange: Exchange) -> Finding:
    generated = exchange.generated
    if generated is None or generated.mode is Mode.GIVEN:
        return finding
    places = f" in {', '.join(generated.mutated)}" if generated.mutated else ""
    return replace(finding, got=f"{finding.got}, to a {generated.mode} request{f', mutated{places}' if places else ''}")


def cited(exchanges: Sequence[Exchange], findings: Iterable[Finding]) -> list[Exchange]:
    """The exchanges of a test that its findings cite; all of them if none was generated."""
    if not any(exchange.generated for exchange in exchanges):
        return list(exchanges)
    named = {finding.exchange for finding in findings}
    return [exchange for exchange in exchanges if exchange.id in named]
