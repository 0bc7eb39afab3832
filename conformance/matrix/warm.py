"""Many runs of the suite in one process; what changes the state of the whole process stands here alone."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

_one_at_a_time = Lock()
"""pytest captures output, collects warnings and sets environment variables for the whole process, so that two runs in
threads of it, as those of a Dask worker are, would mix."""


@cache
def _freeze_garbage_collector() -> None:
    """Keep the garbage collector from searching what the first run loaded, which costs a tenth of a short run."""
    gc.collect()
    gc.freeze()


@contextmanager
def warm_process() -> Iterator[None]:
    """Run the suite alone in this process, quicker from the second time on."""
    with _one_at_a_time:
        yield
        _freeze_garbage_collector()
