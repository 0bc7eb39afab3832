"""Which known mistakes explain what a run found broken: the sandbox's faults that break just that."""

from collections.abc import Iterable, Iterator, Mapping
from inspect import getdoc
from operator import itemgetter
from typing import Any

from conformance.api import Api
from conformance.sandbox.behaviour import declared_changes
from conformance.sandbox.faults import Fault
from conformance.verdicts import Verdict

_MOST_OF_A_RULE = 8
_BROKEN = (Verdict.FAIL, Verdict.WARN)


def with_mistakes(results: Mapping[str, Any], apis: Iterable[Api]) -> dict[str, Any]:
    """The results with the known mistakes that explain them, if a rule for the provider is broken.

    A mistake explains nothing if a rule that it breaks was kept. Those that explain most come first.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
        apis: The APIs whose faults may explain them.
    """
    broken = {
        rule["id"]
        for rule in results["rules"]
        if rule["party"] == "provider" and (rule["verdict"] in _BROKEN or rule["id"] in results["broken_but_inferred"])
    }
    if not broken:
        return dict(results)
    kept = {rule["id"] for rule in results["rules"] if rule["verdict"] == Verdict.PASS}
    found = [mistake for _, mistake in sorted(_explaining(apis, broken, kept), key=itemgetter(0))]
    named = dict.fromkeys(broken, 0)
    told = []
    for mistake in found:
        if any(named[rule] < _MOST_OF_A_RULE for rule in mistake["rules"]):
            told.append(mistake)
            for rule in mistake["rules"]:
                named[rule] += 1
    return {**results, "mistakes": told}


def _explaining(
    apis: Iterable[Api], broken: set[str], kept: set[str]
) -> Iterator[tuple[tuple[int, int], dict[str, Any]]]:
    """The mistakes, each with its place in the order: what it explains, and what it would break that was not judged."""
    for api in apis:
        for name, change in declared_changes(api).items():
            if issubclass(change, Fault) and not kept.intersection(change.breaks):
                rules = [rule for rule in change.breaks if rule in broken]
                if rules:
                    order = (-len(rules), len(change.breaks) - len(rules))
                    yield order, {"name": name, "does": _said(change), "rules": rules}


def _said(change: type) -> str:
    """The first sentence of what a class says of itself, in one line."""
    return " ".join((getdoc(change) or "").partition("\n\n")[0].split())
