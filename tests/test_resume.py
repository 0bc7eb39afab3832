"""``conformance run --resume``: a run that was interrupted goes on where it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli import app
from conformance.run import Options, run

DONE = "offblocks/challenge/a_challenge_is_fetched_again"
LEFT = "offblocks/flow/a_customer_is_onboarded_from_the_first_call_to_the_last"
AGAIN = ("run", "offblocks", "--target", "sandbox", "--test", DONE, "--test", LEFT)


def interrupted(folder: Path, **changed: Any) -> Path:
    """What a run leaves that was interrupted after one of two tests."""
    found = run(Options(apis=("offblocks",), target="sandbox", seed="7", tests=(DONE,)))
    remark = "The run was interrupted: what had not been judged by then is untested."
    told = {"interrupted": True, "selected": {"rules": [], "tests": [DONE, LEFT]}, "remarks": [remark], **changed}
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps({**found, **told}))
    return folder


def resumed(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--resume", str(folder)])
    return result.exit_code, result.output


def test_what_had_ended_is_not_run_again_and_both_parts_are_one(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "report")
    code, output = resumed(folder, *AGAIN)
    both = json.loads((folder / "results.json").read_text())
    assert (code, both["verdict"], both["seed"]) == (0, "conforms", "7")
    assert set(both["scenarios"]) == {DONE, LEFT}
    assert "interrupted" not in both
    assert not [remark for remark in both["remarks"] if "interrupted" in remark]
    assert "CONFORMS" in output
    assert (folder / "report.html").exists()
    tests = {exchange["id"].partition("#")[0] for exchange in both["exchanges"]}
    assert tests == {DONE, LEFT}


def test_what_neither_part_judged_makes_it_inconclusive(tmp_path: Path) -> None:
    code, output = resumed(interrupted(tmp_path / "report"), *AGAIN, "--min-judged", "99")
    assert code == 3
    assert "less than 99 percent of them" in " ".join(output.split())


def test_a_run_that_came_to_its_end_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = interrupted(tmp_path / "report")
    assert resumed(folder, *AGAIN)[0] == 0
    code, output = resumed(folder, *AGAIN)
    assert code == 2
    assert "came to its end" in " ".join(output.split())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--strict",), "was run with the strict False, not True"),
        (("--rule", "offblocks.flow.*"), "name the same APIs, rules and tests again"),
        (("--seed", "8"), "has the seed 7, not 8: leave --seed out"),
    ],
)
def test_what_was_asked_must_be_the_same(tmp_path: Path, changed: tuple[str, ...], said: str) -> None:
    folder = interrupted(tmp_path / "report")
    before = (folder / "results.json").read_bytes()
    code, output = resumed(folder, *AGAIN, *changed)
    assert (code, said in " ".join(output.split())) == (2, True)
    assert (folder / "results.json").read_bytes() == before


def test_without_results_it_is_said_what_to_give(tmp_path: Path) -> None:
    code, output = resumed(tmp_path, *AGAIN)
    assert code == 2
    assert "Give a folder that `conformance run --report DIR` wrote" in " ".join(output.split())
