"""Makes one sequence of calls again, outside of a run: what the program does that a report gives for a broken rule."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from conformance.api import Api, named
from conformance.generation.sequences import BrokenError, CallSequence, sequence_kind, subject_for
from conformance.ids import fresh_seed
from conformance.scenario import NeedError, StepFailedError
from conformance.settings import SettingsError
from conformance.specification import Specification
from conformance.targets import Conditions, Target

_TEST = "{api}/sequences/program"


@contextmanager
def calls_to(api: str, arguments: Sequence[str] | None = None) -> Iterator[CallSequence]:
    """A sequence whose calls are printed with their answers, and after them the rules that they broke.

    Args:
        api: The name of the API.
        arguments: The arguments of the program; None for those of the process.

    Yields:
        The sequence; its methods are the calls that the API's suite knows.

    Raises:
        SystemExit: With 1 if a rule was broken, with 3 if that cannot be told; a setting that is missing or wrong, or
            an argument that the program does not have, ends it too.
    """
    options = _options(api, arguments)
    sequence: CallSequence | None = None
    target = _target(named(api), live=options.live, base_url=options.base_url)
    try:
        target.open(named(api))
        subject = target.subject(named(api), _TEST.format(api=api), Conditions(seed=fresh_seed()))
        sequence = sequence_kind(named(api))(subject_for(subject, "program"))
        yield sequence
        sequence.finish()
    except BrokenError as broken:
        _print_calls(sequence)
        for finding in broken.findings:
            print(f"BROKEN {finding.rule}: {finding.where}: expected {finding.expected}, got {finding.got}")  # noqa: T201
        raise SystemExit(1) from None
    except (NeedError, StepFailedError) as failure:
        _print_calls(sequence)
        print(f"This could not be told: {failure}")  # noqa: T201
        raise SystemExit(3) from None
    finally:
        target.close()
    _print_calls(sequence)
    print("No rule was broken.")  # noqa: T201


def _options(api: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Makes a sequence of calls to {named(api).title}.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--base-url", help="a reference sandbox that runs there (default: one is started)")
    where.add_argument("--live", action="store_true", help="the server that your settings name")
    return parser.parse_args(arguments)


def _target(api: Api, *, live: bool, base_url: str | None) -> Target:
    """Where the calls go.

    Args:
        api: The API.
        live: Whether they go to the server that the settings name.
        base_url: Where a reference sandbox runs; None for one that is started.

    Raises:
        SystemExit: If a setting is missing or wrong.
    """
    specifications = {api.name: Specification.load(api.specification)}
    if not live:
        from conformance.targets.sandbox import SandboxTarget  # noqa: PLC0415  (live it is not needed)

        return SandboxTarget(specifications, {api.name: base_url} if base_url else {})
    from conformance.targets.live import LiveTarget  # noqa: PLC0415  (a sandbox needs no settings)

    try:
        return LiveTarget([api], specifications, {}, allow_wait=True)
    except SettingsError as error:
        raise SystemExit(str(error)) from error


def _print_calls(sequence: CallSequence | None) -> None:
    for number, call in enumerate(sequence.calls if sequence else (), start=1):
        print(f"{number}. {call}")  # noqa: T201
