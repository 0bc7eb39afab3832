"""Two schemas compared: what a client may write less of, and what it may read more of."""

import json
import re
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from conformance.drift.form import NotComparableError
from conformance.drift.kinds import Kind, kind_of_value
from conformance.drift.names import best_pairs, likeness
from conformance.drift.patterns import accepts_less, matches
from conformance.drift.places import Pair, Seen, Spot
from conformance.drift.references import Described, Node
from conformance.drift.sameness import Sameness
from conformance.drift.views import Bound, View, both, view

_MOST_COMPARISONS = 100_000
"""How many pairs of schemas are compared."""
_MOST_VISITS = 5
"""In how many places a shared schema is compared; of the others it is only known that they lead to it."""
_ALIKE = 0.6
"""How alike two names are, from 0 to 1, that may be one renamed."""
_WIDER = {
    "float": {"double"},
    "int32": {"int64"},
    "uri": {"uri-reference", "iri", "iri-reference"},
    "uri-reference": {"iri-reference"},
    "iri": {"iri-reference"},
    "email": {"idn-email"},
    "hostname": {"idn-hostname"},
    "ipv4": {"ip"},
    "ipv6": {"ip"},
}
"""The formats whose values are all of another format too."""
_OF_DISPLAY = {"password", "textarea", "markdown", "html", "multiline"}
"""Formats that say how a value is shown, and allow no value less."""
_OF_RANGE = {"int64", "double"}
"""Formats that say of a number what nearly every implementation does without them."""


