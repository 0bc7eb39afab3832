"""The rules of an API: what it or its clients must do, how surely, and where that is said."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from conformance import ConformanceError
from conformance.files import data_path, first_problem, read_bounded
from conformance.speed.plain_yaml import read_yaml
from conformance.statements.table import STATEMENTS, Statement, Table, table_beside

SOURCES = "sources.yaml"
"""The name of the file that lists the sources of the rules and of the description beside it."""


class CatalogueError(ConformanceError, ValueError):
    """A rule catalogue or a list of sources cannot be read or contradicts itself."""


class Level(StrEnum):
    """How strongly a rule binds (RFC 2119)."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"


class Party(StrEnum):
    """Who must obey a rule."""

    PROVIDER = "provider"
    CLIENT = "client"


class Basis(StrEnum):
    """What the claim of a rule rests on."""

    DOCUMENTED = "documented"
    STANDARD = "standard"
    INFERRED = "inferred"
    CONTRADICTED = "contradicted"


class Protection(StrEnum):
    """What is lost if a rule is broken that protects it."""

    OWNERSHIP = "ownership"
    EXPIRY = "expiry"
    SINGLE_USE = "single use"
    INTEGRITY = "integrity"
    AUTHENTICATION = "authentication"
    IDEMPOTENCY = "idempotency"
    ISOLATION = "isolation"
    SECRECY = "secrecy"


@dataclass(frozen=True)
class Document:
    """A document that sources point into.

    Args:
        tier: ``document`` for the one that the rules begin with, ``vendor``, ``beta``, ``client``, ``library``, or
            ``standard`` for a public standard.
        title: Its title.
        url: Its address.
    """

    tier: str
    title: str
    url: str


