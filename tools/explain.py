"""Write the table of docs/explain.md, or with ``--check`` say whether it differs.

Each mistake is made with fresh keys, and the diagnosis is asked what it was.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.ids import Ids, fresh_seed
from tools.mistakes import requests, tokens, wallets, webhooks
from tools.mistakes.form import Case, is_misled, is_named_first

PAGE = Path(__file__).parents[1] / "docs" / "explain.md"
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"
SECTIONS: Sequence[tuple[str, Sequence[Case]]] = (
    ("Requests", requests.SINGLE),
    ("Requests, two mistakes at once", requests.DOUBLE),
    ("Challenges", wallets.SINGLE),
    ("Challenges, two mistakes at once", wallets.DOUBLE),
    ("Webhooks", webhooks.SINGLE),
    ("Tokens", tokens.SINGLE),
)
UNKNOWN: Sequence[Case] = (*requests.UNKNOWN, *wallets.UNKNOWN, *webhooks.UNKNOWN)


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Args:
        case: The case.
        named: The names that are told first.
        right: Whether these are those of the mistakes that were made.
        misled: Whether something is told as certain that was not done.
        unexplained: Whether it is said that nothing fits.
    """

    case: Case
    named: tuple[str, ...]
    right: bool
    misled: bool
    unexplained: bool


def outcome(case: Case, seed: str) -> Outcome:
    """Make a mistake, and ask what it was.

    Args:
        case: The mistake.
        seed: What the keys are drawn from.
    """
    diagnosis = case.diagnosed(Ids(seed, case.title))
    return Outcome(
        case,
        tuple(each.name for each in diagnosis.mistakes),
        is_named_first(case, diagnosis),
        is_misled(case, diagnosis),
        bool(diagnosis.unexplained),
    )


def outcomes(seed: str) -> tuple[list[list[Outcome]], list[Outcome]]:
    """What came of all that was done wrong, by section, and of what no candidate explains."""
    return [[outcome(case, seed) for case in cases] for _, cases in SECTIONS], [outcome(each, seed) for each in UNKNOWN]


def table(known: Sequence[Sequence[Outcome]], unknown: Sequence[Outcome]) -> str:
    """The generated part of the page."""
    made = [each for section in known for each in section]
    right, misled = sum(each.right for each in made), sum(each.misled for each in (*made, *unknown))
    cited = sum(bool(each.case.report) for each in made)
    said = sum(each.unexplained and not each.misled for each in unknown)
    parts = [
        "| measured | |\n| --- | --- |\n",
        f"| mistakes made on purpose | {len(made)}, {cited} of them taken from public reports |\n",
        f"| named first | {right} of {len(made)} ({right / len(made):.0%}) |\n",
        f"| something else told as certain | {misled} |\n",
        f"| what no candidate explains, and is told so | {said} of {len(unknown)} |\n",
    ]
    for (title, _), section in zip(SECTIONS, known, strict=True):
        parts.append(f"\n### {title}\n\n| what was done | told |\n| --- | --- |\n")
        parts += [_row(each) for each in section]
    parts.append("\n### What no candidate explains\n\n| what was done | told |\n| --- | --- |\n")
    parts += [f"| {each.case.title} | {'none fits' if each.unexplained else 'MISSED'} |\n" for each in unknown]
    return "".join(parts)


def _row(found: Outcome) -> str:
    title = f"[{found.case.title}]({found.case.report})" if found.case.report else found.case.title
    told = ", ".join(f"`{name}`" for name in found.named) or "none fits"
    return f"| {title} | {told if found.right else f'{told} (wrong)'} |\n"


def page(generated: str) -> str:
    """The page with another generated part."""
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        sys.exit(f"{PAGE.name} has no place for the table: the lines {BEGIN.strip()} and {END.strip()}.")
    return f"{before}{begin}{generated}{end}{after}"


def main() -> None:
    """Write or check the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.explain", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page differs")
    parser.add_argument("--seed", default=fresh_seed(), help="what the keys are drawn from")
    asked = parser.parse_args()
    text = page(table(*outcomes(asked.seed)))
    if PAGE.read_text(encoding="utf-8") == text:
        return
    if asked.check:
        print("docs/explain.md is not what python -m tools.explain makes: run it, and look at what changed.")
        sys.exit(1)
    PAGE.write_text(text, encoding="utf-8")
    print("Wrote docs/explain.md")


if __name__ == "__main__":
    main()