@dataclass(eq=False)
class Comparing:
    """What compares schemas of two descriptions.

    Args:
        before: The older description.
        after: The newer one.
    """

    before: Described
    after: Described
    seen: list[Seen] = field(default_factory=list)
    _sameness: Sameness = field(init=False)
    _kept: list[Node] = field(default_factory=list)
    _waiting: deque[tuple[Pair, Node, Node, Spot]] = field(default_factory=deque)
    _within: Pair | None = None
    _leading: dict[Pair, set[Pair | Spot]] = field(default_factory=dict)
    _visits: Counter[Pair] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._sameness = Sameness(self.before, self.after)

    def compare(self, before: Node, after: Node, spot: Spot) -> None:
        """Compare two schemas.

        Raises:
            NotComparableError: If there are too many parts to compare.
        """
        self._within = None
        self._nodes(before, after, spot)
        while self._waiting:
            self._within, one, other, where = self._waiting.popleft()
            try:
                self._views(view(self.before, one), view(self.after, other), where)
            except RecursionError:
                raise NotComparableError(f"{self.after.name} is nested too deep to be compared.") from None

    def about(self, before: Mapping[str, Any], after: Mapping[str, Any], spot: Spot) -> None:
        """Compare what is said about a parameter beside its schema.

        Args:
            before: The older parameter.
            after: The newer one.
            spot: Where it stands.
        """
        was, now = before.get("deprecated") is True, after.get("deprecated") is True
        if was != now:
            self._say("deprecated" if now else "not-deprecated-any-more", spot, View(), "", "")
        texts = [" ".join(str(each.get("description") or "").split()) for each in (before, after)]
        if texts[0] != texts[1]:
            self._say("text-changed", spot, View(), texts[0], texts[1])

    def _nodes(self, before: Node, after: Node, spot: Spot) -> None:
        """Have two schemas compared, after those that were met before: their graph may be large, and have rings."""
        if self._sameness.holds(before, after):
            return
        pair = (before.identity, after.identity, spot.part)
        self._leading.setdefault(pair, set()).add(spot if self._within is None else self._within)
        self._visits[pair] += 1
        if self._visits[pair] > _MOST_VISITS:
            return
        self._kept += (before, after)  # or other ones could have their identity
        if len(self._kept) > 2 * _MOST_COMPARISONS:
            raise NotComparableError(f"{self.after.name} is too large to be compared with {self.before.name}.")
        self._waiting.append((pair, before, after, spot))

    def spots_of(self, pair: Pair) -> list[Spot]:
        """The bodies, parameters and headers that lead to a pair of schemas."""
        found: dict[Spot, None] = {}
        met, pending = {pair}, [pair]
        while pending:
            for leading in self._leading.get(pending.pop(), ()):
                if isinstance(leading, Spot):
                    found.setdefault(leading)
                elif leading not in met:
                    met.add(leading)
                    pending.append(leading)
        return sorted(found, key=str)

    def _say(
        self, change: str, spot: Spot, one: View | Node, before: str, after: str, *, tightened: bool | None = None
    ) -> None:
        name, kind = kind_of_value(spot.part, change, written=spot.written, tightened=tightened)
        self._found(name, kind, spot, one, before, after)

    def _found(self, name: str, kind: Kind, spot: Spot, one: View | Node, before: str, after: str) -> None:
        shared = (one.origin, *one.way) if one.origin else ()
        seen = Seen(name, kind.impact, kind.advice, str(spot), before, after, spot.operation, shared, self._within)
        self.seen.append(seen)

    # ------------------------------------------------------------------------------------------------------ views

    def _views(self, one: View, other: View, spot: Spot) -> None:
        if bool(one.variants) != bool(other.variants):
            one, other = _spread(one), _spread(other)
            self._variants(one, other, spot)
            self._null(one, other, spot)
            return
        if not self._types(one, other, spot):
            return
        self._null(one, other, spot)
        self._values(one, other, spot)
        if other.enum is None and not (one.enum is not None and _all_fit(one.enum, other)):
            self._texts(one, other, spot)
            self._limits(one, other, spot)
        self._defaults(one, other, spot)
        self._conditions(one, other, spot)
        self._members(one, other, spot)
        self._entries(one, other, spot)
        self._variants(one, other, spot)
        if one.deprecated != other.deprecated:
            change = "deprecated" if other.deprecated else "not-deprecated-any-more"
            self._say(change, spot, one, "", "")
        if one.text != other.text:
            self._say("text-changed", spot, one, one.text, other.text)

    def _types(self, one: View, other: View, spot: Spot) -> bool:
        """Compare types; whether what is of them is to be compared too."""
        before, after = one.kinds, other.kinds
        if before == after:
            return True
        told = (_types(one), _types(other))
        if after < before:
            self._say("type-narrowed", spot, one, *told)
        elif before < after:
            self._say("type-widened", spot, one, *told)
        else:
            self._say("type-changed", spot, one, *told)
        return bool(before & after)

    def _null(self, one: View, other: View, spot: Spot) -> None:
        if one.types is None or other.types is None or one.nullable == other.nullable:
            return
        change = "became-nullable" if other.nullable else "became-not-nullable"
        self._say(change, spot, one, _types(one), _types(other))

    def _values(self, one: View, other: View, spot: Spot) -> None:
        if one.enum is None or other.enum is None:
            if other.enum is not None:
                self._say("values-listed", spot, one, "", ", ".join(other.enum))
            elif one.enum is not None:
                self._say("values-not-listed-any-more", spot, one, ", ".join(one.enum), "")
        else:
            self._listed("enum", one.enum, other.enum, spot, one)
        if one.known and other.known:
            self._listed("known", one.known, other.known, spot, one)

    def _listed(self, name: str, before: Sequence[str], after: Sequence[str], spot: Spot, one: View) -> None:
        for value in before:
            if value not in after:
                self._say(f"{name}-value-removed", spot, one, value, "")
        for value in after:
            if value not in before:
                self._say(f"{name}-value-added", spot, one, "", value)

    def _texts(self, one: View, other: View, spot: Spot) -> None:
        self._format(one, other, spot)
        if one.encoding != other.encoding:
            self._say("encoding-changed", spot, one, one.encoding, other.encoding)
        if one.patterns == other.patterns:
            return
        told = (" and ".join(sorted(one.patterns)), " and ".join(sorted(other.patterns)))
        if one.patterns < other.patterns:
            self._say("pattern-added", spot, one, *told)
        elif other.patterns < one.patterns:
            self._say("pattern-removed", spot, one, *told)
        elif example := accepts_less(one.patterns, other.patterns):
            self._say("pattern-narrowed", spot, one, told[0], f"{told[1]}, which {example!r} does not match")
        else:
            self._say("pattern-changed", spot, one, *told)

    def _format(self, one: View, other: View, spot: Spot) -> None:
        before, after = one.format, other.format
        if before == after:
            return
        told = (before or "", after or "")
        light = _OF_DISPLAY | _OF_RANGE
        if {before, after} <= light | {None}:
            self._say("format-noted", spot, one, *told)
        elif before is None or before in _OF_DISPLAY or before in _WIDER.get(after or "", ()):
            self._say("format-narrowed", spot, one, *told)
        elif after is None or after in _OF_DISPLAY or after in _WIDER.get(before, ()):
            self._say("format-widened", spot, one, *told)
        else:
            self._say("format-changed", spot, one, *told)

    def _limits(self, one: View, other: View, spot: Spot) -> None:
        for name, before, after, upper in (
            ("minimum", one.lower, other.lower, False),
            ("maximum", one.upper, other.upper, True),
        ):
            self._limit(name, before, after, spot, one, upper=upper)
        for name in dict.fromkeys((*one.sizes, *other.sizes)):
            pair = [(value, False) if (value := each.sizes.get(name)) is not None else None for each in (one, other)]
            self._limit(_kebab(name), pair[0], pair[1], spot, one, upper=name.startswith("max"))
        steps, others = one.multiple, other.multiple
        if steps != others:
            looser = others is None or (steps is not None and not Decimal(str(steps)) % Decimal(str(others)))
            change = "multiple-of-" + ("added" if steps is None else "removed" if others is None else "changed")
            self._say(change, spot, one, _told(steps), _told(others), tightened=not looser)
        if one.unique != other.unique:
            self._say(f"unique-items-{'added' if other.unique else 'removed'}", spot, one, "", "")

    def _limit(self, name: str, before: Bound, after: Bound, spot: Spot, one: View, *, upper: bool) -> None:
        if before == after:
            return
        told = (_told_bound(before), _told_bound(after))
        if before is None or after is None:
            change = f"{name}-{'added' if before is None else 'removed'}"
            self._say(change, spot, one, *told, tightened=before is None)
            return
        ranks = [(value, not open_) if upper else (value, open_) for value, open_ in (before, after)]
        increased = ranks[1] > ranks[0]
        change = f"{name}-{'increased' if increased else 'decreased'}"
        self._say(change, spot, one, *told, tightened=increased is not upper)

    def _defaults(self, one: View, other: View, spot: Spot) -> None:
        before, after = one.default, other.default
        if before == after:
            return
        change = "default-added" if before is None else "default-removed" if after is None else "default-changed"
        self._say(change, spot, one, before or "", after or "")

    def _conditions(self, one: View, other: View, spot: Spot) -> None:
        for text in sorted(one.exceptions - other.exceptions):
            self._say("exception-removed", spot, one, text, "")
        for text in sorted(other.exceptions - one.exceptions):
            self._say("exception-added", spot, one, "", text)
        for name in dict.fromkeys((*one.conditions, *other.conditions)):
            before, after = one.conditions.get(name, ""), other.conditions.get(name, "")
            if before != after:
                self._say(
                    "condition-changed", spot, one, f"{name} {before}" * bool(before), f"{name} {after}" * bool(after)
                )
        for name in dict.fromkeys((*one.dependent, *other.dependent)):
            old, new = one.dependent.get(name, frozenset()), other.dependent.get(name, frozenset())
            for needed in sorted(new - old):
                self._say("dependent-property-added", spot, one, "", f"{name} needs {needed}")
            for needed in sorted(old - new):
                self._say("dependent-property-removed", spot, one, f"{name} needs {needed}", "")

    # ---------------------------------------------------------------------------------------------------- members

    def _members(self, one: View, other: View, spot: Spot) -> None:
        hidden = "read_only" if spot.written else "write_only"
        old, new = _members_of(self.before, one), _members_of(self.after, other)
        gone = [name for name in old if name not in new and not getattr(old[name], hidden)]
        fresh = [name for name in new if name not in old and not getattr(new[name], hidden)]
        for before, after in _renamed({n: old[n] for n in gone}, {n: new[n] for n in fresh}):
            self._say("property-renamed", spot.inside(before), old[before], before, after)
            gone.remove(before)
            fresh.remove(after)
        for name in gone:
            self._say("property-removed", spot.inside(name), old[name], _types(old[name]), "")
        for name in fresh:
            self._added(name, other, new[name], spot)
        for name, member in old.items():
            if name in new:
                self._member(name, (one, other), (member, new[name]), spot)
        for name in sorted((one.required ^ other.required) - {*one.properties, *other.properties}):
            kind = "required" if name in other.required else "optional"
            self._say(f"property-became-{kind}", spot.inside(name), one, "", "")
        self._unnamed(one, other, spot)

    def _added(self, name: str, parent: View, member: View, spot: Spot) -> None:
        change = "property-added"
        if spot.written and name in parent.required:
            change = "required-property-added" if member.default is None else "required-property-with-default-added"
        self._say(change, spot.inside(name), member, "", _types(member))

    def _member(self, name: str, parents: tuple[View, View], members: tuple[View, View], spot: Spot) -> None:
        """Compare a member that both objects have."""
        old, new = members
        inside = spot.inside(name)
        was_hidden, is_hidden = ((each.read_only if spot.written else each.write_only) for each in members)
        if was_hidden and is_hidden:
            return
        if is_hidden:
            self._say(
                "property-became-read-only" if spot.written else "property-became-write-only", inside, old, "", ""
            )
            return
        if was_hidden:
            if spot.written and name in parents[1].required:
                self._added(name, parents[1], new, spot)
            else:
                self._say(
                    "property-became-writable" if spot.written else "property-became-readable", inside, old, "", ""
                )
            return
        before, after = (name in parent.required for parent in parents)
        if after and not before:
            has_default = spot.written and new.default is not None
            self._say(f"property-{'with-default-' * has_default}became-required", inside, old, "", "")
        elif before and not after:
            self._say("property-became-optional", inside, old, "", "")
        self._nodes(parents[0].properties[name], parents[1].properties[name], inside)

    def _unnamed(self, one: View, other: View, spot: Spot) -> None:
        """Compare what may be said of members that have no name of their own."""
        before, after = one.additional, other.additional
        if isinstance(before, Node) and isinstance(after, Node):
            self._nodes(before, after, spot.inside("*"))
        elif after is False and before is not False:
            asked = before is not None
            self._say(f"{'additional' if asked else 'undescribed'}-properties-forbidden", spot, one, "", "")
        elif before is False and after is not False:
            self._say("additional-properties-allowed", spot, one, "", "")
        elif isinstance(before, Node) or isinstance(after, Node):
            pair = [each if isinstance(each, Node) else Node({}) for each in (before, after)]
            self._nodes(pair[0], pair[1], spot.inside("*"))
        for pattern in dict.fromkeys((*one.patterned, *other.patterned)):
            if pattern in one.patterned and pattern in other.patterned:
                self._nodes(one.patterned[pattern], other.patterned[pattern], spot.inside(pattern))
            else:
                told = [f"patternProperties {pattern}" * (pattern in each.patterned) for each in (one, other)]
                self._say("condition-changed", spot, one, told[0], told[1])

    def _entries(self, one: View, other: View, spot: Spot) -> None:
        if "array" not in (one.types or ()) or "array" not in (other.types or ()):
            return
        for at in range(max(len(one.prefix), len(other.prefix))):
            pair = [each.prefix[at] if at < len(each.prefix) else each.items or Node({}) for each in (one, other)]
            self._nodes(pair[0], pair[1], spot.inside(str(at)))
        if one.items or other.items:
            self._nodes(one.items or Node({}), other.items or Node({}), spot.inside("*"))

    # --------------------------------------------------------------------------------------------------- variants

    def _variants(self, one: View, other: View, spot: Spot) -> None:
        if not one.variants and not other.variants:
            return
        pairs, gone, fresh = _matched(one.variants, other.variants)
        for before, after in pairs:
            self._views(before, after, spot)
        for variant in gone:
            covered = any(
                variant.kinds <= each.kinds and not each.properties and not each.enum for each in other.variants
            )
            if not (spot.written and covered):
                self._say("variant-removed", spot, variant, _named(variant), "")
        for variant in fresh:
            is_new_type = not variant.kinds <= frozenset[str]().union(*(each.kinds for each in one.variants))
            self._say("type-widened" if is_new_type else "variant-added", spot, variant, "", _named(variant))
        self._discriminators(one, other, spot)

    def _discriminators(self, one: View, other: View, spot: Spot) -> None:
        if one.discriminator is None or other.discriminator is None:
            return
        (name, values), (new_name, new_values) = one.discriminator, other.discriminator
        if name != new_name:
            self._say("discriminator-changed", spot, one, name, new_name)
        for value in sorted(set(values) - set(new_values)):
            self._say("discriminator-value-removed", spot, one, value, "")
        for value in sorted(set(new_values) - set(values)):
            self._say("discriminator-value-added", spot, one, "", value)


