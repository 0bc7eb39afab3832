"""What users may import: listed in `__all__`, named on the page, and used by a program that mypy checks."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "library.md"
MODULES = re.findall(r"^## `(conformance[\w.]*)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_modules() -> None:
    assert "conformance.scenario" in MODULES
    assert len(MODULES) == len(set(MODULES))


@pytest.mark.parametrize("name", MODULES)
def test_a_documented_module_lists_what_may_be_imported(name: str) -> None:
    module = import_module(name)
    assert module.__all__, "a documented module says what may be imported"
    for public in module.__all__:
        assert hasattr(module, public), public


@pytest.mark.parametrize("name", MODULES)
def test_every_listed_function_and_class_has_a_docstring(name: str) -> None:
    module = import_module(name)
    for public in module.__all__:
        member = getattr(module, public)
        if callable(member) and getattr(member, "__module__", name) == name:
            assert member.__doc__, public


@pytest.mark.parametrize("name", MODULES)
def test_every_name_on_the_page_is_listed(name: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"## `{name}`")[2].partition("\n## ")[0]
    named = set(re.findall(r"^- `(\w+)", section, re.MULTILINE))
    assert named, "the page names what a module is for"
    assert named <= set(import_module(name).__all__)


def test_the_example_program_runs(tmp_path: Path) -> None:
    program = ROOT / "tests" / "typing" / "own_client.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "base64-of-hex-text" in done.stdout.lower().replace("_", "-")
    assert "expired" in done.stdout
    assert "https://app.example/return" in done.stdout
    assert done.stdout.rstrip().endswith("False")
