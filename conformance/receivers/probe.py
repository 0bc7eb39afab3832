"""How many events a receiver has processed so far, as it says itself at a URL of its own.

A GET of the probe URL is answered with 200 and a JSON object whose member ``processed`` is how many events the receiver
has processed since it was started, or ever: a whole number that grows by one with each event that has an effect. What
is refused, ignored or known already does not count.
"""

import ssl
from http import HTTPStatus

import httpx

from conformance import ConformanceError
from conformance.clock import pause, stopwatch
from conformance.exchange import Response
from conformance.receivers.sending import without_query

LONGEST_WORK = 1.5
"""Seconds after its answer that a receiver has to process an event, if its number is to show which one it was."""

_PATIENCE, _SETTLES, _POLL = 5, 0.1, 0.02
_LARGEST = 64 * 1024


class ProbeError(ConformanceError, RuntimeError):
    """A probe URL does not say how many events were processed; the message says what it answers."""


class ProbeSilentError(ProbeError):
    """Nothing answers at a probe URL."""

    exit_code = 3


class Probe:
    """Asks a receiver how many events it has processed.

    Args:
        url: The probe URL.
        tls: Whom to trust.
    """

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._url = url
        self._client = httpx.AsyncClient(verify=tls, timeout=_PATIENCE, trust_env=False)

    async def processed(self) -> int:
        """How many events were processed so far.

        Raises:
            ProbeError: If the receiver does not say it.
        """
        try:
            answer = await self._client.get(self._url)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProbeSilentError(
                f"At {without_query(self._url)} nothing says how many events were processed: "
                f"{str(error) or type(error).__name__}. Does the receiver run?"
            ) from error
        if answer.status_code != HTTPStatus.OK:
            raise self._error(f"answers {answer.status_code}")
        number = Response(body=answer.content[:_LARGEST]).members().get("processed")
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise self._error("has no whole number `processed` in its answer")
        return number

    async def processed_since(self, before: int, expected: int, longest: float) -> int:
        """How many events were processed since there were `before`, as soon as nothing more is to be expected.

        Args:
            before: How many there were.
            expected: How many there are to be at most; more are waited for a moment.
            longest: How many seconds these may take.

        Raises:
            ProbeError: If the receiver does not say it.
        """
        started, now = stopwatch(), await self.processed()
        while expected and now - before < expected and stopwatch() - started < longest:
            await pause(_POLL)
            now = await self.processed()
        await pause(_SETTLES)
        return await self.processed() - before

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _error(self, what: str) -> ProbeError:
        return ProbeError(
            f"The probe at {without_query(self._url)} {what}. It should answer a GET with 200 and a JSON object, "
            'such as {"processed": 12}: how many events were processed so far.'
        )
