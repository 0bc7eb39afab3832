"""Requests are right if they do not ask for trouble."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from conformance.exchange import Delivery, Exchange, Request
from conformance.findings import Finding, judged


class ClientJudge:
    explains = True

    def __init__(self, _credentials: Mapping[str, str], _settings: Mapping[str, str]) -> None:
        self.observed: list[Exchange] = []

    @property
    def excused(self) -> frozenset[str]:
        return frozenset()

    def request(
        self,
        request: Request,
        _operation: str | None,
        _parameters: Mapping[str, str],
        _at: datetime,
        _machine_at: datetime | None = None,
    ) -> list[Finding]:
        held = "trouble" not in request.query
        return [judged("toy.client.no-trouble", held=held, where="URL", expected="no trouble", got="", exchange=None)]

    def observe(self, exchange: Exchange) -> None:
        self.observed.append(exchange)

    def conclude(self, exchanges: Sequence[Exchange], deliveries: Sequence[Delivery]) -> list[Finding]:
        return []
