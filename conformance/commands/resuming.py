"""``conformance run --resume``: a run that was interrupted goes on, and both parts become one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from conformance.api import registered, selected_apis
from conformance.judging.merging import continued
from conformance.judging.reading import ResultsUnreadableError, read_results
from conformance.options import Options

_ALIKE = ("target", "strict", "examples", "pin_agent", "allow_wait")


class NotResumedError(ResultsUnreadableError):
    """A run cannot be gone on with; the message says why, and what to do."""


@dataclass(frozen=True)
class Resumed:
    """A run that goes on.

    Args:
        folder: Where the results of the earlier part lie.
        earlier: These.
        options: What the rest of it is asked to do.
    """

    folder: Path
    earlier: Mapping[str, Any]
    options: Options

    @classmethod
    def of(cls, options: Options, folder: Path) -> Self:
        """Go on with the run whose results lie in a folder: what had ended is not run again, and the seed is the same.

        Args:
            options: The options of the earlier part, given once more.
            folder: What was its ``--report``.

        Raises:
            ResultsUnreadableError: If there are no results.
            NotResumedError: If that run came to its end, or judged something else.
        """
        earlier = read_results(folder)
        if not earlier.get("interrupted"):
            raise NotResumedError(f"{folder} holds a run that came to its end: there is nothing to go on with.")
        if options.seed not in {None, earlier["seed"]}:
            raise NotResumedError(f"{folder} has the seed {earlier['seed']}, not {options.seed}: leave --seed out.")
        for name in _ALIKE:
            if getattr(options, name) != earlier[name]:
                option, before, now = name.replace("_", "-"), earlier[name], getattr(options, name)
                raise NotResumedError(
                    f"{folder} was run with the {option} {before!r}, not {now!r}: give the options of that run again, "
                    "and --resume."
                )
        apis = {api.name for api in selected_apis(options.apis)}
        asked = {"rules": list(options.rule), "tests": list(options.tests)}
        if earlier["selected"] != asked or apis != earlier["apis"].keys():
            raise NotResumedError(
                f"{folder} judged another part of the rules: name the same APIs, rules and tests again, and --resume."
            )
        return cls(folder, earlier, replace(options, seed=earlier["seed"], done=tuple(earlier["scenarios"])))

    def completed(self, later: Mapping[str, Any]) -> dict[str, Any]:
        """The results of both parts.

        Raises:
            NotMergedError: If the server or the rules have changed in between.
        """
        is_whole = not (self.options.rule or self.options.tests)
        apis = [registered()[name] for name in later["apis"]]
        main_flows = [f"{api.name}.{api.main_flow}" for api in apis if api.main_flow and is_whole]
        return continued(str(self.folder), self.earlier, later, main_flows, self.options.min_judged)
