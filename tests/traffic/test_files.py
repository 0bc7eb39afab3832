"""Files that hold no traffic, or not what it seems, and the command that reads them."""

import json
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.traffic import files
from conformance.traffic.capture import TrafficUnreadableError
from conformance.traffic.files import read_capture

from .conftest import exported


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["judge", *map(str, words)])


ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-01-15T12:00:00Z",
    "request": {"method": "GET", "url": "https://api.offblocks.xyz/v1/customers", "headers": []},
    "response": {"status": 200, "headers": [], "content": {"text": "[]"}},
}


def har(**members: Any) -> str:
    return json.dumps({"log": {"entries": [{**ENTRY, **members}]}})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "at line 1, column 1"),
        (b"\x80\x81", "not UTF-8 from byte 0 on"),
        (b"GET / HTTP/1.1", "no JSON at line 1, column 1"),
        (har().encode()[:-9], "it is cut off there"),
        (b"[" * 100_000, "nested too deep"),
        (b"null", "neither an HTTP Archive nor a log of requests"),
        (b"[1]", "neither an HTTP Archive nor a log of requests that can be read: 0"),
        (b"{}", "no HTTP Archive that can be read: the top"),
        (b'{"log": {"entries": {}}}', "log/entries"),
        (b'{"log": {"entries": [{"request": {"method": "GET"}}]}}', "log/entries/0/request"),
        (har(startedDateTime="yesterday").encode(), "log/entries/0/startedDateTime: it is no ISO 8601 time"),
        (har(startedDateTime="0001-01-01T00:00:00+14:00").encode(), "log/entries/0/startedDateTime"),
        (har(startedDateTime="9999-12-31T23:59:59Z").encode(), "log/entries/0/startedDateTime"),
        (har(response={"status": "200"}).encode(), "log/entries/0/response/status"),
        (har(response={"status": 200, "content": {"text": "=", "encoding": "base64"}}).encode(), "content/text"),
        (har(request={**ENTRY["request"], "headers": [{"name": 1}]}).encode(), "request/headers/0"),
        (b"9" * 5_000, "no JSON that can be read"),
    ],
)
def test_what_is_no_traffic_is_told_with_its_place(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "a.har"
    file.write_bytes(content)
    done = invoke(file, "--base-url", "offblocks=https://api.offblocks.xyz")
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert len(done.output) < 500


def test_a_value_that_does_not_fit_is_not_told_since_it_may_be_secret(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    file.write_text(har(request={**ENTRY["request"], "headers": "hunter2"}))
    done = invoke(file)
    assert done.exit_code == 2
    assert "hunter2" not in done.output


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 10)
    (tmp_path / "a.har").write_text(har())
    with pytest.raises(TrafficUnreadableError, match="larger than"):
        read_capture(tmp_path / "a.har")
    with pytest.raises(TrafficUnreadableError, match="No such file"):
        read_capture(tmp_path / "b.har")


@pytest.mark.parametrize("time", ["null", "-1", "NaN", "Infinity", "1e400", "1e20", "86400000"])
def test_odd_durations_and_byte_order_marks_are_read(tmp_path: Path, time: str) -> None:
    file = tmp_path / "a.har"
    file.write_bytes(b"\xef\xbb\xbf" + har(time="T").replace('"T"', time).encode())
    done = invoke(file)
    assert done.exit_code in {0, 1, 3}, done.output


@pytest.mark.parametrize("size", [None, -1, "many", {}, [], 10**40, 1e308])
def test_odd_sizes_are_read(tmp_path: Path, size: Any) -> None:
    file = tmp_path / "a.har"
    file.write_text(har(response={"status": 200, "headers": [], "content": {"size": size, "text": "[]"}}))
    assert invoke(file).exit_code in {0, 1, 3}


def test_odd_dates_of_servers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    for date in (
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "now",
        "",
        "Thu, 01 Jan 1970 00:00:00",
    ):
        file.write_text(har(response={"status": 200, "headers": [{"name": "Date", "value": date}]}))
        assert invoke(file).exit_code in {0, 1, 3}, date


def test_a_log_may_say_that_an_answer_took_for_ever(tmp_path: Path, log: Any) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([{**entry, "seconds": 1e308} for entry in log]))
    assert invoke(file).exit_code in {0, 3}


