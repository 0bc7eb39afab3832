"""YAML as plain data: what libyaml's safe loader of PyYAML gives, in less time."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError
from yaml.resolver import BaseResolver, Resolver

_SCALAR = BaseResolver.DEFAULT_SCALAR_TAG
_SEQUENCE = BaseResolver.DEFAULT_SEQUENCE_TAG
_MAPPING = BaseResolver.DEFAULT_MAPPING_TAG
_DEFAULTS = {yaml.ScalarNode: _SCALAR, yaml.SequenceNode: _SEQUENCE, yaml.MappingNode: _MAPPING}
_RESOLVER = Resolver()
_BEGINNINGS = {yaml.MappingStartEvent, yaml.SequenceStartEvent}
_ENDS = {yaml.MappingEndEvent, yaml.SequenceEndEvent}
_DEEPEST = 100
"""How deep what is read may be nested."""
_HARMLESS = 1000
"""How deep what is composed may be nested, for which libyaml calls itself."""
_INDENTATION = re.compile(rb"[ \t\0?:-]{%d}" % (_HARMLESS // 2))  # a level may share its indentation with another one
_SHOWN = 60
_LARGEST = 5 * 1024 * 1024
"""The bytes of a document."""
_MOST_NODES = 100_000
"""The nodes of a document with each alias standing for what it names; our largest description has a tenth of them."""
_BEFORE_ANCHORS = (b" &", b"\n&", b"\r&", b"\t&", b"[&", b"{&", b",&", b"\0&", b"&\0")
"""What an anchor may begin with, unless the document begins with one."""


class NestedTooDeepError(yaml.YAMLError, RecursionError):
    """YAML that is nested deeper than it can be read."""


class TooLargeError(yaml.YAMLError):
    """YAML that is longer than any file of ours is."""


def read_yaml(content: bytes) -> Any:
    """What a YAML document says, None if it is empty.

    Args:
        content: The document, in UTF-8 or UTF-16, of at most 5 MiB.

    Raises:
        yaml.YAMLError: If it is no YAML, holds more than plain data, or grows too large by its aliases.
        NestedTooDeepError: If it is nested too deep.
        TooLargeError: If it is too long.
    """
    if len(content) > _LARGEST:
        raise TooLargeError(f"it has {len(content):,} bytes, more than {_LARGEST:,}")
    with suppress(_UnusualError):
        return _usual_data(content)
    if _may_be_deep(content):
        _check_depth(content)
    try:
        loader = _Loader(content, has_anchors=_may_have_anchors(content))
        return loader.get_single_data()
    except RecursionError as error:
        raise NestedTooDeepError("it is nested too deep") from error


class _UnusualError(Exception):
    """A document has what those of ours hardly ever have, or is wrong."""


def _usual_data(content: bytes) -> Any:
    """What a document without anchors, merges and tags of lists or mappings says, from the events of libyaml.

    Raises:
        _UnusualError: If it is none of these, or nothing that can be read; `_Loader` reads it, or says what is wrong.
    """
    next_event: Callable[[], Any] = yaml.CSafeLoader(content).get_event
    opened: list[list[Any]] = []
    items: list[Any] = []
    try:
        while (kind := type(event := next_event())) is not yaml.StreamEndEvent:
            if kind is yaml.ScalarEvent:
                items.append(_scalar_of(event))
            elif kind in _BEGINNINGS:
                if event.anchor is not None or event.tag is not None or len(opened) >= _DEEPEST:
                    raise _UnusualError
                opened.append(items)
                items = []
            elif kind in _ENDS:
                found, items = items, opened.pop()
                items.append(found if kind is yaml.SequenceEndEvent else _mapping_of(found))
            elif kind is yaml.AliasEvent:
                raise _UnusualError
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise _UnusualError from error
    if len(items) > 1:
        raise _UnusualError
    return items[0] if items else None


def _mapping_of(names_and_values: Iterable[Any]) -> dict[Any, Any]:
    each = iter(names_and_values)
    return dict(zip(each, each, strict=True))


def _scalar_of(event: Any) -> Any:
    if event.anchor is not None or event.tag == "!":
        raise _UnusualError
    if event.tag is not None:
        return _tagged(event.tag, event.value)
    return _without_quotes(event.value) if event.implicit[0] else event.value


def _tagged(tag: str, text: str) -> Any:
    """What a scalar with a tag is."""
    return yaml.CSafeLoader(b"").construct_object(yaml.ScalarNode(tag, text), deep=True)


@lru_cache(maxsize=4096)
def _without_quotes(text: str) -> Any:
    """What a scalar without quotation marks is; keys come again and again."""
    tag = _tag_without_quotes(text)
    return text if tag == _SCALAR else _tagged(tag, text)


def _may_be_deep(content: bytes) -> bool:
    """Whether there are brackets, or indentation in one line, for more levels than are read."""
    return content.count(b"[") + content.count(b"{") > _HARMLESS or _INDENTATION.search(content) is not None


def _may_have_anchors(content: bytes) -> bool:
    """Whether there is an ampersand where an anchor may stand, without which there is no alias."""
    return content[:4].lstrip(b"\xef\xbb\xbf\xff\xfe\0").startswith(b"&") or any(
        mark in content for mark in _BEFORE_ANCHORS
    )


def _check_depth(content: bytes) -> None:
    """Count levels as they open: the loader itself calls itself for each, and thousands of them end the process.

    Raises:
        NestedTooDeepError: If there are too many.
    """
    depth = 0
    for event in yaml.parse(content, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _too_deep()


def _too_deep() -> NestedTooDeepError:
    return NestedTooDeepError(f"it is nested too deep, more than {_DEEPEST} levels")


class _Measure:
    """How large and how deep nodes are once each alias in them stands for what it names."""

    def __init__(self) -> None:
        self._found: dict[yaml.Node, tuple[int, int]] = {}
        self._opened: set[yaml.Node] = set()

    def of(self, node: Any) -> tuple[int, int]:
        """The nodes and the levels of a node.

        Raises:
            NestedTooDeepError: If it is nested too deep.
            ComposerError: If it is too large, or stands in itself.
        """
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        if node not in self._found:
            if node in self._opened:
                raise ComposerError(None, None, "an alias stands in what it names", node.start_mark)
            self._opened.add(node)
            within = (
                node.value if isinstance(node, yaml.SequenceNode) else [each for pair in node.value for each in pair]
            )
            nodes, levels = 1, 0
            for each in within:
                more, deeper = self.of(each)
                nodes, levels = nodes + more, max(levels, deeper)
            if nodes > _MOST_NODES:
                raise ComposerError(
                    None, None, f"aliases let it grow to more than {_MOST_NODES:,} nodes", node.start_mark
                )
            if levels >= _DEEPEST:
                raise _too_deep()
            self._opened.remove(node)
            self._found[node] = nodes, levels + 1
        return self._found[node]


@lru_cache(maxsize=4096)
def _tag_without_quotes(text: str) -> str:
    """The type that YAML takes a scalar without quotation marks for; keys come again and again."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


