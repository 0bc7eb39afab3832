"""The statements of the documents, each with the rules that cite it and the tests and faults that prove these."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.api import Api
from conformance.catalogue import Catalogue, Document, Party, Rule
from conformance.commands.rulebook import broken_rules, verified_rules
from conformance.statements.table import Statement


@dataclass(frozen=True)
class Covered:
    """A statement, and what covers it.

    Args:
        api: The name of the API.
        statement: The statement.
        document: The document in which it stands.
        rules: The rules that cite it.
        tests: The ids of the tests that judge one of these.
        faults: The names of the sandbox's faults that break one of these.
    """

    api: str
    statement: Statement
    document: Document
    rules: tuple[Rule, ...]
    tests: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def is_proved(self) -> bool:
        """Whether a test judges a rule that cites it, and a fault shows that the test notices."""
        return bool(self.tests and self.faults)

    @property
    def client_rules(self) -> tuple[str, ...]:
        """The ids of the rules for clients among those that cite it."""
        return tuple(rule.id for rule in self.rules if rule.party is Party.CLIENT)

    def to_json(self) -> dict[str, object]:
        """All of it as JSON."""
        statement = self.statement
        return {
            "id": statement.id,
            "api": self.api,
            "document": self.document.title,
            "place": statement.place,
            "says": statement.says,
            "url": statement.link(self.document.url),
            "digest": statement.digest,
            "rules": [rule.id for rule in self.rules],
            "tests": list(self.tests),
            "faults": list(self.faults),
            "reason": statement.reason,
        }


def covered_statements(apis: Iterable[Api]) -> list[Covered]:
    """Every statement of some APIs, in the order of their tables.

    Raises:
        CatalogueError: If a rule catalogue cannot be read.
        StatementsError: If a table of statements cannot be read.
    """
    return [covered for api in apis for covered in _of(api)]


def _of(api: Api) -> Iterator[Covered]:
    catalogue = Catalogue.load(api.rules)
    tests, faults = verified_rules(api), broken_rules(api)
    citing = cited_by(catalogue)
    for statement in catalogue.statements.values():
        rules = citing.get(statement.id, [])
        ids = {rule.id for rule in rules}
        yield Covered(
            api=api.name,
            statement=statement,
            document=catalogue.documents[statement.source],
            rules=tuple(rules),
            tests=_naming(tests, ids),
            faults=_naming(faults, ids),
        )


def cited_by(catalogue: Catalogue) -> dict[str, list[Rule]]:
    """The rules that cite each statement, by its id."""
    found: dict[str, list[Rule]] = {}
    for rule in catalogue.values():
        for identifier in dict.fromkeys(cited.id for source in rule.sources for cited in source.statements):
            found.setdefault(identifier, []).append(rule)
    return found


def _naming(named: Mapping[str, set[object]], ids: set[str]) -> tuple[str, ...]:
    return tuple(name for name, rules in named.items() if rules & ids)


def in_short(listed: Sequence[Covered]) -> str:
    """How many statements there are, how many of them rules cite, and why not the others, in one sentence."""
    reasons = Counter(each.statement.reason for each in listed if each.statement.reason)
    cited = sum(not each.statement.reason for each in listed)
    others = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    rest = f"; of the others {others}" if others else ""
    return f"{len(listed)} statements: {cited} covered by rules, tests and faults{rest}"
