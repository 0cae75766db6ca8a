"""The docstrings of the members of an enum, which Python itself does not keep."""

import ast
import inspect
from enum import Enum
from itertools import pairwise


def docstrings(enum: type[Enum]) -> dict[str, str]:
    """Returns the docstring of each member that has one, by name."""
    (definition,) = ast.parse(inspect.getsource(enum)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - the source of a class is one
    found = {}
    for statement, following in pairwise(definition.body):
        match statement, following:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found
