"""What a user sets, in the environment or in ``.env``: how it is read, and what the settings of all APIs share."""

import re
import ssl
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from conformance import ConformanceError

SHARED = ("CONFORMANCE_CA_FILE", "CONFORMANCE_MAX_BODY")
"""The settings that belong to no API."""
_UNDECODED = re.compile("[\ud800-\udfff]")
"""What Python makes of bytes in the environment that are not UTF-8."""
_SECRET_WORDS = {"key", "password", "secret", "token"}
"""The last words of the names of secrets; ``signing_key_id`` names none."""
_LARGEST_ENV_FILE = 1024 * 1024
"""The bytes of a file of settings."""
_LEAST_BODY, _MOST_BODY = 1024, 64 * 1024 * 1024
"""The bytes between which the limit of a body may be set: what is read is held in memory more than once."""


class SettingsError(ConformanceError, ValueError):
    """A setting is missing or wrong; the message names it and says what to give."""


@dataclass(frozen=True)
class LiveSettings:
    """How to reach the live server of one API.

    Args:
        base_url: Where it is, without ``/v1`` or ``/v2``.
        credentials: What each identity authenticates with, by the names of the settings in lower case.
        others: The API's other settings by name.
        ca_file: A file of certificates to trust instead of the system's.
    """

    base_url: str
    credentials: Mapping[str, Mapping[str, str]] = field(repr=False)
    others: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str | None = None


class Settings(BaseSettings):
    """Settings whose names begin with a prefix, which `read` is given; one that is set to nothing is not set."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)


class ServerSettings(Settings):
    """Where the live server of an API is, and whom to trust there.

    Args:
        base_url: The base URL.
        ca_file: A file of certificates to trust.
    """

    base_url: str | None = None
    ca_file: str | None = Field(default=None, validation_alias="CONFORMANCE_CA_FILE")


class BoundSettings(Settings):
    """How much of what a server sends is read.

    Args:
        max_body: The bytes of the body of an answer.
    """

    max_body: int = Field(default=1024 * 1024, ge=_LEAST_BODY, le=_MOST_BODY)


Kind = TypeVar("Kind", bound=Settings)


def is_secret(name: str) -> bool:
    """Whether the setting or credential of a name is a secret, which the last word of the name tells."""
    return name.rpartition("_")[2].lower() in _SECRET_WORDS


def prefix_of(api: str) -> str:
    """What the names of an API's settings begin with: ``CONFORMANCE_OFFBLOCKS_`` for ``offblocks``."""
    return f"CONFORMANCE_{api.upper().replace('-', '_')}_"


def read(kind: type[Kind], prefix: str) -> Kind:
    """Read the settings of a kind.

    Args:
        kind: The kind, whose fields are named as the settings are after the prefix, in lower case.
        prefix: What the names of the settings begin with.

    Raises:
        SettingsError: If ``.env`` is no file, or no text.
    """
    check_env_file()
    options: dict[str, Any] = {"_env_prefix": prefix}  # pydantic's plugin for mypy knows the fields alone
    try:
        return kind(**options)
    except UnicodeDecodeError as error:
        raise SettingsError(f"The file .env is not UTF-8: {error}") from error


def check_env_file() -> None:
    """Make sure that ``.env`` can be read, if something of that name is there.

    Raises:
        SettingsError: If it cannot: a pipe would be waited for, and a folder be passed over.
    """
    path = Path(".env")
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            mode = path.stat().st_mode
        size = path.stat().st_size
    except FileNotFoundError as error:
        if path.is_symlink():
            raise SettingsError(f".env is a link to what is not there: {path.readlink()}.") from error
        return
    except OSError as error:
        raise SettingsError(f".env cannot be read: {error.strerror}. Remove it, or make it a file.") from error
    if not stat.S_ISREG(mode):
        kind = "folder" if stat.S_ISDIR(mode) else "pipe" if stat.S_ISFIFO(mode) else "device"
        raise SettingsError(f".env is a {kind}, not a file. Remove it, or make it a file of lines NAME=value.")
    if size > _LARGEST_ENV_FILE:
        raise SettingsError(f".env has {size:,} bytes, more than {_LARGEST_ENV_FILE:,}; is it a file of settings?")


