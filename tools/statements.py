"""Write docs/statements.md, or with ``--check`` say whether it differs; or compare the table with a copy of a document.

``python -m tools.statements --document creation=PAGE.txt`` splits the text that was copied from a browser and says
which statements of the table are not in it, and which of its statements are not in the table. Write what it says into
the table in words of your own: the text of a page stays out of this repository.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path

from conformance import ConformanceError
from conformance.api import registered
from conformance.catalogue import Catalogue
from conformance.commands.coverage import Covered, covered_statements, in_short
from conformance.statements.table import Statement
from conformance.statements.text import Passage, split

PAGE = Path(__file__).parents[1] / "docs" / "statements.md"
HEAD = """# What the documents say, and which rule says it too

Each statement of the two documents that the rules begin with, none left out, and what the rules cite of the vendors'
other pages. The words are ours; a link leads to the page, and where its words can be found to the sentence. A statement
without a rule, a test and a fault says why:

| reason | |
| --- | --- |
| navigation | It leads somewhere: a menu, a heading, a label. |
| lost-code | The copy of the page lacks this block of code. |
| purpose | It says what something is for, or how good it is; nobody could break it. |
| elsewhere | It says that another page says it. |
| either-way | Other statements contradict it, and whoever follows either of them is right. |
| outweighed | It is an example that sentences contradict; `conformance run --target documents` tells which. |
| later | The sandbox does not simulate its operation yet. |

`conformance rules --by-statement` lists the tests and the faults too. `python -m tools.statements` makes this page.
"""
_LONGEST = 60


def page() -> str:
    """What docs/statements.md should hold."""
    listed = covered_statements(registered().values())
    titles = {name: api.title for name, api in registered().items()}
    parts = [HEAD, f"\n{in_short(listed)}.\n"]
    for api, of_api in groupby(listed, key=lambda each: each.api):
        parts.append(f"\n## {titles[api]}\n")
        for document, rows in groupby(of_api, key=lambda each: each.document):
            parts.append(f"\n### [{document.title}]({document.url})\n\n| statement | says | rules, or why none |\n")
            parts.append("| --- | --- | --- |\n")
            parts += [_row(row) for row in rows]
    return "".join(parts)


def _row(covered: Covered) -> str:
    statement = covered.statement
    says = statement.says.replace("|", "\\|")
    linked = f"{says} [↗]({statement.link(covered.document.url)})" if statement.find else says
    rules = ", ".join(f"`{rule.id.partition('.')[2]}`" for rule in covered.rules)
    why = f"*{statement.reason}*" if statement.reason else ""
    return f"| `{statement.id}`, {statement.place} | {linked} | {': '.join(filter(None, (why, rules)))} |\n"


def differences(listed: Sequence[Statement], passages: Sequence[Passage]) -> Iterator[str]:
    """What a document lacks of the table, and the table of the document, each in a line.

    Args:
        listed: The statements of the document in the table.
        passages: Those of the document.
    """
    matcher = SequenceMatcher(
        a=[statement.digest for statement in listed], b=[passage.digest for passage in passages], autojunk=False
    )
    for kind, first, last, begin, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        yield from (f"gone: {each.id}: {each.says}" for each in listed[first:last])
        yield from (f"new: line {each.line}: {each.digest} {each.text[:_LONGEST]}" for each in passages[begin:end])


def compare(given: str) -> bool:
    """Print how a document differs from the table.

    Args:
        given: The key of a source, an equals sign and the path of a text.

    Returns:
        Whether it does.
    """
    key, _, path = given.partition("=")
    for api in registered().values():
        catalogue = Catalogue.load(api.rules)
        listed = [each for each in catalogue.statements.values() if each.source == key and each.digest]
        if listed:
            found = list(differences(listed, split(Path(path).read_text(encoding="utf-8"))))
            print(
                "\n".join(found) or f"{catalogue.documents[key].title} has the {len(listed)} statements of the table."
            )
            return bool(found)
    sys.exit(f"No table lists the statements of {key!r} with digests.")


def main() -> None:
    """Write or check the page, or compare documents."""
    parser = argparse.ArgumentParser(prog="python -m tools.statements", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page differs")
    parser.add_argument("--document", metavar="KEY=FILE", action="append", default=[], help="a document's text")
    asked = parser.parse_args()
    try:
        if asked.document:
            sys.exit(sum(map(compare, asked.document)) > 0)
        text = page()
    except (ConformanceError, OSError) as error:
        sys.exit(str(error))
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return
    if asked.check:
        print("docs/statements.md is not what python -m tools.statements makes: run it, and look at what changed.")
        sys.exit(1)
    PAGE.write_text(text, encoding="utf-8")
    print("Wrote docs/statements.md")


if __name__ == "__main__":
    main()
