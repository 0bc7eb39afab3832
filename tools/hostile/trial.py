"""Runs a command within limits, and tells how it ended."""

import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.clock import passed

ADDRESS_SPACE = 4 * 1024**3
"""The bytes of memory that a command may ask for, so that the machine survives one that has no limit."""
_PROGRAM = """
import atexit, os, re
from pathlib import Path

def tell():
    found = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    os.write({pipe}, found[1].encode())

atexit.register(tell)
from conformance.cli import main
main()
"""
"""The command, which tells at its end how much memory it had: what the kernel counts of a process that was started by a
larger one begins with the memory of that one."""
_TRACES = ("Traceback (most recent call last)", "conformance itself broke", "Exception in thread", "INTERNALERROR")


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Args:
        code: Its exit code, negative for a signal.
        seconds: How long it took.
        cpu_seconds: How long it was busy.
        megabytes: The most memory that it had.
        output: What it wrote to standard output.
        errors: What it wrote to standard error.
        in_time: Whether it ended by itself.
    """

    code: int
    seconds: float
    cpu_seconds: float
    megabytes: int
    output: str
    errors: str
    in_time: bool

    @property
    def said(self) -> str:
        """All that it wrote."""
        return self.output + self.errors

    @property
    def broke(self) -> bool:
        """Whether it ended as no command may: by a traceback, by a signal, or not at all."""
        return not self.in_time or self.code < 0 or any(trace in self.said for trace in _TRACES)


def run(
    arguments: Sequence[str],
    folder: Path,
    settings: Mapping[str, str],
    *,
    most_seconds: float,
    file_size: int | None = None,
    meanwhile: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Ended:
    """Run ``conformance`` with arguments in a folder.

    Args:
        arguments: The arguments.
        folder: The current folder.
        settings: What the environment holds of settings; it has no others.
        most_seconds: When it is killed.
        file_size: The bytes that a file may grow to; None for any size.
        meanwhile: What is done while it runs.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONFORMANCE_")}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "COLUMNS": "200", **settings}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    told_at, pipe = os.pipe()
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        os.fdopen(told_at, "rb") as memory,
    ):
        began = passed()
        process = subprocess.Popen(  # noqa: S603  (ourselves)
            [sys.executable, "-c", _PROGRAM.format(pipe=pipe), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            preexec_fn=limit,  # noqa: PLW1509  (no thread of ours holds a lock that the child needs)
            start_new_session=True,
            pass_fds=(pipe,),
        )
        os.close(pipe)
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(most_seconds, kill)
        timer.start()
        try:
            if meanwhile:
                meanwhile(process)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
        seconds = passed() - began
        kilobytes = int(memory.read() or used.ru_maxrss)
        told = []
        for file in (output, errors):
            file.seek(0)
            told.append(file.read().decode(errors="replace"))
    return Ended(
        process.returncode,
        seconds,
        used.ru_utime + used.ru_stime,
        kilobytes // 1024,
        told[0],
        told[1],
        not late.is_set(),
    )
