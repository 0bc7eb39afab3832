"""What all tests share: programs that a machine may lack, and the promise that it lacks none."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import settings

from conformance.sandbox.remote import Control
from conformance.speed.garbage import look_seldom

SIZES = {"small": (3, 25), "full": (10, 200)}
"""How many seeds are tried of what is drawn from one, and how many examples of what is drawn at random."""
SIZE = os.environ.get("CONFORMANCE_TEST_SIZE", "small")
SEEDS, EXAMPLES = SIZES[SIZE]

settings.register_profile("conformance", deadline=None, max_examples=EXAMPLES)  # a machine that is busy is no failure
settings.load_profile("conformance")

sys.path.append(str(Path(__file__).parent.parent))  # the programs in tools; what is installed comes first

TESTS = Path(__file__).parent
LONG = (
    "test_faults.py",
    "offblocks/test_live.py",
    "planbok/test_live.py",
    "mutants/test_committed_mutants.py",
    "test_alterations.py",
    "routers/test_sandbox_router.py",
    "test_plugin.py",
    "test_packaging.py",
    "test_links.py",
    "test_hostile.py",
    "test_replay.py",
    "test_benchmarks.py",
)
"""The files that take long, the longest first."""
os.environ.pop("GITHUB_ACTIONS", None)  # there the commands print annotations besides

look_seldom()

REQUIRE_ALL = os.environ.get("CONFORMANCE_REQUIRE_ALL") == "1"


SERVE = """
from functools import partialmethod
from conformance.offblocks.client_checks import ClientJudge
from conformance.sandbox.server import serve
from conformance.sandbox.world import Worlds
from conformance.speed.garbage import look_seldom
ClientJudge.explains = False
Worlds._build = partialmethod(Worlds._build, explains=False)
look_seldom()
serve(0, started=lambda it: print(it.origin, flush=True))
"""
"""A sandbox that takes no time to find out which mistakes were made: what is told of it is not read here."""


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where the machine promises to have all that the tests need."""
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCONFORMANCE_REQUIRE_ALL=1 allows no skip: install what is missing, or unset it."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take long first, so that at the end no process is left alone with one of them."""
    order = {TESTS / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


def pytest_collection_finish() -> None:
    """Look for garbage no more among what was collected, which stays until the end."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


def some_rules(api: str, *topics: str) -> tuple[str, ...]:
    """Patterns of the rules of an API that are judged where not all need be: those of these topics; full, all rules."""
    return () if SIZE == "full" else tuple(f"{api}.{topic}.*" for topic in topics)


def program(*names: str) -> str:
    """The path of the first of these programs that is installed; skips the test if none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


@pytest.fixture(scope="session")
def seeds() -> range:
    """The seeds that are tried of what is drawn from one; each of them has to do."""
    return range(SEEDS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    return program("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def repository() -> str:
    """The path of git, if this is a checkout of its; in CI its absence is a failure."""
    if not (Path(__file__).parents[1] / ".git").exists():
        pytest.skip("this is no checkout of a repository")
    return program("git")


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node."""
    return program("node", "nodejs")


@pytest.fixture(scope="module")
def sandbox_elsewhere() -> Iterator[Control]:
    """The control routes of a sandbox in another process."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        control = Control(process.stdout.readline().strip())
        yield control
        control.close()
        process.terminate()


@contextmanager
def _environment(settings: Mapping[str, str], folder: Path) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in os.environ:
            if name.startswith("CONFORMANCE_"):
                patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def free_port() -> Iterator[int]:
    """A port that nobody else is given meanwhile, and that a server may listen on, as servers take used addresses."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture(scope="session")
def environment() -> Callable[[Mapping[str, str], Path], AbstractContextManager[pytest.MonkeyPatch]]:
    """What puts settings into the environment, and those of the user out of it, while a folder is the current one."""
    return _environment


@contextmanager
def _answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self)

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def answering() -> Callable[[Callable[[BaseHTTPRequestHandler], None]], AbstractContextManager[str]]:
    """A server that answers every GET and POST in one way, and 501 to other methods; gives its URL."""
    return _answering
