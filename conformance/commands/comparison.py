"""What `conformance drift` compares: the inputs of each kind, and the rules concerned of what changed."""

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from conformance.api import Api, registered, selected_apis
from conformance.catalogue import Catalogue, Rule
from conformance.commands.coverage import cited_by
from conformance.commands.rulebook import verified_rules
from conformance.drift import descriptions, documents, journals, traffic, verdicts
from conformance.drift.bundling import bundled
from conformance.drift.form import Change, Comparison
from conformance.drift.inputs import DESCRIPTION, RESULTS, Input, read_bytes, read_pair
from conformance.drift.references import Described
from conformance.options import Options
from conformance.specification import Specification
from conformance.verdicts import Verdict

_LIFETIME = re.compile(r"expire|in-time|hour|minute|lives")
"""What the ids of rules have that are about how long something lives."""
_OF_ALL_ANSWERS = "response"
"""The topic of the rules on the form of every answer."""
_MANY_TESTS = 5
"""From how many tests on a change is told by its operation alone, since no single test is about it."""


def with_one_another(before: Path, after: Path) -> Comparison:
    """What changed between two things of one kind.

    Raises:
        NotComparableError: If one of them cannot be read, or they cannot be compared.
    """
    one, other = read_pair(before, after)
    if one.what == DESCRIPTION:
        return _descriptions(one, other)
    if one.what == RESULTS:
        return verdicts.compare(one.content, other.content, (str(before), str(after)))
    names = (str(before), str(after))
    return traffic.compare(journals.read_folder(before), journals.read_folder(after), names, rules_of)


def with_now(folder: Path, target: str, apis: Sequence[str], base_urls: Mapping[str, str]) -> Comparison:
    """What changed between recordings and what a server answers to the same tests now.

    Args:
        folder: The recordings.
        target: ``live`` or ``sandbox``.
        apis: The names of the APIs; empty for those that were recorded.
        base_urls: Where an API runs, by its name.

    Raises:
        NotComparableError: If there are no recordings, or none could be made.
        ConformanceError: If the run could not be made.
    """
    named = [api.name for api in selected_apis(apis)] if apis else []
    before = journals.read_folder(folder, named)
    recorded = tuple(dict.fromkeys(cassette.api for cassette in before.values()))
    with tempfile.TemporaryDirectory() as made:
        results = _with_progress(
            Options(
                apis=recorded,
                target="live" if target == "live" else "sandbox",
                base_urls=base_urls,
                tests=tuple(before),
                cassettes=Path(made),
                seed=_only(cassette.seed for cassette in before.values()) if target == "sandbox" else None,
                record=True,
                record_failing=True,
            )
        )
        after = journals.read_folder(Path(made), recorded)
    skipped = _skipped(results)
    asked = {test: cassette for test, cassette in before.items() if test not in skipped}
    found = traffic.compare(asked, after, (str(folder), f"the {target} server now"), rules_of)
    if len(asked) == len(before):
        return found
    left_out = f"{len(before) - len(asked)} recorded tests were skipped, since this run lacks what they need."
    return replace(found, remarks=(*found.remarks, left_out))


def _with_progress(options: Options) -> Mapping[str, Any]:
    """Run with progress on standard error."""
    from conformance.reporting.console import Progress  # noqa: PLC0415  (only here)
    from conformance.reporting.lines import Output  # noqa: PLC0415
    from conformance.run import run  # noqa: PLC0415  (pytest and all that a run needs)

    with Progress(Output(stderr=True)) as progress:
        return run(options, progress)


def _skipped(results: Mapping[str, Any]) -> set[str]:
    """The ids of the tests that were skipped as a whole."""
    verdicts: dict[str, set[str]] = {}
    for rule in results["rules"]:
        for finding in rule["findings"]:
            verdicts.setdefault(finding["test"], set()).add(finding["verdict"])
    return {test for test, seen in verdicts.items() if seen == {Verdict.SKIPPED}}


def _only(seeds: Iterable[str]) -> str | None:
    found = set(seeds)
    return found.pop() if len(found) == 1 else None