def _shown(value: object) -> str:
    """The start of the text of a scalar."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


class _Loader(yaml.CSafeLoader):
    """PyYAML asks Python again for each node; texts, lists and mappings, which are nearly all there is, need less."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _tag_without_quotes(value)
        return _DEFAULTS[kind]

    def __init__(self, content: bytes, *, has_anchors: bool) -> None:
        super().__init__(content)
        self._has_anchors = has_anchors
        self._depth = 0

    def get_single_data(self) -> Any:
        node = self.get_single_node()
        if node is None:
            return None
        if self._has_anchors:
            _Measure().of(node)
        return self._data(node)

    def _data(self, node: Any) -> Any:
        if node.tag == _SCALAR:
            return node.value
        if node in self.constructed_objects:  # an alias of what has an anchor
            return self.constructed_objects[node]
        if node.tag == _SEQUENCE:
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _too_deep()
            items: list[Any] = []
            self.constructed_objects[node] = items
            items.extend(map(self._data, node.value))
            self._depth -= 1
            return items
        if node.tag == _MAPPING:
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _too_deep()
            self.flatten_mapping(node)
            members: dict[Any, Any] = {}
            self.constructed_objects[node] = members
            for key, value in node.value:
                name, data = self._data(key), self._data(value)
                try:
                    members[name] = data
                except TypeError:
                    raise ConstructorError(
                        "while constructing a mapping", node.start_mark, "found unhashable key", key.start_mark
                    ) from None
            self._depth -= 1
            return members
        return self._scalar(node)

    def _scalar(self, node: Any) -> Any:
        """What PyYAML makes of any other node, whose text may make no sense for its type.

        Raises:
            ConstructorError: If it does not.
        """
        try:
            return self.construct_object(node, deep=True)
        except yaml.YAMLError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise ConstructorError(
                None, None, f"found what is no {kind}: {_shown(node.value)} ({error})", node.start_mark
            ) from error
