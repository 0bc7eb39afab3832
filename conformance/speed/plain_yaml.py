"""YAML as plain data: what libyaml's safe loader of PyYAML gives, in less time."""

from functools import lru_cache
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.resolver import BaseResolver, Resolver

_SCALAR = BaseResolver.DEFAULT_SCALAR_TAG
_SEQUENCE = BaseResolver.DEFAULT_SEQUENCE_TAG
_MAPPING = BaseResolver.DEFAULT_MAPPING_TAG
_DEFAULTS = {yaml.ScalarNode: _SCALAR, yaml.SequenceNode: _SEQUENCE, yaml.MappingNode: _MAPPING}
_RESOLVER = Resolver()


def read_yaml(content: bytes) -> Any:
    """What a YAML document says, None if it is empty.

    Args:
        content: The document, in UTF-8 or UTF-16.

    Raises:
        yaml.YAMLError: If it is no YAML, or holds more than plain data.
        RecursionError: If it is nested too deep.
    """
    return yaml.load(content, Loader=_Loader)  # noqa: S506  (a safe loader)


@lru_cache(maxsize=4096)
def _tag_without_quotes(text: str) -> str:
    """The type that YAML takes a scalar without quotation marks for; keys come again and again."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag


class _Loader(yaml.CSafeLoader):
    """PyYAML asks Python again for each node; texts, lists and mappings, which are nearly all there is, need less."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode and implicit[0]:
            return _tag_without_quotes(value)
        return _DEFAULTS[kind]

    def get_single_data(self) -> Any:
        node = self.get_single_node()
        return None if node is None else self._data(node)

    def _data(self, node: Any) -> Any:
        if node.tag == _SCALAR:
            return node.value
        if node in self.constructed_objects:  # an alias of what has an anchor, perhaps of what it stands in
            return self.constructed_objects[node]
        if node.tag == _SEQUENCE:
            items: list[Any] = []
            self.constructed_objects[node] = items
            items.extend(map(self._data, node.value))
            return items
        if node.tag == _MAPPING:
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
            return members
        return self.construct_object(node, deep=True)
