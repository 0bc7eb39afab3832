"""Requests that a specification describes, and requests that it does not, drawn by schemathesis from a seed.

schemathesis and hypothesis are imported when requests are drawn and not before, so that a replay needs neither.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.exchange import Mode
from conformance.generation.draft import ABSENT, CONTENT_TYPE, JSON, METHOD, Draft
from conformance.generation.internals import coverage_cases, deterministic_hypothesis, example_strategies
from conformance.specification import Specification

if TYPE_CHECKING:
    import jsonschema_rs
    from hypothesis.strategies import SearchStrategy
    from schemathesis import Case
    from schemathesis.specs.openapi.schemas import OpenApiSchema

_SAFE = {"OPTIONS", "QUERY", "TRACE"}
"""The methods that change nothing, of those that schemathesis tries where a path does not have them."""
_SENDABLE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")
_OTHER_PATHS = {"", ".", ".."}
_SETTINGS = {"generation": {"with-security-parameters": False, "allow-x00": False}}

Item = TypeVar("Item")


def drafts(
    specification: Path,
    operation: str,
    *,
    seed: int,
    examples: int,
    without: Collection[str] = (),
    safe_only: bool = False,
) -> tuple[Draft, ...]:
    """Requests for an operation: those of the specification's examples first, then of each phase and mode.

    Args:
        specification: An OpenAPI description.
        operation: The id of the operation.
        seed: What they are drawn from; the same one gives the same requests.
        examples: How many are drawn of each phase and mode at most.
        without: The names of parameters that are not generated, since a client computes them from the request.
        safe_only: Whether, of the methods that the path does not have, only those are tried that change nothing.
    """
    with deterministic_hypothesis():
        found = _drawn(Specification.load(specification), operation, seed, examples, frozenset(without))
    other_methods = [draft for draft in found if draft.wrong == (METHOD,)]
    allowed = [draft for draft in other_methods if draft.method in _SAFE or not safe_only]
    tried = _spread([allowed], max(1, examples // 4), seed)
    return tuple(draft for draft in found if draft.wrong != (METHOD,) or draft in tried)


@cache
def _drawn(
    specification: Specification, operation: str, seed: int, examples: int, without: frozenset[str]
) -> tuple[Draft, ...]:
    from schemathesis import GenerationMode  # noqa: PLC0415  (a second that only drawing should cost)

    described = _described(specification, without)
    reader = _Reader(described, operation)
    known = described.specification.operations[operation]
    chosen = described.schema[known.path][known.method]
    examples_first = [case for each in example_strategies(chosen) for case in _fuzz(each, seed=0, count=1)]
    found = reader.read("examples", examples_first)
    groups: dict[Mode, dict[tuple[str, ...], list[Draft]]] = {Mode.POSITIVE: {}, Mode.NEGATIVE: {}}
    for draft in reader.read("coverage", coverage_cases(described.schema, chosen)):
        groups[draft.mode].setdefault(draft.wrong, []).append(draft)
    found += groups[Mode.NEGATIVE].pop((METHOD,), [])
    found += groups[Mode.NEGATIVE].get(("body",), [])[:1]
    for grouped in groups.values():
        found += _spread(list(grouped.values()), examples, seed)
    for mode in GenerationMode:
        found += reader.read("fuzzing", _fuzz(chosen.as_strategy(generation_mode=mode), seed=seed, count=examples))
    unique: dict[object, Draft] = {}
    for draft in found:
        unique.setdefault((draft.method, draft.path, *sorted(draft.headers.items()), draft.content), draft)
    return tuple(unique.values())


def _fuzz(strategy: "SearchStrategy[Case[Any]]", *, seed: int, count: int) -> "list[Case[Any]]":
    """Cases that a strategy draws from a seed, at most `count`; fewer where it has no more."""
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
    """Take items from all groups in turn; which of them depends on the seed where there are more.

    Args:
        groups: The groups.
        count: How many items are taken at most.
        seed: Says at which group, and at which item of each, to begin.
    """
    turned = [[*group[seed % len(group) :], *group[: seed % len(group)]] for group in groups if group]
    start = seed % len(turned) if turned else 0
    rounds = zip_longest(*turned[start:], *turned[:start], fillvalue=ABSENT)
    return list(islice((item for each in rounds for item in each if item is not ABSENT), count))


# --------------------------------------------------------------------------------------------------- the description


@dataclass(frozen=True)
class _Description:
    """An OpenAPI description as it is read by us and by schemathesis.

    Args:
        document: What it says, without the parameters that are not generated.
        specification: How we read all of it.
        schema: How schemathesis reads the document.
    """

    document: Mapping[str, Any]
    specification: Specification
    schema: "OpenApiSchema"

    def parameters(self, operation: str) -> dict[str, Mapping[str, Any]]:
        """The definitions of an operation's parameters by their places, such as ``path id``.

        Args:
            operation: The id of the operation.
        """
        known = self.specification.operations[operation]
        item = self.document["paths"][known.path]
        both = [*item.get("parameters", ()), *item[known.method.lower()].get("parameters", ())]
        definitions = [_referred(each["$ref"], self.document) if "$ref" in each else each for each in both]
        return {f"{definition['in']} {definition['name']}": definition for definition in definitions}

    def members(self, operation: str) -> set[str]:
        """The names of the members that the body of an operation may have.

        Args:
            operation: The id of the operation.
        """
        known = self.specification.operations[operation]
        found: set[str] = set()
        pending = [self.document["paths"][known.path][known.method.lower()].get("requestBody")]
        while pending:
            match pending.pop():
                case {"$ref": str(reference)}:
                    pending.append(_referred(reference, self.document))
                case {"properties": dict(properties), **others}:
                    found |= set(properties)
                    pending.append({"allOf": others.get("allOf", [])})
                case {"content": dict(content)}:
                    pending.extend(each.get("schema") for each in content.values())
                case {"allOf": list(parts)}:
                    pending.extend(parts)
        return found


@cache
def _described(specification: Specification, without: frozenset[str]) -> _Description:
    import schemathesis  # noqa: PLC0415  (a second that only drawing should cost)

    thinned = _thinned(specification.document, without)
    schema = schemathesis.openapi.from_dict(thinned, config=schemathesis.Config.from_dict(_SETTINGS))
    return _Description(thinned, specification, schema)


def _thinned(value: Any, without: Collection[str]) -> Any:
    """A part of the document without the parameters of these names."""
    match value:
        case dict():
            return {name: _thinned(each, without) for name, each in value.items()}
        case list():
            return [_thinned(each, without) for each in value if not _is_parameter(each, without)]
        case _:
            return value


def _is_parameter(value: Any, names: Collection[str]) -> bool:
    """Whether a value is a parameter of one of these names, or refers to one whose key is such a name."""
    if not isinstance(value, dict):
        return False
    key = str(value.get("$ref", "")).removeprefix("#/components/parameters/")
    return value.get("name") in names or key in {name.replace("-", "") for name in names}


def _referred(reference: str, document: Mapping[str, Any]) -> Any:
    """The part of the document that a reference such as ``#/components/schemas/Customer`` is to."""
    node: Any = document
    for token in reference.removeprefix("#/").split("/"):
        node = node[token]
    return node


