"""The processes of this machine that share the work on a matrix."""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from signal import SIG_IGN, SIGINT, signal


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """Start processes on this machine; each loads the suites once.

    Args:
        workers: How many; None for one for each processor.
    """
    executor = ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn"), signal, (SIGINT, SIG_IGN))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
