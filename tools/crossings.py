"""Write docs/crossings.md, or with ``--check`` say whether it differs: which tests cross two concerns of an API."""

import argparse
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import combinations
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import yaml

from conformance.scenario import CROSSES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "crossings.md"
APIS = {"offblocks": "OffBlocks", "planbok": "Planbok"}
"""The APIs by the names of their packages, with what people call them."""
HEAD = """# Where two concerns meet

A server that gets two things right may get them wrong together: a repetition that is answered before its token is
looked at, or one client's key that is taken for another's. Each cell says how many tests cross two concerns; where
there is none, a reason stands below. `python -m tools.crossings` makes this page from the marks `@crosses` and
`specs/<api>/crossings.yaml`.
"""


@dataclass(frozen=True)
class Crossings:
    """The concerns of one API and where they meet.

    Args:
        api: The name of its package.
        concerns: What each concern is, by its name.
        tests: The names of the tests that cross two, by these two in the order of `concerns`.
        apart: Why no test crosses two.
    """

    api: str
    concerns: dict[str, str]
    tests: dict[tuple[str, str], list[str]]
    apart: dict[tuple[str, str], str]

    @classmethod
    def load(cls, api: str) -> "Crossings":
        """What an API's tests and its file say.

        Args:
            api: The name of its package.

        Raises:
            KeyError: If a mark or the file names a concern that there is not.
        """
        said = yaml.safe_load((ROOT / "specs" / api / "crossings.yaml").read_text(encoding="utf-8"))
        concerns: dict[str, str] = said["concerns"]
        place = {name: number for number, name in enumerate(concerns)}

        def ordered(one: str, other: str) -> tuple[str, str]:
            return (one, other) if place[one] < place[other] else (other, one)

        tests: dict[tuple[str, str], list[str]] = {}
        for test, one, other in _marks(api):
            tests.setdefault(ordered(one, other), []).append(test)
        apart = {ordered(*entry["pair"]): entry["because"] for entry in said["apart"]}
        return cls(api, concerns, tests, apart)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Each two concerns."""
        return list(combinations(self.concerns, 2))

    def table(self) -> str:
        """The concerns by the concerns, in Markdown."""
        names = list(self.concerns)
        lines = [f"| | {' | '.join(names[1:])} |", "| --- |" + " --- |" * (len(names) - 1)]
        for number, one in enumerate(names[:-1]):
            cells = [str(len(self.tests.get((one, other), []))) for other in names[number + 1 :]]
            lines.append(f"| **{one}** | {' | '.join([''] * number + cells)} |")
        crossed = [f"- {one} and {other}: {', '.join(self.tests[one, other])}" for one, other in self.pairs
                   if (one, other) in self.tests]  # fmt: skip
        apart = [f"- {one} and {other}: {why}" for (one, other), why in sorted(self.apart.items())]
        described = [f"- {name}: {what}" for name, what in self.concerns.items()]
        blocks = (described, lines, crossed, ["Not crossed:"], apart)
        return "\n\n".join("\n".join(block) for block in blocks)


def page() -> str:
    """What docs/crossings.md should hold."""
    parts = [f"\n## {title}\n\n{Crossings.load(api).table()}\n" for api, title in APIS.items()]
    return HEAD + "".join(parts)


def _marks(api: str) -> Iterator[tuple[str, str, str]]:
    """The tests of an API that cross two concerns, with these two."""
    suite = import_module(f"conformance.{api}.suite")
    for found in iter_modules(suite.__path__, f"{suite.__name__}."):
        if found.name.rpartition(".")[2].startswith("test_"):
            yield from _marks_in(import_module(found.name))


def _marks_in(module: ModuleType) -> Iterator[tuple[str, str, str]]:
    for name, test in inspect.getmembers(module, inspect.isfunction):
        for mark in getattr(test, "pytestmark", ()):
            if mark.name == CROSSES:
                yield name, *mark.args


def main() -> None:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 if the page would be another")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is not up to date. Write it anew with: python -m tools.crossings")


if __name__ == "__main__":
    main()
