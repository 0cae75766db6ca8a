"""The gRPC services that .proto files define. They are not compiled: imports may be absent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli.detect.source import Source

_PACKAGE = re.compile(r"^[ \t]*package\s+([\w.]+)\s*;", re.MULTILINE)
_SERVICE = re.compile(r"^[ \t]*service\s+(\w+)\s*\{", re.MULTILINE)
_FOREIGN = re.compile(r"^(google|grpc|envoy|buf|validate|opentelemetry|xds|udpa)\.?")


@dataclass(frozen=True)
class Defined:
    """A service.

    Attributes:
        full_name: Such as ``user.v1.UserService``.
        file: Its file.
        where: ``FILE:LINE``.
    """

    full_name: str
    file: Path
    where: str

    @property
    def name(self) -> str:
        """Its simple name."""
        return self.full_name.rpartition(".")[2]


def services(source: Source) -> Iterator[Defined]:
    """Yields the services of a file, unless it is a copy of a well-known one."""
    package = _PACKAGE.search(source.text)
    prefix = f"{package[1]}." if package else ""
    if _FOREIGN.match(prefix):
        return
    for found in _SERVICE.finditer(source.text):
        start = found.start(1)
        yield Defined(prefix + found[1], source.file, source.where(start))
