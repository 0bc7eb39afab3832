"""The files of a new API's package: description, rules, suite, client and sandbox, ready to be installed."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import yaml

from conformance import ConformanceError
from conformance.commands.new_api.description import SOURCE, take_over
from conformance.specification import Specification

_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_TEMPLATES = files("conformance.commands.new_api") / "templates"
_GENERAL = (
    ("response.no-server-error", "An answer is no server error.", "must"),
    ("response.is-json", "An answer with a described body is of the described media type.", "must"),
    (
        "response.matches-schema",
        "An answer has the shape that the description says and that a document confirms.",
        "must",
    ),
    ("response.matches-inferred-schema", "An answer has the shape that the description says.", "should"),
    ("response.unsupported-method", "A method that a path does not have is answered 405 with Allow.", "should"),
)
"""The rules about every operation: id without the API's name, title, level."""


class PackageExistsError(ConformanceError, ValueError):
    """A file of the new package exists already; nothing was written."""


class NameRefusedError(ConformanceError, ValueError):
    """The name fits no API; the message says what one looks like."""


def write_package(name: str, description: Path, folder: Path) -> list[Path]:
    """Write the package of an API into ``folder/name``, whole or not at all.

    Args:
        name: The name that commands take, in lower case, such as ``acme``.
        description: Its OpenAPI description.
        folder: Where the package's folder is made.

    Returns:
        The paths of the files.

    Raises:
        NameRefusedError: If the name is none that an API can have.
        PackageExistsError: If there is a file or folder of that name.
        DescriptionRefusedError: If the description cannot be taken over.
    """
    if not _NAME.fullmatch(name) or name in {"offblocks", "planbok", "conformance"}:
        raise NameRefusedError(
            f"{name!r} cannot be the name of a new API: 2 to 31 lower-case letters, digits and hyphens, "
            "beginning with a letter, and no name that is taken."
        )
    target = folder / name
    if target.exists() or target.is_symlink():
        raise PackageExistsError(f"{target} exists already, and nothing is overwritten. Give another name, or move it.")
    document = take_over(description, f"https://{name}.example/openapi.yaml")
    contents = _contents(name, document)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            whole = Path(temporary) / name
            for relative, text in contents.items():
                path = whole / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            shutil.move(whole, target)
    except OSError as error:
        raise PackageExistsError(f"{target} cannot be written: {error.strerror}.") from error
    return [target / relative for relative in contents]


def _contents(name: str, document: Mapping[str, Any]) -> dict[str, str]:
    """The text of each file by its path below the package's folder."""
    package = f"conformance_{name.replace('-', '_')}"
    title = str(document.get("info", {}).get("title") or name)
    operations = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    ]
    values = {
        "name": name,
        "title": title.replace('"', "'"),
        "package": package,
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "setting": f"CONFORMANCE_{name.upper().replace('-', '_')}",
        "bodies": "\n".join(f'    "{operation}",' for operation in _with_bodies(document)) or '    "",',
        "shown": "\n".join(f'    "{operation}": "{_slug(operation)}.accepted",' for operation in operations),
    }
    found: dict[str, str] = {}
    for template in sorted(_TEMPLATES.iterdir(), key=lambda each: each.name):
        place = template.name.removesuffix(".txt").replace("--", "/").replace("PACKAGE", package)
        found[place] = Template(template.read_text(encoding="utf-8")).substitute(values)
    found[f"{package}/specs/{name}/openapi.yaml"] = _yaml(document)
    found[f"{package}/specs/{name}/rules.yaml"] = _yaml(_rules(name, document, operations))
    return found


def _with_bodies(document: Mapping[str, Any]) -> list[str]:
    """The operations whose answers of success have a described body."""
    known = Specification(document, "")
    return [
        operation.id
        for operation in known.operations.values()
        if any(status.startswith("2") and response.content for status, response in operation.responses.items())
    ]


def _rules(name: str, document: Mapping[str, Any], operations: list[str]) -> dict[str, Any]:
    """Rules drafted from the operations, all of them inferred."""
    source = {key: document["x-sources"][SOURCE][key] for key in ("tier", "document", "url")}
    drafted: list[tuple[str, str, str, str | list[str]]] = [
        (rule, title, level, "all") for rule, title, level in _GENERAL
    ]
    drafted += [
        (f"{_slug(each)}.accepted", f"A request to {each} that fits the description is accepted.", "must", [each])
        for each in operations
    ]
    return {
        "format": "conformance-rules/1",
        "api": name,
        "sources": {SOURCE: source},
        "rules": [
            {
                "id": f"{name}.{rule}",
                "title": title,
                "level": level,
                "party": "provider",
                "basis": "inferred",
                "sources": [{"source": SOURCE, "section": "paths", "evidence": "schema"}],
                "operations": concerned,
            }
            for rule, title, level, concerned in drafted
        ],
    }


def _slug(operation: str) -> str:
    """The topic of an operation's rules: ``create-thing`` for ``createThing``."""
    words = [word.lower() for word in _WORD.findall(operation)]
    return "-".join(words) if words and words[0][0].isalpha() else f"op-{'-'.join(words)}"


def _yaml(value: object) -> str:
    return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)
