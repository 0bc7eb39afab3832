"""Files of traffic: what kind one is of, and its bounds."""

import json
from pathlib import Path
from typing import Any

from conformance.traffic.archive import is_ours, read_archive
from conformance.traffic.capture import Capture, TrafficUnreadableError
from conformance.traffic.request_log import read_log

LARGEST_FILE = 128 * 1024 * 1024
"""The most bytes that a file of traffic may have."""
_MIB = 1024 * 1024


def read_capture(path: Path) -> Capture:
    """The traffic in a file: an HTTP Archive, or what ``GET /_sandbox/requests`` answers.

    Raises:
        TrafficUnreadableError: If it cannot be read, is too large or cut off, or holds something else.
    """
    raw = _json(path)
    if isinstance(raw, dict):
        entries = read_archive(path.name, raw)
        return Capture(path.name, entries, is_ours=is_ours(raw["log"]))
    return Capture(path.name, read_log(path.name, raw), is_ours=True)


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise TrafficUnreadableError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST_FILE:
        raise TrafficUnreadableError(
            f"{path} is larger than {LARGEST_FILE // _MIB} MiB. Export fewer requests, or those of the API alone."
        )
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TrafficUnreadableError(f"{path} is not UTF-8 from byte {error.start} on, so it is no JSON.") from None
    except json.JSONDecodeError as error:
        is_cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        end = "it is cut off there" if is_cut else error.msg
        raise TrafficUnreadableError(
            f"{path} is no JSON at line {error.lineno}, column {error.colno}: {end}."
        ) from None
    except RecursionError:
        raise TrafficUnreadableError(f"{path} is nested too deep for traffic.") from None
    except ValueError as error:
        raise TrafficUnreadableError(f"{path} is no JSON that can be read: {error}.") from None
