"""What needs the syntax tree of Python: calls of stubs, and errors that servicers raise."""

import ast
import re
from collections.abc import Iterator

from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.source import Source

_ERRORS = {"Exception", "KeyError", "LookupError", "RuntimeError", "TypeError", "ValueError"}
_CONSUMERS = {"aiter", "anext", "iter", "list", "next", "sorted", "tuple"}
_CHANNEL = re.compile(r"\b(in)?secure_channel\(")
_BY_CHANNEL = re.compile(r"service_config|\bintercept", re.IGNORECASE)
"""What may set deadlines for all calls of a channel."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def findings(source: Source) -> Iterator[Finding]:
    """Yields the mistakes in a file; none if it is not Python of this version."""
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and _is_servicer(node):
            yield from _raised(node, source)
    if _CHANNEL.search(source.code) and not _BY_CHANNEL.search(source.text):
        yield from _without_deadline(tree, source)


def _is_servicer(node: ast.ClassDef) -> bool:
    names = [each.attr if isinstance(each, ast.Attribute) else each for each in node.bases]
    return any(
        (each.id if isinstance(each, ast.Name) else str(each)).endswith("Servicer")
        for each in names
    )


def _raised(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    for method in node.body:
        if not isinstance(method, _Function) or method.name.startswith("_"):
            continue
        if any(isinstance(each, ast.Try) for each in ast.walk(method)):
            continue  # it may be caught there
        for each in ast.walk(method):
            raised = each.exc if isinstance(each, ast.Raise) else None
            name = raised.func if isinstance(raised, ast.Call) else raised
            if isinstance(name, ast.Name) and name.id in _ERRORS:
                yield Finding(
                    _place(source, each),
                    "GS109",
                    f"{name.id} reaches callers as the code UNKNOWN, which says nothing",
                    "Call context.abort with a status code and a message.",
                )


def _without_deadline(tree: ast.Module, source: Source) -> Iterator[Finding]:
    stubs = {name for node in ast.walk(tree) for name in _stubs(node)}
    streams = {name for node in ast.walk(tree) for name in _iterated(node)}
    for node, parent in _with_parents(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and ast.unparse(node.func.value) in stubs
            and node.func.attr[:1].isupper()
        ):
            continue
        has_timeout = any(each.arg in {"timeout", None} for each in node.keywords)
        assigned = isinstance(parent, ast.Assign) and not (
            {ast.unparse(each) for each in parent.targets} & streams
        )
        if not has_timeout and (assigned or isinstance(parent, ast.Await | ast.Attribute)):
            yield Finding(
                _place(source, node),
                "GS103",
                f"{node.func.attr} is called without a deadline: it waits for ever for a server"
                " that hangs",
                "Pass timeout=SECONDS.",
            )


def _stubs(node: ast.AST) -> Iterator[str]:
    """Yields the names of variables and attributes that are stubs."""
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if not isinstance(value, ast.Call):
        return
    function = value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if str(name).endswith("Stub"):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (ast.unparse(each) for each in targets if each is not None)


def _iterated(node: ast.AST) -> Iterator[str]:
    """Yields the names of variables that are read as streams, or awaited later."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield ast.unparse(node.iter)
    elif isinstance(node, ast.Call):
        function = node.func
        if isinstance(function, ast.Name) and function.id in _CONSUMERS:
            yield from (ast.unparse(each) for each in node.args)
        elif isinstance(function, ast.Attribute) and function.attr in {"read", "write", "cancel"}:
            yield ast.unparse(function.value)


def _with_parents(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            yield child, parent


def _place(source: Source, node: ast.AST) -> Place:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    return Place(str(source.file), line, column + 1)
