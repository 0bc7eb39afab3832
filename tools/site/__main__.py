"""Build the site into a folder: ``python -m tools.site [FOLDER]``, by default ``build/site``.

Exit code 1, with what is wrong, if a link or an anchor leads nowhere, or if a page asks another host for something.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.site.links import DeadLinkError
from tools.site.pages import all_pages

CHECKOUT = Path(__file__).parents[2]
_ASKED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]*\ssrc=["']?(https?:[^"'\s>]+)"""
    r"""|<link[^>]*\shref=["']?(https?:[^"'\s>]+)"""
)


def main() -> None:
    """Write the pages, have zensical build them strictly, and look at what came of it."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else CHECKOUT / "build/site").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    try:
        pages = all_pages(CHECKOUT)
    except DeadLinkError as error:
        sys.exit(str(error))
    for place, text in pages.items():
        path = folder / "pages" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = (CHECKOUT / "docs/zensical.toml").read_text(encoding="utf-8").replace("CHECKOUT", CHECKOUT.as_posix())
    (folder / "zensical.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(folder / "zensical.toml")]
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:  # noqa: S603  (the command above)
        sys.exit("The site was not built: see above.")
    built = list((folder / "html").rglob("*.html"))
    asked = {page.relative_to(folder).as_posix(): outside_requests(page.read_text(encoding="utf-8")) for page in built}
    foreign = sorted(f"{page} asks {each}" for page, found in asked.items() for each in found)
    if foreign:
        sys.exit("\n".join(["These pages ask other hosts:", *foreign]))
    print(f"{len(built)} pages in {folder / 'html'}; python -m http.server -d {folder / 'html'} shows them.")


def outside_requests(page: str) -> list[str]:
    """What a page has a browser fetch from other hosts.

    Args:
        page: The page in HTML.
    """
    return [found[1] or found[2] for found in _ASKED.finditer(page) if 'rel="canonical"' not in found[0]]


if __name__ == "__main__":
    main()
