import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conformance.reporting.files import FORMATS, ReportNotWrittenError, make_folder, write_reports


def test_the_three_reports_are_written(mixed: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "a" / "report"
    assert [path.name for path in write_reports(mixed, folder)] == ["results.json", "report.html", "junit.xml"]
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == mixed
    assert (folder / "junit.xml").read_text(encoding="utf-8").startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert len(list(folder.iterdir())) == 3


def test_the_forms_that_are_named_are_written(mixed: dict[str, Any], tmp_path: Path) -> None:
    names = [path.name for path in write_reports(mixed, tmp_path, ("sarif", "har", "sarif"))]
    assert names == ["results.json", "sarif.json", "exchanges.har"]
    written = [path.name for path in write_reports(mixed, tmp_path / "all", FORMATS)]
    assert written == ["results.json", "report.html", "junit.xml", "sarif.json", "summary.md", "exchanges.har"]


def test_each_rule_and_each_exchange_has_a_line_of_its_own(mixed: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path, ())
    lines = (tmp_path / "results.json").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line.rstrip(","))["id"] for line in lines if line.startswith('    {"id": ')] == [
        each["id"] for each in (*mixed["rules"], *mixed["exchanges"])
    ]


def test_reports_of_an_earlier_run_are_replaced(mixed: dict[str, Any], good: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path)
    write_reports(good, tmp_path)
    assert json.loads((tmp_path / "results.json").read_bytes())["verdict"] == "conforms"


def test_what_is_no_unicode_text_is_still_json(mixed: dict[str, Any], tmp_path: Path) -> None:
    mixed["rules"][0]["findings"][0]["got"] = "half \ud800 ü"
    write_reports(mixed, tmp_path)
    assert json.loads((tmp_path / "results.json").read_bytes()) == mixed


def test_whatever_a_server_says_each_form_can_be_read(mixed: dict[str, Any], tmp_path: Path) -> None:
    odd = "half \ud800 \x00 ]]> \u2028 `|` </script><!-- " + "x" * 5000
    for each in (*mixed["rules"], *(finding for rule in mixed["rules"] for finding in rule["findings"])):
        each.update({name: odd for name in ("reason", "got", "where") if each.get(name)})
    exchange = mixed["exchanges"][0]
    exchange["request"] |= {"url": odd, "method": odd, "headers": [[odd, odd]], "body": odd}
    exchange["response"] |= {"headers": [[odd, odd], [odd.upper(), odd]]}
    paths = {path.name: path.read_text(encoding="utf-8") for path in write_reports(mixed, tmp_path, FORMATS)}
    for name in ("results.json", "sarif.json", "exchanges.har"):
        assert json.loads(paths[name])
    assert ET.fromstring(paths["junit.xml"]).tag == "testsuites"
    assert paths["report.html"].count("</script>") == 1
    assert "\x00" not in "".join(paths[name] for name in paths if name != "exchanges.har")
    assert all(len(line) < 10_000 for line in paths["summary.md"].splitlines())


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
