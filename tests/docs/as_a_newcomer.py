"""Do what docs/start.md and docs/adapters.md say, in the environment at hand: ``.ci/run`` makes a fresh one.

Each command runs as it stands, in a shell and in the order of the page, but for the installation of this project, which
came before. A sandbox goes on while the next commands run, and one of them must find the fault that the page has it
show. The adapters run in a copy of their folder, without what was installed there, and end with the exit code that the
page tells.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.docs.pages import CHECKOUT, blocks_of, commands

FINDS_A_FAULT = "conformance run offblocks --target sandbox"


def main() -> None:
    """Run both pages; exit code 1, with the command, at the first that does not end as its page says."""
    start()
    adapters()


def adapters() -> None:
    """Run the adapters as their page says."""
    page = (CHECKOUT / "docs/adapters.md").read_text(encoding="utf-8")
    (block,) = (each for each in blocks_of("docs/adapters.md", page) if each.text.startswith("pip install"))
    with TemporaryDirectory() as folder:
        copied = Path(folder) / "adapters"
        shutil.copytree(CHECKOUT / "examples/adapters", copied, ignore=shutil.ignore_patterns("node_modules"))
        for command in block.text.splitlines():
            print(f"$ {command}", flush=True)
            said = re.search(r"exit code ([0-9])$", command)
            done = subprocess.run(["bash", "-c", command], cwd=copied, capture_output=True, text=True, check=False)
            print("\n".join(done.stdout.splitlines()[-1:]), flush=True)
            if done.returncode != (int(said[1]) if said else 0):
                sys.exit(f"{command}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")


def start() -> None:
    """Run the first page; exit code 1, with the command, at the first that does not end as the page says."""
    page = (CHECKOUT / "docs/start.md").read_text(encoding="utf-8")
    found = [each for block in blocks_of("docs/start.md", page) if block.language == "sh" for each in commands(block)]
    assert any(each.startswith(FINDS_A_FAULT) for each in found), "the page has changed: so must this"
    serving: list[subprocess.Popen[str]] = []
    with TemporaryDirectory() as folder:
        try:
            for command in found:
                if command.startswith("pip install"):
                    continue
                print(f"$ {command}", flush=True)
                if command.startswith("conformance sandbox"):
                    words = ["bash", "-c", f"exec {command}"]
                    serving.append(subprocess.Popen(words, cwd=folder, text=True, stdout=subprocess.PIPE))
                    assert serving[-1].stdout is not None
                    print(serving[-1].stdout.readline(), end="")
                    continue
                done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
                fails = command.startswith(FINDS_A_FAULT)
                first = done.stdout.splitlines()[:3]
                print("\n".join(first), flush=True)
                named = "offblocks.challenge.expires-after-one-hour" in done.stdout
                if done.returncode != (1 if fails else 0) or (fails and not named):
                    sys.exit(f"{command}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
        finally:
            for each in serving:
                each.terminate()  # and no Ctrl-C, which a process in the background ignores
                each.wait(30)


if __name__ == "__main__":
    main()