# --------------------------------------------------------------------------------------------- what schemathesis drew


class _Reader:
    """Makes drafts of the cases of schemathesis, and finds by itself what in them does not fit the specification.

    Args:
        described: The description.
        operation: The id of the operation.
    """

    def __init__(self, described: _Description, operation: str) -> None:
        self._specification = described.specification
        self._operation = described.specification.operations[operation]
        self._members = described.members(operation)
        self._parameters = described.parameters(operation)
        self._validators = {
            place: _validator(definition["schema"], described.document)
            for place, definition in self._parameters.items()
        }

    def read(self, phase: str, cases: "Iterable[Case[Any]]") -> list[Draft]:
        """The drafts of all cases that can be sent.

        Args:
            phase: The phase of schemathesis that the cases come of.
            cases: The cases.
        """
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
        kind = values.get(CONTENT_TYPE, JSON)
        if kind != JSON and draft.body is not ABSENT:
            return replace(draft, values={**known, CONTENT_TYPE: kind}, wrong=(CONTENT_TYPE,))
        wrong = [place for place in self._parameters if not self._fits(place, draft.value(place))]
        problems = self._specification.request_problems(self._operation.id, JSON, draft.content or b"")
        wrong += [f"body {problem.pointer}".strip() for problem in problems]
        return replace(draft, wrong=tuple(dict.fromkeys(wrong))) if _can_be_sent(draft) else None

    def _fits(self, place: str, value: Any) -> bool:
        if value is ABSENT or isinstance(value, list):
            return value is ABSENT and not self._parameters[place].get("required", False)
        readings = [value]
        with suppress(ValueError):
            readings.append(json.loads(value))
        return any(self._validators[place].is_valid(reading) for reading in readings)


def _validator(schema: Mapping[str, Any], document: Mapping[str, Any]) -> "jsonschema_rs.Draft202012Validator":
    """What tells whether a value fits a schema, which may refer to the components of the document."""
    import jsonschema_rs  # noqa: PLC0415  (40 ms that only drawing should cost)

    complete = {**schema, "components": document.get("components", {})}
    return jsonschema_rs.Draft202012Validator(complete, validate_formats=True)


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
