"""The table of an API's statements: what each sentence of its documents says in our words, and where it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from conformance import ConformanceError
from conformance.files import data_path, first_problem, read_bounded
from conformance.speed.plain_yaml import read_yaml

STATEMENTS = "statements.yaml"
"""The name of the file that lists the statements, beside the rules that cite them."""


class StatementsError(ConformanceError, ValueError):
    """A table of statements cannot be read or contradicts itself."""


@dataclass(frozen=True)
class Statement:
    """A statement of a document.

    Args:
        id: The key of its document, a dot, and a name.
        place: Where in the document it stands, in words.
        digest: The SHA-256 of its normalised text, None where the page is not at hand.
        says: What it says, in our words.
        find: Words of it by which a browser finds it, at most four; None if it has none that help.
        reason: Why no rule with a test and a fault covers it, None if one does.
    """

    id: str
    place: str
    digest: str | None
    says: str
    find: str | None = None
    reason: str | None = None

    @property
    def source(self) -> str:
        """The key of its document."""
        return self.id.partition(".")[0]

    def link(self, url: str) -> str:
        """The address of its document, which leads a browser to the statement where it has words to find.

        Args:
            url: The address of the document.
        """
        if not self.find:
            return url
        return f"{url}#:~:text={quote(self.find, safe='').replace('-', '%2D')}"  # a bare hyphen ends a prefix

    def told(self, title: str, url: str) -> dict[str, str]:
        """The statement as reports tell it: ``text`` is document and place, ``says`` what it says, ``url`` leads there.

        Args:
            title: The title of the document.
            url: The address of the document.
        """
        return {"text": f"{title}, {self.place}", "says": self.says, "url": self.link(url)}


@dataclass(frozen=True, eq=False)
class Table:
    """The statements of an API's documents.

    Args:
        statements: The statements by id, in the order of the file.
    """

    statements: Mapping[str, Statement]

    def of(self, source: str) -> list[Statement]:
        """The statements of the document with this key whose text was at hand, in its order."""
        return [each for each in self.statements.values() if each.source == source and each.digest]


_EMPTY = Table({})


def table_beside(path: Path) -> Table:
    """The table in ``statements.yaml``, an empty one if no such file stands there.

    Args:
        path: The file of the rules that the table stands beside.

    Raises:
        StatementsError: If the file cannot be read, is no YAML, does not fit ``specs/schemas/statements.json``, or has
            an id twice.
    """
    path = path.with_name(STATEMENTS)
    try:
        return _parsed(read_bounded(path), path)
    except FileNotFoundError:
        return _EMPTY
    except OSError as error:
        raise StatementsError(f"The table of statements {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise StatementsError(f"The table of statements {path} is not YAML: {error}") from error


@lru_cache(maxsize=8)
def _parsed(content: bytes, path: Path) -> Table:
    raw = read_yaml(content)
    if problem := first_problem(_schema(), raw):
        place, message = problem
        where = "/".join(map(str, place)) or "the top"
        raise StatementsError(f"The table of statements {path} is wrong at {where}: {message}")
    listed = [Statement(**entry) for entry in raw["statements"]]
    found = {statement.id: statement for statement in listed}
    if len(found) != len(listed):
        ids = [statement.id for statement in listed]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        raise StatementsError(f"In {path} these ids stand more than once: {', '.join(twice)}.")
    return Table(found)


@cache
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415  (50 ms that only a reader of statements should pay)

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/statements.json").read_bytes()))
