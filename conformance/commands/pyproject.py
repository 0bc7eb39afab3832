"""The defaults of a project for runs and recordings: ``[tool.conformance]`` in its pyproject.toml."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from conformance import ConformanceError
from conformance.files import read_bounded

NAME = "pyproject.toml"
TABLE = "tool.conformance"
_OF_ONE_RUN = {
    *(
        "report",
        "resume",
        "formats",
        "verbose",
        "quiet",
        "exit_first",
        "write_baseline",
        "tests",
        "smoke",
        "allow_production",
    )
}
"""What somebody asks of one run, and is no property of a project."""
_PATHS = {"cassettes", "baseline", "screenshots"}
"""What is a path, from the folder of the file."""
_FOR = {"cassettes": ("replay", "sandbox", "live"), "max_age": ("replay",), "max_requests": ("live",)}
"""The targets that an option goes with, of those that do not go with every one."""
_ON_SERVERS = {"sandbox", "live"}
"""The targets that a base URL goes with."""
_LARGEST = 1024 * 1024


class ProjectSettingsError(ConformanceError, ValueError):
    """``[tool.conformance]`` says what cannot be; the message says where and what it can be."""


def set_defaults(context: click.Context, settable: click.Command, folder: Path) -> None:
    """Give a command what the project says of its parameters as their defaults.

    The file is the nearest one, from a folder upwards, that has the table.

    Args:
        context: The command's context; the command passes over what it does not take.
        settable: The command whose parameters are what can be set.
        folder: Where to begin.

    Raises:
        ProjectSettingsError: If the file cannot be read, or has an option that there is not, or a wrong value.
    """
    found = _nearest(folder)
    if found is None:
        return
    path, table = found
    parameters = keys(settable)
    own = {each.name: each for each in context.command.params if not each.required}
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key not in parameters:
            raise ProjectSettingsError(f"{path}: [{TABLE}] has {key!r}, {_instead(key, parameters)}")
        read = _value(path, key, value, parameters[key])
        if (name := parameters[key].name) in own:
            given[str(name)] = read
    context.default_map = given
    context.meta[TABLE] = path


def keys(command: click.Command) -> dict[str, click.Parameter]:
    """The parameters of a command that a project can set, by what they are called in the file."""
    return {_key(each): each for each in command.params if each.name not in _OF_ONE_RUN}


def _nearest(folder: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """The nearest file that has the table, and the table."""
    import tomllib  # noqa: PLC0415  (only where somebody runs something)

    for path in (each / NAME for each in (folder, *folder.parents)):
        try:
            if not path.is_file():
                continue
            read = tomllib.loads(read_bounded(path, _LARGEST).decode())
        except (OSError, ValueError) as error:
            raise ProjectSettingsError(f"{path} cannot be read: {error}.") from error
        tool = read.get("tool", {})
        if isinstance(tool, dict) and "conformance" in tool:
            table = tool["conformance"]
            if not isinstance(table, dict):
                raise ProjectSettingsError(f"{path}: [{TABLE}] is no table.")
            return path, table
    return None


def _key(parameter: click.Parameter) -> str:
    """What a parameter is called in the file: its long option, or the name of the argument."""
    return next((each.removeprefix("--") for each in parameter.opts if each.startswith("--")), str(parameter.name))


def _instead(key: str, parameters: Iterable[str]) -> str:
    close = get_close_matches(key.replace("_", "-"), list(parameters), 1)
    there_are = f"There are: {', '.join(sorted(parameters))}."
    return f"which is no option of it. {f'Did you mean {close[0]!r}?' if close else there_are}"


def _value(path: Path, key: str, value: Any, parameter: click.Parameter) -> Any:
    """A value as click takes it for a default.

    Raises:
        ProjectSettingsError: If it is not what the parameter takes.
    """
    read, problem = _read(value, parameter)
    if not problem:
        try:
            parameter.process_value(click.Context(click.Command(TABLE)), read)
        except click.BadParameter as error:
            problem = error.message
    if problem:
        raise ProjectSettingsError(f"{path}: [{TABLE}] {key} = {value!r}: {problem}")
    return str(path.parent / read) if parameter.name in _PATHS else read


def _read(value: Any, parameter: click.Parameter) -> tuple[Any, str]:
    """What TOML says as click reads it, and what is wrong with its form, if anything is."""
    if parameter.name == "base_urls":
        is_table = isinstance(value, dict)
        urls = [f"{api}={url}" for api, url in value.items()] if is_table else []
        return urls, "" if is_table else 'It is a table of URLs by API, as { offblocks = "https://..." }.'
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return value, "" if isinstance(value, bool) else "It is true or false."
    if parameter.multiple or parameter.nargs == -1:
        are_texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return value, "" if are_texts else "It is a list of texts."
    is_plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return str(value), "" if is_plain else "It is a text or a number."


def fitting(context: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a command was given, without what the project says and does not go with what was asked for.

    Args:
        context: The command's context, which knows what the project said.
        given: The values by the names of the parameters.
    """
    found, said = dict(given), _said(context)
    if "base_urls" in said:
        reached = given["base_urls"].items() if given["target"] in _ON_SERVERS else ()
        found["base_urls"] = {api: url for api, url in reached if not given["apis"] or api in given["apis"]}
    for name, targets in _FOR.items():
        if name in said and given["target"] not in targets:
            found[name] = None
    return found


def told(context: click.Context) -> str:
    """What a command has from the project's file, as a line; empty if it has nothing."""
    names = [key for key, each in keys(context.command).items() if each.name in _said(context)]
    return f"{', '.join(names)} as in {context.meta[TABLE]}" if names else ""


def _said(context: click.Context) -> set[str]:
    """The names of the parameters that are as the project says."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source is ParameterSource.DEFAULT_MAP}
