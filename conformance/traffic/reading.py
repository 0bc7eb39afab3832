"""Judges a file of traffic: tells which of it is for which API, and judges that in the order in which it ended."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from conformance.api import Api
from conformance.traffic.addresses import Sorted, sort_entries
from conformance.traffic.capture import Captured, ServerClock
from conformance.traffic.files import read_capture
from conformance.traffic.judgement import TrafficJudge

_SEVERAL = 2


def judge_file(
    path: Path, base_urls: Mapping[str, str], apis: Sequence[Api], *, strict: bool = False
) -> dict[str, Any]:
    """What a file of traffic shows of both parties, in the form of ``specs/schemas/results.json``.

    Args:
        path: An HTTP Archive, or what ``GET /_sandbox/requests`` answers.
        base_urls: Where an API is, by its name; empty to guess it for all of `apis`.
        apis: The APIs that can be meant.
        strict: Whether inferred rules count as their level says.

    Raises:
        TrafficUnreadableError: If the file cannot be read.
        AmbiguousTrafficError: If it has to be guessed where an API is, and cannot be.
        SettingsError: If a setting of the user's is wrong.
    """
    capture = read_capture(path)
    found = sort_entries(capture, base_urls, apis)
    numbered = [(entry.number, name, entry.captured()) for name, entries in found.entries.items() for entry in entries]
    numbered.sort(key=lambda each: each[0])
    if not capture.is_ours:
        numbered.sort(key=lambda each: _end(each[2]))
    captured = [(name, each) for _, name, each in numbered]
    clocks = {name: ServerClock() for name in found.entries}
    captured = [(name, clocks[name].beside(each)) for name, each in captured]
    judge = TrafficJudge(apis, found.bases, is_coarse=_is_coarse([each for _, each in captured]))
    for name, each in captured:
        judge.see(name, each)
    words = ["conformance", "judge", str(path)]
    for name in base_urls:
        words += ["--base-url", f"{name}={found.bases[name]}"]
    number = f"{len(captured)} request{'' if len(captured) == 1 else 's'}"
    return judge.results(
        f"the traffic in {path.name}, {number}",
        command=shlex.join([*words, *(["--strict"] if strict else [])]),
        strict=strict,
        remarks=_remarks(found, [each for _, each in captured]),
    )


def _remarks(found: Sorted, captured: Sequence[Captured]) -> list[str]:
    remarks = [
        f"No --base-url is given: {found.bases[name]} is taken for that of {name}, since requests to it fit its paths."
        for name in found.guessed
    ]
    if found.elsewhere:
        were = "request was" if found.elsewhere == 1 else "requests were"
        remarks.append(f"{found.elsewhere} {were} for something else and left out.")
    kinds = (
        ("got no answer", sum(not each.is_answered for each in captured)),
        ("was answered by a cache and not by the server", sum(each.is_cached for each in captured)),
        ("lacks a body that was not recorded", sum(bool(each.lacks) for each in captured)),
    )
    return remarks + [f"Of the requests {number} {what}." for what, number in kinds if number]


def _end(captured: Captured) -> datetime:
    exchange = captured.exchange
    return (exchange.machine_at or exchange.at) + timedelta(seconds=exchange.seconds)


def _is_coarse(captured: Sequence[Captured]) -> bool:
    """Whether all times are whole seconds, though some would not be by chance."""
    times = [each.exchange.machine_at or each.exchange.at for each in captured]
    return len(times) >= _SEVERAL and not any(time.microsecond for time in times)
