from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.exchange import Exchange, Generated, Mode, Request, Response
from conformance.judging.reading import read_results
from conformance.judging.results import exchange_from_json, exchange_to_json
from conformance.reporting.files import write_reports
from tests.reporting.conftest import EXCHANGE, make, mixed

__all__ = ["make", "mixed"]  # the fixtures


@pytest.mark.parametrize(
    "exchange",
    [
        EXCHANGE,
        replace(EXCHANGE, generated=Generated(3, Mode.NEGATIVE, ("body /id",), 1), operation=None),
        replace(EXCHANGE, request=Request((("a", "1"), ("A", "2")), "ü".encode(), "GET", "/"), response=Response()),
    ],
)
def test_an_exchange_is_read_as_it_was_written(exchange: Exchange) -> None:
    assert exchange_from_json(exchange_to_json(exchange)) == exchange


def test_results_are_read_from_a_folder_or_a_file(mixed: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path, ())
    assert read_results(tmp_path) == read_results(tmp_path / "results.json") == mixed
