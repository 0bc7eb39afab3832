"""What vcr is given where pytest-recording surrounds a test of a suite: its cassette, which it may not change."""

from pathlib import Path
from typing import Any

from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.request import Request
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from conformance.recording.cassettes import Cassette, CassetteMissingError


class Persister:
    """Gives vcr the recorded exchanges of one test, their URLs absolute.

    Args:
        path: Where the cassette of the test lies.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load_cassette(self, *_arguments: object, **_options: object) -> tuple[list[Request], list[dict[str, Any]]]:
        """The recorded requests and responses.

        Raises:
            CassetteNotFoundError: If there is no cassette of the test.
            CassetteUnreadableError: If it is no cassette.
        """
        try:
            cassette = Cassette.load(self._path)
        except CassetteMissingError as error:
            raise CassetteNotFoundError from error
        requests, responses = deserialize(self._path.read_text(encoding="utf-8"), yamlserializer)
        for request, exchange in zip(requests, cassette.exchanges, strict=True):
            request.uri = exchange.request.url
        return requests, responses

    def save_cassette(self, *_arguments: object, **_options: object) -> None:
        """Nothing: a cassette is written from the journal, when its test has passed."""
