"""Mutations: faults derived from an API's description, each of which spoils one thing in every answer of one kind.

For each success answer that the description holds: every member that must be there is dropped, and sent under another
name; every member of a known type is sent with a value of another type, and null if it may not be null; the status is
another one; the Content-Type is another one, or absent. What is taken in the place of the right thing follows from a
seed. A change that contradicts no rule, or only a claim on which the sources disagree, is not made.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

from conformance.api import Api
from conformance.catalogue import Basis, Catalogue
from conformance.exchange import Request, Response
from conformance.ids import Ids
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import to_json
from conformance.sandbox.service import Operation, Service
from conformance.specification import Member, Specification
from conformance.specification import Operation as Described

SEED = "mutations"
"""What the mutations are derived from that a sandbox knows by name."""

Change = Callable[[Response], Response]

_VALUES: Mapping[str, Sequence[Any]] = {
    "string": ("seven", ""),
    "number": (7, 0.5),
    "boolean": (True, False),
    "array": ([], ["seven"]),
    "object": ({}, {"value": 7}),
}
_KINDS_OF_CONTENT = ("text/plain", "text/html", "application/octet-stream", "application/xml")
_SUCCESSES = (200, 201, 202, 203, 206)
_REFUSALS = (402, 406, 412, 418, 422)
_FAILURES = (500, 501, 502, 504)
_SUCCESS_CLASS = "2"


class Mutation(Fault, Service, abstract=True):
    """One thing that is wrong in each answer of one kind; named by the answer and the thing."""

    operation: ClassVar[str]
    """The id of the operation whose answers it spoils."""
    described: ClassVar[str]
    """Which of its answers, by the status as the description writes it: ``200`` or ``2XX``."""
    change: ClassVar[Change]
    """What it does to one."""

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        """The answer, changed if it is one of those."""
        response = await super().perform(operation, request, parameters)  # type: ignore[safe-super]  # the sandbox's
        return type(self).change(response) if self.concerns(operation.id, response.status) else response

    @classmethod
    def concerns(cls, operation: str, status: int) -> bool:
        """Whether it changes the answers of an operation that have this status."""
        return operation == cls.operation and cls.described in {str(status), f"{status // 100}XX"}


@cache
def mutations(api: Api, seed: str = SEED) -> dict[str, type[Mutation]]:
    """The mutations of an API by name, such as ``offblocks: getCustomer 200 /id dropped``.

    Args:
        api: The API.
        seed: What is drawn from wherever one wrong thing is as good as another.

    Raises:
        CatalogueError: If the API's rules cannot be read.
        SpecificationError: If its description cannot be read.
    """
    specification, catalogue = Specification.load(api.specification), Catalogue.load(api.rules)
    return {
        mutation.__name__: mutation
        for operation in specification.operations.values()
        for status, response in operation.responses.items()
        if status.startswith(_SUCCESS_CLASS)
        for mutation in _Derivation(api, specification, catalogue, operation, status, seed).all(
            kinds=tuple(response.content)
        )
    }


class _Derivation:
    """Derives the mutations of one described answer."""

    def __init__(
        self,
        api: Api,
        specification: Specification,
        catalogue: Catalogue,
        operation: Described,
        status: str,
        seed: str,
    ) -> None:
        self._api = api
        self._specification = specification
        self._catalogue = catalogue
        self._operation = operation
        self._status = status
        self._seed = seed
        self._members = specification.members(operation.id, status)

    def all(self, kinds: Sequence[str]) -> Iterator[type[Mutation]]:
        """All mutations of the answer.

        Args:
            kinds: The media types that are described for it.
        """
        for member in self._members:
            yield from self._of_member(member)
        yield from self._of_status()
        if kinds:
            yield from self._of_content(kinds)

    def _of_member(self, member: Member) -> Iterator[type[Mutation]]:
        path, place = member.path, "".join(f"/{name}" for name in member.path)
        required = self._schema_rules(member.required)
        yield from self._mutation(f"{place} dropped", required, _one_of([_at(path, _drop)]))
        yield from self._mutation(
            f"{place} renamed", required, _one_of([_at(path, _rename(other)) for other in self._other_names(path)])
        )
        typed = self._schema_rules([basis for _, basis in member.types])
        wrong = _values_besides({each for types, _ in member.types for each in types})
        yield from self._mutation(f"{place} retyped", typed, _one_of([_at(path, _put(value)) for value in wrong]))
        not_null = self._schema_rules([basis for types, basis in member.types if "null" not in types])
        yield from self._mutation(f"{place} null", not_null, _one_of([_at(path, _put(None))]))

    def _of_status(self) -> Iterator[type[Mutation]]:
        for words, statuses, breaks in (
            ("status another success", _SUCCESSES, self._existing_rules("status-documented")),
            ("status a refusal", _REFUSALS, [*self._existing_rules("status-documented"), *self._agreement_rules()]),
            ("status a failure", _FAILURES, self._existing_rules("no-server-error")),
        ):
            others = [each for each in statuses if each in _FAILURES or not self._operation.response(each)]
            if others:
                yield from self._mutation(words, breaks, _one_of([_status(status) for status in others]))

    def _of_content(self, kinds: Sequence[str]) -> Iterator[type[Mutation]]:
        breaks = self._existing_rules("is-json")
        others = [kind for kind in _KINDS_OF_CONTENT if kind not in kinds]
        yield from self._mutation("content type another", breaks, _one_of([_content(kind) for kind in others]))
        yield from self._mutation("content type absent", breaks, _one_of([_content(None)]))

    def _mutation(self, words: str, breaks: Sequence[str], draw: Callable[[Ids], Change]) -> Iterator[type[Mutation]]:
        """The mutation that these words describe, if it breaks a rule."""
        if not breaks:
            return
        name = f"{self._api.name}: {self._operation.id} {self._status} {words}"
        members = {
            "__module__": __name__,
            "__doc__": f"Answers {self._operation.id} with {self._status} and {words}.",
            "breaks": tuple(breaks),
            "operation": self._operation.id,
            "described": self._status,
            "change": staticmethod(draw(Ids(self._seed, name))),
        }
        yield type(name, (Mutation,), members)

    def _schema_rules(self, bases: Sequence[Basis]) -> list[str]:
        """The rules on the form of answers that a change breaks which contradicts claims of these bases."""
        rules = {
            "matches-schema": {Basis.DOCUMENTED, Basis.STANDARD} & set(bases),
            "matches-inferred-schema": {Basis.INFERRED} & set(bases),
        }
        return [rule for name, broken in rules.items() if broken for rule in self._existing_rules(name)]

    def _agreement_rules(self) -> list[str]:
        """The rule that a refusal breaks whose body still says ``success``, if the body has such a member."""
        return (
            self._existing_rules("success-agrees") if any(each.path == ("success",) for each in self._members) else []
        )

    def _existing_rules(self, name: str) -> list[str]:
        rule = f"{self._api.name}.response.{name}"
        return [rule] if rule in self._catalogue else []

    def _other_names(self, path: Sequence[str]) -> list[str]:
        """Names near the last of `path` that no member beside it has."""
        name = path[-1]
        siblings = {member.path[-1] for member in self._members if member.path[:-1] == path[:-1]}
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        near = (name.upper(), name.capitalize(), f"{name}s", f"_{name}", snake)
        return [each for each in dict.fromkeys(near) if each not in siblings]


# ------------------------------------------------------------------------------------------------------------ changes


def _one_of(changes: Sequence[Change]) -> Callable[[Ids], Change]:
    return lambda ids: changes[ids.below(len(changes))]


def _drop(parent: dict[str, Any], name: str) -> None:
    parent.pop(name, None)


def _rename(other: str) -> Callable[[dict[str, Any], str], None]:
    def change(parent: dict[str, Any], name: str) -> None:
        if name in parent:
            parent[other] = parent.pop(name)

    return change


def _put(value: Any) -> Callable[[dict[str, Any], str], None]:
    def change(parent: dict[str, Any], name: str) -> None:
        parent[name] = value

    return change


def _at(path: Sequence[str], change: Callable[[dict[str, Any], str], None]) -> Change:
    """What makes a change to the member at `path`, in each entry where an array stands on the way."""

    def changed(response: Response) -> Response:
        try:
            body = json.loads(response.body)
        except ValueError:
            return response
        for parent in _parents([body], path[:-1]):
            if isinstance(parent, dict):
                change(parent, path[-1])
        return replace(response, body=to_json(body))

    return changed


def _parents(places: Sequence[Any], path: Sequence[str]) -> list[Any]:
    found = list(places)
    for name in path:
        if name == "*":
            found = [entry for place in found if isinstance(place, list) for entry in place]
        else:
            found = [place[name] for place in found if isinstance(place, dict) and name in place]
    return found


def _status(status: int) -> Change:
    return lambda response: replace(response, status=status)


def _content(kind: str | None) -> Change:
    def changed(response: Response) -> Response:
        others = tuple(header for header in response.headers if header[0].lower() != "content-type")
        return replace(response, headers=others if kind is None else (("Content-Type", kind), *others))

    return changed


def _values_besides(types: set[str]) -> list[Any]:
    """Values of all types but these and null."""
    taken = types | ({"number"} if "integer" in types else set())
    return [value for kind, values in _VALUES.items() if kind not in taken for value in values]
