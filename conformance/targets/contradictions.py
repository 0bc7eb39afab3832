"""What documents say against each other, as data for the reports: of contradicted rules, and listed besides."""

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.catalogue import Basis, Catalogue, Document, Reading, Rule, Source
from conformance.findings import Finding
from conformance.statements.contradictions import Contradiction
from conformance.statements.table import Statement

UNDECIDED = "No printed exchange decides."
_OF_THE_VENDOR = {"document", "vendor", "beta"}
"""The tiers of what a vendor wrote itself."""


def told_contradictions(
    catalogue: Catalogue, listed: Sequence[Contradiction], findings: Sequence[Finding]
) -> list[dict[str, Any]]:
    """All contradictions of an API, in the form of ``specs/schemas/results.json``.

    Args:
        catalogue: Its rules; each that is contradicted is one.
        listed: Those that no rule is about, or none that is contradicted.
        findings: What the printed exchanges show.
    """
    of_rules = [
        _of_rule(rule, [finding for finding in findings if finding.rule == rule.id], catalogue.api)
        for rule in catalogue.values()
        if rule.basis is Basis.CONTRADICTED
    ]
    return of_rules + [_of_list(each, catalogue) for each in listed if not _is_told_by_a_rule(each, catalogue)]


def _is_told_by_a_rule(contradiction: Contradiction, catalogue: Catalogue) -> bool:
    """Whether a rule that a printed exchange breaks for this reason is contradicted, and so tells of it itself."""
    return any(catalogue[rule].basis is Basis.CONTRADICTED for _, rule in contradiction.accounts_for)


def _of_rule(rule: Rule, findings: Sequence[Finding], api: str) -> dict[str, Any]:
    return {
        "id": rule.id,
        "api": api,
        "rule": rule.id,
        "title": rule.title,
        "own": sum(map(_is_of_the_vendor, rule.readings)) > 1,
        "sides": [
            {"says": reading.title, "places": [place for source in reading.sources for place in _places(source)]}
            for reading in rule.readings
        ],
        "decided": _shown(rule, findings),
    }


def _is_of_the_vendor(reading: Reading) -> bool:
    """Whether a reading stands in a document of the vendor's, and not in a client, a library or a standard alone."""
    return any(source.document.tier in _OF_THE_VENDOR for source in reading.sources)


def _shown(rule: Rule, findings: Sequence[Finding]) -> str:
    """Which readings printed exchanges show, in a sentence."""
    exchanges: dict[str, dict[str, None]] = {}
    for finding in findings:
        if reading := rule.reading(finding.reading):
            exchanges.setdefault(reading.title, {})[finding.test] = None
    told = [f"{', '.join(names)}: {title}" for title, names in exchanges.items()]
    return f"Printed in {' Printed in '.join(told)}" if told else UNDECIDED


def _of_list(contradiction: Contradiction, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "id": f"{catalogue.api}/{contradiction.id}",
        "api": catalogue.api,
        "rule": None,
        "title": contradiction.title,
        "own": True,
        "sides": [
            {"says": side.says, "places": [_place(each, catalogue.documents) for each in side.statements]}
            for side in contradiction.sides
        ],
        "decided": contradiction.decided or UNDECIDED,
    }


def _places(source: Source) -> list[dict[str, str]]:
    return list(source.places) or [{"text": str(source), "says": "", "url": source.document.url}]


def _place(statement: Statement, documents: Mapping[str, Document]) -> dict[str, str]:
    document = documents[statement.source]
    return statement.told(document.title, document.url)