def test_where_an_api_is_must_be_plain(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    stranger = deepcopy(ENTRY)
    stranger["request"]["url"] = "https://api.other.example/v1/customers"
    third = deepcopy(ENTRY)
    third["request"]["url"] = "https://api.third.example/x/v1/customers"

    file.write_text(json.dumps({"log": {"entries": [stranger, third]}}))
    done = invoke(file)
    assert done.exit_code == 2
    assert "https://api.other.example, https://api.third.example/x" in done.output
    assert "--base-url offblocks=https://api.other.example" in done.output

    file.write_text(json.dumps({"log": {"entries": [stranger, third, ENTRY]}}))
    done = invoke(file)
    assert "https://api.offblocks.xyz is taken for that of offblocks" in done.output
    assert "2 requests were for something else" in done.output

    file.write_text(json.dumps({"log": {"entries": []}}))
    done = invoke(file)
    assert done.exit_code == 2
    assert "None of the 0 requests" in done.output
    done = invoke(file, "--base-url", "offblocks=https://api.offblocks.xyz")
    assert done.exit_code == 3
    assert "INCONCLUSIVE" in done.output


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    file.write_text(har())
    assert "There is no API called 'nobody'" in invoke(file, "--base-url", "nobody=https://a.example").output
    assert invoke(file, "--base-url", "offblocks").exit_code == 2
    assert "must end before /v1" in invoke(file, "--base-url", "offblocks=https://a.example/v1").output
    unwritable = invoke(file, "--support-text", tmp_path / "none" / "a.md")
    assert unwritable.exit_code == 2
    assert "cannot be written" in unwritable.output


def test_the_command_writes_what_it_is_asked_for(tmp_path: Path, archive: Any) -> None:
    traffic = exported(archive)
    creation = next(each for each in traffic["log"]["entries"] if each["request"]["url"].endswith("/v1/customers"))
    body = json.loads(creation["response"]["content"]["text"])
    creation["response"]["content"] = {"text": json.dumps({**body, "id": "7"})}
    file, text = tmp_path / "a.har", tmp_path / "to the vendor.md"
    file.write_text(json.dumps(traffic))
    done = invoke(file, "--report", tmp_path / "reports", "--support-text", text)
    assert done.exit_code == 1, done.output
    assert "FAILS: OffBlocks and Planbok, the traffic in a.har" in done.output
    assert f"conformance judge {file}" in done.output
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"results.json", "report.html", "junit.xml"}
    assert text.read_text().startswith("# OffBlocks and Planbok: 2 deviations from the documents")


@pytest.mark.parametrize(("strict", "verdict", "code"), [((), "note", 0), (("--strict",), "fail", 1)])
def test_strict_counts_inferred_rules_as_their_level_says(
    tmp_path: Path, strict: tuple[str, ...], verdict: str, code: int
) -> None:
    broken = {"status": 500, "headers": [{"name": "Content-Type", "value": "application/json"}]}
    file = tmp_path / "a.har"
    file.write_text(har(response={**broken, "content": {"text": "{}"}}))
    base_url = "offblocks=https://api.offblocks.xyz"
    done = invoke(file, "--base-url", base_url, "--report", tmp_path / "out", *strict)
    results = json.loads((tmp_path / "out" / "results.json").read_bytes())
    rule = next(each for each in results["rules"] if each["id"] == "offblocks.response.no-server-error")
    assert (rule["verdict"], done.exit_code) == (verdict, code)
    assert results["command"] == shlex.join(["conformance", "judge", str(file), "--base-url", base_url, *strict])


def test_a_name_that_would_steer_the_terminal_is_escaped() -> None:
    shown = CliRunner().invoke(app, ["judge", "no\x1b[31m.har"])
    assert shown.exit_code == 2
    assert "no\\x1b[31m.har cannot be read" in shown.stderr
    assert "\x1b" not in shown.output
