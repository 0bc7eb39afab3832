"""When evidence was made, and of which commit; the scripts beside this one import it."""

import subprocess
from pathlib import Path
from typing import Any

from conformance.clock import SystemClock

FOLDER = Path(__file__).parent


def origin() -> dict[str, Any]:
    """The date, the commit, and whether anything but evidence was changed since; ask before what takes hours.

    Raises:
        SystemExit: If git does not tell; the message is what it said instead.
    """
    return {
        "date": SystemClock().now().isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", ":/", ":(exclude,top)evidence/*.json")),
    }


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(FOLDER), "-c", "safe.directory=*", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  (git, as this file asks it)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else error
        raise SystemExit(f"Evidence names the commit that it was made from, which git does not tell: {said}") from error
    return done.stdout.strip()
