"""All pages of the site, by place."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from conformance.api import registered
from conformance.matrix.form import read as read_matrix
from conformance.mutants.form import read as read_mutants
from tools.site import control, measured, operations
from tools.site.links import PAGES, Links, place_of
from tools.site.rules import RulePages
from tools.site.text import outside_code

_MODULE = re.compile(r"^## `(conformance\.[\w.]+)`$", re.MULTILINE)
_ID = re.compile(r"`((?:[a-z]+\.)?[a-z-]+\.[a-z0-9-]+)`(?!\])")
_SHORT_IDS = ("docs/faults.md", "docs/statements.md")
"""Pages that leave the API out of the ids of its rules, below a heading that names it."""


def all_pages(checkout: Path) -> dict[str, str]:
    """The text of each page, by place.

    Args:
        checkout: The root of the repository.

    Raises:
        DeadLinkError: If a page links to what the repository does not have.
    """
    links = Links(checkout)
    rules = {api.name: RulePages(api, read_matrix(checkout / "evidence/matrix.json")) for api in registered().values()}
    known = {rule.id for of_api in rules.values() for rule in of_api.rules}
    found: dict[str, str] = {}
    for path, text in _written(checkout):
        place = place_of(path)
        rewritten = links.rewritten(text, path)
        if path == "docs/library.md":
            found |= _reference(text)
            rewritten = _MODULE.sub(r"\g<0>\n\n[All of it](reference/\1.md).", rewritten)
        found[place] = _with_rules(rewritten, known, place, short=path in _SHORT_IDS)
    for of_api in rules.values():
        found |= dict(of_api.pages())
    for api in registered().values():
        found[f"judged/{api.name}.md"] = operations.page(api, rules[api.name].rules)
    schema = json.loads((checkout / "specs/schemas/control.json").read_bytes())
    found["control.md"] = links.rewritten(control.page(schema), "docs/control.md")
    mutants = measured.page(read_mutants(checkout / "evidence/mutants.json"))
    found["mutants.md"] = _with_rules(links.rewritten(mutants, "docs/mutants.md"), known, "mutants.md")
    return found | links.files()


def _written(checkout: Path) -> Iterator[tuple[str, str]]:
    """The pages that people write, or that the other tools do, by their path in the repository."""
    paths = [*sorted((checkout / "docs").glob("*.md")), *(checkout / path for path in PAGES if path.endswith(".md"))]
    for path in paths:
        yield path.relative_to(checkout).as_posix(), path.read_text(encoding="utf-8")


def _reference(library: str) -> dict[str, str]:
    """A page for each module of the library that is to be imported, for mkdocstrings to fill in."""
    return {f"reference/{module}.md": f"# `{module}`\n\n::: {module}\n" for module in _MODULE.findall(library)}


def _with_rules(text: str, known: set[str], place: str, *, short: bool = False) -> str:
    """A page where each id of a rule leads to the rule."""
    up = "../" * place.count("/")
    titles = {api.title: name for name, api in registered().items()}
    below = ""

    def linked(line: str) -> str:
        nonlocal below
        if line.startswith("#"):
            below = titles.get(line.strip("# \n"), below)
            return line

        def link(found: re.Match[str]) -> str:
            rule = next((each for each in (found[1], f"{below}.{found[1]}" if short else "") if each in known), None)
            return f"[{found[0]}]({up}rules/{rule}.md)" if rule else found[0]

        return _ID.sub(link, line)

    return outside_code(text, linked)
