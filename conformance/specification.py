"""An API's OpenAPI description: its operations, and what in a body does not fit them (OpenAPI 3.1.0)."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from conformance import ConformanceError
from conformance.catalogue import SOURCES, Basis, CatalogueError, Sources
from conformance.files import read_bounded
from conformance.findings import shorten
from conformance.speed.plain_yaml import read_yaml

if TYPE_CHECKING:
    import jsonschema_rs

Content = Mapping[str, str | None]
"""Media types in lower case, each with the JSON pointer (RFC 6901) of its schema in the document, None without one."""

READABLE = "JSON in UTF-8"
"""What is expected of a body that cannot be read at all."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DOCUMENT = "urn:specification"


class SpecificationError(ConformanceError, ValueError):
    """A specification cannot be read or contradicts itself."""


@dataclass(frozen=True)
class Problem:
    """One place in which a body does not fit its schema.

    Args:
        pointer: The place in the body as a JSON pointer (RFC 6901), that of the absent member for one that is required.
        expected: What the schema asks for there, as keyword and value: ``format uuid``.
        got: What is there: a scalar as JSON, else its type.
        basis: What the part of the schema that asks for it rests on.
    """

    pointer: str
    expected: str
    got: str
    basis: Basis

    @property
    def hides_all(self) -> bool:
        """Whether nothing else of the body could be compared: it cannot be read, or is of another type as a whole."""
        return not self.pointer and (self.expected == READABLE or self.expected.startswith("type "))


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation.

    Args:
        name: Its name.
        place: ``path``, ``query``, ``header`` or ``cookie``.
        required: Whether a request must have it.
        basis: What that rests on.
        sources: The keys of its sources.
    """

    name: str
    place: str
    required: bool
    basis: Basis
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Response:
    """A response that an operation may give.

    Args:
        content: The schemas of its body by media type; empty if no body is described.
        basis: What it rests on.
        sources: The keys of its sources.
    """

    content: Content
    basis: Basis
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Member:
    """What the schema of an answer says of one member of its body.

    Args:
        path: The names on the way to it from the top; ``*`` stands for each entry of an array.
        required: What it rests on that the member must be there, one basis for each place that says so; empty if none.
        types: The JSON types that it may have and the basis of that, for each place that names some.
    """

    path: tuple[str, ...]
    required: tuple[Basis, ...]
    types: tuple[tuple[frozenset[str], Basis], ...]


@dataclass(frozen=True)
class Operation:
    """An operation of the API, or a webhook that it sends.

    Args:
        id: Its operationId.
        method: The method, in upper case.
        path: The template of the path below the base URL; for a webhook its name.
        parameters: Its parameters.
        request: The schemas of the request's body by media type; empty if it takes none.
        responses: The responses by status: ``200``, a range such as ``2XX``, or ``default``.
        security: Whether it asks for authentication.
        basis: What it rests on.
        sources: The keys of its sources.
    """

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    request: Content
    responses: Mapping[str, Response]
    security: bool
    basis: Basis
    sources: tuple[str, ...]

    def response(self, status: int) -> Response | None:
        """The response described for `status`: its own, else that of its range, else the default, else None."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.responses[key] for key in keys if key in self.responses), None)


@dataclass(frozen=True)
class Match:
    """What a request is for.

    Args:
        operation: The operation.
        parameters: What stands in the path for each parameter of its template, undecoded.
    """

    operation: Operation
    parameters: Mapping[str, str]


