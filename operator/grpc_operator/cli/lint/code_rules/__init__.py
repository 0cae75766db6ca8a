"""What is looked for in source code, by language.

Sources: the documentation of grpc-go, grpcio, grpc-js, tonic and grpc-java.
"""

import re

from grpc_operator.cli.lint.code_rules import go, java, node, python, rust
from grpc_operator.cli.lint.code_rules.rule import Missing, Present, Rules

__all__ = ["RULES", "SERVICE_CONFIG", "Missing", "Present", "Rules"]

RULES = (go.RULES, python.RULES, node.RULES, rust.RULES, java.RULES)

SERVICE_CONFIG = re.compile(
    r"service_?config|With(Chain)?UnaryInterceptor|ClientInterceptor", re.IGNORECASE
)
"""A project that has this may set deadlines for all calls of a channel."""
