"""pytest's entry point: options, markers and fixtures; nothing happens until a test of a suite or a fixture is used."""

from typing import TYPE_CHECKING

import pytest

from conformance import EXAMPLES, FIXED_SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.sandbox.remote import Control, RemoteWorld
    from conformance.targets import Subject

RUNNER = "conformance-runner"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run of the suites."""
    group = parser.getgroup("conformance", "conformance suites of wallet APIs")
    group.addoption(
        "--conformance-target",
        choices=("replay", "sandbox", "live"),
        default="replay",
        help="how the subject is reached (default: replay)",
    )
    group.addoption(
        "--conformance-base-url", action="append", default=[], metavar="API=URL", help="judge a server that runs there"
    )
    group.addoption(
        "--conformance-rule",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only tests of rules whose id matches",
    )
    group.addoption(
        "--conformance-test",
        action="append",
        default=[],
        metavar="ID",
        help="only the tests with these ids, with the part after the dot or for all such parts",
    )
    group.addoption("--conformance-cassettes", metavar="DIR", help="the folder of cassettes instead of the shipped one")
    group.addoption(
        "--conformance-seed", metavar="SEED", help=f"what ids are derived from (default: {FIXED_SEED}, live a new one)"
    )
    group.addoption("--conformance-strict", action="store_true", help="inferred rules count as their level says")
    group.addoption("--conformance-allow-wait", action="store_true", help="live: wait where a rule takes an hour")
    group.addoption(
        "--conformance-pin-agent",
        choices=("http", "none"),
        help="who stands in for the person at a hosted page (default: http, which fills its forms, and live none)",
    )
    group.addoption("--conformance-record", action="store_true", help="write cassettes of what passes")
    group.addoption(
        "--conformance-examples",
        type=int,
        default=EXAMPLES,
        metavar="N",
        help=f"how many requests are generated of each operation, phase and mode (default: {EXAMPLES})",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of the suites."""
    config.addinivalue_line("markers", "verifies(*rules): the ids of the rules that the test can judge")
    config.addinivalue_line("markers", "shows(*rules): the ids of further rules that it judges if it comes to that")
    config.addinivalue_line("markers", "waits: the test lets time pass")
    config.addinivalue_line("markers", "hooks: the test receives webhooks; every test with the fixture `hooks` has it")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring in the runner if a test of a suite was collected."""
    if any(item.get_closest_marker("verifies") for item in items):
        from conformance.runner import Runner  # noqa: PLC0415  (what is not needed is not loaded)

        runner = Runner(config)
        config.pluginmanager.register(runner, RUNNER)
        runner.select(items)


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> "Iterator[Subject]":
    """What a scenario has of the implementation that is judged."""
    runner = request.config.pluginmanager.get_plugin(RUNNER)
    if runner is None:
        pytest.fail("The fixture `subject` is for tests that are marked with @verifies.")
    with runner.subject(request.node) as found:
        yield found


@pytest.fixture(scope="session")
def conformance_sandbox() -> "Iterator[Control]":
    """The reference sandbox on loopback, for tests of your own client; use `conformance_world` for one test."""
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