def with_documents(file: Path, name: str) -> Comparison:
    """What changed between a newer copy of a document and the statements of an API.

    Raises:
        NotComparableError: If it cannot be read, or is none of the documents.
        UnknownApiError: If there is no such API.
    """
    api = selected_apis([name])[0]
    catalogue = Catalogue.load(api.rules)
    tests = verified_rules(api)
    citing = {
        statement: (
            tuple(rule.id for rule in rules),
            tuple(test for test, judged in tests.items() if judged & {rule.id for rule in rules}),
        )
        for statement, rules in cited_by(catalogue).items()
    }
    return documents.compare(read_bytes(file), str(file), api.name, catalogue, citing)


# ------------------------------------------------------------------------------------------------------ rules concerned


def _descriptions(one: Input, other: Input) -> Comparison:
    before, after = (Described(str(each.path), bundled(each.path, each.content)) for each in (one, other))
    changes = descriptions.compare(before, after)
    api = _api_of(before) or _api_of(after)
    told = tuple(_with_rules(change, api) for change in changes) if api else changes
    remarks = [] if api else ["The descriptions are of no API whose rules are known here, so that no rule is named."]
    return Comparison("descriptions", str(one.path), str(other.path), told, remarks)


def _api_of(description: Described) -> Api | None:
    """The API that a description seems to be of: the one with most of its operations, at least half of them."""
    found = set(descriptions.operations_of(description).items())
    best: tuple[float, Api] | None = None
    for api in registered().values():
        known = Specification.load(api.specification)
        own = {(f"{each.method} {each.path}", each.id) for each in known.operations.values()}
        share = len(found & own) / max(1, min(len(own), len(found)))
        if share >= 0.5 and (best is None or share > best[0]):  # noqa: PLR2004
            best = (share, api)
    return best[1] if best else None


def _with_rules(change: Change, api: Api) -> Change:
    """The change with the rules about its operations, and the tests that judge these."""
    about = set(change.operations)
    rules = tuple(rule.id for rule in Catalogue.load(api.rules).values() if about & set(rule.operations))
    tests = tuple(test for test, judged in _tests(api.name).items() if judged & set(rules)) if rules else ()
    return replace(change, api=api.name, rules=rules, tests=tests)


@cache
def _tests(name: str) -> Mapping[str, set[object]]:
    return verified_rules(registered()[name])


def rules_of(name: str, tests: Sequence[str], operation: str, place: str, expiry: bool) -> tuple[str, ...]:  # noqa: FBT001  (the form that traffic asks for)
    """The rules concerned by what recordings show.

    Args:
        name: The name of the API.
        tests: The ids of the tests that show it.
        operation: The operation, empty if it is about a test as a whole.
        place: The place in words; the rules that speak of the member there come first.
        expiry: Whether it is about how long something lives; then the rules on that are concerned too.

    Returns:
        What these tests judge of the operation; if many tests show it, what any test judges of this operation.
    """
    api = registered().get(name)
    if api is None:
        return ()
    catalogue, judged = Catalogue.load(api.rules), _tests(name)
    plain = {test.partition(".")[0] for test in tests}
    by_tests = {rule for test in plain for rule in judged.get(test, ())}
    about = [rule for rule in catalogue.values() if operation in rule.operations]
    if len(plain) > _MANY_TESTS:
        about += [rule for rule in catalogue.values() if not rule.operations and rule.topic == _OF_ALL_ANSWERS]
    else:
        about = [rule for rule in catalogue.values() if rule.id in by_tests] or about
    if expiry:
        about = [*(rule for rule in catalogue.values() if _LIFETIME.search(rule.id)), *about]
    member = place.rpartition("/")[2] if "/" in place else ""
    return tuple(dict.fromkeys(rule.id for rule in sorted(about, key=lambda rule: not _speaks_of(rule, member))))


def _speaks_of(rule: Rule, member: str) -> bool:
    """Whether a rule names a member: ``createdAt`` in its title, or ``created-at`` in its id."""
    spelt = re.sub(r"([a-z])([A-Z])", r"\1-\2", member).lower()
    return bool(member) and (member in rule.title or spelt in rule.id)
