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

    from conformance.options import Options, PytestOption
    from conformance.sandbox.remote import Control, World
    from conformance.targets import Subject

OPTIONS = pytest.StashKey["Options"]()
"""Where the configuration of a run holds its options."""
ALONE = "conformance_alone"
"""What a process that shares the tests is told if it was started for nothing but a run of the suites."""
RUNNER = "conformance-runner"
"""The name of the plugin that runs the scenarios."""

_REPORT = "conformance_report"
"""The setting of the ini-file that says where reports go; on the command line ``--conformance-report``."""
_ATTACHED = "conformance"
"""The attribute of a report that holds what a test of a suite found."""
_VARIATIONS = "conformance_variations"
_FOR_WORKERS = "conformance_options"
_MARKS = (
    "conformance(api, topic): a test of the suites; -m \"conformance(topic='challenge')\" chooses by either",
    "conformance_verifies(*rules): the ids of the rules that the test can judge",
    "conformance_shows(*rules): the ids of further rules that the test judges if it comes to that",
    "conformance_leaves_out(*circumstances, because): the circumstances under which the test makes no sense",
    "conformance_crosses(one, other): the two concerns that meet in the test",
    "conformance_waits: the test lets time pass",
    "conformance_hooks: the test receives webhooks; every scenario with the fixture `hooks` has this mark",
    "conformance_variations(*names): runs the test as documented, and under each permitted variation, or those named",
)
_PYTEST_OPTIONS = tuple(load("options").pytest_options())


# ---------------------------------------------------------------------------------------------------------- options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run of the suites."""
    group = parser.getgroup("conformance", "conformance suites of wallet APIs")
    for option in _PYTEST_OPTIONS:
        group.addoption(option.flag, **option.taken())
        parser.addini(option.ini, f"{option.flag}: {option.about.help}", type=option.ini_type, default=None)
    where = "Write results.json, report.html and junit.xml of the suites there."
    group.addoption("--conformance-report", metavar="DIR", help=where)
    parser.addini(_REPORT, f"--conformance-report: {where}", type="string", default=None)


def options_of(config: pytest.Config) -> "Options":
    """The options of a run: those of `conformance run`, of the process that started this one, or of pytest's own.

    pytest's are on the command line, else in the ini-file.

    Raises:
        pytest.UsageError: If one is not right.
    """
    if OPTIONS not in config.stash:
        worker_input: dict[str, str] = getattr(config, "workerinput", {})
        if _FOR_WORKERS in worker_input:
            plain = json.loads(worker_input[_FOR_WORKERS])
        else:
            given = {option.field: _given(config, option) for option in _PYTEST_OPTIONS}
            plain = {name: value for name, value in given.items() if value is not None}
        try:
            config.stash[OPTIONS] = load("options").Options.read(plain).seeded(_fresh_seed)
        except ValueError as error:
            raise pytest.UsageError(f"--conformance-base-url: {error}") from error
    return config.stash[OPTIONS]


def _given(config: pytest.Config, option: "PytestOption") -> Any:
    """What the command line says of an option, else the ini-file; None if neither does.

    Raises:
        pytest.UsageError: If the ini-file says what cannot be.
    """
    given = config.getoption(option.flag)
    if given is not None:
        return given
    said = config.getini(option.ini)
    if said is None:
        return None
    try:
        value = option.read(said)
    except ValueError as error:
        raise pytest.UsageError(f"{config.inipath}: {option.ini}: {error}.") from error
    return _beside_the_ini_file(config, value) if option.about.read is Path else value


def _beside_the_ini_file(config: pytest.Config, path: str) -> Path:
    return (config.inipath.parent if config.inipath else config.rootpath) / path


def _report_folder(config: pytest.Config) -> Path | None:
    """The folder that reports are written to, if one is named.

    Raises:
        pytest.UsageError: If the command line names one that cannot be written to. That of the ini-file may be needed
            by none of the tests that run, so it is left until they have.
    """
    if given := config.getoption("--conformance-report"):
        from conformance.reporting.files import ReportNotWrittenError, make_folder  # noqa: PLC0415  (only if asked for)

        try:
            make_folder(Path(given))
        except ReportNotWrittenError as error:
            raise pytest.UsageError(str(error)) from error
        return Path(given)
    said = config.getini(_REPORT)
    return _beside_the_ini_file(config, said) if said else None


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
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("terminal") or hidden():
        return  # a process that shares the tests, or `conformance run`, which tells by itself
    config.pluginmanager.register(_Verdict(config, _report_folder(config)), "conformance-verdict")


class _Verdict:
    """The plugin that tells at the end what the suites came to, if any of their tests ran in a user's own pytest.

    Args:
        config: pytest's configuration.
        folder: Where reports go; None if none are asked for.
    """

    def __init__(self, config: pytest.Config, folder: Path | None) -> None:
        self._config = config
        self._folder = folder
        self._reports: list[pytest.TestReport] = []
        self._told: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reports of the suites' tests, whichever process ran them."""
        if hasattr(report, _ATTACHED):
            self._reports.append(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Sum up what they say, and write it if a folder is named; if that fails, pytest does not end well."""
        if not self._reports:
            return
        from conformance.reporting.console import brief  # noqa: PLC0415
        from conformance.reporting.lines import text_of  # noqa: PLC0415
        from conformance.targets.gathering import results_in_pytest  # noqa: PLC0415  (only where something was judged)

        results = results_in_pytest(self._reports, options_of(self._config))
        terminal = self._config.get_terminal_writer().hasmarkup
        self._told = text_of(lambda console: brief(results, console), terminal=terminal).splitlines()
        if self._folder:
            from conformance.reporting.files import ReportNotWrittenError, write_reports  # noqa: PLC0415

            try:
                self._told += [f"Wrote {path}" for path in write_reports(results, self._folder)]
            except ReportNotWrittenError as error:
                self._told.append(str(error))
                session.exitstatus = exitstatus or pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell it."""
        if self._told:
            terminalreporter.write_sep("=", "conformance")
            for line in self._told:
                terminalreporter.write_line(line)


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
def conformance_world(conformance_sandbox: "Control", request: pytest.FixtureRequest) -> "Iterator[World]":
    """A world of the reference sandbox for one test: base URLs, credentials, a clock in real time to advance, a log."""
    from conformance.sandbox.remote import World  # noqa: PLC0415  (only for who uses it)

    with World(conformance_sandbox, request.node.nodeid) as world:
        if variation := getattr(request, "param", None):
            world.variations(variation)
        yield world


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the mark `conformance_variations` as documented, and then under each variation."""
    mark = metafunc.definition.get_closest_marker(_VARIATIONS)
    if mark is None or hidden():
        return
    if "conformance_world" not in metafunc.fixturenames:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid} has the mark {_VARIATIONS} and takes no conformance_world."
        )
    from conformance.sandbox.behaviour import chosen_variations  # noqa: PLC0415  (only for who uses it)

    try:
        names = chosen_variations(mark.args)
    except ValueError as error:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {error}") from error
    ids = ["as-documented", *names]
    metafunc.parametrize("conformance_world", [None, *names], indirect=True, ids=ids)
