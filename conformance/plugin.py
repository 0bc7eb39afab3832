"""The plugin of pytest: options, marks and fixtures; nothing happens until a test of a suite or a fixture is used.

``conformance_pytest.py`` loads this file by its place. It imports nothing of ours before something of ours is asked
for, since a project may have a folder of its own that is named ``conformance`` as well.
"""

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance_pytest import PACKAGE, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.options import Options
    from conformance.sandbox.remote import Control, RemoteWorld
    from conformance.targets import Subject

OPTIONS = pytest.StashKey["Options"]()
"""Where the configuration of a run holds its options."""
ALONE = "conformance_alone"
"""What a process that shares the tests is told if it was started for nothing but a run of the suites."""
RUNNER = "conformance-runner"
"""The name of the plugin that runs the scenarios."""

_FOR_WORKERS = "conformance_options"
_MARKS = (
    "conformance_verifies(*rules): the ids of the rules that the test can judge",
    "conformance_shows(*rules): the ids of further rules that the test judges if it comes to that",
    "conformance_waits: the test lets time pass",
    "conformance_hooks: the test receives webhooks; every scenario with the fixture `hooks` has this mark",
)
_PYTEST_OPTIONS = tuple(load("options").pytest_options())


# ---------------------------------------------------------------------------------------------------------- options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run of the suites."""
    group = parser.getgroup("conformance", "conformance suites of wallet APIs")
    for _, flag, settings in _PYTEST_OPTIONS:
        group.addoption(flag, **settings)


def options_of(config: pytest.Config) -> "Options":
    """The options of a run: those of `conformance run`, of the process that started this one, or of the command line.

    Raises:
        pytest.UsageError: If the command line has one that is not right.
    """
    if OPTIONS not in config.stash:
        worker_input: dict[str, str] = getattr(config, "workerinput", {})
        if _FOR_WORKERS in worker_input:
            plain = json.loads(worker_input[_FOR_WORKERS])
        else:
            plain = {name: config.getoption(flag) for name, flag, _ in _PYTEST_OPTIONS}
        try:
            config.stash[OPTIONS] = load("options").Options.read(plain).seeded(_fresh_seed)
        except ValueError as error:
            raise pytest.UsageError(f"--conformance-base-url: {error}") from error
    return config.stash[OPTIONS]


def _fresh_seed() -> str:
    from conformance.ids import fresh_seed  # noqa: PLC0415  (only a live run needs one)

    return fresh_seed()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a process that shares the tests the options of this one."""
    if not hidden():
        node.workerinput[_FOR_WORKERS] = options_of(node.config).to_json()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks of the suites, and in a process that was started for them look for garbage seldom."""
    if ALONE in getattr(config, "workerinput", {}):
        import_module("conformance.speed.garbage").look_seldom()
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)


# ------------------------------------------------------------------------------------- a folder of the same name


def hidden() -> str | None:
    """A sentence on the folder that Python finds in the place of our package; None if it finds ours."""
    try:
        found = find_spec("conformance")
    except ValueError:  # somebody made a module of this name by hand
        return None
    places = (*(found.submodule_search_locations or ()), found.origin) if found else ()
    place = next((Path(each) for each in places if each), None)
    if place is None or place.resolve() == PACKAGE.resolve():
        return None
    return (
        f"{place} has the name of the package conformance and is found in its place, so that the fixtures and suites "
        "of wallet-conformance cannot be used in this run: rename it or, if nothing imports it, remove its __init__.py."
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keep our package's name where it is ours.

    With ``--import-mode=importlib`` pytest would make a package of this name for any folder called so that holds tests.
    """
    if early_config.known_args_namespace.importmode == "importlib" and not hidden():
        import_module("conformance")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once why nothing of ours can be used, if so."""
    if reason := hidden():
        terminalreporter.write_line(f"Note: {reason}")


def _require_ours() -> None:
    if reason := hidden():
        pytest.fail(reason, pytrace=False)


# ------------------------------------------------------------------------------------------------ scenarios, fixtures


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring in the runner if a test of a suite was collected."""
    if any(item.get_closest_marker("conformance_verifies") for item in items) and not hidden():
        from conformance.runner import Runner  # noqa: PLC0415  (what is not needed is not loaded)

        runner = Runner(options_of(config), config)
        config.pluginmanager.register(runner, RUNNER)
        runner.select(items)


@pytest.fixture
def conformance_subject(request: pytest.FixtureRequest) -> "Iterator[Subject]":
    """What a scenario has of the implementation that is judged; a suite's conftest.py gives it its name `subject`."""
    _require_ours()
    runner = request.config.pluginmanager.get_plugin(RUNNER)
    if runner is None:
        pytest.fail("The fixture `conformance_subject` is for tests that are marked with @verifies.")
    with runner.subject(request.node) as found:
        yield found


@pytest.fixture(scope="session")
def conformance_sandbox() -> "Iterator[Control]":
    """The reference sandbox on loopback, for tests of your own client; use `conformance_world` for one test."""
    _require_ours()
    from conformance.sandbox.remote import Control  # noqa: PLC0415  (only for who uses it)
    from conformance.sandbox.server import start  # noqa: PLC0415

    with start() as sandbox:
        control = Control(sandbox.origin, sandbox.add_fault)
        yield control
        control.close()


@pytest.fixture
def conformance_world(conformance_sandbox: "Control", request: pytest.FixtureRequest) -> "RemoteWorld":
    """A world of the reference sandbox for one test: base URLs, credentials, a clock to advance, faults, a log."""
    from conformance.sandbox.remote import RemoteWorld  # noqa: PLC0415  (only for who uses it)

    return RemoteWorld(conformance_sandbox, request.node.nodeid)
