import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conformance.api import Api, named
from conformance.commands import doctor
from conformance.commands.doctor import Check, examine
from conformance.files import data_path
from conformance.offblocks import OffBlocksApi
from conformance.offblocks import api as offblocks
from conformance.sandbox.server import start
from conformance.specification import Specification

DEAD = "http://127.0.0.1:9/offblocks"


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "registered", lambda: {"offblocks": offblocks})


def found(subject: str) -> Check:
    return next(check for check in examine() if check.subject == subject)


def moved(folder: Path) -> Api:
    """The API with its files below `folder`."""

    class MovedApi(OffBlocksApi):
        def find(self, relative: str) -> Path:
            return folder / relative

    return MovedApi()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the API's specification, rules, sources and statements, which the doctor looks at."""
    for name in ("openapi.yaml", "rules.yaml", "sources.yaml", "statements.yaml"):
        copy = tmp_path / "specs" / "offblocks" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data_path(f"specs/offblocks/{name}").read_bytes())
    monkeypatch.setattr(doctor, "registered", lambda: {"offblocks": moved(tmp_path)})
    return tmp_path


def test_a_sound_installation_has_no_problem_but_perhaps_with_cassettes() -> None:
    checks = list(examine())
    assert [check for check in checks if not check.ok and check.subject != "offblocks cassettes"] == []
    assert {"Python", "dependencies", "APIs", "offblocks rules", "offblocks specification", "sandbox"} <= {
        check.subject for check in checks
    }


def test_an_old_python_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 1))
    check = found("Python")
    assert not check.ok
    assert "install 3.11 or later" in check.detail


@pytest.mark.parametrize(
    ("requirement", "said"),
    [("no-such-package-of-ours>=1", "no-such-package-of-ours is missing"), ("httpx<0.1", "not <0.1")],
)
def test_a_missing_or_wrong_dependency_is_named(monkeypatch: pytest.MonkeyPatch, requirement: str, said: str) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _name: [requirement])
    check = found("dependencies")
    assert not check.ok
    assert said in check.detail


def test_a_dependency_of_another_platform_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda _name: ["no-such-package-of-ours; sys_platform == 'none'"])
    assert found("dependencies").ok


def test_no_registered_api_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "registered", dict)
    assert not found("APIs").ok


def test_an_api_that_cannot_be_loaded_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, Api]:
        raise ImportError("No module named 'theirs'")

    monkeypatch.setattr(doctor, "registered", broken)
    check = found("APIs")
    assert not check.ok
    assert "theirs" in check.detail


def test_broken_files_are_each_named(files: Path) -> None:
    (files / "specs" / "offblocks" / "rules.yaml").write_text("format: nothing", encoding="utf-8")
    assert "rules.yaml" in found("offblocks rules").detail
    assert not found("offblocks rules").ok
    (files / "specs" / "offblocks" / "openapi.yaml").unlink()
    assert "openapi.yaml" in found("offblocks specification").detail
    assert not found("offblocks specification").ok


def test_a_broken_table_of_statements_is_told(files: Path) -> None:
    (files / "specs" / "offblocks" / "statements.yaml").write_text("format: nothing", encoding="utf-8")
    assert not found("offblocks rules").ok
    assert "statements.yaml is wrong at" in found("offblocks rules").detail


def test_broken_sources_are_named_for_both_that_cite_them(files: Path) -> None:
    (files / "specs" / "offblocks" / "sources.yaml").write_text("format: nothing", encoding="utf-8")
    for subject in ("offblocks rules", "offblocks specification"):
        assert not found(subject).ok
        assert "sources.yaml is wrong at" in found(subject).detail


CASSETTE = """\
version: 1
format: conformance-cassette/1
api: offblocks
test: offblocks/a/b
origin: reference sandbox
recorded: "2026-01-15T12:00:00+00:00"
specification: "{digest}"
suite: 0.1.0
seed: "0"
base_url: http://127.0.0.1/offblocks
settings: {{}}
interactions: []
"""


def cassette(files: Path, text: str) -> None:
    path = files / "cassettes" / "offblocks" / "a" / "b.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def digest(files: Path) -> str:
    return Specification.load(files / "specs" / "offblocks" / "openapi.yaml").digest


def test_cassettes_are_counted_with_their_origin(files: Path) -> None:
    cassette(files, CASSETTE.format(digest=digest(files)))
    check = found("offblocks cassettes")
    assert check.ok
    assert check.detail == "1, recorded from: reference sandbox"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There are none"),
        (CASSETTE.format(digest=f"sha256:{'0' * 64}"), "1 of 1 were recorded with another specification"),
        ("version: 2", "is wrong at"),
        ("version: 2026-01-15", "is a date"),
    ],
    ids=["missing", "stale", "unreadable", "no JSON"],
)
def test_missing_stale_and_unreadable_cassettes_are_problems(files: Path, text: str | None, said: str) -> None:
    if text:
        cassette(files, text)
    check = found("offblocks cassettes")
    assert not check.ok
    assert said in check.detail
    assert "conformance record offblocks --target sandbox" in check.detail


def test_incomplete_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_OFFBLOCKS_API_SECRET", "made-up-secret")
    check = found("offblocks settings")
    assert not check.ok
    assert "CONFORMANCE_OFFBLOCKS_API_SECRET" in check.detail
    assert "CONFORMANCE_OFFBLOCKS_BASE_URL" in check.detail
    assert "made-up-secret" not in check.detail


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Complete settings of a sandbox; gives its base URL."""
    with start(apis=[offblocks]) as sandbox, httpx.Client() as client:
        world = client.get(f"{sandbox.origin}/_sandbox").json()
        for name, value in world["tenants"]["first"]["offblocks"].items():
            monkeypatch.setenv(f"CONFORMANCE_OFFBLOCKS_{name.upper()}", value)
        base_url = world["base_urls"]["offblocks"]
        monkeypatch.setenv("CONFORMANCE_OFFBLOCKS_BASE_URL", base_url)
        yield base_url


def test_a_server_that_answers_is_reachable(settings: str) -> None:
    assert found("offblocks settings").ok
    check = found("offblocks server")
    assert check.ok
    assert settings in check.detail


def test_no_secret_is_ever_said(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "0123456789abcdef-made-up"
    monkeypatch.setenv("CONFORMANCE_OFFBLOCKS_API_SECRET", secret)
    said = "\n".join(check.detail for check in examine())
    assert secret not in said
    assert "PRIVATE KEY" not in said


@pytest.mark.usefixtures("settings")
def test_a_server_that_does_not_answer_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_OFFBLOCKS_BASE_URL", DEAD)
    check = found("offblocks server")
    assert not check.ok
    assert DEAD in check.detail


def test_a_file_of_settings_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    check = found("offblocks settings")
    assert not check.ok
    assert check.detail.startswith("The file .env is not UTF-8: ")


def test_what_only_the_sandbox_takes_asks_for_no_live_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_PLANBOK_PIN_MEMORY_KIB", "65536")
    (check,) = doctor._settings(named("planbok"))
    assert check.ok
    assert "CONFORMANCE_PLANBOK_PIN_MEMORY_KIB" in check.detail


def test_settings_in_a_file_are_found(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CONFORMANCE_OFFBLOCKS_API_KEY=made-up\n", encoding="utf-8")
    check = found("offblocks settings")
    assert not check.ok
    assert "Set are CONFORMANCE_OFFBLOCKS_API_KEY." in check.detail
