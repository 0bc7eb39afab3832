"""What the suite says of changed sandboxes: one of each outcome."""

from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from conformance.matrix.workers import processes
from conformance.mutants.mutants import PACKAGE, Mutant
from conformance.mutants.outcome import Outcome, Result
from conformance.mutants.workshop import rehearse_into, try_mutant

CREATED = "offblocks/customer/a_new_customer_is_created"
EXPIRY = "offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour"
AT_ONCE = "offblocks/signing/of_two_signatures_at_once_one_succeeds"
TESTS = (CREATED, EXPIRY, AT_ONCE)
CHALLENGE = "offblocks/sandbox/challenge.py"
HOUR = "return timedelta(hours=1)"


def changed(before: str, after: str, file: str = CHALLENGE, names: tuple[str, ...] = ()) -> Mutant:
    source = (PACKAGE / file).read_text("utf-8")
    start = source.index(before)
    line = source.count("\n", 0, start) + 1
    lines = line, line + before.count("\n")
    executes = None if names else lines
    return Mutant(file, "f", "constant", 1, lines, executes, names, "", "", start, start + len(before), after)


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with processes(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def rehearsal(executor: Executor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("mutants") / "offblocks"
    executor.submit(rehearse_into, "offblocks", TESTS, file).result()
    return file


@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        (
            changed(HOUR, "return timedelta(hours=3)"),
            Result(Outcome.CAUGHT, ("offblocks.challenge.expires-after-one-hour",), (EXPIRY,)),
        ),
        (changed("return not self.", "return not not not self."), Result(Outcome.SILENT)),
        (
            changed('"OffBlocks asks you to prove that this wallet is yours."', '"Sign this."'),
            Result(Outcome.SURVIVED, (), (CREATED, EXPIRY)),
        ),
        (changed("return 3", "return 4", "offblocks/sandbox/webhook.py"), Result(Outcome.NOT_REACHED)),
        (
            changed(
                "class ChallengeDecisions(", "raise KeyError\nclass ChallengeDecisions(", names=("ChallengeDecisions",)
            ),
            Result(Outcome.NOT_STARTED, reason="The sandbox does not start: KeyError: "),
        ),
        (
            changed("if not isinstance(value, dict)", "if isinstance(value, dict)", "sandbox/messages.py"),
            Result(Outcome.NOT_STARTED, reason="No world of it can be made."),
        ),
        (
            changed(HOUR, 'return __import__("os")._exit(3)'),
            Result(Outcome.CAUGHT, reason="It ends the process of the sandbox with 3."),
        ),
        (
            changed(HOUR, "while True: pass"),
            Result(Outcome.CAUGHT, reason="It hangs: what reaches it does not come to an end in time."),
        ),
    ],
    ids=["caught", "silent", "survived", "not reached", "not started", "no world", "exits", "hangs"],
)
def test_each_outcome(mutant: Mutant, expected: Result, executor: Executor, rehearsal: Path) -> None:
    assert executor.submit(try_mutant, mutant, [rehearsal]).result() == expected
