"""The commands `conformance rules` and `conformance rules show`."""

import json
from dataclasses import asdict

import click

from conformance.commands.endings import explained

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415


@click.group(invoke_without_command=True, short_help="List the rules, or show one of them.")
@click.option("--api", metavar="API", help="Only the rules of this API.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all sources and readings.")
@click.pass_context
def rules(context: click.Context, *, api: str | None, as_json: bool) -> None:
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
            click.echo(json.dumps([asdict(rule) for rule in listed], indent=2, ensure_ascii=False))
            return
        write_rules(listed, Output())


@rules.command("show")
@click.argument("rule_id", metavar="RULE")
@click.pass_obj
def show_rule(as_json: bool, rule_id: str) -> None:  # noqa: FBT001  (click gives what the group keeps first)
    """Show one rule: what it asks for, how surely, where that is said, and the tests that judge it."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.rulebook import facts, find
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_rule

        api, rule = find(rule_id, selected_apis([]))
        if as_json:
            click.echo(json.dumps(asdict(rule), indent=2, ensure_ascii=False))
            return
        write_rule(rule, facts(api, rule), Output())
