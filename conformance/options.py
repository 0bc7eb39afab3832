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
FIXED_SEED = "0"
"""What the ids of a run come from unless it is told otherwise; not live, where they must not be taken."""

Recordable = Literal["sandbox", "live"]
"""The targets that cassettes can be recorded from."""
Runnable = Literal["replay", Recordable]
"""The targets that pytest runs the suites against."""
TargetName = Literal[Runnable, "documents"]
"""How a subject can be reached."""
PinAgentName = Literal["http", "none"]
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
        workers: How many processes share the tests; None for as many as pay.
        record: Whether to write cassettes.
        examples: How many requests are generated of each operation, phase and mode at most.
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
            "Only the tests with these ids, with the part after the dot or for all such parts. May be repeated.",
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
            "Who stands in for the person at the hosted PIN page: http fills its forms, none nobody. "
            "Default: http, and live none.",
            flag="pin-agent",
            choices=get_args(PinAgentName),
        ),
    ] = None
    workers: Annotated[int | None, About("How many processes share the tests; auto for as many as pay.", "N")] = 1
    record: Annotated[bool, About("Write cassettes of what passes.", flag="record")] = False
    examples: Annotated[
        int,
        About(
            "Sandbox and live: how many requests are generated of each operation, phase and mode.",
            "N",
            "examples",
            read=int,
        ),
    ] = EXAMPLES

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
        plain["cassettes"] = str(self.cassettes.absolute()) if self.cassettes else None
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

    def wants_rule(self, rule: str) -> bool:
        """Whether the rule with this id is part of the run."""
        return not self.rule or any(fnmatchcase(rule, pattern) for pattern in self.rule)

    def unmatched_patterns(self, rules: Sequence[str]) -> list[str]:
        """The patterns that none of these ids of rules match."""
        return [pattern for pattern in self.rule if not any(fnmatchcase(rule, pattern) for rule in rules)]

    def wants_test(self, test: str, rules: Iterable[str]) -> bool:
        """Whether the test with this id is part of the run, when it can judge these rules."""
        is_named = not self.tests or bool({test, test.partition(".")[0]}.intersection(self.tests))
        return is_named and (not self.rule or any(map(self.wants_rule, rules)))


def about_options() -> dict[str, About]:
    """What each option says of itself, by the name of its field in `Options`."""
    return {name: hint.__metadata__[0] for name, hint in Options.__annotations__.items()}


def pytest_options() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The options of pytest: the name of the field, that of the option, and how argparse is to take it."""
    for each in fields(Options):
        about = about_options()[each.name]
        if about.flag is None:
            continue
        taken: dict[str, Any] = {"help": about.help}
        if isinstance(each.default, bool):
            taken["action"] = "store_true"
        elif about.read in {tuple, read_base_urls}:
            taken |= {"action": "append", "default": [], "metavar": about.metavar}
        else:
            taken |= {"default": each.default, "metavar": about.metavar, "choices": about.choices}
            taken["type"] = int if about.read is int else str
        yield each.name, f"--conformance-{about.flag}", taken
