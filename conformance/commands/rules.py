"""The commands `conformance rules` and `conformance rules show`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from conformance.commands.endings import explained

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

rules_app = typer.Typer(help="List the rules, or show one of them.", invoke_without_command=True)


@rules_app.callback()
def rules(
    *,
    context: typer.Context,
    api: Annotated[str | None, typer.Option(metavar="API", help="Only the rules of this API.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all sources and readings.")] = False,
) -> None:
    """List the rules with level, basis and party, or show one of them."""
    if context.invoked_subcommand is not None:
        context.obj = as_json
        return
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.rulebook import all_rules
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_rules

        listed = all_rules(selected_apis([api] if api else []))
        if as_json:
            typer.echo(json.dumps([asdict(rule) for rule in listed], indent=2, ensure_ascii=False))
            return
        write_rules(listed, Output())


@rules_app.command("show")
def show_rule(
    context: typer.Context, rule_id: Annotated[str, typer.Argument(metavar="RULE", help="The id of a rule.")]
) -> None:
    """Show one rule: what it asks for, how surely, where that is said, and the tests that judge it."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.rulebook import facts, find
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_rule

        api, rule = find(rule_id, selected_apis([]))
        if context.obj:
            typer.echo(json.dumps(asdict(rule), indent=2, ensure_ascii=False))
            return
        write_rule(rule, facts(api, rule), Output())
