"""Judges foreign traffic for both parties, as it comes or when it is read, and says what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from conformance.api import Api
from conformance.catalogue import Catalogue
from conformance.clock import stopwatch
from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.judging.results import Run, exchange_to_json, results
from conformance.judging.traffic import Judged
from conformance.options import Options
from conformance.recording.redaction import Redactor
from conformance.specification import Specification
from conformance.traffic.addresses import Address
from conformance.traffic.capture import Captured
from conformance.traffic.client import ForeignTraffic
from conformance.traffic.provider import Answered, ProviderView, answered

_START = datetime(1970, 1, 1, tzinfo=UTC)
"""When traffic began of which there is none."""


class TrafficJudge:
    """Judges the traffic with some APIs.

    Args:
        apis: The APIs.
        bases: The base URL of each, by its name.
        is_coarse: Whether times were recorded as whole seconds.

    Raises:
        SettingsError: If a setting of the user's is wrong.
    """

    def __init__(self, apis: Sequence[Api], bases: Mapping[str, Address], *, is_coarse: bool = False) -> None:
        self.apis = [api for api in apis if api.name in bases]
        self._watch = stopwatch()
        self._bases = bases
        self._clients: dict[str, ForeignTraffic] = {}
        self._providers: dict[str, ProviderView] = {}
        self._specifications = {api.name: Specification.load(api.specification) for api in self.apis}
        self._answered: dict[str, list[Answered]] = {api.name: [] for api in self.apis}
        self._judged: list[Judged] = []
        self._all, self._is_coarse = apis, is_coarse
        self._given: dict[str, tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]] = {}
        self._created: dict[str, dict[str, Exchange]] = {api.name: {} for api in self.apis}
        self._before: list[Finding] = []
        self._asked: dict[str, str] = {}
        self.redactor = Redactor(
            [name for api in self.apis for name in api.secrets],
            [name for api in self.apis for name in api.secret_headers],
        )
        for api in self.apis:
            credentials, settings = api.foreign.given() if api.foreign else ({}, {})
            self._given[api.name] = credentials, settings
            self.redactor.know(credentials)
            self._providers[api.name] = ProviderView(api, api.foreign, settings)
            if api.foreign is not None:
                self._clients[api.name] = self._new_client(api)

    def see(self, name: str, captured: Captured) -> Judged:
        """Judge an exchange with the API of this name, in the order in which the exchanges ended."""
        exchange = self._of_operation(name, captured.exchange)
        self._notice_restart(name, exchange)
        client = self._clients.get(name)
        judged = Judged(exchange) if client is None else client.take(captured)
        self._judged.append(judged)
        if captured.asked != captured.exchange.request.url:
            self._asked[exchange.id] = captured.asked
        if (one := answered(captured, judged)) is not None:
            self._answered[name].append(one)
        return judged

    def last_answer(self, name: str) -> list[Finding]:
        """What the last answer of an API breaks by itself of the rules for the provider."""
        return self._providers[name].of_one(self._answered[name][-1]) if self._answered[name] else []

    def results(
        self, subject: str, *, command: str, remarks: Iterable[str] = (), strict: bool = False
    ) -> dict[str, Any]:
        """What all that was seen shows, without secrets, in the form of ``specs/schemas/results.json``.

        Args:
            subject: What was judged, in a few words.
            command: What judges the same again, in a POSIX shell's form.
            remarks: What a reader should know besides.
            strict: Whether inferred rules count as their level says.
        """
        findings = [*self._before, *(each for api in self.apis for each in self._findings(api.name))]
        advice = dict.fromkeys(f"Advice: {each.where}: {each.text}" for one in self._judged for each in one.advice)
        exchanges = self._shown()
        run = Run(
            options=Options(
                apis=tuple(api.name for api in self.apis),
                base_urls={api.name: str(self._bases[api.name]) for api in self.apis},
                strict=strict,
            ),
            subject=subject,
            apis={api.name: api.title for api in self.apis},
            started=min((exchange.at for exchange in exchanges), default=_START),
            seconds=stopwatch() - self._watch,
            findings=[self._without_secrets(finding) for finding in findings],
            exchanges=[self._written(exchange) for exchange in exchanges],
            remarks=[self.redactor.text(remark) for remark in (*remarks, *advice)],
            is_traffic=True,
            command=command,
        )
        return results(run, [rule for api in self.apis for rule in Catalogue.load(api.rules).values()])

    def _findings(self, name: str) -> list[Finding]:
        """What the traffic with an API shows since its server began anew last."""
        client = self._clients.get(name)
        seen = client.findings() if client else []
        return [*seen, *self._providers[name].findings(self._answered[name])]

    def _notice_restart(self, name: str, exchange: Exchange) -> None:
        """Begin anew with an API whose server has forgotten all that was before, and gives the same ids again."""
        api = next(api for api in self.apis if api.name == name)
        identifier = api.foreign.created(exchange) if api.foreign else None
        if api.foreign is None or identifier is None:
            return
        before = self._created[name].setdefault(identifier, exchange)
        if before is not exchange and api.foreign.is_another(before, exchange):
            self._before += self._findings(name)
            self._clients[name] = self._new_client(api)
            self._answered[name] = []
            self._created[name] = {identifier: exchange}

    def _new_client(self, api: Api) -> ForeignTraffic:
        """What judges the clients of an API from now on."""
        if api.foreign is None:
            raise TypeError(f"nobody says what recorded traffic of {api.name} shows")
        credentials, settings = self._given[api.name]
        others = {other.name: other for other in self._all if other.name != api.name}
        path = self._bases[api.name].path
        return ForeignTraffic(api, api.foreign, others, path, credentials, settings, is_coarse=self._is_coarse)

    def _of_operation(self, name: str, exchange: Exchange) -> Exchange:
        """An exchange with its operation, where nobody says how clients of the API are told apart."""
        path = exchange.request.path.removeprefix(self._bases[name].path)
        found = self._specifications[name].match(exchange.request.method, path)
        return replace(exchange, operation=found.operation.id, parameters=found.parameters) if found else exchange

    def _shown(self) -> list[Exchange]:
        """The exchanges without secrets: first all secrets are learnt, since one may stand where it is not known."""
        for one in self._judged:
            self.redactor.learn(one.exchange.request)
            self.redactor.learn(one.exchange.response)
        return [self.redactor.exchange(one.exchange) for one in self._judged]

    def _written(self, exchange: Exchange) -> dict[str, Any]:
        """An exchange without secrets as JSON, with the URL at which the server was asked where it is another one."""
        written = exchange_to_json(exchange)
        asked = self._asked.get(exchange.id)
        return {**written, "asked": self.redactor.text(asked)} if asked else written

    def _without_secrets(self, finding: Finding) -> Finding:
        where, expected, got, reason = map(
            self.redactor.text, (finding.where, finding.expected, finding.got, finding.reason)
        )
        return replace(finding, where=where, expected=expected, got=got, reason=reason)
