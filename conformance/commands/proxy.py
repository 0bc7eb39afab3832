"""``conformance proxy``: stands between a client and a server, passes all on, and judges and logs what it sees."""

import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from conformance import ConformanceError
from conformance.commands import completion
from conformance.commands.endings import explained, stopped_by
from conformance.commands.traffic import conclude
from conformance.options import about_options, read_base_urls

# What the command needs is imported when it runs, so that help stays quick.
# ruff: noqa: PLC0415

_PORT = 8081


class ProxyNotStartedError(ConformanceError, RuntimeError):
    """The proxy cannot be started as it was asked to; the message says why and what to do."""


@click.command(short_help="Stand between a client and a server, and judge both.")
@click.argument("api", metavar="API", shell_complete=completion.apis)
@click.option(
    "--upstream",
    metavar="URL",
    required=True,
    help="Where the server is, without /v1 or /v2.",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port of 127.0.0.1 to listen on; 0 for any that is free.",
)
@click.option("--allow-remote", is_flag=True, help="The server may be another machine than this one.")
@click.option("--resign", is_flag=True, help="Replace the signature of each signed request by one of your own key.")
@click.option("--strict", is_flag=True, help=about_options()["strict"].help)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the exchanges there as an HTTP Archive, without secrets, for conformance judge.",
)
def proxy(
    *, api: str, upstream: str, port: int, allow_remote: bool, resign: bool, strict: bool, output: Path | None
) -> None:
    """Stand between your client and a server of API, until Ctrl-C: pass all on, and judge both.

    Your client takes the proxy's URL for that of the API, and signs for it: its signature is judged by that URL. A
    server that verifies signatures over the host or the whole URL takes it only with --resign, which signs anew for the
    server's URL, with CONFORMANCE_OFFBLOCKS_SIGNING_KEY and ..._SIGNING_KEY_ID. The exit code is that of the verdict.
    """
    with explained():
        results = _pass_on(api, upstream, port, allow_remote=allow_remote, resign=resign, strict=strict, output=output)
        click.echo()
        conclude(results, None)


def _pass_on(
    name: str, upstream: str, port: int, *, allow_remote: bool, resign: bool, strict: bool, output: Path | None
) -> dict[str, Any]:
    """Pass on until Ctrl-C or SIGTERM; gives the results.

    Raises:
        UnknownApiError: If there is no such API.
        ProxyNotStartedError: If it cannot be started as asked.
        LogNotWrittenError: If the log cannot be written.
        SettingsError: If a setting of the user's is wrong.
    """
    from conformance.api import named, selected_apis
    from conformance.sandbox.threaded_server import ThreadedServer
    from conformance.traffic.log import TrafficLog
    from conformance.traffic.proxy import Proxy
    from conformance.traffic.watch import ProxyWatch

    found = named(name)
    base = _checked(name, upstream, allow_remote=allow_remote)
    signer = _signer(name) if resign else None
    log = TrafficLog(output) if output else None
    parts = urlsplit(base)
    origin = f"{parts.scheme}://{parts.netloc}"
    watch = ProxyWatch(found, parts.path, selected_apis([]), click.echo, log)
    app = Proxy(origin, watch.passed, resign=signer, trust=_trust(name) if base.startswith("https:") else None)
    flags = {"--allow-remote": allow_remote, "--resign": resign, "--strict": strict}
    words = ["conformance", "proxy", name, "--upstream", base, *(flag for flag, given in flags.items() if given)]
    try:
        server = ThreadedServer(app, "127.0.0.1", port, lifespan=True)
    except OSError as error:
        raise ProxyNotStartedError(
            f"The proxy cannot listen on 127.0.0.1, port {port}: {error}. Choose another port, or 0 for any."
        ) from error
    with stopped_by(signal.SIGINT, signal.SIGTERM):
        try:
            click.echo(
                f"Passing on from {server.origin}{parts.path} to {base}: use it as the base URL of {found.title}."
            )
            click.echo(
                "Each request is judged as it comes. Ctrl-C ends it with a summary and the exit code of a run.\n"
            )
            server.wait()
        except KeyboardInterrupt:
            server.stop()
    if log is not None:
        log.write()
        click.echo(f"Wrote {output}", err=True)
    return watch.results(base, command=shlex.join(words), strict=strict)


def _checked(name: str, upstream: str, *, allow_remote: bool) -> str:
    """The base URL of the server.

    Raises:
        ProxyNotStartedError: If it is none, or that of another machine though that is not allowed.
    """
    from conformance.settings import is_loopback

    try:
        base = read_base_urls([f"{name}={upstream}"])[name]
    except ValueError as error:
        raise ProxyNotStartedError(f"--upstream: {error}") from error
    parts = urlsplit(base)
    if parts.username is not None or parts.password is not None:
        raise ProxyNotStartedError("--upstream names a user before an @; leave that out.")
    if not allow_remote and not is_loopback(parts.hostname or ""):
        raise ProxyNotStartedError(
            f"{parts.hostname} is another machine: give --allow-remote if your client's requests may go there."
        )
    return base


def _signer(name: str) -> Callable[[Any], Any]:
    """What signs requests anew with the user's key.

    Raises:
        ProxyNotStartedError: If requests of the API are not signed, or the key is not set.
        SettingsError: If a setting is wrong.
    """
    from conformance.api import named
    from conformance.clock import SystemClock
    from conformance.exchange import Request

    api = named(name)
    signing, foreign = api.signing, api.foreign
    if signing is None or foreign is None:
        raise ProxyNotStartedError(f"Requests of {api.title} are not signed, so --resign has nothing to replace.")
    credentials, settings = foreign.given()
    own = credentials.get("first", {})
    try:
        signing.signed_anew(Request(), own, settings, SystemClock().now())
    except ValueError as error:
        raise ProxyNotStartedError(str(error)) from error

    def resign(request: Request) -> Request:
        return signing.signed_anew(request, own, settings, SystemClock().now())

    return resign


def _trust(name: str) -> Any:
    """Which certificates are trusted: the system's, or those of ``CONFORMANCE_CA_FILE``.

    Raises:
        SettingsError: If there are none in that file.
    """
    import ssl

    from conformance.settings import ServerSettings, checked_ca_file, prefix_of, read

    file = checked_ca_file(read(ServerSettings, prefix_of(name)).ca_file)
    return ssl.create_default_context(cafile=file)
