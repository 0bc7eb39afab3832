"""What a replay is compared with: pytest with vcrpy alone, one test for each cassette, and nothing judged.

``run.py`` has pytest run this module with none of the plugins that are installed beside it.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from vcr import VCR

CASSETTES = sorted(Path(__file__).parents[1].glob("cassettes/*/*/*.yaml"))
ORIGIN = "https://recorded.example"
"""Cassettes have paths without an origin; httpx asks for one."""
RECORDER = VCR(record_mode="none", match_on=("method", "path", "query"))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """The client that all tests share: making one loads the certificates of the web."""
    with httpx.Client() as made:
        yield made


@pytest.mark.parametrize("cassette", CASSETTES, ids=str)
def test_the_recorded_requests_are_answered(cassette: Path, client: httpx.Client) -> None:
    """Send what was recorded, in its order."""
    with RECORDER.use_cassette(str(cassette)) as played:
        for request, response in list(zip(played.requests, played.responses, strict=True)):
            url = request.uri if request.uri.startswith("http") else ORIGIN + request.uri
            answer = client.request(request.method, url, headers=request.headers, content=request.body)
            if answer.status_code != response["status"]["code"]:
                pytest.fail(f"{url} was answered with {answer.status_code}.")
