"""The committed table of code mutants: some of those that are caught are tried again, with the tests that it names."""

from pathlib import Path
from typing import Any

import pytest

from conformance.matrix.workers import processes
from conformance.mutants.figures import summary
from conformance.mutants.form import read, read_reasons
from conformance.mutants.mutants import mutants, sample
from conformance.mutants.workshop import rehearse_into, try_mutant
from tests.conftest import EXAMPLES

EVIDENCE = Path(__file__).parents[2] / "evidence"
TRIED_AGAIN = EXAMPLES
RENEW = (
    "conformance faults mutants --resume evidence/mutants.json --json evidence/mutants.json "
    "--reasons evidence/mutants_reasons.yaml renews it"
)


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    return read(EVIDENCE / "mutants.json")


def test_the_committed_table_sums_up_what_it_has(committed: dict[str, Any]) -> None:
    assert committed["complete"], RENEW
    assert committed["summary"] == summary(committed["mutants"]), RENEW


def test_each_reason_is_in_the_committed_table(committed: dict[str, Any]) -> None:
    entries = {entry["id"]: entry for entry in committed["mutants"]}
    for name, said in read_reasons(EVIDENCE / "mutants_reasons.yaml").items():
        assert (entries[name]["change"], entries[name]["verdict"]) == (said.change, said.verdict), RENEW


def test_some_that_were_caught_are_caught_again_by_the_tests_that_the_table_names(
    committed: dict[str, Any], tmp_path: Path
) -> None:
    caught = {
        (entry["id"], entry["source"]): entry
        for entry in committed["mutants"]
        if entry["outcome"] == "caught" and entry["tests"]
    }
    known = [mutant for mutant in mutants() if (mutant.id, mutant.source) in caught]
    chosen = sample(known, TRIED_AGAIN, committed["seed"])
    assert len(chosen) == min(TRIED_AGAIN, len(caught)), RENEW
    tests = sorted({test for mutant in chosen for test in caught[mutant.id, mutant.source]["tests"]})
    with processes(2) as executor:
        files = {api: tmp_path / api for api in ("offblocks", "planbok")}
        rehearsing = [
            executor.submit(rehearse_into, api, [test for test in tests if test.startswith(f"{api}/")], file)
            for api, file in files.items()
        ]
        for each in rehearsing:
            each.result()
        trials = {mutant: executor.submit(try_mutant, mutant, [files[api] for api in mutant.apis]) for mutant in chosen}
        missed = [mutant.id for mutant, trial in trials.items() if trial.result().outcome != "caught"]
    assert missed == []
