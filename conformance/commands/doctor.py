"""Whether this installation can do its work: what is there, what is missing, and what to do."""

import os
import platform
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

import httpx
from dotenv import dotenv_values
from packaging.requirements import Requirement

from conformance import ConformanceError
from conformance.api import Api, Probed, registered
from conformance.bounds.transport import BoundedTransport
from conformance.catalogue import Catalogue, CatalogueError, Party
from conformance.recording.cassettes import Cassette, CassetteUnreadableError
from conformance.sandbox.server import SandboxNotStartedError, start
from conformance.settings import LiveSettings, SettingsError
from conformance.specification import Specification, SpecificationError
from conformance.statements.table import StatementsError

DISTRIBUTION = "wallet-conformance"
_OLDEST_PYTHON = (3, 11)
_TIMEOUT = httpx.Timeout(5.0)


@dataclass(frozen=True)
class Check:
    """What was found of one part of the installation.

    Args:
        ok: Whether it is as it should be.
        subject: The part.
        detail: What it is like, and of a problem what to do.
    """

    ok: bool
    subject: str
    detail: str


def examine() -> Iterator[Check]:
    """Check the installation, part by part; no setting's value is ever part of what is said."""
    yield _python()
    yield _dependencies()
    try:
        apis = list(registered().values())
    except Exception as error:  # noqa: BLE001  (an API of somebody else may break in any way)
        yield Check(ok=False, subject="APIs", detail=f"One cannot be loaded: {error}. Update or uninstall its package.")
        return
    if not apis:
        yield Check(ok=False, subject="APIs", detail="None is registered. Install the package again: pip install -e .")
        return
    yield Check(ok=True, subject="APIs", detail=", ".join(api.name for api in apis))
    for api in apis:
        yield from _api(api)
    yield _sandbox(apis)
    for api in apis:
        yield from _settings(api)


def _python() -> Check:
    wanted = ".".join(str(number) for number in _OLDEST_PYTHON)
    if sys.version_info < _OLDEST_PYTHON:
        return Check(ok=False, subject="Python", detail=f"{platform.python_version()}; install {wanted} or later.")
    return Check(ok=True, subject="Python", detail=platform.python_version())


def _dependencies() -> Check:
    try:
        wanted = [Requirement(text) for text in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return Check(ok=False, subject="dependencies", detail=f"{DISTRIBUTION} is not installed: pip install -e .")
    found, wrong = [], []
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        found.append(f"{requirement.name} {installed}")
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, not {requirement.specifier}")
    if wrong:
        detail = f"{'; '.join(wrong)}. Install with: pip install -c constraints.txt {DISTRIBUTION}"
        return Check(ok=False, subject="dependencies", detail=detail)
    return Check(ok=True, subject="dependencies", detail=", ".join(found))


def _api(api: Api) -> Iterator[Check]:
    try:
        rules = Catalogue.load(api.rules)
    except (CatalogueError, StatementsError) as error:
        yield Check(ok=False, subject=f"{api.name} rules", detail=str(error))
    else:
        providers = sum(rule.party is Party.PROVIDER for rule in rules.values())
        detail = f"{providers} for the provider, {len(rules) - providers} for clients"
        yield Check(ok=True, subject=f"{api.name} rules", detail=detail)
    try:
        specification = Specification.load(api.specification)
    except SpecificationError as error:
        yield Check(ok=False, subject=f"{api.name} specification", detail=str(error))
        return
    detail = f"{len(specification.operations)} operations, {len(specification.webhooks)} webhooks"
    yield Check(ok=True, subject=f"{api.name} specification", detail=detail)
    yield _cassettes(api, specification)


def _cassettes(api: Api, specification: Specification) -> Check:
    subject = f"{api.name} cassettes"
    again = f"Record them: conformance record {api.name} --target sandbox"
    try:
        cassettes = [Cassette.load(path) for path in sorted(api.cassettes.glob("*/*.yaml"))]
    except CassetteUnreadableError as error:
        return Check(ok=False, subject=subject, detail=f"{error} {again}")
    if not cassettes:
        return Check(ok=False, subject=subject, detail=f"There are none in {api.cassettes}. {again}")
    stale = sum(cassette.specification != specification.digest for cassette in cassettes)
    if stale:
        detail = f"{stale} of {len(cassettes)} were recorded with another specification. {again}"
        return Check(ok=False, subject=subject, detail=detail)
    origins = ", ".join(sorted({cassette.origin for cassette in cassettes}))
    return Check(ok=True, subject=subject, detail=f"{len(cassettes)}, recorded from: {origins}")


def _sandbox(apis: list[Api]) -> Check:
    try:
        with start(apis=apis) as sandbox, _client() as client:
            status = client.get(f"{sandbox.origin}/_sandbox").status_code
    except (SandboxNotStartedError, httpx.HTTPError) as error:
        detail = f"{error} Allow this machine to listen on and connect to 127.0.0.1."
        return Check(ok=False, subject="sandbox", detail=detail)
    if status != httpx.codes.OK:
        return Check(ok=False, subject="sandbox", detail=f"It answers {status} on loopback. Please report this.")
    return Check(ok=True, subject="sandbox", detail="starts and answers on loopback")


def _settings(api: Api) -> Iterator[Check]:
    subject = f"{api.name} settings"
    prefix = f"CONFORMANCE_{api.name.upper().replace('-', '_')}_"
    try:
        given = {**dotenv_values(".env"), **os.environ}
    except UnicodeDecodeError as error:
        yield Check(ok=False, subject=subject, detail=f"The file .env is not UTF-8: {error}")
        return
    names = sorted(name.upper() for name, value in given.items() if name.upper().startswith(prefix) and value)
    of_the_sandbox = {f"{prefix}{name.upper()}" for name in api.sandbox_settings}
    if of_the_sandbox.issuperset(names):
        said = f"{', '.join(names)} for the sandbox" if names else "none"
        detail = f"{said}; --target live takes {prefix}... from the environment or .env"
        yield Check(ok=True, subject=subject, detail=detail)
        return
    try:
        settings = api.settings.load()
    except SettingsError as error:
        yield Check(ok=False, subject=subject, detail=f"Set are {', '.join(names)}. {error}")
        return
    yield Check(ok=True, subject=subject, detail=f"set are {', '.join(names)}")
    yield _reachable(api, settings)


def _reachable(api: Api, settings: LiveSettings) -> Check:
    subject = f"{api.name} server"
    try:
        with _client(settings.ca_file) as client:
            status = client.get(settings.base_url).status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        detail = f"{settings.base_url} does not answer: {error}. Check the URL, the network, and CONFORMANCE_CA_FILE."
        return Check(ok=False, subject=subject, detail=detail)
    return Check(ok=True, subject=subject, detail=f"{settings.base_url} answers, with {status}")


def _client(ca_file: str | None = None) -> httpx.Client:
    trust = ssl.create_default_context(cafile=ca_file)
    return httpx.Client(transport=BoundedTransport(trust), timeout=_TIMEOUT)


def answers(api: Api) -> Iterator[Probed]:
    """What the live server of an API accepts that no document says, one answer after the other.

    Raises:
        ConformanceError: If nobody wrote a probe of this API.
        SettingsError: If a setting is missing or wrong.
    """
    if api.probe is None:
        raise ConformanceError(f"{api.title} has no probe.")
    return api.probe.probe(api.settings.load())
