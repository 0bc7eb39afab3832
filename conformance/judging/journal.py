"""What the rules say of a journal: of its exchanges, the steps at a hosted page among them, and of its webhooks.

Everything here is pure. A run, a sequence, the printed exchanges of the documents and the traffic of a foreign client
are judged by these functions alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from conformance.api import Api, ClientJudge, Model
from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, Outcome
from conformance.specification import Specification


def provider_findings(
    api: Api,
    specification: Specification,
    exchanges: Sequence[Exchange],
    deliveries: Sequence[Delivery],
    settings: Mapping[str, str],
) -> list[Finding]:
    """What the rules for the provider say.

    Args:
        api: The API.
        specification: Its description.
        exchanges: The exchanges in the order of their ends.
        deliveries: The webhooks that were received.
        settings: The API's settings.
    """
    return api.checks.provider_findings(exchanges, deliveries, specification, settings)


def client_findings(
    exchanges: Sequence[Exchange], judge: ClientJudge, deliveries: Sequence[Delivery] = ()
) -> list[Finding]:
    """What the rules for clients say of the traffic of one client.

    Args:
        exchanges: The exchanges in the order sent, those of its customers' browsers among them.
        judge: What judges this client's requests; it has seen none of them.
        deliveries: The webhooks that it was sent, in the order they came, with its own answers.
    """
    findings: list[Finding] = []
    for exchange in exchanges:
        seen = judge.request(
            exchange.request, exchange.operation, exchange.parameters, exchange.at, exchange.machine_at
        )
        findings += [replace(finding, exchange=exchange.id) for finding in seen]
        judge.observe(exchange)
    return findings + judge.conclude(exchanges, deliveries)


def sequence_findings(model: Model, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> Iterator[Finding]:
    """What a model says of exchanges and webhooks, each in its turn."""
    left = list(deliveries)
    for number, exchange in enumerate(exchanges):
        while left and left[0].after <= number:
            yield from model.receive(left.pop(0))
        yield from model.see(exchange)
    for delivery in left:
        yield from model.receive(delivery)


def broken(findings: Sequence[Finding]) -> list[Finding]:
    """The findings of rules that did not hold."""
    return [finding for finding in findings if finding.outcome is Outcome.BROKEN]


def condensed(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, but of those that held only one for each rule, place and reading."""
    found: dict[object, Finding] = {}
    for number, finding in enumerate(findings):
        held = finding.outcome is Outcome.HELD
        found.setdefault((finding.rule, finding.where, finding.reading) if held else number, finding)
    return list(found.values())
