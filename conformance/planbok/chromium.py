"""The machine's Chromium, driven by Playwright in a thread of its own, since its objects belong to one thread."""

import base64
import hashlib
import queue
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["BrowserMissingError", "Chromium", "close_shared", "shared"]

Done = TypeVar("Done")

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 120
_NOWHERE = "MAP *.example ~NOTFOUND"
"""Where the suite's customers return to is nobody's; no browser looks for it."""


class BrowserMissingError(Exception):
    """There is no browser; the message says what to install."""


class Chromium:
    """A browser in a thread of its own.

    Args:
        ca_file: A file of certificates; the browser takes those very ones for good, and no others that it does not
            trust itself.

    Raises:
        BrowserMissingError: If Playwright or Chromium is not installed, or does not start.
    """

    def __init__(self, ca_file: str | None = None) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._ca_file = ca_file
        self._browser: Browser | None = None
        self._thread = threading.Thread(target=self._work, name="chromium", daemon=True)
        self._thread.start()
        try:
            self.do(self._launch)
        except BaseException:
            self.close()
            raise

    def do(self, job: Callable[[], Done]) -> Done:
        """What comes of a job that is done in the browser's thread.

        Raises:
            BrowserMissingError: If the browser hangs.
        """
        done: Future[Done] = Future()
        self._jobs.put((job, done))
        try:
            return done.result(timeout=_SECONDS)
        except TimeoutError as error:
            raise BrowserMissingError(f"a browser that does not hang for {_SECONDS} s") from error

    @property
    def browser(self) -> "Browser":
        """Playwright's browser, for jobs."""
        if self._browser is None:
            raise BrowserMissingError("a browser that was launched")
        return self._browser

    def close(self) -> None:
        """Close the browser and end its thread."""
        self._jobs.put(None)
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, done = item
            try:
                done.set_result(job())
            except BaseException as error:  # noqa: BLE001  (it is raised where the job was asked for)
                done.set_exception(error)
        with suppress(Exception):
            if self._browser is not None:
                self._browser.close()
                self._playwright.stop()

    def _launch(self) -> None:
        try:
            from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415  (an extra)
        except ImportError as error:
            raise BrowserMissingError("Playwright; pip install 'wallet-conformance[browser]'") from error
        path = next(filter(None, map(shutil.which, _NAMES)), None)
        if path is None:
            raise BrowserMissingError("Chromium; install the package chromium of this machine's system")
        self._playwright = sync_playwright().start()
        trusted = ",".join(_key_digests(self._ca_file)) if self._ca_file else ""
        arguments = [f"--host-resolver-rules={_NOWHERE}"]
        if trusted:
            arguments.append(f"--ignore-certificate-errors-spki-list={trusted}")
        try:
            self._browser = self._playwright.chromium.launch(
                executable_path=path, args=arguments, chromium_sandbox=False
            )
        except Error as error:
            self._playwright.stop()
            raise BrowserMissingError(f"a Chromium that starts; {path} does not: {error}") from error


def _key_digests(ca_file: str) -> list[str]:
    """The digest of the public key of each certificate in a file, as Chromium lists those that it is to take."""
    from cryptography import x509  # noqa: PLC0415  (few have such a file)
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    found = x509.load_pem_x509_certificates(Path(ca_file).read_bytes())
    keys = (each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in found)
    return [base64.b64encode(hashlib.sha256(key).digest()).decode() for key in keys]


_shared: dict[str | None, Chromium] = {}


def shared(ca_file: str | None) -> Chromium:
    """The browser of this process; it is launched when it is first asked for.

    Raises:
        BrowserMissingError: If there is none.
    """
    if ca_file not in _shared:
        _shared[ca_file] = Chromium(ca_file)
    return _shared[ca_file]


def close_shared() -> None:
    """Close the browser of this process."""
    while _shared:
        _shared.popitem()[1].close()