@dataclass(frozen=True, eq=False)
class Sources:
    """The documents that the rules and the description of an API may cite.

    Args:
        documents: The documents, by key.
        names: What a claim of the description may cite: the keys, and ``key#section`` for each section that is listed.
    """

    documents: Mapping[str, Document]
    names: tuple[str, ...]

    @staticmethod
    def beside(path: Path) -> "Sources | None":
        """Read the list in ``sources.yaml``, in the form of ``specs/schemas/sources.json``.

        Args:
            path: The file of the rules or of the description that the list stands beside.

        Returns:
            The list, None if no such file stands there.

        Raises:
            CatalogueError: If the file cannot be read, is no YAML or does not fit the schema.
        """
        path = path.with_name(SOURCES)
        try:
            return _parsed_sources(read_bounded(path), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CatalogueError(f"The sources file {path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise CatalogueError(f"The sources file {path} is not YAML: {error}") from error


@dataclass(frozen=True)
class Source:
    """A place in a document.

    Args:
        document: The document.
        section: Where in it.
        evidence: ``statement``, ``schema`` or ``example``.
        statements: The statements of the document that say it; none of a document whose statements are not listed.
    """

    document: Document
    section: str
    evidence: str
    statements: tuple[Statement, ...] = ()

    def __str__(self) -> str:
        kind = self.evidence if self.document.tier == "document" else f"{self.document.tier}, {self.evidence}"
        return f"{self.document.title}, {self.section} ({kind})"

    @property
    def places(self) -> tuple[dict[str, str], ...]:
        """Each statement as reports tell it: document and place, what it says in our words, and an address."""
        return tuple(statement.told(self.document.title, self.document.url) for statement in self.statements)

    @property
    def links(self) -> tuple[str, ...]:
        """Addresses that lead to each statement, or to the document if none is listed."""
        found = dict.fromkeys(statement.link(self.document.url) for statement in self.statements)
        return tuple(found) or (self.document.url,)


@dataclass(frozen=True)
class Reading:
    """One of the ways in which sources disagree.

    Args:
        id: Its id, unique within the rule.
        title: What the subject does if this is the right one.
        sources: Where it is said.
    """

    id: str
    title: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Rule:
    """One requirement on one party.

    Args:
        id: A dotted slug: API, topic, rule.
        api: The name of the API.
        title: The requirement in one sentence.
        level: How strongly it binds.
        party: Who must obey it.
        basis: What it rests on.
        sources: Where it is said; for a contradicted rule those of all its readings.
        readings: The readings of a contradicted rule, else empty.
        operations: The ids of the operations that it is about; empty for all of them.
        promises: The ids of the operations that succeed by it, if they are asked for rightly.
        protects: What is lost if it is broken; None for most rules.
    """

    id: str
    api: str
    title: str
    level: Level
    party: Party
    basis: Basis
    sources: tuple[Source, ...]
    readings: tuple[Reading, ...]
    operations: tuple[str, ...]
    promises: tuple[str, ...] = ()
    protects: Protection | None = None

    @property
    def topic(self) -> str:
        """The middle part of the id, which names the scenarios' file too."""
        return self.id.split(".")[1]

    @property
    def digest(self) -> str:
        """What tells this wording of the rule from another: ``sha256:`` and the hex digest of all that it says."""
        told = {
            "id": self.id,
            "title": self.title,
            "level": self.level,
            "party": self.party,
            "basis": self.basis,
            "protects": self.protects,
            "operations": self.operations,
            "promises": self.promises,
            "sources": [_cited(source) for source in self.sources],
            "readings": [(each.id, each.title, [_cited(source) for source in each.sources]) for each in self.readings],
        }
        return f"sha256:{sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()}"

    def reading(self, identifier: str | None) -> Reading | None:
        """The reading with this id, None if there is none."""
        return next((reading for reading in self.readings if reading.id == identifier), None)


def _cited(source: Source) -> tuple[str, str, str, list[str]]:
    """What a rule says of a source; of its statements, what tells one wording of them from another."""
    statements = [statement.digest or statement.id for statement in source.statements]
    return source.document.url, source.section, source.evidence, statements


class Catalogue(Mapping[str, Rule]):
    """The rules of one API by id, in the order of the file.

    Args:
        api: The name of the API.
        rules: The rules.
        documents: The documents that they may cite, by key.
        statements: The statements of these documents, by id.
    """

    def __init__(
        self,
        api: str,
        rules: tuple[Rule, ...],
        documents: Mapping[str, Document] = MappingProxyType({}),
        statements: Mapping[str, Statement] = MappingProxyType({}),
    ) -> None:
        self.api = api
        self.documents = documents
        self.statements = statements
        self._rules = {rule.id: rule for rule in rules}

    def __getitem__(self, identifier: str) -> Rule:
        return self._rules[identifier]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def promise(self, operation: str | None) -> Rule | None:
        """The rule by which an operation succeeds that is asked for rightly, None if there is none."""
        return next((rule for rule in self._rules.values() if operation in rule.promises), None)

    @staticmethod
    def load(path: Path) -> "Catalogue":
        """Read a catalogue.

        Args:
            path: A YAML file in the form of ``specs/schemas/rules.json``. What its rules cite is listed in
                ``sources.yaml`` beside it, or in it where no such file stands there; the statements of these documents
                in ``statements.yaml``.

        Raises:
            CatalogueError: If the file is missing, is no YAML, does not fit the schema, or a rule claims more than
                its sources say or cites a statement that is not listed; if its sources are listed nowhere, at both
                places, or cannot be read.
            StatementsError: If the table of statements cannot be read.
        """
        try:
            return _parsed(read_bounded(path), Sources.beside(path), table_beside(path), path)
        except OSError as error:
            raise CatalogueError(f"The rules file {path} cannot be read: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise CatalogueError(f"The rules file {path} is not YAML: {error}") from error


@lru_cache(maxsize=8)
def _parsed_sources(content: bytes, path: Path) -> Sources:
    raw = read_yaml(content)
    _check_schema("sources", raw, path)
    listed = raw["sources"]
    sections = (f"{key}#{section}" for key, source in listed.items() for section in source.get("sections", ()))
    return Sources(_documents(listed), (*listed, *sections))


@lru_cache(maxsize=8)
def _parsed(content: bytes, sources: Sources | None, table: Table, path: Path) -> Catalogue:
    raw = read_yaml(content)
    _check_schema("rules", raw, path)
    match sources, raw.get("sources"):
        case Sources(), None:
            documents = sources.documents
        case None, dict(inline):
            documents = _documents(inline)
        case None, _:
            raise CatalogueError(f"The rules file {path} has no sources: list them in {SOURCES} beside it.")
        case _:
            raise CatalogueError(
                f"The rules file {path} lists sources, and {SOURCES} beside it does too: keep those in {SOURCES}."
            )
    strangers = sorted({each.source for each in table.statements.values()} - set(documents))
    if strangers:
        raise CatalogueError(f"The statements beside {path} are of {', '.join(strangers)}, not among the sources.")
    rules = tuple(_rule(raw["api"], entry, documents, table, path) for entry in raw["rules"])
    catalogue = Catalogue(raw["api"], rules, documents, table.statements)
    if len(catalogue) != len(rules):
        twice = sorted({rule.id for rule in rules if sum(other.id == rule.id for other in rules) > 1})
        raise CatalogueError(f"In {path} these ids stand more than once: {', '.join(twice)}.")
    return catalogue


def _documents(listed: Mapping[str, Mapping[str, str]]) -> dict[str, Document]:
    return {key: Document(source["tier"], source["document"], source["url"]) for key, source in listed.items()}


@cache
def _schema(name: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of rules should pay)

    return jsonschema_rs.validator_for(json.loads(data_path(f"specs/schemas/{name}.json").read_bytes()))


def _check_schema(name: str, raw: object, path: Path) -> None:
    if problem := first_problem(_schema(name), raw):
        place, message = problem
        where = "/".join(map(str, place)) or "the top"
        raise CatalogueError(f"The {name} file {path} is wrong at {where}{_name_of(raw, place)}: {message}")


def _name_of(raw: Any, place: Sequence[str | int]) -> str:
    match place:
        case ["rules", int(index), *_]:
            entry = raw["rules"][index]
            return f" (rule {entry.get('id', index)})" if isinstance(entry, dict) else ""
        case _:
            return ""


def _rule(api: str, entry: dict[str, Any], documents: Mapping[str, Document], table: Table, path: Path) -> Rule:
    def cited(sources: list[dict[str, Any]]) -> tuple[Source, ...]:
        return tuple(_source(source, documents, table, f"In {path} rule {entry['id']}") for source in sources)

    readings = tuple(
        Reading(reading["id"], reading["title"], cited(reading["sources"])) for reading in entry.get("readings", [])
    )
    sources = cited(entry.get("sources", [])) or tuple(source for reading in readings for source in reading.sources)
    operations = entry["operations"]
    rule = Rule(
        id=entry["id"],
        api=api,
        title=entry["title"],
        level=Level(entry["level"]),
        party=Party(entry["party"]),
        basis=Basis(entry["basis"]),
        sources=sources,
        readings=readings,
        operations=() if operations == "all" else tuple(operations),
        promises=tuple(entry.get("promises", ())),
        protects=Protection(entry["protects"]) if "protects" in entry else None,
    )
    if problem := _overclaims(rule):
        raise CatalogueError(f"In {path} rule {rule.id} {problem}")
    return rule


def _source(entry: dict[str, Any], documents: Mapping[str, Document], table: Table, where: str) -> Source:
    key = entry["source"]
    if key not in documents:
        raise CatalogueError(f"{where} cites {key!r}, which is not among the sources.")
    for cited in entry.get("statements", ()):
        if cited not in table.statements:
            raise CatalogueError(f"{where} cites the statement {cited!r}, which is not in {STATEMENTS} beside it.")
        if table.statements[cited].source != key:
            raise CatalogueError(f"{where} cites {cited!r} as a statement of {key!r}, whose it is not.")
    statements = tuple(table.statements[cited] for cited in entry.get("statements", ()))
    return Source(documents[key], entry["section"], entry["evidence"], statements)


def _overclaims(rule: Rule) -> str | None:
    """How a rule claims more than its sources say, None if it does not."""
    vendors = [source for source in rule.sources if source.document.tier in {"document", "vendor"}]
    match rule.basis:
        case Basis.DOCUMENTED if not vendors:
            return "is documented, but no source is of tier document or vendor: make it inferred."
        case Basis.DOCUMENTED if rule.level is Level.MUST and all(source.evidence == "example" for source in vendors):
            return "is a documented must, but only examples show it: make it a should."
        case Basis.STANDARD if not any(source.document.tier == "standard" for source in rule.sources):
            return "rests on a standard, but cites none."
        case _:
            return None
