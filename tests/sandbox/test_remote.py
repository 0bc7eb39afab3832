"""What is no reference sandbox is told from one."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from conformance.api import named
from conformance.sandbox.remote import Control, NotASandboxError
from conformance.scenario import StepFailedError
from conformance.targets.sandbox import SandboxTarget


class Stranger(ThreadingHTTPServer):
    """Answers every GET alike."""

    body = b""
    encoding: str | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(server.body)))
            if server.encoding:
                self.send_header("Content-Encoding", server.encoding)
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: Any) -> None:
            pass

    with Stranger(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"7", b"{}", b'{"base_urls": null}', b'{"base_urls": []}'])
def test_what_describes_no_sandbox_is_none(stranger: Stranger, body: bytes) -> None:
    stranger.body = body
    target = SandboxTarget({}, {"offblocks": f"{stranger.origin}/offblocks"})
    with pytest.raises(StepFailedError, match="no reference sandbox runs there"):
        target.open(named("offblocks"))
    target.close()


def test_a_sandbox_of_another_api_is_told(stranger: Stranger) -> None:
    stranger.body = b'{"base_urls": {"planbok": "http://127.0.0.1/planbok"}}'
    target = SandboxTarget({}, {"offblocks": f"{stranger.origin}/offblocks"})
    with pytest.raises(StepFailedError, match="does not offer OffBlocks"):
        target.open(named("offblocks"))
    target.close()


def test_an_answer_that_cannot_be_decoded_is_told(stranger: Stranger) -> None:
    stranger.body, stranger.encoding = b"{}", "gzip"
    control = Control(stranger.origin)
    with pytest.raises(NotASandboxError, match=r"GET http://127\.0\.0\.1:\d+/_sandbox got no answer of a sandbox"):
        control.ask("GET", "")
    control.close()
