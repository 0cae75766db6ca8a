"""YAML as Kubernetes reads it, with lines.

Kubernetes reads with go-yaml v2 (sigs.k8s.io/yaml), which makes JSON of YAML 1.1: dates are
strings, and some words and numbers are not what PyYAML takes them for. JSON escapes a character
beyond the Basic Multilingual Plane as a surrogate pair, which libyaml refuses: such texts are read
by the slower parser.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode

_TAG = "tag:yaml.org,2002:"


class _Kubernetes:
    """What differs from PyYAML's SafeLoader; mixed into it and into libyaml's."""

    bool_values = {**yaml.SafeLoader.bool_values, "y": True, "n": False}  # noqa: RUF012 - PyYAML's

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's
        """Returns a mapping; its keys are strings, as in JSON. Keys that occur twice are an error,
        as with strict decoding.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode) or key.tag == f"{_TAG}merge":
                continue
            if key.value in seen:
                raise ConstructorError(
                    None, None, f'the key "{key.value}" occurs twice', key.start_mark
                )
            seen.add(key.value)
        super().flatten_mapping(node)  # type: ignore[misc]
        return {
            self._key(key): self.construct_object(value, deep)  # type: ignore[attr-defined]
            for key, value in node.value
        }

    def _key(self, node: Node) -> str:
        key = self.construct_object(node)  # type: ignore[attr-defined]
        if key is not None and not isinstance(key, str | int | float):
            message = "found a key that is not a string, number or boolean"
            raise ConstructorError(None, None, message, node.start_mark)
        return key if isinstance(key, str) else json.dumps(key)

    def construct_text(self, node: ScalarNode) -> str:
        """Returns a string, whose surrogate pairs are characters."""
        text = str(node.value)
        if text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            message = "has half of a surrogate pair, which is not a character"
            raise ConstructorError(None, None, message, node.start_mark) from error

    def construct_number(self, node: ScalarNode) -> Any:
        """Returns an integer; go-yaml has none to the base of 60, so ``1:30`` is a string."""
        return node.value if ":" in node.value else self.construct_yaml_int(node)  # type: ignore[attr-defined]


class _Fast(_Kubernetes, yaml.CSafeLoader):
    """libyaml."""


class _Slow(_Kubernetes, yaml.SafeLoader):
    """PyYAML's own parser."""


def _configure(loader: Any) -> None:
    for tag in ("str", "timestamp", "value"):
        loader.add_constructor(f"{_TAG}{tag}", loader.construct_text)
    loader.add_constructor(f"{_TAG}int", loader.construct_number)
    loader.add_implicit_resolver(f"{_TAG}bool", re.compile("^[yYnN]$"), list("yYnN"))
    exponent = re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$")
    loader.add_implicit_resolver(f"{_TAG}float", exponent, list("-+0123456789"))


_configure(_Fast)
_configure(_Slow)


def read(text: str, check: Callable[[Node], None]) -> Iterator[tuple[Node, Any]]:
    """Yields the documents of a text that are not empty: as nodes with lines, and as plain values.

    Args:
        text: YAML documents, or JSON.
        check: Raises when a document must not become values.

    Raises:
        yaml.YAMLError: The text is not YAML.
    """
    loader = (_Slow if "\\u" in text else _Fast)(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                check(node)
                yield node, loader.construct_document(node)
    finally:
        loader.dispose()
