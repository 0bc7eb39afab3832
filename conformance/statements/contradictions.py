"""Where the documents of an API contradict themselves, beside the rules on which their sources disagree."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from conformance.files import data_path, first_problem, read_bounded
from conformance.speed.plain_yaml import read_yaml
from conformance.statements.table import Statement, StatementsError


@dataclass(frozen=True)
class Side:
    """One of the things that the documents say.

    Args:
        says: What it is, in our words.
        statements: The statements that say it.
    """

    says: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Contradiction:
    """A place where documents contradict themselves.

    Args:
        id: Its id.
        title: The contradiction in one sentence.
        sides: What they say, each against the others.
        decided: Which side a printed exchange shows, in a sentence; None if none does.
        accounts_for: The printed exchanges that break a rule for this reason, each with the rule.
    """

    id: str
    title: str
    sides: tuple[Side, ...]
    decided: str | None
    accounts_for: frozenset[tuple[str, str]] = frozenset()


def read_contradictions(path: Path, statements: Mapping[str, Statement]) -> list[Contradiction]:
    """The contradictions that a file lists, none if there is no such file.

    Args:
        path: A YAML file in the form of ``specs/schemas/contradictions.json``.
        statements: The statements that it may cite, by id.

    Raises:
        StatementsError: If it cannot be read, is no YAML, does not fit the schema, or cites what is not listed.
    """
    try:
        raw = read_yaml(read_bounded(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StatementsError(f"The contradictions in {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise StatementsError(f"The contradictions in {path} are not YAML: {error}") from error
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of contradictions should pay)

    schema = json.loads(data_path("specs/schemas/contradictions.json").read_bytes())
    if problem := first_problem(jsonschema_rs.validator_for(schema), raw):
        place, message = problem
        where = "/".join(map(str, place)) or "the top"
        raise StatementsError(f"The contradictions in {path} are wrong at {where}: {message}")
    return [_contradiction(entry, statements, path) for entry in raw["contradictions"]]


def _contradiction(entry: Mapping[str, Any], statements: Mapping[str, Statement], path: Path) -> Contradiction:
    return Contradiction(
        id=entry["id"],
        title=entry["title"],
        sides=tuple(
            Side(side["says"], _cited(side["statements"], statements, f"In {path} {entry['id']}"))
            for side in entry["sides"]
        ),
        decided=entry["decided"],
        accounts_for=frozenset((each["exchange"], each["rule"]) for each in entry.get("accounts_for", ())),
    )


def _cited(ids: Sequence[str], statements: Mapping[str, Statement], where: str) -> tuple[Statement, ...]:
    for identifier in ids:
        if identifier not in statements:
            raise StatementsError(f"{where} cites the statement {identifier!r}, which is not listed.")
    return tuple(statements[identifier] for identifier in ids)
