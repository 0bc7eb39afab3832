"""The subject as its documents print it: no scenario runs, the checks are applied to the printed exchanges."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs
import yaml

from conformance import ConformanceError
from conformance.api import Api, Documents
from conformance.catalogue import Basis, Catalogue
from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Exchange, Request, Response
from conformance.files import data_path, first_problem
from conformance.findings import Finding, Outcome
from conformance.ids import Ids
from conformance.judging.journal import client_findings, provider_findings
from conformance.specification import Specification
from conformance.speed.plain_yaml import read_yaml


class DocumentsUnreadableError(ConformanceError, ValueError):
    """The file of printed exchanges cannot be read or has another form than ``specs/schemas/documents.json``."""


@dataclass(frozen=True)
class Reading:
    """What the documents of an API say of themselves.

    Args:
        findings: What was found.
        exchanges: The printed exchanges.
        remarks: Where a printed exchange contradicts a rule that is therefore not judged on it.
    """

    findings: Sequence[Finding]
    exchanges: Sequence[Exchange]
    remarks: Sequence[str]


def read(api: Api, catalogue: Catalogue, specification: Specification) -> Reading:
    """Judge what the documents of an API print.

    Args:
        api: The API.
        catalogue: Its rules.
        specification: Its specification.

    Raises:
        DocumentsUnreadableError: If the file of printed exchanges cannot be read.
    """
    exchanges = _load(api, specification) if api.documents else []
    if not api.documents or not exchanges:
        return Reading((), (), (f"The documents of {api.title} print no exchange, so there is nothing to judge.",))
    by_id = {exchange.id: exchange for exchange in exchanges}
    findings: list[Finding] = []
    remarks: dict[str, None] = {}
    for finding in _judged(api, api.documents, specification, exchanges):
        exchange = by_id[finding.exchange or ""]
        if any(finding.where.startswith(part) for part in exchange.placeholders):
            continue
        basis = catalogue[finding.rule].basis
        if finding.outcome is Outcome.BROKEN and basis is not Basis.CONTRADICTED:
            remarks[
                f"{exchange.id} contradicts {finding.rule}, which is not judged on it: {finding.where}: "
                f"expected {finding.expected}, printed {finding.got}"
            ] = None
            continue
        findings.append(replace(finding, test=exchange.id))
    return Reading(findings, exchanges, tuple(remarks))


def _judged(
    api: Api, documents: Documents, specification: Specification, exchanges: Sequence[Exchange]
) -> list[Finding]:
    """What the rules say of printed exchanges; those of one identity are about the same customer."""
    found: list[Finding] = []
    for identity in dict.fromkeys(exchange.identity for exchange in exchanges):
        printed = [exchange for exchange in exchanges if exchange.identity == identity]
        found += provider_findings(api, specification, printed, (), {})
        found += client_findings(printed, api.client_judge(api.client.made_up_credentials(Ids("documents")), {}))
        for exchange in printed:
            found += documents.readings(exchange)
    return [finding for finding in found if finding.rule not in documents.UNPRINTED]


def _load(api: Api, specification: Specification) -> list[Exchange]:
    path = api.find(f"specs/{api.name}/documents.yaml")
    try:
        raw = read_yaml(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DocumentsUnreadableError(f"The printed exchanges in {path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise DocumentsUnreadableError(f"The printed exchanges in {path} are not YAML: {error}") from error
    schema = json.loads(data_path("specs/schemas/documents.json").read_bytes())
    if problem := first_problem(jsonschema_rs.validator_for(schema), raw):
        place, message = problem
        where = "/".join(map(str, place)) or "the top"
        raise DocumentsUnreadableError(f"The printed exchanges in {path} are wrong at {where}: {message}")
    return [_exchange(entry, raw["base_url"], specification) for entry in raw["exchanges"]]


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
