"""The exchanges of results as an HTTP Archive, without secrets as they are there."""

from collections.abc import Mapping
from typing import Any

from conformance.judging.results import exchange_from_json
from conformance.recording.har import to_har


def archive(results: Mapping[str, Any]) -> dict[str, Any]:
    """The exchanges as an archive that browsers and other tools read (HAR 1.2), the oldest first.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    exchanges = (exchange_from_json(exchange) for exchange in results["exchanges"])
    return to_har(sorted(exchanges, key=lambda exchange: exchange.at))
