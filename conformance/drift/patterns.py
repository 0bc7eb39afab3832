"""Whether one regular expression matches less than another."""

import re
import warnings
from collections.abc import Iterable

_EXAMPLES = 60
_LONGEST = 300
"""How many letters an expression has at most from which texts are drawn."""
_REPEATED = re.compile(r"\{(\d+)|,(\d+)\}")
_MOST_REPEATED = 300


def accepts_less(before: Iterable[str], after: Iterable[str]) -> str | None:
    """A text that was matched and is not any more; None if none was found, which does not prove that there is none.

    Texts are drawn from the older expressions, the same ones each time.

    Args:
        before: The older expressions (ECMA-262, as JSON Schema has them), all of which a text had to match.
        after: The newer ones.
    """
    old, new = _read(before), _read(after)
    if not old or not new or not all(map(_is_bearable, old)):
        return None
    for example in _drawn(old[0]):
        if all(each.search(example) for each in old) and not all(each.search(example) for each in new):
            return example
    return None


def matches(patterns: Iterable[str], text: str) -> bool:
    """Whether a text matches all of some regular expressions; not, if one of them cannot be read."""
    wanted = list(patterns)
    read = _read(wanted)
    return len(read) == len(wanted) and all(each.search(text) for each in read)


def _read(patterns: Iterable[str]) -> list[re.Pattern[str]]:
    """The expressions as Python reads them; none if it cannot read one, or would read it otherwise than ECMA does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return [re.compile(each, re.ASCII) for each in patterns]
    except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError):
        return []


def _is_bearable(expression: re.Pattern[str]) -> bool:
    """Whether texts are drawn from it in no time."""
    repeated = [int(low or high) for low, high in _REPEATED.findall(expression.pattern)]
    return len(expression.pattern) <= _LONGEST and all(each <= _MOST_REPEATED for each in repeated)


def _drawn(expression: re.Pattern[str]) -> list[str]:
    from hypothesis import HealthCheck, Phase, given, settings, strategies  # noqa: PLC0415  (half a second)

    found: list[str] = []

    @settings(
        max_examples=_EXAMPLES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.from_regex(expression))
    def draw(example: str) -> None:
        if "\n" not in example:  # which the end of an expression means otherwise in Python
            found.append(example)

    draw()
    return found