def max_body() -> int:
    """The bytes of the body of an answer that are read.

    Raises:
        SettingsError: If the setting is no such number.
    """
    try:
        return read(BoundSettings, "CONFORMANCE_").max_body
    except ValidationError as error:
        raise SettingsError(
            f"CONFORMANCE_MAX_BODY is {error.errors()[0]['input']!r}; expected a number of bytes from {_LEAST_BODY} to "
            f"{_MOST_BODY}."
        ) from error


def checked_base_url(url: str | None, *, api: str, version: str) -> str:
    """The base URL of an API, without a slash at its end.

    Args:
        url: What was given.
        api: The name of the API.
        version: What paths of the API begin with, such as ``/v1``.

    Raises:
        SettingsError: If it is missing, no https URL or one of http on loopback, names a user, or does not end before
            the version.
    """
    name = f"{prefix_of(api)}BASE_URL"
    if not url:
        raise SettingsError(f"Set {name}, or give --base-url {api}=URL (without {version}).")
    if "@" in url.partition("//")[2].partition("/")[0]:
        raise SettingsError(f"{name} names a user before an @; leave that out: credentials have settings of their own.")
    try:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        usable = is_safe and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{name} is {url!r}; expected https:// (or http:// on loopback) and a host.")
    if parts.path.rstrip("/").endswith(version) or parts.query or parts.fragment:
        raise SettingsError(f"{name} is {url!r}; it must end before {version}, without a query.")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, so that nothing that is sent there leaves it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_ca_file(path: str | None) -> str | None:
    """The path of a file of certificates, None if none is set.

    Raises:
        SettingsError: If there are no certificates in it.
    """
    try:
        if path:
            _check_certificates(Path(path))
    except OSError as error:
        raise SettingsError(
            f"CONFORMANCE_CA_FILE is {path!r}, which is no readable file of certificates in PEM: {error}"
        ) from error
    return path


def _check_certificates(path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is no file")
    ssl.create_default_context(cafile=path)


def identities(
    kind: type[Settings], prefixes: Mapping[str, str], *, required: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The credentials of each identity, in clear, by the names of the settings in lower case.

    Args:
        kind: What an identity authenticates with.
        prefixes: What the names of the settings of each identity begin with: of ``first``, and of ``second``, which is
            there if any of its settings is.
        required: The names of the fields that an identity must have.

    Raises:
        SettingsError: If one of these is missing, all that are being named, or both identities are the same.
    """
    found = {"first": _credentials(kind, prefixes["first"], required)}
    second = read(kind, prefixes["second"])
    if any(getattr(second, name) for name in kind.model_fields):
        found["second"] = _credentials(kind, prefixes["second"], required)
        if found["second"].get("api_key", "") == found["first"].get("api_key"):
            raise SettingsError(
                f"{prefixes['second']}API_KEY is that of the first identity; give another API client's, or leave it "
                "out."
            )
    return found


def _credentials(kind: type[Settings], prefix: str, required: Sequence[str]) -> dict[str, str]:
    settings = read(kind, prefix)
    found = {name: _revealed(getattr(settings, name)) for name in kind.model_fields}
    missing = [f"{prefix}{name.upper()}" for name in required if not found[name]]
    if missing:
        raise SettingsError(
            f"These settings are missing: {', '.join(missing)}. Set them in the environment or in .env."
        )
    undecoded = [f"{prefix}{name.upper()}" for name, value in found.items() if value and _UNDECODED.search(value)]
    if undecoded:
        raise SettingsError(f"These settings are not UTF-8: {', '.join(undecoded)}.")
    return {name: value for name, value in found.items() if value}


def _revealed(secret: SecretStr | str | None) -> str | None:
    """The text of a setting that may be a secret."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret
