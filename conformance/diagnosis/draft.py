"""A signature base (RFC 9421, section 2.5) in a form that can be altered, as a signer may have altered it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

__all__ = ["Draft", "Surroundings", "Writing", "identifier", "split_parameters"]

_PARAMETER = re.compile(r'\s*;\s*([A-Za-z0-9_.*-]+)(?:=("(?:[^"\\]|\\.)*"|[^;,\s]*))?')


@dataclass(frozen=True)
class Writing:
    """How the lines of a base are written.

    Args:
        quote: What stands on each side of a component's name.
        colon: What stands between identifier and value.
        separator: What stands between two lines.
        ending: What stands after the last line.
        params_line: Where the line of the parameters is: ``last``, ``first``, ``absent`` or ``alone``.
        params_name: The identifier of that line.
        names: Names that are written otherwise, by the identifiers of their components.
    """

    quote: str = '"'
    colon: str = ": "
    separator: str = "\n"
    ending: str = ""
    params_line: str = "last"
    params_name: str = '"@signature-params"'
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """What a signer may have put together.

    Args:
        method: The method.
        scheme: The scheme of the target.
        authority: Host and port as ``@authority`` has them.
        uri_authority: Host and port as ``@target-uri`` has them.
        path: The path, empty for none.
        query: The query without its question mark, None where there is none.
        components: The identifiers of the lines in order, without the quotes around the name.
        values: The values of the lines, by identifier, that do not follow from method and target.
        listing: The list of components, with its parentheses, in the line of the parameters.
        parameters: Names and values of the parameters as they are written there.
        writing: How the lines are written.
        instead: A text that was signed instead of all this, None if none was.
    """

    method: str
    scheme: str
    authority: str
    uri_authority: str
    path: str
    query: str | None
    components: tuple[str, ...]
    values: Mapping[str, str]
    listing: str
    parameters: tuple[tuple[str, str | None], ...]
    writing: Writing = field(default_factory=Writing)
    instead: str | None = None

    @property
    def params(self) -> str:
        """The value of the line of the parameters."""
        return self.listing + "".join(
            f";{name}" if value is None else f";{name}={value}" for name, value in self.parameters
        )

    def value(self, component: str) -> str:
        """The value of a line."""
        if component in self.values:
            return self.values[component]
        suffix = "" if self.query is None else f"?{self.query}"
        path = self.path or "/"
        derived = {
            "@method": self.method,
            "@authority": self.authority,
            "@scheme": self.scheme,
            "@path": path,
            "@query": f"?{self.query or ''}",
            "@target-uri": f"{self.scheme}://{self.uri_authority}{path}{suffix}",
            "@request-target": f"{path}{suffix}",
        }
        return derived.get(component, "")

    @property
    def text(self) -> str:
        """The whole text."""
        if self.instead is not None:
            return self.instead
        how = self.writing
        lines = [f"{self._name(each)}{how.colon}{self.value(each)}" for each in self.components]
        params = f"{how.params_name}{how.colon}{self.params}"
        match how.params_line:
            case "last":
                lines.append(params)
            case "first":
                lines.insert(0, params)
            case "alone":
                lines = [params]
        return how.separator.join(lines) + how.ending

    def _name(self, component: str) -> str:
        name, separator, parameters = component.partition(";")
        return identifier(f"{self.writing.names.get(component, name)}{separator}{parameters}", self.writing.quote)

    def written(self, **changes: str | Mapping[str, str]) -> "Draft":
        """The same, written otherwise; `changes` as the arguments of `Writing`."""
        return replace(self, writing=replace(self.writing, **changes))  # type: ignore[arg-type]

    def with_value(self, component: str, value: str) -> "Draft":
        """The same with another value in one line."""
        return replace(self, values={**self.values, component: value})

    def covers(self, *names: str) -> bool:
        """Whether there is a line for one of these components."""
        return any(each.partition(";")[0] in names for each in self.components)


@dataclass(frozen=True)
class Surroundings:
    """What is known besides the request's own target and the covered components.

    Args:
        lines: Names and values of the header lines as they were sent, with the white space around the values.
        body: The body as it was sent.
        listed: The line of the parameters as Signature-Input has it, before it is written anew.
        hosts: Hosts, with their ports, under which the API is known besides.
        base_paths: Paths under which the API is known to be served.
        templates: Paths with braces of the API's operations.
    """

    lines: Sequence[tuple[str, str]]
    body: bytes
    listed: str = ""
    hosts: tuple[str, ...] = ()
    base_paths: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()

    def sent(self, name: str) -> list[str]:
        """The values of the lines of a header field, as they were sent."""
        return [value for each, value in self.lines if each.lower() == name.lower()]


def identifier(component: str, quote: str = '"') -> str:
    """A component identifier with its name in quotes (RFC 9421, section 2)."""
    name, separator, parameters = component.partition(";")
    return f"{quote}{name}{quote}{separator}{parameters}"


def split_parameters(text: str) -> tuple[tuple[str, str | None], ...]:
    """Names and values, as they are written, of parameters that begin with a semicolon each."""
    return tuple((found[1], found[2]) for found in _PARAMETER.finditer(text))
