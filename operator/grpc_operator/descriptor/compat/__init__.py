"""Whether a FileDescriptorSet breaks callers that were built with an earlier one.

Pure and linear in the size of both sets: they are not trusted. The rules on names, numbers and
types are those of ``buf breaking``, under its names: the category WIRE, or WIRE_JSON for services
with REST, and two rules on deleted services and methods (buf.build/docs/breaking/rules). Those on
``google.api.http`` are our own; buf has none.

- ``check`` is the entry point; ``breaking``: one finding, and whom it concerns
- ``schema``, ``features``: a set by full names, and who sends or reads what
- ``rpcs``, ``messages``, ``fields``, ``defaults``, ``enums``: the rules of buf
- ``bindings``, ``paths``: those of ``google.api.http``
- ``allowed``: findings that the author of the service accepts
"""

from grpc_operator.descriptor.compat.breaking import Breaking
from grpc_operator.descriptor.compat.check import Verdict, breaking, check

__all__ = ["Breaking", "Verdict", "breaking", "check"]
