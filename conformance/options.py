"""What a run is asked to do: one object, from the command line or a program to every process that runs tests.

It imports nothing of ours, so that pytest's options can be made from it before anything of ours is imported.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

EXAMPLES = 10
"""How many requests a run generates of each operation, phase and mode at most, unless it is told otherwise."""
_SECONDS = {"d": 86400, "h": 3600}
_LONGEST_NUMBER = 6
FIXED_SEED = "0"
"""What the ids of a run come from unless it is told otherwise; not live, where they must not be taken."""

Recordable = Literal["sandbox", "live"]
"""The targets that cassettes can be recorded from."""
Runnable = Literal["replay", Recordable]
"""The targets that pytest runs the suites against."""
TargetName = Literal[Runnable, "documents"]
"""How a subject can be reached."""
PinAgentName = Literal["http", "browser", "person", "none"]
"""Who can stand in for a person at a hosted page."""


@dataclass(frozen=True)
class About:
    """What a command, or pytest's help, says of an option.

    Args:
        help: What the option does, in sentences.
        metavar: What its value is called; None if it has none, or one of `choices`.
        flag: Its name in pytest after ``--conformance-``; None if pytest has no such option.
        choices: The values that pytest takes, if they can be listed.
        read: What makes the option's value from the words of a command line or from JSON.
    """

    help: str
    metavar: str | None = None
    flag: str | None = None
    choices: tuple[str, ...] | None = None
    read: Callable[[Any], Any] | None = None


def read_base_urls(words: Iterable[str]) -> dict[str, str]:
    """The base URL of each API, without a slash at its end, from words such as ``offblocks=https://api.example.com``.

    Raises:
        ValueError: If one is not API=URL, an API is named twice, or a URL is not what a base URL is.
    """
    urls: dict[str, str] = {}
    for word in words:
        name, _, url = word.partition("=")
        try:
            parts = urlsplit(url)
            usable = bool(name) and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(
                f"{word!r} is not API=URL with a URL that begins with https:// or http://, "
                "such as offblocks=https://api.example.com"
            )
        if parts.path.rstrip("/").endswith(("/v1", "/v2")) or parts.query or parts.fragment:
            raise ValueError(f"{url} must end before /v1 or /v2, without a query.")
        if name in urls:
            raise ValueError(f"{name} is given twice.")
        urls[name] = url.rstrip("/")
    return urls


def read_age(age: str | int) -> int:
    """The seconds of an age such as ``30d`` or ``12h``.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(age, int):
        return age
    number, unit = age[:-1], _SECONDS.get(age[-1:])
    if unit is None or not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        raise ValueError(f"{age!r} is no age, such as 30d for days or 12h for hours")
    return int(number) * unit


