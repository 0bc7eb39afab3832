"""Names that are alike: one of them may be the other's new one."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher


def best_pairs(alike: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """Pairs of an older and a newer name, those first that are most alike; each name is in one pair at most."""
    pairs: list[tuple[str, str]] = []
    for before, after in sorted(alike, key=lambda pair: -alike[pair]):
        if all(before != one and after != other for one, other in pairs):
            pairs.append((before, after))
    return pairs


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1; how words in them are put together makes no difference."""
    first, second = (re.sub(r"[^a-z0-9]", "", name.lower()) for name in (one, other))
    if first == second:
        return 1.0
    words = [set(re.findall(r"[a-z0-9]+|[A-Z][a-z0-9]*", name)) for name in (one, other)]
    lowered = [{word.lower() for word in each} for each in words]
    if lowered[0] & lowered[1] == min(lowered, key=len):
        return 0.8 if min(map(len, lowered)) else 0.0
    return SequenceMatcher(None, first, second).ratio()
