"""The subject as its documents print it: no scenario runs, the checks are applied to what is printed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import jsonschema_rs
import yaml

from conformance import ConformanceError
from conformance.api import Api, Documents
from conformance.catalogue import Basis, Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Delivery, Exchange, Request, Response
from conformance.files import data_path, first_problem, read_bounded
from conformance.findings import Finding, Outcome
from conformance.ids import Ids
from conformance.judging.journal import client_findings, provider_findings
from conformance.specification import Specification
from conformance.speed.plain_yaml import read_yaml
from conformance.statements.contradictions import read_contradictions
from conformance.targets.contradictions import told_contradictions


class DocumentsUnreadableError(ConformanceError, ValueError):
    """The file of printed exchanges cannot be read or has another form than ``specs/schemas/documents.json``."""


@dataclass(frozen=True)
class Reading:
    """What the documents of an API say of themselves.

    Args:
        findings: What was found.
        exchanges: The printed exchanges.
        remarks: Where what is printed breaks a rule for a reason that is listed, so that it is not judged on it.
        contradictions: Where the documents contradict themselves, in the form of ``specs/schemas/results.json``.
    """

    findings: Sequence[Finding]
    exchanges: Sequence[Exchange]
    remarks: Sequence[str]
    contradictions: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Printed:
    """What the documents of an API print.

    Args:
        exchanges: Requests, most of them with their answers.
        events: Webhooks, by the id of the entry.
        challenges: Challenges as the API sends them, by the id of the entry.
    """

    exchanges: Sequence[Exchange] = ()
    events: Mapping[str, Delivery] = field(default_factory=dict)
    challenges: Mapping[str, str] = field(default_factory=dict)


def read(api: Api, catalogue: Catalogue, specification: Specification) -> Reading:
    """Judge what the documents of an API print.

    Args:
        api: The API.
        catalogue: Its rules.
        specification: Its specification.

    Raises:
        DocumentsUnreadableError: If the file of printed exchanges cannot be read.
        StatementsError: If the list of contradictions cannot be read.
    """
    listed = read_contradictions(api.find(f"specs/{api.name}/contradictions.yaml"), catalogue.statements)
    found = printed(api, specification) if api.documents else Printed()
    if not api.documents or not found.exchanges:
        nothing = f"The documents of {api.title} print no exchange, so there is nothing to judge."
        return Reading((), (), (nothing,), told_contradictions(catalogue, listed, ()))
    accounted = frozenset().union(*(each.accounts_for for each in listed))
    findings: list[Finding] = []
    remarks: dict[str, None] = {}
    for finding in _judged(api, api.documents, specification, found):
        is_break = finding.outcome is Outcome.BROKEN and catalogue[finding.rule].basis is not Basis.CONTRADICTED
        if is_break and (finding.test, finding.rule) in accounted:
            remarks[
                f"{finding.test} contradicts {finding.rule}, which is not judged on it: {finding.where}: "
                f"expected {finding.expected}, printed {finding.got}"
            ] = None
            continue
        findings.append(finding)
    told = told_contradictions(catalogue, listed, findings)
    return Reading(findings, found.exchanges, tuple(remarks), told)


def _judged(api: Api, documents: Documents, specification: Specification, found: Printed) -> Iterator[Finding]:
    """What the rules say of all that is printed and no placeholder, each finding with the entry that shows it."""
    by_id = {exchange.id: exchange for exchange in found.exchanges}
    for finding in _of_exchanges(api, documents, specification, found.exchanges):
        exchange = by_id[finding.exchange or ""]
        if not any(finding.where.startswith(part) for part in exchange.placeholders):
            yield replace(finding, test=exchange.id)
    for name, event in found.events.items():
        for finding in provider_findings(api, specification, (), [event], {}):
            yield replace(finding, test=name)


def _of_exchanges(
    api: Api, documents: Documents, specification: Specification, exchanges: Sequence[Exchange]
) -> list[Finding]:
    """What the rules say of printed exchanges; those of one identity are about the same customer."""
    found: list[Finding] = []
    for identity in dict.fromkeys(exchange.identity for exchange in exchanges):
        of_one = [exchange for exchange in exchanges if exchange.identity == identity]
        found += provider_findings(api, specification, of_one, (), {})
        found += client_findings(of_one, api.client_judge(api.client.made_up_credentials(Ids("documents")), {}))
        for exchange in of_one:
            found += documents.readings(exchange)
    return [finding for finding in found if finding.rule not in documents.UNPRINTED]


def printed(api: Api, specification: Specification) -> Printed:
    """What the documents of an API print, transcribed in ``specs/<api>/documents.yaml``; nothing without such a file.

    Args:
        api: The API.
        specification: Its specification.

    Raises:
        DocumentsUnreadableError: If the file cannot be read.
    """
    path = api.find(f"specs/{api.name}/documents.yaml")
    try:
        raw = read_yaml(read_bounded(path))
    except FileNotFoundError:
        return Printed()
    except OSError as error:
        raise DocumentsUnreadableError(f"The printed exchanges in {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise DocumentsUnreadableError(f"The printed exchanges in {path} are not YAML: {error}") from error
    schema = json.loads(data_path("specs/schemas/documents.json").read_bytes())
    if problem := first_problem(jsonschema_rs.validator_for(schema), raw):
        place, message = problem
        where = "/".join(map(str, place)) or "the top"
        raise DocumentsUnreadableError(f"The printed exchanges in {path} are wrong at {where}: {message}")
    return Printed(
        exchanges=[_exchange(entry, raw["base_url"], specification) for entry in raw["exchanges"]],
        events={entry["id"]: _event(entry) for entry in raw.get("events", ())},
        challenges={entry["id"]: entry["challenge"] for entry in raw.get("challenges", ())},
    )


def _event(entry: dict[str, Any]) -> Delivery:
    request = Request(
        (("Content-Type", "application/json"),), entry["body"].encode(), "POST", "https://client.invalid/"
    )
    return Delivery(after=0, identity="first", at=EPOCH_OF_WORLDS, request=request, answered=HTTPStatus.OK)


def _exchange(entry: dict[str, Any], base_url: str, specification: Specification) -> Exchange:
    asked, answered = entry["request"], entry.get("response", {"status": 0})
    found = specification.match(asked["method"], asked["path"])
    body = answered.get("body", "").encode()
    return Exchange(
        id=entry["id"],
        operation=found.operation.id if found else None,
        identity=entry["identity"],
        at=EPOCH_OF_WORLDS,
        seconds=0.0,
        request=Request(
            headers=tuple(asked.get("headers", {}).items()),
            body=asked.get("body", "").encode(),
            method=asked["method"],
            url=base_url + asked["path"],
        ),
        response=Response((("Content-Type", "application/json"),) if body else (), body, answered["status"]),
        placeholders=frozenset(entry["placeholders"]),
        parameters=found.parameters if found else {},
    )
