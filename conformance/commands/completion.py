"""What a shell offers for what was typed of an API, a rule, a fault or a variation."""

from collections.abc import Iterable

import click

# What offers something is imported when a shell asks, so that other commands stay quick.
# ruff: noqa: PLC0415


def apis(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The names of the APIs that begin with what was typed."""
    from conformance.api import registered

    return _beginning(registered(), typed)


def rules(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The ids of the rules that begin with what was typed."""
    from conformance.api import selected_apis
    from conformance.commands.rulebook import all_rules

    return _beginning((rule.id for rule in all_rules(selected_apis([]))), typed)


def faults(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The names of the sandbox's faults that begin with what was typed."""
    from conformance.api import registered
    from conformance.commands.rulebook import broken_rules

    return _beginning((name for api in registered().values() for name in broken_rules(api)), typed)


def variations(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """The names of the sandbox's variations that begin with what was typed."""
    from conformance.api import registered
    from conformance.commands.rulebook import permitted_variations

    return _beginning((name for api in registered().values() for name in permitted_variations(api)), typed)


def faults_and_variations(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """The names of either that begin with what was typed."""
    return [*faults(context, parameter, typed), *variations(context, parameter, typed)]


def _beginning(names: Iterable[str], typed: str) -> list[str]:
    return [name for name in names if name.startswith(typed)]
