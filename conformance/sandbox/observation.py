"""What one world saw of its clients, judged by the rules for clients when somebody asks."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from conformance.api import Api
from conformance.clock import SystemClock
from conformance.exchange import Delivery, Exchange
from conformance.findings import Finding
from conformance.judging.traffic import Judged, Traffic

_MOST_KEPT = 1_000
_LARGEST_KEPT = 16 * 1024 * 1024


class Observation:
    """Every exchange and delivery of one world; when there are too many, the oldest is judged and dropped.

    Args:
        apis: The APIs that the world implements.
        prefix: What the paths of the world begin with, before the name of an API.
        mounts: The names under which each API serves more, by the API's name.
        credentials: Gives what each client authenticates with, by the API's name and its own; asked when it is needed.
    """

    def __init__(
        self,
        apis: Sequence[Api],
        prefix: str,
        mounts: Mapping[str, Sequence[str]],
        credentials: Callable[[], Mapping[str, Mapping[str, Mapping[str, str]]]],
    ) -> None:
        self.apis = [api for api in apis if api.name in mounts]
        self.began = SystemClock().now()
        self._prefix = prefix
        self._mounts = mounts
        self._credentials = credentials
        self._pending: deque[tuple[Exchange | Delivery, str | None]] = deque()
        self._judged: deque[Judged] = deque()
        self._bytes = 0

    def note(self, exchange: Exchange) -> None:
        """Take note of an exchange; it is judged later."""
        self._add(exchange, None)

    def note_delivery(self, delivery: Delivery, api: str | None) -> None:
        """Take note of a webhook with its receiver's answer, and of the name of the API that sent it."""
        self._add(delivery, api)

    def _add(self, seen: Exchange | Delivery, api: str | None) -> None:
        self._pending.append((seen, api))
        self._bytes += _size(seen)
        while self._is_full() and len(self._judged) + len(self._pending) > 1:
            if self._judged:
                self._bytes -= _size(self._judged.popleft().exchange)
            else:  # one at a time: whoever sends the request waits for it
                self._judge_next()

    def exchanges(self) -> Sequence[Judged]:
        """The exchanges, judged, the oldest first."""
        self._judge()
        return self._judged

    def findings(self) -> list[Finding]:
        """What the rules for clients say of all that was seen."""
        self._judge()
        return [finding for traffic in self._traffic for finding in traffic.findings()]

    def addressed(self) -> list[Api]:
        """The APIs that something was sent to."""
        self._judge()
        return [traffic.api for traffic in self._traffic if traffic.is_used]

    def api_at(self, url: str) -> Api | None:
        """The API that a URL is of, or the API that serves what is there besides; None if there is none."""
        return next((traffic.api for traffic in self._traffic if traffic.is_addressed_by(url)), None)

    @cached_property
    def _traffic(self) -> list[Traffic]:
        by_name, credentials = {api.name: api for api in self.apis}, self._credentials()
        return [
            Traffic(
                api,
                {name: other for name, other in by_name.items() if name != api.name},
                [f"{self._prefix}/{name}" for name in (api.name, *self._mounts[api.name])],
                credentials[api.name],
            )
            for api in self.apis
        ]

    def _is_full(self) -> bool:
        return len(self._judged) + len(self._pending) > _MOST_KEPT or self._bytes > _LARGEST_KEPT

    def _judge(self) -> None:
        while self._pending:
            self._judge_next()

    def _judge_next(self) -> None:
        seen, api = self._pending.popleft()
        if isinstance(seen, Exchange):
            addressed = next((each for each in self._traffic if each.is_addressed_by(seen.request.url)), None)
            self._judged.append(addressed.see(seen) if addressed else Judged(seen))
            return
        self._bytes -= _size(seen)
        for traffic in self._traffic:
            if traffic.api.name == api:
                traffic.deliver(seen)


def _size(seen: Exchange | Delivery) -> int:
    return len(seen.request.body) + (len(seen.response.body) if isinstance(seen, Exchange) else 0)
