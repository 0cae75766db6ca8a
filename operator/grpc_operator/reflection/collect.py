"""All files of all services of a server: each symbol it lists, then each import that is missing."""

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from grpc_operator import limits
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.reflection import unresolved
from grpc_operator.reflection.reflection_error import INSTEAD, ReflectionError
from grpc_operator.reflection.stub import ReflectionStub, RefusedError

_INFRASTRUCTURE = ("grpc.reflection.", "grpc.health.", "grpc.channelz.")
"""Servers list these even where they do not have their files."""

_MOST_TYPES = 256
"""Requests for types whose imports are missing."""


async def collect(stub: ReflectionStub) -> list[bytes]:
    """Returns the serialised FileDescriptorProtos of all that the server lists.

    Imports that it does not have are left out: most only declare options. What is needed of the
    others is requested by the names of its types. Loading the set names what is missing then.

    Raises:
        ReflectionError: The server refuses, sends too much, or its responses are not valid.
        grpc.aio.AioRpcError: The call failed.
    """
    collector = _Collector(stub)
    try:
        listed = await stub.services()
    except RefusedError as error:
        raise ReflectionError(
            Reason.REFLECTION_INVALID, f"the server does not list its services ({error}); {INSTEAD}"
        ) from error
    if len(listed) > limits.REFLECTION_SERVICES.value:
        raise ReflectionError(
            Reason.REFLECTION_TOO_LARGE,
            f"the server lists {len(listed)} services; at most {limits.REFLECTION_SERVICES} are"
            f" read. {INSTEAD}",
        )
    for name in sorted(set(listed)):
        await collector.service(name)
    await collector.imports()
    await collector.types()
    return [collector.files[name] for name in sorted(collector.files)]


class _Collector:
    """What one server has sent.

    Attributes:
        files: Serialised, by name.
    """

    def __init__(self, stub: ReflectionStub) -> None:
        self.files: dict[str, bytes] = {}
        self._stub = stub
        self._seen: set[bytes] = set()
        self._services: set[str] = set()
        self._imports: set[str] = set()
        self._requested: set[str] = set()
        self._size = 0

    async def service(self, name: str) -> None:
        """Gets the file of a service, unless it came with another one."""
        if name in self._services:
            return
        request = ServerReflectionRequest(file_containing_symbol=name)
        try:
            received = await self._stub.files(request)
        except RefusedError as error:
            if name.startswith(_INFRASTRUCTURE):
                return
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server lists {shown(name)} but does not have its file ({error}); register the"
                f" generated descriptors with its reflection service, or {INSTEAD}",
            ) from error
        self._add(received)
        if name not in self._services and not name.startswith(_INFRASTRUCTURE):
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server's response for {shown(name)} does not define it; {INSTEAD}",
            )

    async def imports(self) -> None:
        """Gets every import that did not come with the file that has it."""
        while missing := self._imports - self.files.keys() - self._requested:
            name = min(missing)
            self._requested.add(name)
            self._check_count(len(self._requested) + len(self.files))
            try:
                self._add(await self._stub.files(ServerReflectionRequest(file_by_filename=name)))
            except RefusedError:
                continue

    async def types(self) -> None:
        """Gets the files of types whose imports the server has under other names."""
        known: set[str] = set()
        requested: set[str] = set()
        while missing := [
            name for name in unresolved.types(self.files.values()) if name not in requested
        ]:
            for name in missing:
                if len(requested) == _MOST_TYPES:
                    return
                requested.add(name)
                if name in known:
                    continue
                try:
                    received = await self._stub.files(
                        ServerReflectionRequest(file_containing_symbol=name)
                    )
                except RefusedError:
                    continue
                self._add(received)
                known.update(*map(unresolved.names, received))
            await self.imports()

    def _add(self, received: list[bytes]) -> None:
        for data in received:
            if data in self._seen:
                continue
            self._seen.add(data)
            file = _parsed(data)
            if self.files.setdefault(file.name, data) is not data:
                self._check_same(file, self.files[file.name])
                continue
            self._size += len(data)
            self._check_size()
            self._check_count(len(self.files))
            prefix = f"{file.package}." if file.package else ""
            self._services.update(prefix + service.name for service in file.service)
            self._imports.update(file.dependency)
            self._check_imports()

    def _check_same(self, file: FileDescriptorProto, first: bytes) -> None:
        if file != _parsed(first):
            raise ReflectionError(
                Reason.REFLECTION_INVALID,
                f"the server sent two versions of {shown(file.name)}; build all of it from the same"
                " sources",
            )

    def _check_size(self) -> None:
        if self._size > limits.DESCRIPTOR_INPUT_BYTES.value:
            raise ReflectionError(
                Reason.REFLECTION_TOO_LARGE,
                f"the server's files have more than {limits.DESCRIPTOR_INPUT_BYTES} bytes;"
                f" {INSTEAD}, made of what the exposed services need",
            )

    def _check_imports(self) -> None:
        if len(self._imports) > limits.DESCRIPTOR_IMPORTS.value:
            raise ReflectionError(
                Reason.REFLECTION_TOO_LARGE,
                f"the server's files have more than {limits.DESCRIPTOR_IMPORTS} imports; {INSTEAD}",
            )

    def _check_count(self, count: int) -> None:
        if count > limits.DESCRIPTOR_FILES.value:
            raise ReflectionError(
                Reason.REFLECTION_TOO_LARGE,
                f"the server has more than {limits.DESCRIPTOR_FILES} files; {INSTEAD}, made of"
                " what the exposed services need",
            )


def _parsed(data: bytes) -> FileDescriptorProto:
    try:
        file = FileDescriptorProto.FromString(data)
    except DecodeError as error:
        raise ReflectionError(
            Reason.REFLECTION_INVALID,
            f"the server sent a file that is not a FileDescriptorProto; {INSTEAD}",
        ) from error
    texts = [file.name, file.package, *file.dependency, *(each.name for each in file.service)]
    if not file.name or not all(isinstance(text, str) for text in texts):
        raise ReflectionError(
            Reason.REFLECTION_INVALID,
            f"the server sent a file whose name or imports are not UTF-8 text; {INSTEAD}",
        )
    return file
