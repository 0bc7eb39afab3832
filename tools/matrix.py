"""Write docs/faults.md and the figures in README.md from evidence/matrix.json, or with ``--check`` say what differs."""

import argparse
import re
import sys
from pathlib import Path

from conformance.api import registered
from conformance.matrix import read
from conformance.reporting.faults import block, page

CHECKOUT = Path(__file__).parents[1]
MATRIX = CHECKOUT / "evidence" / "matrix.json"
PAGE = CHECKOUT / "docs" / "faults.md"
README = CHECKOUT / "README.md"
FIGURES = re.compile(r"(?<=<!-- matrix -->\n).*?(?=<!-- /matrix -->)", re.DOTALL)
"""What stands between the marks in README.md, each of them a line of its own."""


def texts() -> dict[Path, str]:
    """What the files should hold that follow from the matrix.

    Raises:
        MatrixUnreadableError: If the matrix cannot be read.
    """
    matrix = read(MATRIX)
    readme = FIGURES.sub(lambda _: block(matrix), README.read_text(encoding="utf-8"))
    return {PAGE: page(matrix, {name: api.title for name, api in registered().items()}), README: readme}


def main() -> None:
    """Write or check both files."""
    parser = argparse.ArgumentParser(prog="python -m tools.matrix", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    check = parser.parse_args().check
    stale = False
    for path, text in texts().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if check:
            print(f"{path.name} is not what python -m tools.matrix makes: run it, and look at what changed.")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {path.name}")
    sys.exit(check and stale)


if __name__ == "__main__":
    main()