def _members_of(description: Described, parent: View) -> dict[str, View]:
    """The members that an object may have, without those that are only named to be forbidden."""
    found = {name: view(description, node) for name, node in parent.properties.items()}
    return {name: each for name, each in found.items() if each.types != frozenset[str]() or each.allows_null}


def _all_fit(values: Sequence[str], other: View) -> bool:
    """Whether values that are listed keep the limits of a schema that lists none."""
    for written in values:
        value = json.loads(written)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low = other.lower and (value < other.lower[0] or (value == other.lower[0] and other.lower[1]))
            high = other.upper and (value > other.upper[0] or (value == other.upper[0] and other.upper[1]))
            if low or high or (other.multiple and Decimal(str(value)) % Decimal(str(other.multiple))):
                return False
        elif isinstance(value, str):
            least, most = other.sizes.get("minLength", 0), other.sizes.get("maxLength", len(value))
            if other.format or not least <= len(value) <= most or not matches(other.patterns, value):
                return False
    return True


def _spread(each: View) -> View:
    """A view with variants only; what is said beside them is said of each."""
    if not each.variants:
        return View(types=each.types, nullable=each.nullable, variants=(replace(each, nullable=False),))
    outer = replace(each, variants=(), nullable=True)
    return View(
        types=each.types,
        nullable=each.nullable,
        variants=tuple(replace(both(outer, variant), nullable=False, title=variant.title) for variant in each.variants),
        discriminator=each.discriminator,
    )


