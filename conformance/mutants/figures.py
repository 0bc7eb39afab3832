"""What a table of code mutants comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.mutants.outcome import Outcome

LEAST_CAUGHT = 0.95
"""The share that must be caught of the mutants that are neither equivalent nor left open by the documents."""

_UNSEEN = {Outcome.SILENT, Outcome.NOT_REACHED}
_EXCUSES = {"equivalent", "left-open"}


def is_unseen(entry: Mapping[str, Any]) -> bool:
    """Whether no answer differs, so that nobody knows whether one could."""
    return entry["outcome"] in _UNSEEN


def is_excused(entry: Mapping[str, Any]) -> bool:
    """Whether a person said that no test could catch it, or should."""
    return entry["verdict"] in _EXCUSES


def summary(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of a table.

    Of those that no answer shows, people look at some, drawn by seed. The share of blind spots among these is taken for
    the share among all of them; if nobody looked at any, all count as blind spots.

    Args:
        entries: The mutants of the table.
    """
    outcomes = Counter(entry["outcome"] for entry in entries)
    unseen = [entry for entry in entries if is_unseen(entry)]
    looked_at = [entry for entry in unseen if entry["verdict"]]
    blind = sum(not is_excused(entry) for entry in looked_at)
    estimated = len(unseen) * (blind / len(looked_at) if looked_at else 1.0)
    survivors = [entry for entry in entries if entry["outcome"] == Outcome.SURVIVED]
    missed = sum(not is_excused(entry) for entry in survivors)
    caught = outcomes[Outcome.CAUGHT]
    to_be_caught = caught + missed + estimated
    return {
        "mutants": len(entries),
        "not_started": outcomes[Outcome.NOT_STARTED],
        "caught": caught,
        "survived": len(survivors),
        "survivors_excused": len(survivors) - missed,
        "silent": outcomes[Outcome.SILENT],
        "not_reached": outcomes[Outcome.NOT_REACHED],
        "looked_at": len(looked_at),
        "blind_spots_among_these": blind,
        "blind_spots_estimated": round(estimated, 1),
        "caught_share": round(caught / to_be_caught, 4) if to_be_caught else 1.0,
    }


def holds(figures: Mapping[str, Any]) -> bool:
    """Whether a summary says that as many are caught as must be."""
    return bool(figures["caught_share"] >= LEAST_CAUGHT)
