"""``conformance judge``: what traffic that somebody recorded says of its client and of the server."""

from pathlib import Path
from typing import Any

import click

from conformance.commands.endings import explained
from conformance.commands.traffic import base_urls_of, conclude
from conformance.options import about_options

# What the command needs is imported when it runs, so that help stays quick.
# ruff: noqa: PLC0415


@click.command(short_help="Judge recorded traffic, client and server.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--base-url",
    "base_urls",
    metavar="API=URL",
    multiple=True,
    callback=base_urls_of,
    help="Where an API is, without /v1 or /v2; may be left out if it is plain from the paths. May be repeated.",
)
@click.option("--strict", is_flag=True, help=about_options()["strict"].help)
@click.option(
    "--report",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write results.json, report.html and junit.xml there.",
)
@click.option(
    "--support-text",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what the provider breaks, with sources and exchanges, ready to be sent to it.",
)
def judge(
    *, file: Path, base_urls: dict[str, str], strict: bool, report: Path | None, support_text: Path | None
) -> None:
    """Judge recorded traffic by the rules for both parties that need nothing set up.

    FILE is an HTTP Archive (HAR), as browsers, mitmproxy and conformance proxy write it, or what GET /_sandbox/requests
    answers. Secrets are taken out of all that is shown or written. A rule that something outside of the recording may
    have kept is skipped. Signatures are verified with CONFORMANCE_OFFBLOCKS_SIGNING_KEY and ..._SIGNING_KEY_ID, or with
    a key whose registration was recorded.
    """
    with explained():
        from conformance.api import named, selected_apis
        from conformance.reporting.files import make_folder, write_support_text
        from conformance.traffic.reading import judge_file

        if report:
            make_folder(report)
        apis = selected_apis([])
        for name in base_urls:
            named(name)
        results: dict[str, Any] = judge_file(file, base_urls, apis, strict=strict)
        if support_text:
            click.echo(f"Wrote {write_support_text(results, support_text)}", err=True)
        conclude(results, report)
