"""A table of code mutants as it grows: each is tried, and becomes an entry."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import conformance
from conformance.clock import SystemClock
from conformance.mutants.figures import summary
from conformance.mutants.form import FORMAT, Reason, commit
from conformance.mutants.mutants import Mutant, mutants, sample
from conformance.mutants.outcome import Outcome, Result
from conformance.mutants.workshop import rehearse_into, try_mutant

Entry = Mapping[str, Any]
"""An entry of a table, in the form of ``specs/schemas/mutants.json``."""

_REACHED = {Outcome.CAUGHT, Outcome.SURVIVED, Outcome.SILENT}


class Table:
    """The table as it grows.

    Args:
        size: How many mutants are drawn; None for all there are, or as many as the table that is continued has drawn.
        seed: What they are drawn by; None for 0, or that of the table that is continued.
        before: A table that is continued; its mutants whose source is as it was are not tried again.
        reasons: What people said of mutants, by the mutants' ids.
        tests: The ids of the tests that may be run; empty for all.

    Raises:
        NoOperatorsError: If libcst is not installed.
    """

    def __init__(
        self,
        size: int | None = None,
        seed: int | None = None,
        before: Mapping[str, Any] | None = None,
        reasons: Mapping[str, Reason] | None = None,
        tests: Sequence[str] = (),
    ) -> None:
        self.size = before["sample"] if before and size is None else size
        self.seed = int(before["seed"] if before and seed is None else seed or 0)
        self._reasons = reasons or {}
        self._tests = tuple(tests)
        self._entries: dict[str, Entry] = {}
        every = mutants()
        known = {entry["id"]: entry for entry in before["mutants"]} if before else {}
        drawn = {mutant.id for mutant in sample(every, self.size, self.seed)}
        self._entries = {
            mutant.id: known[mutant.id]
            for mutant in every
            if mutant.id in known and known[mutant.id]["source"] == mutant.source
        }
        self._chosen = [mutant for mutant in every if mutant.id in drawn or mutant.id in self._entries]

    @property
    def remaining(self) -> list[Mutant]:
        """What is still to be tried, in the order in which it was drawn."""
        return sample([mutant for mutant in self._chosen if mutant.id not in self._entries], None, self.seed)

    def fill(self, executor: Executor, on_entry: Callable[[Entry], None]) -> None:
        """Try what is left.

        Args:
            executor: The processes of this machine that share the work; none of them has loaded the sandbox.
            on_entry: Called with the name of each mutant as it was tried, and whether it is caught.

        Raises:
            NotForkedError: If this machine cannot fork, or a rehearsal broke.
        """
        left = self.remaining
        with TemporaryDirectory(prefix="conformance-mutants-") as folder:
            files = {api: Path(folder, api) for api in dict.fromkeys(api for mutant in left for api in mutant.apis)}
            for done in wait(
                [executor.submit(rehearse_into, api, self._of(api), file) for api, file in files.items()]
            ).done:
                done.result()
            running = {
                executor.submit(try_mutant, mutant, [files[api] for api in mutant.apis]): mutant for mutant in left
            }
            for future in as_completed(running):
                mutant, result = running[future], future.result()
                self._entries[mutant.id] = _entry(mutant, result)
                on_entry({"name": mutant.id, "caught": result.outcome in {Outcome.CAUGHT, Outcome.NOT_STARTED}})

    def to_json(self) -> dict[str, Any]:
        """The table in the form of ``specs/schemas/mutants.json``."""
        made = [self._entries[mutant.id] for mutant in self._chosen if mutant.id in self._entries]
        entries = [self._with_reason(entry) for entry in made]
        return {
            "format": FORMAT,
            "suite": {"version": conformance.__version__},
            "date": SystemClock().now().isoformat(timespec="seconds"),
            "commit": commit(),
            "seed": self.seed,
            "sample": self.size,
            "complete": not self.remaining,
            "mutants": entries,
            "summary": summary(entries),
        }

    def _of(self, api: str) -> list[str]:
        return [test for test in self._tests if test.startswith(f"{api}/")]

    def _with_reason(self, entry: Entry) -> Entry:
        """An entry with what a person said of it, if nothing catches it and it is the change that was meant."""
        said = self._reasons.get(entry["id"])
        if said is None or said.change != entry["change"] or entry["outcome"] in {Outcome.CAUGHT, Outcome.NOT_STARTED}:
            return entry
        return {**entry, "verdict": said.verdict, "reason": said.reason}


def _entry(mutant: Mutant, result: Result) -> Entry:
    return {
        "id": mutant.id,
        "place": mutant.place,
        "operator": mutant.operator,
        "change": mutant.change,
        "source": mutant.source,
        "outcome": result.outcome.value,
        "reached": result.outcome in _REACHED,
        "silent": result.outcome is Outcome.SILENT,
        "caught_by": list(result.caught_by),
        "tests": list(result.tests),
        "verdict": "",
        "reason": result.reason,
    }
