"""What the traffic of foreign clients with any server of Planbok shows, and what it leaves open."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from conformance.exchange import Exchange, Request
from conformance.findings import Finding, Outcome
from conformance.planbok.checks.answers import Answer, answer_of, shown_challenges
from conformance.planbok.client_checks import judge as client_judge
from conformance.planbok.messages import KEY_HEADER, call_of
from conformance.planbok.observer import Observer
from conformance.planbok.settings import PlanbokSettings

_CLIENT = "planbok.client."
_PROVIDER = "planbok."

OVER_BYTES: frozenset[str] = frozenset()
"""No rule for the requests of clients takes the very bytes of a body."""
PACED = frozenset({f"{_CLIENT}backs-off", f"{_CLIENT}polls-within-limits"})
"""The rules for clients that take times of less than a second."""
TIMED: frozenset[str] = frozenset()
"""No rule takes the server's time: those of a challenge count from when it was seen."""


def given() -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """The credentials of each identity, and the other settings, that are set.

    Raises:
        SettingsError: If a setting is wrong.
    """
    return PlanbokSettings().given()


def judge(credentials: Mapping[str, Mapping[str, str]], settings: Mapping[str, str]) -> "ForeignJudge":
    """What judges one client.

    Args:
        credentials: What is given of what clients authenticate with.
        settings: The API's other settings that are given.
    """
    return ForeignJudge(credentials, settings)


class ForeignJudge(client_judge.ClientJudge):
    """Judges the requests of a client that may have begun before its traffic was recorded."""

    def __init__(self, credentials: Mapping[str, Mapping[str, str]], settings: Mapping[str, str]) -> None:
        super().__init__({}, settings)
        own = [value for each in credentials.values() for name, value in each.items() if name != "webhook_secret"]
        self._keys = {value for value in own if value}
        self._secrets = {value for each in credentials.values() for value in each.values() if value}

    def request(
        self,
        request: Request,
        operation: str | None,
        parameters: Mapping[str, str],
        at: datetime,
        machine_at: datetime | None = None,
    ) -> list[Finding]:
        """What can be told of a request; the key that it bears is a secret, be it the right one or not."""
        if key := request.header(KEY_HEADER):
            self._secrets.add(key)
        return super().request(request, operation, parameters, at, machine_at)

    def doubt(self, finding: Finding, exchange: Exchange, replaced: Collection[str]) -> str | None:
        """Why a rule that seems to be broken may have been kept all the same; None if it is broken."""
        response, key = exchange.response, exchange.request.header(KEY_HEADER)
        match finding.rule.removeprefix(_CLIENT):
            case "sends-key" if key and (not self._keys or f"request header {KEY_HEADER}" in replaced):
                return "This needs the client's key: set CONFORMANCE_PLANBOK_API_KEY"
            case "sends-key" if response.succeeded:
                return "the server took the request, with another key or without the one that the recorder has left out"
            case "checks-set-up-first" if response.succeeded:
                return "the client may have learnt of the set-up from a webhook, or by a request that was not recorded"
        return None


def created(exchange: Exchange) -> str | None:
    """The id of the customer that the answer to a creation shows; None for any other exchange."""
    data = answer_of(exchange).data if exchange.operation == "createCustomer" else None
    identifier = data.get("id") if isinstance(data, dict) else None
    return identifier if isinstance(identifier, str) else None


def is_another(before: Exchange, now: Exchange) -> bool:
    """Whether two creations whose answers show the same id made two customers: the caller has other ids for them."""
    return before.request.members().get("refId") != now.request.members().get("refId")


def provider_doubts(
    exchanges: Sequence[Exchange],
    settings: Mapping[str, str],  # noqa: ARG001  (none changes what can be told)
) -> Callable[[Finding, Exchange, Collection[str]], str | None]:
    """Makes what says why a finding of a rule for the provider does not show what it seems to; None if it does.

    Args:
        exchanges: All of the traffic, in the order in which the exchanges ended.
        settings: The API's other settings that are given.
    """
    observer = Observer()
    for exchange in exchanges:
        observer.see(exchange)

    def doubt(finding: Finding, exchange: Exchange, unsure: Collection[str]) -> str | None:  # noqa: ARG001
        if finding.outcome is not Outcome.BROKEN:
            return None
        match finding.rule.removeprefix(_PROVIDER):
            case "challenge.starts-pending" if observer.creation(call_of(exchange).customer) is None:
                return "the request may repeat one that was not recorded"
            case "result.exactly-the-chains" if not _shows_others(answer_of(exchange), observer):
                return (
                    "the customer may have had the wallets that are missing before, by requests that were not recorded"
                )
        return None

    return doubt


def _shows_others(answer: Answer, observer: Observer) -> bool:
    """Whether a result that an answer shows has a wallet on a chain that was not asked for."""
    for _, challenge in shown_challenges(answer):
        issue = observer.issue(challenge.id)
        shown = {wallet.blockchain for wallet in challenge.wallets}
        if issue is not None and issue.operation == "createWallets" and not shown <= issue.chains:
            return True
    return False
