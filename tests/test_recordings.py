"""A recording keeps what was skipped, so that its replay says the same."""

from pathlib import Path

import pytest

from conformance.options import Options, read_age
from conformance.recording.cassettes import CassetteUnreadableError
from conformance.recording.skipped import note_skipped, skipped_tests
from conformance.run import UsageError, run

TEST = "offblocks/isolation/a_list_shows_no_customers_of_others"
LACKED = "a second identity; set CONFORMANCE_OFFBLOCKS_SECOND_API_KEY"


def test_what_was_skipped_is_kept_until_it_is_recorded(tmp_path: Path) -> None:
    note_skipped(tmp_path, "offblocks", {TEST: LACKED, "offblocks/a/b": None})
    assert skipped_tests(tmp_path) == {TEST: LACKED}
    note_skipped(tmp_path, "offblocks", {"offblocks/a/b": "more"})
    assert skipped_tests(tmp_path) == {TEST: LACKED, "offblocks/a/b": "more"}
    note_skipped(tmp_path, "offblocks", {TEST: None, "offblocks/a/b": None})
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_where_nothing_was_skipped(tmp_path: Path) -> None:
    note_skipped(tmp_path / "new", "offblocks", {TEST: None})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [("format: other", "is wrong at"), ("{", "is not YAML"), ("format: conformance-recording/1", "is wrong")],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "recording.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CassetteUnreadableError, match=told):
        skipped_tests(tmp_path)


def test_a_replay_shows_it_skipped_with_its_reason(tmp_path: Path) -> None:
    note_skipped(tmp_path / "offblocks", "offblocks", {TEST: LACKED})
    (tmp_path / "offblocks" / "flow").mkdir()
    (tmp_path / "offblocks" / "flow" / "any.yaml").write_text("", encoding="utf-8")
    results = run(
        Options(apis=("offblocks",), cassettes=tmp_path, tests=(TEST,), rule=("offblocks.isolation.list-apart",))
    )
    (rule,) = results["rules"]
    assert (rule["verdict"], rule["reason"]) == ("skipped", f"This needs {LACKED}.")


def remarks_on_age(max_age: int) -> list[str]:
    tests = ("planbok/gate/a_customer_without_a_pin_gets_no_wallet",)
    found = run(Options(apis=("planbok",), rule=("planbok.gate.*",), tests=tests, max_age=max_age))
    return [each for each in found["remarks"] if "--max-age" in each]


def test_a_replay_says_which_cassettes_are_old() -> None:
    (told,) = remarks_on_age(0)
    assert told.startswith("1 cassette of Planbok is older than --max-age, the oldest of 20")
    assert "planbok/gate/a_customer_without_a_pin_gets_no_wallet" in told
    assert told.endswith("To record them again: conformance record planbok --target sandbox")
    assert remarks_on_age(10**9) == []
    with pytest.raises(UsageError, match="--max-age goes with a replay"):
        run(Options(apis=("planbok",), target="sandbox", max_age=1))


def test_an_age_is_in_days_or_hours() -> None:
    assert [read_age("30d"), read_age("12h"), read_age(5)] == [30 * 86400, 12 * 3600, 5]
    for wrong in ("30", "d", "-1d", "1w", "٣d", "9999999d"):
        with pytest.raises(ValueError, match="is no age, such as 30d"):
            read_age(wrong)