@dataclass(frozen=True)
class Options:
    """What to run; a command that has one of these options takes its help from here, and so does pytest.

    Args:
        apis: The names of the APIs; empty for all.
        target: How the subject is reached.
        base_urls: Where an API runs, by its name.
        rule: Patterns, one of which the id of a rule must match; empty for all rules.
        tests: The ids of the tests to run, with the part after the dot or for all such parts; empty for all.
        cassettes: The folder of cassettes, instead of the shipped one.
        seed: What ids come from; None for a fixed one, or a fresh one live.
        strict: Whether inferred rules count as their level says.
        allow_wait: Whether tests may wait for an hour to pass, live.
        pin_agent: Who stands in for the person at a hosted page; None: http, live none.
        screenshots: Where pictures of hosted pages go, None for nowhere.
        rate: How many requests a second are sent to each API at most, live; None for what its documents allow.
        max_requests: How many requests are sent to each API at most, live; None for as many as it takes.
        smoke: Whether only a few requests are sent that show whether a live run can work.
        allow_production: Whether a live run may meet real customers and chains.
        max_age: The seconds since their recording after which a replay says that cassettes are old; None for never.
        min_judged: The share of the rules for providers that must be judged, in percent; None for any.
        baseline: The file of what is known to fail, None without one.
        time_limit: After how many seconds the run ends; None for as long as it takes.
        ends_at: When that is, on the clock that `conformance.clock.passed` reads; the run sets it.
        workers: How many processes share the tests; None for as many as pay.
        record: Whether to write cassettes.
        record_failing: Whether a test that fails is recorded too.
        examples: How many requests are generated of each operation, phase and mode at most.
        thorough: Whether every scenario runs under every circumstance, instead of a few chosen by the seed.
        reduce: Whether a scenario that fails under circumstances runs again under fewer of them.
        exit_first: Whether the run ends after the first test by which a rule fails, is blocked or cannot be judged.
        known: The rules that the baseline names, at which no run ends; the run sets it.
        done: The ids of tests that have run already, in the part of the run before it was interrupted.
    """

    apis: Annotated[tuple[str, ...], About("The APIs; all if none is named.", "API", read=tuple)] = ()
    target: Annotated[TargetName, About("How the subject is reached.", flag="target", choices=get_args(Runnable))] = (
        "replay"
    )
    base_urls: Annotated[
        Mapping[str, str],
        About("Where the API runs, without /v1 or /v2. May be repeated.", "API=URL", "base-url", read=read_base_urls),
    ] = field(default_factory=dict)
    rule: Annotated[
        tuple[str, ...],
        About("Only rules whose id matches; * matches any text. May be repeated.", "PATTERN", "rule", read=tuple),
    ] = ()
    tests: Annotated[
        tuple[str, ...],
        About(
            "Only this test, all its parts or the one after a dot; ID@CIRCUMSTANCE runs it under one. May be repeated.",
            "ID",
            "test",
            read=tuple,
        ),
    ] = ()
    cassettes: Annotated[
        Path | None, About("The folder of cassettes, instead of the shipped one.", "DIR", "cassettes", read=Path)
    ] = None
    seed: Annotated[
        str | None,
        About(f"What ids are derived from. Default: {FIXED_SEED}, and live a new one each time.", "N", "seed"),
    ] = None
    strict: Annotated[bool, About("Inferred rules count as their level says.", flag="strict")] = False
    allow_wait: Annotated[bool, About("Live: wait where a rule takes an hour to be judged.", flag="allow-wait")] = False
    pin_agent: Annotated[
        PinAgentName | None,
        About(
            "Who stands in for the person at the hosted PIN page: http fills its forms, which is not to be expected to "
            "work where a page hashes the PIN by a script, as Planbok's; browser uses Chromium; person asks you; none "
            "is nobody. Default: http, and live none.",
            flag="pin-agent",
            choices=get_args(PinAgentName),
        ),
    ] = None
    screenshots: Annotated[
        Path | None,
        About("With --pin-agent browser: put a picture of each page there.", "DIR", "screenshots", read=Path),
    ] = None
    rate: Annotated[
        float | None,
        About(
            "Live: send at most N requests a second. Default: what the API's documents allow.", "N", "rate", read=float
        ),
    ] = None
    max_requests: Annotated[
        int | None,
        About(
            "Live: send at most N requests to each API; what was not judged by then is skipped.",
            "N",
            "max-requests",
            read=int,
        ),
    ] = None
    smoke: Annotated[bool, About("Live: send a dozen requests alone, which show whether a run can work.")] = False
    allow_production: Annotated[bool, About("Live: go on though real customers or chains may be met.")] = False
    max_age: Annotated[
        int | None,
        About("Replay: say which cassettes are older, such as 30d or 12h.", "AGE", read=read_age),
    ] = None
    min_judged: Annotated[
        int | None,
        About("Inconclusive if less than PERCENT of the rules for providers are judged.", "PERCENT", read=int),
    ] = None
    baseline: Annotated[
        Path | None,
        About("What is known to fail, and does not fail the run: conformance-baseline/1.", "FILE", read=Path),
    ] = None
    time_limit: Annotated[
        int | None,
        About("End the run after so many seconds; what was not judged by then is skipped.", "SECONDS", read=int),
    ] = None
    ends_at: Annotated[float | None, About("When that is, on a clock of all processes of this machine.")] = None
    workers: Annotated[int | None, About("How many processes share the tests; auto for as many as pay.", "N")] = 1
    record: Annotated[bool, About("Write cassettes of what passes.", flag="record")] = False
    record_failing: Annotated[bool, About("Record tests that fail too, to compare them by conformance drift.")] = False
    examples: Annotated[
        int,
        About(
            "Sandbox and live: how many requests are generated of each operation, phase and mode.",
            "N",
            "examples",
            read=int,
        ),
    ] = EXAMPLES
    thorough: Annotated[
        bool,
        About(
            "Sandbox and live: run every scenario under every circumstance; else each topic meets each of them once.",
            flag="thorough",
        ),
    ] = False
    reduce: Annotated[bool, About("Find the fewest circumstances under which a scenario fails.")] = True
    exit_first: Annotated[
        bool, About("Stop after the first test by which a rule fails, is blocked or cannot be judged.")
    ] = False
    known: Annotated[tuple[str, ...], About("The rules that the baseline names.", read=tuple)] = ()
    done: Annotated[tuple[str, ...], About("The tests that have run already.", read=tuple)] = ()

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """The options from words of a command line, or from what `to_json` wrote, by the names of the fields.

        Raises:
            ValueError: If one of them is not what its option takes.
        """
        readers = {name: about.read for name, about in about_options().items()}
        return cls(
            **{
                name: reader(value) if (reader := readers[name]) and value is not None else value
                for name, value in plain.items()
            }
        )

    def to_json(self) -> str:
        """The options as one line that `read` takes when it was parsed."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["base_urls"] = [f"{name}={url}" for name, url in self.base_urls.items()]
        for name in ("cassettes", "baseline", "screenshots"):
            plain[name] = str(plain[name].absolute()) if plain[name] else None
        return json.dumps(plain)

    @property
    def effective_pin_agent(self) -> PinAgentName:
        """Who stands in for the person at a hosted page; if nobody said who, then nobody at a page of the vendor."""
        return self.pin_agent or ("none" if self.target == "live" else "http")

    def processes(self, cores: int) -> int:
        """How many processes share the tests.

        A second process has to load what the first one has loaded: that takes a replay, or a few tests, longer than it
        gains. Live, a server is asked by one process unless somebody says otherwise.

        Args:
            cores: How many processors there are.
        """
        if self.workers is not None:
            return self.workers
        is_whole = not self.rule and not self.tests
        return cores if self.target == "sandbox" and is_whole else 1

    def seeded(self, fresh: Callable[[], str]) -> Self:
        """The same options with a seed: if none was given the fixed one, or live a fresh one.

        Args:
            fresh: Gives a fresh seed.
        """
        if self.seed:
            return self
        return replace(self, seed=fresh() if self.target == "live" else FIXED_SEED)

    def timed(self, now: float) -> Self:
        """The same options with the end of the run.

        Args:
            now: When it begins, on the clock that `conformance.clock.passed` reads.
        """
        return self if self.time_limit is None else replace(self, ends_at=now + self.time_limit)

    def wants_rule(self, rule: str) -> bool:
        """Whether the rule with this id is part of the run."""
        return not self.rule or any(fnmatchcase(rule, pattern) for pattern in self.rule)

    def unmatched_patterns(self, rules: Sequence[str]) -> list[str]:
        """The patterns that none of these ids of rules match."""
        return [pattern for pattern in self.rule if not any(fnmatchcase(rule, pattern) for rule in rules)]

    def wants_test(self, test: str, rules: Iterable[str]) -> bool:
        """Whether the test with this id is part of the run, when it can judge these rules.

        A test that is named is, whatever it can judge: what a right request was answered breaks a rule in any test.
        """
        if self.tests:
            return bool({test, test.partition(".")[0]}.intersection(self.tests))
        return not self.rule or any(map(self.wants_rule, rules))


def about_options() -> dict[str, About]:
    """What each option says of itself, by the name of its field in `Options`."""
    return {name: hint.__metadata__[0] for name, hint in Options.__annotations__.items()}


@dataclass(frozen=True)
class PytestOption:
    """An option of pytest for a field of `Options`; what was not given is None, so that the ini-file can say it.

    Args:
        field: The name of the field.
        about: What it says of itself.
        is_flag: Whether it has no value.
    """

    field: str
    about: About
    is_flag: bool

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--conformance-{self.about.flag}"

    @property
    def ini(self) -> str:
        """Its name in the ini-file."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def is_repeated(self) -> bool:
        """Whether it may be given several times."""
        return self.about.read in {tuple, read_base_urls}

    @property
    def ini_type(self) -> Literal["bool", "linelist", "string"]:
        """How pytest reads it in the ini-file."""
        return "bool" if self.is_flag else "linelist" if self.is_repeated else "string"

    def taken(self) -> dict[str, Any]:
        """How argparse is to take it."""
        if self.is_flag:
            return {"help": self.about.help, "action": "store_true", "default": None}
        shown = {"help": self.about.help, "default": None, "metavar": self.about.metavar}
        if self.is_repeated:
            return {**shown, "action": "append"}
        number = self.about.read if self.about.read in {int, float} else str
        return {**shown, "choices": self.about.choices, "type": number}

    def read(self, value: Any) -> Any:
        """What the ini-file says of it, as the command line would.

        Raises:
            ValueError: If it is not what the option takes; the message says what that is.
        """
        if self.about.choices and value not in self.about.choices:
            raise ValueError(f"{value!r} is not one of {', '.join(self.about.choices)}")
        try:
            return self.about.read(value) if self.about.read in {int, float} else value
        except ValueError:
            raise ValueError(f"{value!r} is no number") from None


def pytest_options() -> Iterator[PytestOption]:
    """The options of pytest."""
    for each in fields(Options):
        about = about_options()[each.name]
        if about.flag is not None:
            yield PytestOption(each.name, about, isinstance(each.default, bool))
