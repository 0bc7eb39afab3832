import json
from pathlib import Path
from typing import Any

import pytest

from conformance.reporting.files import ReportNotWrittenError, make_folder, write_reports


def test_the_three_reports_are_written(mixed: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    assert [path.name for path in write_reports(mixed, folder)] == ["results.json", "report.html", "junit.xml"]
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == mixed
    assert (folder / "junit.xml").read_text(encoding="utf-8").startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert len(list(folder.iterdir())) == 3


def test_reports_of_an_earlier_run_are_replaced(mixed: dict[str, Any], good: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path)
    write_reports(good, tmp_path)
    assert json.loads((tmp_path / "results.json").read_bytes())["verdict"] == "conforms"


def test_what_is_no_unicode_text_is_still_json(mixed: dict[str, Any], tmp_path: Path) -> None:
    mixed["rules"][0]["findings"][0]["got"] = "half \ud800 ü"
    write_reports(mixed, tmp_path)
    assert json.loads((tmp_path / "results.json").read_bytes()) == mixed


def test_a_report_is_written_whole_or_not_at_all(
    mixed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results.json").write_text("before", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportNotWrittenError, match=r"results\.json: No space left on device"):
        write_reports(mixed, tmp_path)
    assert (tmp_path / "results.json").read_text(encoding="utf-8") == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_a_file_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("", encoding="utf-8")
    with pytest.raises(ReportNotWrittenError, match="Give another folder to --report"):
        make_folder(tmp_path / "report")
