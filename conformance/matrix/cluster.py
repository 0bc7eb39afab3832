"""The workers of a Dask cluster; Dask is optional, and nothing else here knows of it."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from conformance import ConformanceError

_SECONDS_TO_CONNECT = 10


class NoClusterError(ConformanceError, RuntimeError):
    """The work cannot go to a cluster; the message says why and what to do."""


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a cluster, which must have this version of conformance installed.

    Args:
        address: The address of its scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises:
        NoClusterError: If Dask is not installed, or no scheduler answers there.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise NoClusterError(
            "--scheduler needs Dask, which is not installed: pip install 'wallet-conformance[cluster]'"
        ) from error
    try:
        client = distributed.Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NoClusterError(f"No scheduler of a Dask cluster answers at {address}: {error}") from error
    with client, client.get_executor(pure=False) as executor:
        yield executor