def _matched(before: Sequence[View], after: Sequence[View]) -> tuple[list[tuple[View, View]], list[View], list[View]]:
    """The variants that are the same but for details, and the others of each side."""
    gone, fresh = list(before), list(after)
    pairs: list[tuple[View, View]] = []
    for same in (_same_name, _same_shape, _similar):
        for one in list(gone):
            other = next((each for each in fresh if same(one, each)), None)
            if other is not None:
                pairs.append((one, other))
                gone.remove(one)
                fresh.remove(other)
    return pairs, gone, fresh


def _same_name(one: View, other: View) -> bool:
    return bool(one.title) and one.title == other.title


def _same_shape(one: View, other: View) -> bool:
    return (one.kinds, one.enum, set(one.properties), one.required, one.format, one.patterns) == (
        *(other.kinds, other.enum, set(other.properties), other.required, other.format, other.patterns),
    )


def _similar(one: View, other: View) -> bool:
    if one.kinds != other.kinds:
        return False
    names, others = set(one.properties), set(other.properties)
    return 2 * len(names & others) >= max(len(names), len(others))


def _renamed(gone: Mapping[str, View], fresh: Mapping[str, View]) -> list[tuple[str, str]]:
    """The members that seem to have a new name: alike in name and type, and no other one comes so close."""
    alike = {
        (before, after): likeness(before, after)
        for before, one in gone.items()
        for after, other in fresh.items()
        if one.kinds == other.kinds and one.format == other.format
    }
    return best_pairs({pair: value for pair, value in alike.items() if value >= _ALIKE})


def _types(each: View) -> str:
    """The types of a view, in words."""
    types = "any" if each.types is None else " or ".join(sorted(each.types)) or "nothing"
    types += f" ({each.format})" if each.format else ""
    return f"{types} or null" if each.types is not None and each.nullable else types


def _named(variant: View) -> str:
    return variant.title or (
        f"an object with {', '.join(variant.properties)}" if variant.properties else _types(variant)
    )


def _told(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _told_bound(bound: Bound) -> str:
    if bound is None:
        return ""
    return f"{bound[0]} excluded" if bound[1] else f"{bound[0]}"


def _kebab(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "-" + match[1].lower(), name)
