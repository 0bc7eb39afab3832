"""One check: the answer says hello."""

from collections.abc import Mapping, Sequence

from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding, judged
from conformance.specification import Specification


def provider_findings(
    exchanges: Sequence[Exchange],
    _deliveries: Sequence[Delivery],
    _specification: Specification,
    _settings: Mapping[str, str],
) -> list[Finding]:
    return [
        judged(
            "toy.thing.says-hello",
            held=exchange.response.body == b'{"hello":"world"}',
            where="response body",
            expected="hello",
            got=exchange.response.body,
            exchange=exchange,
        )
        for exchange in exchanges
    ]