class Specification:
    """An OpenAPI 3.1 document whose every claim carries ``x-basis`` and ``x-source``.

    Args:
        document: The document, parsed.
        digest: What tells this text of it from another: ``sha256:`` and the hex digest of the file's bytes.
        sources: What its claims may cite, as listed in ``sources.yaml`` beside the file; None if they cite the keys of
            its own ``x-sources``.

    Raises:
        SpecificationError: If it is no such document; the message says what is wrong and where.
    """

    def __init__(self, document: Any, digest: str, sources: Sources | None = None) -> None:
        if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3.1."):
            raise SpecificationError("is not an OpenAPI 3.1 document: its first line should read `openapi: 3.1.0`.")
        self.digest = digest
        self.document = document
        names = _names(document.get("x-sources"), sources)
        root = _Place(document, "", document)
        for place in root.below():
            _check_claims(place, names)
        operations, webhooks = list(_operations(root, "paths")), list(_operations(root, "webhooks"))
        uses = Counter(operation.id for operation in operations + webhooks)
        if twice := [name for name, count in uses.items() if count > 1]:
            raise SpecificationError(f"gives these operationIds more than once: {', '.join(twice)}.")
        self.operations: Mapping[str, Operation] = {operation.id: operation for operation in operations}
        """The operations by id."""
        self.webhooks: Mapping[str, Operation] = {webhook.id: webhook for webhook in webhooks}
        """The webhooks that the API sends, by id."""
        self._templates = [(*_compiled(each.path), each) for each in sorted(operations, key=_literal_first)]
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._registry: jsonschema_rs.Registry | None = None

    @staticmethod
    def load(path: Path) -> "Specification":
        """Read a specification.

        Args:
            path: An OpenAPI document in YAML or JSON. What its claims cite is listed in ``sources.yaml`` beside it, or
                in its ``x-sources`` where no such file stands there.

        Raises:
            SpecificationError: If the file is missing, is no YAML, or is not what this class takes; if its sources are
                listed at both places or cannot be read.
        """
        try:
            return _parsed(read_bounded(path), Sources.beside(path))
        except CatalogueError as error:
            raise SpecificationError(str(error)) from error
        except RecursionError as error:
            raise SpecificationError(f"The specification {path} is nested too deep, or in itself.") from error
        except OSError as error:
            raise SpecificationError(f"The specification {path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise SpecificationError(f"The specification {path} is not YAML: {error}") from error
        except SpecificationError as error:
            raise SpecificationError(f"The specification {path} {error}") from error

    def match(self, method: str, path: str) -> Match | None:
        """The operation that a request is for, with the parameters in its path; None if the document knows none.

        Args:
            method: The method, in upper case.
            path: The path below the base URL, undecoded, without the query. A literal path goes before a template.
        """
        for template, names, operation in self._templates:
            if operation.method == method and (found := template.fullmatch(path)):
                return Match(operation, dict(zip(names, found.groups(), strict=True)))
        return None

    def methods_at(self, path: str) -> set[str]:
        """The methods that are described of a path, in upper case.

        Args:
            path: The path below the base URL, undecoded, without the query.
        """
        return {operation.method for template, _, operation in self._templates if template.fullmatch(path)}

    def at(self, pointer: str) -> Any:
        """What stands at a place of the document, references not followed; None if nothing does.

        Args:
            pointer: A JSON pointer (RFC 6901).
        """
        node: Any = self.document
        for token in _tokens(pointer):
            try:
                node = node[int(token)] if isinstance(node, list) else node[token]
            except (LookupError, TypeError, ValueError):
                return None
        return node

    def documents_status(self, operation_id: str, status: int) -> bool:
        """Whether the operation is said to answer with `status`.

        Raises:
            KeyError: If there is no such operation.
        """
        return self._named(operation_id).response(status) is not None

    def content_types(self, operation_id: str, status: int) -> tuple[str, ...]:
        """The media types described for an answer, in lower case; none if neither a body nor the status is described.

        Raises:
            KeyError: If there is no such operation.
        """
        response = self._named(operation_id).response(status)
        return tuple(response.content) if response else ()

    def problems(self, operation_id: str, status: int, content_type: str | None, body: bytes) -> list[Problem]:
        """What in the body of an answer does not fit its schema, formats included.

        A body of a type that is not described is judged by the first schema that is. Of an answer without a described
        schema nothing is said.

        Args:
            operation_id: The id of the operation.
            status: The status of the answer.
            content_type: Its Content-Type as sent, None if it had none.
            body: Its body.

        Raises:
            KeyError: If there is no such operation.
        """
        response = self._named(operation_id).response(status)
        return self._problems(response.content, content_type, body) if response else []

    def request_problems(self, operation_id: str, content_type: str | None, body: bytes) -> list[Problem]:
        """What in the body of a request, or of a webhook, does not fit its schema; arguments as in `problems`.

        Raises:
            KeyError: If there is no such operation or webhook.
        """
        return self._problems(self._named(operation_id).request, content_type, body)

    def members(self, operation_id: str, status: str) -> list[Member]:
        """The members that a described answer has or may have, each once.

        Args:
            operation_id: The id of the operation.
            status: The status as the operation describes it: ``200``, ``2XX`` or ``default``.

        Raises:
            KeyError: If there is no such operation, or none of its answers is described so.
        """
        pointer = next(iter(self._named(operation_id).responses[status].content.values()), None)
        found: dict[tuple[str, ...], Member] = {}
        if pointer is not None:
            for member in _members(_Place(self.document, "", {"$ref": f"#{pointer}"}).target().target(), ()):
                before = found.get(member.path, Member(member.path, (), ()))
                found[member.path] = Member(member.path, before.required + member.required, before.types + member.types)
        return list(found.values())

    def request_members(self, operation_id: str) -> frozenset[str]:
        """The names of the members that the bodies of an operation may have; none if they are not described."""
        pointer = next(iter(self._named(operation_id).request.values()), None)
        if pointer is None:
            return frozenset()
        found = _members(_Place(self.document, "", {"$ref": f"#{pointer}"}).target().target(), ())
        return frozenset(member.path[0] for member in found if member.path)

    def _named(self, operation_id: str) -> Operation:
        return self.operations.get(operation_id) or self.webhooks[operation_id]

    def _problems(self, content: Content, content_type: str | None, body: bytes) -> list[Problem]:
        media_type = (content_type or "").partition(";")[0].strip().lower()
        pointer = content.get(media_type) or next(iter(content.values()), None)
        if pointer is None:
            return []
        validator = self._validator(pointer)
        try:
            errors = list(validator.iter_errors(json.loads(body.decode(), parse_constant=_refuse)))
        except (ValueError, RecursionError) as error:
            return [Problem("", READABLE, f"{shorten(body)!r} ({error})", self._basis(_tokens(pointer)))]
        return list(dict.fromkeys(self._problem(error) for error in errors))

    def _validator(self, pointer: str) -> "jsonschema_rs.Draft202012Validator":
        if pointer not in self._validators:
            self._validators[pointer] = self._compiled_schema(pointer)
        return self._validators[pointer]

    def _compiled_schema(self, pointer: str) -> "jsonschema_rs.Draft202012Validator":
        import jsonschema_rs  # noqa: PLC0415  (40 ms that only a reader of bodies should pay)

        try:
            if self._registry is None:
                self._registry = jsonschema_rs.Registry([(_DOCUMENT, self.document)], draft=jsonschema_rs.Draft202012)
            reference = {"$ref": f"{_DOCUMENT}#{quote(pointer, safe='/~')}"}
            return jsonschema_rs.Draft202012Validator(
                reference, registry=self._registry, validate_formats=True, offline=True
            )
        except ValueError as error:
            raise SpecificationError(f"The specification has no usable JSON Schema at #{pointer}: {error}") from error

    def _problem(self, error: "jsonschema_rs.ValidationError") -> Problem:
        match error.kind.as_dict():
            case {"property": str(name)}:
                place, schema = [*error.instance_path, name], [*error.schema_path[:-1], "properties", name]
                expected, got = "a value, which is required", "nothing"
            case _:
                place, schema = error.instance_path, error.schema_path
                expected, got = f"{error.kind.name} {_in_words(error.kind.value)}", _shown(error.instance)
        return Problem(_pointer(place), expected, got, self._basis(schema))

    def _basis(self, path: Sequence[str | int]) -> Basis:
        """The basis of the innermost claim on the way to a place in the document; inferred if there is none."""
        node, basis = self.document, Basis.INFERRED
        for step in path:
            try:
                node = node[step]
            except (LookupError, TypeError):
                break
            if isinstance(node, dict) and "x-basis" in node:
                basis = Basis(node["x-basis"])
        return basis


@lru_cache(maxsize=8)
def _parsed(content: bytes, sources: Sources | None) -> Specification:
    document = read_yaml(content)
    return Specification(document, f"sha256:{sha256(content).hexdigest()}", sources)


@dataclass(frozen=True)
class _Place:
    """A place in the document, so that a complaint can say where it is."""

    document: Any
    pointer: str
    value: Any

    def get(self, name: str) -> "_Place | None":
        """The member of this name, references followed; None if there is none."""
        if not isinstance(self.value, dict) or name not in self.value:
            return None
        return _Place(self.document, self.pointer + _pointer([name]), self.value[name]).target()

    def member(self, name: str) -> "_Place":
        """The member of this name, references followed."""
        member = self.get(name)
        if member is None:
            raise SpecificationError(f"has no `{name}` at #{self.pointer}.")
        return member

    def text(self, name: str) -> str:
        """The member of this name, which has to be text."""
        member = self.member(name)
        if not isinstance(member.value, str):
            raise SpecificationError(f"has {member.value!r} at #{member.pointer}; it should be text.")
        return member.value

    def members(self, name: str) -> Iterator[tuple[str, "_Place"]]:
        """Key or index and place of each entry of the member of this name; nothing if there is none."""
        member = self.get(name)
        return ((key, child.target()) for key, child in member.children()) if member else iter(())

    def children(self) -> Iterator[tuple[str, "_Place"]]:
        """Key or index and place of each entry of the mapping or list that stands here."""
        keys: Iterable[str | int]
        match self.value:
            case dict():
                keys = self.value
            case list():
                keys = range(len(self.value))
            case _:
                keys = ()
        return ((str(key), _Place(self.document, self.pointer + _pointer([key]), self.value[key])) for key in keys)

    def below(self) -> Iterator["_Place"]:
        """This place and every one inside it."""
        yield self
        for _, child in self.children():
            yield from child.below()

    def target(self) -> "_Place":
        """The place that this one refers to, itself if it refers to none."""
        if not isinstance(self.value, dict) or "$ref" not in self.value:
            return self
        reference = str(self.value["$ref"])
        try:
            node = self.document
            for token in _tokens(reference) if reference.startswith("#/") else [reference]:
                node = node[token]
        except (LookupError, TypeError) as error:
            raise SpecificationError(f"refers to {reference}, which is not in it, at #{self.pointer}.") from error
        return _Place(self.document, reference[1:], node)

    def claim(self) -> tuple[Basis, tuple[str, ...]]:
        """Basis and sources of what stands here."""
        basis, sources = self.member("x-basis").value, self.member("x-source").value
        return Basis(basis), tuple(sources) if isinstance(sources, list) else (sources,)

    def content(self) -> Content:
        """The schemas that stand here, by media type."""
        return {
            media_type.lower(): f"{place.pointer}/schema" if place.get("schema") else None
            for media_type, place in self.members("content")
        }


def _names(inline: object, sources: Sources | None) -> Sequence[str]:
    """What claims may cite.

    Args:
        inline: The ``x-sources`` of the document, None if it has none.
        sources: The sources listed beside it, None if there are none.
    """
    if sources and (inline is None or inline == SOURCES):
        return sources.names
    if not sources and (inline is None or isinstance(inline, dict)):
        return list(inline or ())
    if isinstance(inline, dict):
        raise SpecificationError(f"lists x-sources, and {SOURCES} beside it does too: keep those in {SOURCES}.")
    if inline == SOURCES:
        raise SpecificationError(f"takes its x-sources from {SOURCES}, which does not stand beside it.")
    raise SpecificationError(f"has x-sources that are no mapping of keys to documents, nor the name {SOURCES}.")


def _check_claims(place: _Place, names: Sequence[str]) -> None:
    if not isinstance(place.value, dict):
        return
    place.target()
    if "x-basis" in place.value and place.value["x-basis"] not in tuple(Basis):
        raise SpecificationError(
            f"has the x-basis {place.value['x-basis']!r} at #{place.pointer}; it should be one of {', '.join(Basis)}."
        )
    if "x-source" in place.value:
        named = place.value["x-source"]
        for name in named if isinstance(named, list) else [named]:
            if name not in names:
                key, _, section = str(name).partition("#")
                wrong = f"but {key!r} has no section {section!r}" if key in names else "which is not among its sources"
                raise SpecificationError(f"cites {name!r} at #{place.pointer}, {wrong}.")


def _operations(root: _Place, section: str) -> Iterator[Operation]:
    for path, item in root.members(section):
        for method in _METHODS:
            if place := item.get(method):
                yield _operation(root, path, method, place)


def _operation(root: _Place, path: str, method: str, place: _Place) -> Operation:
    basis, sources = place.claim()
    body = place.get("requestBody")
    return Operation(
        id=place.text("operationId"),
        method=method.upper(),
        path=path,
        parameters=tuple(_parameter(parameter) for _, parameter in place.members("parameters")),
        request=body.content() if body else {},
        responses={status: _response(response) for status, response in place.members("responses")},
        security=bool(place.value.get("security", root.value.get("security"))),
        basis=basis,
        sources=sources,
    )


def _parameter(place: _Place) -> Parameter:
    basis, sources = place.claim()
    return Parameter(
        name=place.text("name"),
        place=place.text("in"),
        required=place.value.get("required", False),
        basis=basis,
        sources=sources,
    )


def _members(schema: _Place, path: tuple[str, ...]) -> Iterator[Member]:
    """What a schema says of the members below `path`; of one that it speaks of twice, twice."""
    for _, part in schema.members("allOf"):
        yield from _members(part, path)
    if items := schema.get("items"):
        yield from _members(items, (*path, "*"))
    needed = schema.value.get("required", ())
    for name, member in schema.members("properties"):
        basis = Basis(member.value.get("x-basis", Basis.INFERRED))
        types = member.value.get("type", ())
        named = frozenset([types] if isinstance(types, str) else types)
        required, typed = (basis,) * (name in needed), ((named, basis),) * bool(named)
        yield Member((*path, name), required, typed)
        yield from _members(member, (*path, name))


def _response(place: _Place) -> Response:
    basis, sources = place.claim()
    return Response(place.content(), basis, sources)


def _compiled(template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """What matches a path of a template, with a group for each parameter, and the names of these."""
    parts = re.split(r"\{([^{}]+)\}", template)
    pattern = "([^/]+)".join(re.escape(part) for part in parts[::2])
    return re.compile(pattern), tuple(parts[1::2])


def _literal_first(operation: Operation) -> list[bool]:
    return ["{" in segment for segment in operation.path.split("/")]


def _pointer(path: Sequence[str | int]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _in_words(value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " or ".join(value)
    return value if isinstance(value, str) else str(value)


def _shown(value: object) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            return shorten(json.dumps(value, ensure_ascii=False))
