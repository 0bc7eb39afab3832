"""The command `conformance webhooks check`: a receiver of webhooks, judged by how it answers."""

import os
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import click

from conformance.commands import completion
from conformance.commands.endings import explained

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

_END_OF_PORTS = 65_536


@click.group(short_help="Check a receiver of webhooks.")
def webhooks() -> None:
    """Check a receiver of webhooks."""


@webhooks.command("check")
@click.argument("name", metavar="API", shell_complete=completion.apis)
@click.option("--url", metavar="URL", required=True, help="Where your receiver listens.")
@click.option(
    "--secret-env",
    metavar="NAME",
    help="The environment variable that holds the secret by which it verifies; for an API that signs its webhooks.",
)
@click.option("--allow-remote", is_flag=True, help="Also send to another machine than this one.")
@click.option(
    "--probe-url",
    metavar="URL",
    help='Where a GET is answered with {"processed": N}, how many events it has processed.',
)
@click.option("--strict", is_flag=True, help="Inferred rules count as their level says.")
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results.json, report.html and junit.xml there.",
)
def check_receiver(
    *,
    name: str,
    url: str,
    secret_env: str | None,
    allow_remote: bool,
    probe_url: str | None,
    strict: bool,
    report: Path | None,
) -> None:
    """Check a receiver of webhooks: right events in every form, and forged ones where the API signs.

    Events of made-up customers are sent, so let it run on a copy of its data. docs/webhooks.md says what is sent.
    Exit codes: 0 conforms, 1 fails, 2 wrong usage, 3 inconclusive: nothing answers there, or no right event is taken.
    """
    with explained():
        from conformance.api import named
        from conformance.receivers.check import check, receiving_of
        from conformance.receivers.sending import tls_of, without_query
        from conformance.reporting.console import summary
        from conformance.reporting.files import make_folder, write_reports
        from conformance.reporting.lines import Output
        from conformance.reporting.receivers import write_rows
        from conformance.settings import ServerSettings, checked_ca_file, read
        from conformance.verdicts import Conclusion

        api = named(name)
        places = {"--url": url, **({"--probe-url": probe_url} if probe_url else {})}
        for option, place in places.items():
            _check_place(option, place, allow_remote=allow_remote)
        secret = _secret(secret_env) if secret_env else None
        receiving_of(api, has_secret=secret is not None)
        if report:
            make_folder(report)
        words = ["conformance", "webhooks", "check", name]
        words += [word for option, place in places.items() for word in (option, without_query(place))]
        words += ["--secret-env", secret_env] if secret_env else []
        words += ["--allow-remote"] if allow_remote else []
        tls = tls_of(checked_ca_file(read(ServerSettings, "").ca_file))
        checked = check(api, url, secret, probe_url, tls, shlex.join(words), strict=strict)
        write_rows(checked.rows, checked.stopped, Output())
        summary(checked.results, Output())
        if report:
            for path in write_reports(checked.results, report):
                click.echo(f"Wrote {path}", err=True)
        raise click.exceptions.Exit(Conclusion(checked.results["verdict"]).exit_code)


def _secret(name: str) -> str:
    """The secret in an environment variable.

    Raises:
        click.BadParameter: If there is none; the message does not show what is there.
    """
    secret = os.environ.get(name, "")
    if not secret:
        raise click.BadParameter(
            f"the environment variable {name!r} is not set, or empty; put your receiver's secret there.",
            param_hint="--secret-env",
        )
    if not secret.isprintable():
        raise click.BadParameter(
            f"what {name!r} holds has a line end or another invisible character in it; take it out, as by "
            f"{name}=$(cat FILE).",
            param_hint="--secret-env",
        )
    return secret


def _check_place(option: str, url: str, *, allow_remote: bool) -> None:
    """Make sure that deliveries may go to a URL.

    Raises:
        click.BadParameter: If it is none of http or https, names a user, or is not on this machine and that was not
            allowed.
    """
    from conformance.settings import is_loopback

    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and 0 < (parts.port or 80) < _END_OF_PORTS
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise click.BadParameter(
            "it is no URL that begins with http:// or https:// and names a host.", param_hint=option
        )
    if "@" in parts.netloc:
        raise click.BadParameter("it names a user before an @, who would stand in the results.", param_hint=option)
    if not allow_remote and not is_loopback(parts.hostname or ""):
        raise click.BadParameter(
            f"{parts.hostname} is not this machine. If the receiver there is yours to test, give --allow-remote.",
            param_hint=option,
        )
