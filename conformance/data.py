"""Where the specs and cassettes lie: beside a checkout first, else inside the installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_path(relative: str) -> Path:
    """The path of a file or folder of ours that is not code.

    Args:
        relative: A path below the repository's root that starts with ``specs/`` or ``cassettes/``.
    """
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "specs").is_dir():
        return checkout / relative
    return _PACKAGE / "_data" / relative
