"""Terraform configuration as data, from which ``written`` makes HCL or JSON.

Texts of users are only ever strings. Expressions and labels are those of this package; ``names``
makes labels of the names of objects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Expression:
    """What Terraform evaluates, such as ``var.region``."""

    text: str


@dataclass(frozen=True)
class Keyword:
    """What is no expression where it stands, such as the type of a variable, or the address of a
    resource in ``depends_on``: bare in HCL, a plain string in JSON.
    """

    text: str


@dataclass(frozen=True)
class Template:
    """A string with expressions in it, such as ``${var.project_name}-users``."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True)
class Call:
    """A call of a function, such as ``jsonencode``, with one argument."""

    function: str
    argument: "Value"


@dataclass(frozen=True)
class Choice:
    """One of two values: ``condition ? then : otherwise``."""

    condition: str
    then: "Value"
    otherwise: "Value"


Value: TypeAlias = (
    str
    | bool
    | int
    | Expression
    | Keyword
    | Template
    | Call
    | Choice
    | Sequence["Value"]
    | Mapping[str, "Value"]
)
Arguments: TypeAlias = Mapping[str, Value | None]


@dataclass(frozen=True)
class Block:
    """A block.

    Attributes:
        type: Such as ``resource``.
        labels: Such as the type and the name of a resource.
        arguments: By name, in their order; those that are ``None`` are absent.
        blocks: Those within it.
        comment: Lines before it; never with text of a user.
    """

    type: str
    labels: tuple[str, ...] = ()
    arguments: Arguments = field(default_factory=dict)
    blocks: Sequence["Block"] = ()
    comment: str = ""

    @property
    def given(self) -> dict[str, Value]:
        """The arguments that are present."""
        return {name: value for name, value in self.arguments.items() if value is not None}


def block(type_: str, arguments: Arguments, *blocks: Block | None) -> Block:
    """Returns a block without labels; blocks that are ``None`` are absent."""
    return Block(type_, (), arguments, _present(blocks))


def resource(
    kind: str,
    name: str,
    arguments: Arguments,
    *blocks: Block | None,
    comment: str = "",
) -> Block:
    """Returns a resource."""
    return Block("resource", (kind, name), arguments, _present(blocks), comment)


def data(kind: str, name: str, arguments: Arguments, *blocks: Block | None) -> Block:
    """Returns a data source."""
    return Block("data", (kind, name), arguments, _present(blocks))


def dynamic(name: str, each: Expression, arguments: Arguments) -> Block:
    """Returns a dynamic block: one block for each element of a collection."""
    return Block("dynamic", (name,), {"for_each": each}, (Block("content", (), arguments),))


def variable(
    name: str,
    description: str,
    kind: str = "string",
    default: Value | None = None,
    *conditions: Block,
) -> Block:
    """Returns an input variable, which has to be given if it has no default."""
    return Block(
        "variable",
        (name,),
        {"type": Keyword(kind), "description": description, "default": default},
        conditions,
    )


def condition(expression: str, message: str) -> Block:
    """Returns the validation of a variable."""
    return block("validation", {"condition": Expression(expression), "error_message": message})


def output(name: str, description: str, value: Value) -> Block:
    """Returns an output."""
    return Block("output", (name,), {"description": description, "value": value})


def joined(*parts: str | Expression) -> Template | Expression:
    """Returns a string of texts and expressions; an expression alone stays one."""
    present = tuple(each for each in parts if each != "")
    if len(present) == 1 and isinstance(present[0], Expression):
        return present[0]
    return Template(present)


def ref(text: str) -> Expression:
    """Returns an expression."""
    return Expression(text)


def _present(blocks: Sequence[Block | None]) -> tuple[Block, ...]:
    return tuple(each for each in blocks if each is not None)
