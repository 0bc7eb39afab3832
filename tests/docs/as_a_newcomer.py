"""Do what docs/start.md says, in the environment at hand: ``.ci/run`` makes a fresh one.

Each command runs as it stands, in a shell and in the order of the page, but for the installation, which came before. A
sandbox goes on while the next commands run. One command must find the fault that the page has the sandbox show.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.docs.pages import CHECKOUT, blocks_of, commands

FINDS_A_FAULT = "conformance run offblocks --target sandbox"


def main() -> None:
    """Run the page; exit code 1, with the command, at the first that does not end as the page says."""
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
