"""Is a documented break of a protection caught on other right servers than the sandbox as it is, too?

Each fault that breaks a documented rule which protects something is tried with variations as well: those of its topic,
then those of the form of answers. The scenarios that judge its rules run on the sandbox with the fault alone, with the
variation alone, and with both; caught is what the matrix calls so, by comparison with the variation alone. Faults that
these scenarios do not show on the sandbox as it is (they take circumstances or generated requests) are counted apart; a
variation with which the rules cannot be judged tells nothing.
Prints a line for each crossing that is not caught, writes all as JSON, and exits 1 if there is one.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from origin import origin  # type: ignore[import-not-found]  # it lies beside this script

from conformance.api import Api, registered
from conformance.catalogue import Basis, Catalogue
from conformance.clock import stopwatch
from conformance.commands.rulebook import verified_rules
from conformance.ids import Ids
from conformance.matrix.judgement import judge
from conformance.matrix.observation import is_generated
from conformance.matrix.session import ReplaceableApp, Round, run_rounds
from conformance.matrix.trials import Trial, trials
from conformance.matrix.verdicts import RuleVerdict, combine
from conformance.matrix.warm import warm_process
from conformance.sandbox.behaviour import compose
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds
from conformance.verdicts import Verdict

FOLDER = Path(__file__).parent
FORMAT = "conformance-crossings/1"
VARIATIONS = 3
"""With how many variations each fault is tried."""
FORM = "response"
"""The topic of the form of answers, whose variations go with every fault."""
_AT_THE_PAGE = "With it the API never refuses at the request, so that the fault does nothing."
TAKEN_AWAY = {
    ("ProvisionsThoughItRefuses", "FailsAfterThePin"): _AT_THE_PAGE,
    ("ProvisionsThoughItRefuses", "RefusesAtThePage"): _AT_THE_PAGE,
    ("RepeatsLinks", "AnswersWithTheOpenChallenge"): "With it the same challenge is given again, with its link.",
}
"""Faults that a variation takes away, so that there is nothing to catch, and why."""
_UNJUDGED = {Verdict.SKIPPED, Verdict.UNTESTED}
_CERTAIN = (Basis.DOCUMENTED, Basis.STANDARD)


def topic(trial: Trial) -> str:
    """The topic of a fault or variation: the module that it stands in."""
    return trial.change.__module__.rpartition(".")[2]


def breaks_a_protection(trial: Trial, catalogue: Catalogue) -> bool:
    """Whether a fault breaks a rule that protects something and that a document or standard has."""
    return any(catalogue[rule].protects and catalogue[rule].basis in _CERTAIN for rule in trial.breaks)


def partners(fault: Trial, variations: Sequence[Trial], api: Api) -> list[Trial]:
    """The variations that a fault is tried with, drawn by its name: of its own topic first."""
    ids = Ids("crossings", fault.name)
    ranked = sorted(variations, key=lambda each: (topic(each) != topic(fault), topic(each) != FORM, ids.draw(8)))
    return [each for each in ranked if _fits(fault, each, api)][:VARIATIONS]


def _fits(fault: Trial, variation: Trial, api: Api) -> bool:
    """Whether one sandbox can have both, and they do not decide the same."""
    if (fault.name, variation.name) in TAKEN_AWAY:
        return False
    own = {name for name in vars(fault.change) if not name.startswith("_") and callable(vars(fault.change)[name])}
    if own & set(vars(variation.change)) or api.sandbox is None:
        return False
    try:
        compose(api.sandbox, [fault.change, variation.change])
    except UnknownFaultError:
        return False
    return True


def measure(api: Api, faults: Sequence[Trial], variations: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    """Cross faults of an API with variations.

    Yields:
        The API, the fault, and for each variation whether the fault was caught; no variation where it is not caught
        alone.
    """
    catalogue = Catalogue.load(api.rules)
    tests = {
        fault.name: tuple(
            test
            for test, rules in verified_rules(api).items()
            if not is_generated(test) and set(rules) & set(fault.breaks)
        )
        for fault in faults
    }
    crossed = {fault.name: partners(fault, variations, api) for fault in faults}
    asked: dict[tuple[str, ...], set[str]] = {(): {test for each in tests.values() for test in each}}
    for fault in faults:
        asked[fault.name,] = set(tests[fault.name])
        for variation in crossed[fault.name]:
            asked.setdefault((variation.name,), set()).update(tests[fault.name])
            asked[fault.name, variation.name] = set(tests[fault.name])
    asked = {names: chosen for names, chosen in asked.items() if chosen}
    app = ReplaceableApp(api)
    rounds = [
        Round(sorted(chosen), partial(app.replace, SandboxApp(Worlds([api], "sandbox", names, beyond_loopback=False))))
        for names, chosen in asked.items()
    ]
    with warm_process(), RunningSandbox(app, "127.0.0.1", 0) as sandbox:
        observed = dict(zip(asked, run_rounds(api, sandbox.origin, rounds, examples=1), strict=True))

    def caught(fault: Trial, *others: str) -> bool | None:
        names = {test for test in observed[others].verdicts if test.partition(".")[0] in tests[fault.name]}
        right = {test: observed[others].verdicts[test] for test in names}
        usual = combine(right)
        if others and all(usual.get(rule, RuleVerdict()).plain in _UNJUDGED for rule in fault.breaks):
            return None
        return judge(fault.breaks, observed[fault.name, *others].verdicts, right, catalogue).caught

    for fault in faults:
        shown = (fault.name,) in observed and caught(fault)
        with_others = {each.name: caught(fault, each.name) for each in crossed[fault.name]} if shown else {}
        judged = {name: is_caught for name, is_caught in with_others.items() if is_caught is not None}
        yield {"api": api.name, "fault": fault.name, "crossed": judged}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; 1 if a fault is caught alone and not with a variation, else 0.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these faults; * matches any text")
    parser.add_argument("--sample", type=int, help="only so many of each API, drawn by --seed")
    parser.add_argument("--seed", default="0", help="what the sample is drawn from (default 0)")
    parser.add_argument("--output", type=Path, default=FOLDER / "crossings.json", help="the file to write")
    options = parser.parse_args(arguments)
    made, began, found, all_of_them = origin(), stopwatch(), [], 0
    try:
        chosen = [trial for trial in trials(options.names) if trial.section == "faults"]
    except UnknownFaultError as error:
        parser.error(str(error))
    for api in registered().values():
        catalogue = Catalogue.load(api.rules)
        faults = [each for each in chosen if each.api == api.name and breaks_a_protection(each, catalogue)]
        all_of_them += len(faults)
        if options.sample is not None:
            ids = Ids(options.seed, api.name)
            faults = sorted(faults, key=lambda _: ids.draw(8))[: options.sample]
        variations = [each for each in trials() if each.section == "variations" and each.api == api.name]
        for each in measure(api, faults, variations) if faults else ():
            found.append(each)
            for name in (name for name, is_caught in each["crossed"].items() if not is_caught):
                print(f"not caught: {each['fault']} with {name}", flush=True)
    if not found:
        parser.error(
            "None of these breaks a documented rule that protects something; list them with: conformance faults"
        )
    missed = sum(not is_caught for each in found for is_caught in each["crossed"].values())
    tried = sum(len(each["crossed"]) for each in found)
    apart = sum(not each["crossed"] for each in found)
    written = {
        "format": FORMAT,
        **made,
        "seconds": round(stopwatch() - began, 1),
        "of_faults": all_of_them,
        "crossings": found,
    }
    options.output.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(f"{tried - missed} of {tried} crossings of {len(found)} faults are caught; {apart} show apart from scenarios")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
