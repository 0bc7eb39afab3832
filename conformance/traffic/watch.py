"""What becomes of each exchange that a proxy passes on: it is judged, told, and written without secrets."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx

from conformance.api import Api
from conformance.exchange import Exchange, Message, Response
from conformance.judging.lines import RequestLines
from conformance.judging.traffic import Judged
from conformance.recording.content_codings import decoded_fields, undecodable
from conformance.recording.har import to_entry
from conformance.traffic.addresses import Address
from conformance.traffic.capture import (
    REQUEST_BODY,
    RESPONSE_BODY,
    Captured,
    ServerClock,
)
from conformance.traffic.judgement import TrafficJudge
from conformance.traffic.log import LogNotWrittenError, TrafficLog
from conformance.traffic.proxy import Passed

_MOST_JUDGED = 20_000
_LARGEST_JUDGED = 128 * 1024 * 1024


class ProxyWatch:
    """Judges, tells and logs what a proxy passes on.

    Args:
        api: The API that it stands before.
        path: What the paths of the API begin with, before ``/v1`` or ``/v2``.
        apis: All APIs that requests can be mixed up with.
        say: Writes a line.
        log: Where exchanges are written; None to write none.

    Raises:
        SettingsError: If a setting of the user's is wrong.
    """

    def __init__(
        self, api: Api, path: str, apis: list[Api], say: Callable[[str], None], log: TrafficLog | None = None
    ) -> None:
        self._api = api
        self._say = say
        self._log = log
        self._judge = TrafficJudge(apis, {api.name: Address("http", "127.0.0.1", None, path)})
        self._path = path
        self._lines = RequestLines()
        self._clock = ServerClock()
        self._number = 0
        self._size = 0
        self._unjudged = 0
        self._trouble: set[str] = set()

    def passed(self, passed: Passed) -> None:
        """Take note of an exchange that has ended; whatever comes of it, it was passed on."""
        try:
            self._take(passed)
        except Exception as error:  # noqa: BLE001  (the client must not suffer from it)
            self._once(
                f"conformance itself broke, which says nothing of client or server: {error!r}. Please report it."
            )

    def _take(self, passed: Passed) -> None:
        self._number += 1
        captured = self._clock.beside(_captured(f"proxy#{self._number}", passed))
        exchange, lines = captured.exchange, list[str]()
        self._size += len(exchange.request.body) + len(exchange.response.body)
        if not exchange.request.path.startswith(f"{self._path}/"):
            lines = list(self._lines.of(Judged(exchange)))
        elif self._number > _MOST_JUDGED or self._size > _LARGEST_JUDGED:
            self._unjudged += 1
        else:
            judged = self._judge.see(self._api.name, captured)
            exchange = judged.exchange
            found = [each for each in self._judge.last_answer(self._api.name) if each.exchange == exchange.id]
            lines = list(self._lines.of(judged, found))
        redactor = self._judge.redactor
        shown = redactor.exchange(exchange)
        for line in lines:
            self._say(redactor.text(line))
        if passed.error:
            self._say(f"    no whole answer: {redactor.text(passed.error)}")
        if self._log is not None:
            try:
                self._log.add(self._entry(captured, exchange, shown, passed))
            except LogNotWrittenError as error:
                self._once(str(error))

    def results(self, upstream: str, *, command: str, strict: bool = False) -> dict[str, Any]:
        """What all that was passed on shows, in the form of ``specs/schemas/results.json``.

        Args:
            upstream: Where the server is.
            command: What passes on and judges again, in a POSIX shell's form.
            strict: Whether inferred rules count as their level says.
        """
        number = f"{self._number} request{'' if self._number == 1 else 's'}"
        return self._judge.results(
            f"the traffic with {upstream}, {number}", command=command, remarks=list(self._remarks()), strict=strict
        )

    def _remarks(self) -> Iterator[str]:
        if self._unjudged:
            yield f"{self._unjudged} requests were passed on and not judged, since there were too many before them."
        if self._log is not None and self._log.left_out:
            yield f"{self._log.left_out} requests are not in the log, since it was too large."

    def _entry(self, captured: Captured, exchange: Exchange, shown: Exchange, passed: Passed) -> dict[str, Any]:
        """An exchange as an entry of the log: without secrets, with where they were and what was not kept."""
        replaced = [*_replaced("request", exchange.request, shown.request)]
        if exchange.request.url != shown.request.url:
            replaced.append("request URL")
        written = {
            **to_entry(shown),
            "_upstream": self._judge.redactor.text(captured.asked),
            "_replaced": replaced,
            "_lacks": sorted(captured.lacks),
        }
        if passed.error:
            written["_error"] = self._judge.redactor.text(passed.error)
        if captured.exchange.machine_at is None:
            del written["_worldTime"]
        return written

    def _once(self, trouble: str) -> None:
        if trouble not in self._trouble:
            self._trouble.add(trouble)
            self._say(trouble)


def _replaced(side: str, message: Message, shown: Message) -> Iterator[str]:
    """The places of a message in which secrets were taken out."""
    left = list(shown.headers)
    for line in message.headers:
        if line in left:
            left.remove(line)
        else:
            yield f"{side} header {line[0]}"
    if message.body != shown.body:
        yield f"{side} body"


def _captured(identifier: str, passed: Passed) -> Captured:
    """What was passed on as it is judged: by the URL that the client saw, the body of the answer decoded."""
    lacks = {REQUEST_BODY} if passed.lacks_request_body else set()
    response, is_decoded = _decoded(passed)
    if passed.lacks_response_body or not is_decoded:
        lacks.add(RESPONSE_BODY)
        response = replace(response, body=b"")
    exchange = Exchange(identifier, None, "", passed.at, passed.seconds, passed.request, response)
    return Captured(exchange, passed.asked, lacks=frozenset(lacks))


def _decoded(passed: Passed) -> tuple[Response, bool]:
    """The answer with its body in no content coding, and whether that could be taken off."""
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in passed.headers]
    coded = httpx.Response(passed.status or 599, headers=lines, stream=httpx.ByteStream(passed.body))
    headers = decoded_fields(passed.headers)
    if not undecodable(coded):
        with suppress(httpx.DecodingError):
            return Response(headers, coded.read(), passed.status), True
    return Response(headers, b"", passed.status), False
