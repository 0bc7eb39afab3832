"""The recipes of docs/recipes.md run as they stand, where their language is installed."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from conformance.sandbox.server import RunningSandbox, start

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
PROGRAMS = {
    "sh": ("recipe.sh", ("sh",), ("curl", "jq")),
    "js": ("recipe.mjs", ("node",), ("node",)),
    "go": ("recipe.go", ("go", "run"), ("go",)),
}


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with start() as running:
        yield running


def recipe(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_every_block_of_the_page_is_run() -> None:
    languages = re.findall(r"^```(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert languages == list(PROGRAMS)


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_recipe_runs_as_it_stands(language: str, running: RunningSandbox, tmp_path: Path) -> None:
    name, command, needed = PROGRAMS[language]
    for each in needed:
        if which(each) is None:
            pytest.skip(f"{each} is not installed")
    (tmp_path / name).write_text(recipe(language), encoding="utf-8")
    done = subprocess.run(
        [*command, name],
        cwd=tmp_path,
        env={**os.environ, "SANDBOX": running.origin},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
