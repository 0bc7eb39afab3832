"""The commands `conformance rules` and `conformance rules show`."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from conformance.commands import completion
from conformance.commands.endings import explained
from conformance.commands.searching import count, holds, search_option

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415


@click.group(invoke_without_command=True, short_help="List the rules, or show one of them.")
@click.option("--api", metavar="API", shell_complete=completion.apis, help="Only the rules of this API.")
@search_option
@click.option("--by-statement", is_flag=True, help="By the statements of the documents, each with what covers it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all sources and readings.")
@click.pass_context
def rules(context: click.Context, *, api: str | None, words: Sequence[str], by_statement: bool, as_json: bool) -> None:
    """List the rules by party, with level and basis, or show one of them.

    --search looks in ids, titles and readings, --by-statement --search in all that is said of a statement.
    """
    if context.invoked_subcommand is not None:
        if by_statement or words:
            raise click.UsageError("--by-statement and --search list several: that does not go with show.")
        context.obj = as_json
        return
    if by_statement:
        list_by_statement(api, words, as_json=as_json)
        return
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.rulebook import all_rules
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_rules

        known = all_rules(selected_apis([api] if api else []))
        found = [rule for rule in known if holds(words, (rule.id, rule.title, *(each.title for each in rule.readings)))]
        if as_json:
            click.echo(json.dumps([asdict(rule) for rule in found], indent=2, ensure_ascii=False))
            return
        write_rules(found, count(len(found), len(known), "rules", words), Output())


def list_by_statement(api: str | None, words: Sequence[str], *, as_json: bool) -> None:
    """List the statements of the documents of one API, or of all, with the rules, tests and faults that cover them."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.coverage import covered_statements, in_short
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_statements

        known = covered_statements(selected_apis([api] if api else []))
        found = [each.to_json() for each in known if holds(words, [json.dumps(each.to_json(), ensure_ascii=False)])]
        if as_json:
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        told = count(len(found), len(known), "statements", words) if words else in_short(known)
        write_statements(found, told, Output())


@rules.command("show", short_help="Show all that is known of one rule.")
@click.argument("rule_id", metavar="RULE", shell_complete=completion.rules)
@click.option("--json", "as_json", is_flag=True, help="As JSON, with all sources and readings.")
@click.pass_obj
def show_rule(json_of_group: bool, /, *, rule_id: str, as_json: bool) -> None:  # noqa: FBT001  (what the group keeps)
    """Show one rule: what it asks for, how surely, where that is said, and the tests that judge it."""
    with explained():
        from conformance.api import selected_apis
        from conformance.commands.rulebook import facts, find
        from conformance.reporting.lines import Output
        from conformance.reporting.tables import write_rule

        api, rule = find(rule_id, selected_apis([]))
        if as_json or json_of_group:
            click.echo(json.dumps(asdict(rule), indent=2, ensure_ascii=False))
            return
        write_rule(rule, facts(api, rule), Output())
