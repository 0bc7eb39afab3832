"""JSON as ECMAScript reads and writes it (ECMA-262, JSON.parse and JSON.stringify)."""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = ["written_again"]

_LARGEST_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LONGEST = 21
_SMALLEST = -6


def written_again(body: bytes) -> bytes:
    """What JavaScript's ``JSON.stringify(JSON.parse(body))`` gives; the body itself if it is no JSON."""
    try:
        parsed = json.loads(body.decode(), parse_int=float, parse_constant=_refused)
        return _written(parsed).encode()
    except (ValueError, RecursionError):
        return body


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _written(value: Any) -> str:
    match value:
        case float():
            return _number(value)
        case list():
            return f"[{','.join(map(_written, value))}]"
        case dict():
            members = sorted(value, key=_rank)
            return f"{{{','.join(f'{_written(name)}:{_written(value[name])}' for name in members)}}}"
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _rank(name: str) -> int:
    """Where a member stands: those named by an array's index come first, by number, the others as they came."""
    is_index = _INDEX.fullmatch(name) and int(name) <= _LARGEST_INDEX
    return int(name) if is_index else _LARGEST_INDEX + 1


def _number(value: float) -> str:
    """A number as ECMAScript writes it (ECMA-262, Number::toString)."""
    if not isfinite(value):
        return "null"
    sign, found, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, found))
    point = len(digits) + int(exponent)
    if digits == "0":
        return "0"
    if len(digits) <= point <= _LONGEST:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= _LONGEST:
        text = f"{digits[:point]}.{digits[point:]}"
    elif _SMALLEST < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        fraction = f".{digits[1:]}" if digits[1:] else ""
        text = f"{digits[0]}{fraction}e{point - 1:+d}"
    return f"-{text}" if sign else text
