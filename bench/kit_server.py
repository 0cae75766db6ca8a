"""The servers that are compared: the kit's, and the least that answers the same call.

    python -m bench.kit_server kit|bare|uvloop|sync

prints the port it listens on once it serves, and ends when its standard input does. All of them
answer user.v1.UserService/GetUser with the same message and nothing else. The kit's is configured
by the environment, as in production.
"""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from bench import messages
from user.v1 import user_pb2, user_pb2_grpc

_RESPONSE = user_pb2.GetUserResponse.FromString(messages.response())
_SYNC_WORKERS = 10
"""As many threads as gRPC's own examples have."""


class _Bare(user_pb2_grpc.UserServiceServicer):
    async def GetUser(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's name
        return _RESPONSE


class _Sync(user_pb2_grpc.UserServiceServicer):
    def GetUser(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - gRPC's name
        return _RESPONSE


def _servicer(kind: Any) -> Any:
    """Returns a servicer that has one of the methods only."""
    return kind()


def _add_with_rule(servicer: Any, server: Any) -> None:
    """Registers GetUser, with a UUID as the id: there is a rule to check in every call."""
    from kit_rules import message_type, string_rules  # noqa: PLC0415

    request_type = message_type("bench.v1.GetUserRequest", {"id": string_rules(uuid=True)})
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.GetUser,
        request_deserializer=request_type.FromString,
        response_serializer=user_pb2.GetUserResponse.SerializeToString,
    )
    server.add_registered_method_handlers("user.v1.UserService", {"GetUser": handler})


async def _bare() -> None:
    server = grpc.aio.server()
    user_pb2_grpc.add_UserServiceServicer_to_server(_servicer(_Bare), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await _serve(port)
    await server.stop(None)


def _bare_on_uvloop() -> None:
    import uvloop  # noqa: PLC0415

    uvloop.run(_bare())


def _kit() -> None:
    # Imported here: the others must not pay for it in memory and time.
    import grpc_service_kit  # noqa: PLC0415

    async def serve() -> None:
        config = grpc_service_kit.ServerConfig.from_env(os.environ)
        grpc_service_kit.configure_logging(config.log_level, config.log_format)
        service = grpc_service_kit.Service(_add_with_rule, _servicer(_Bare))
        server = grpc_service_kit.build_server(config, service)
        await _serve(await server.start())
        await server.stop()

    sys.exit(grpc_service_kit.run(serve))


async def _serve(port: int) -> None:
    print(port, flush=True)  # noqa: T201 - the caller reads it
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _sync() -> None:
    server = grpc.server(ThreadPoolExecutor(_SYNC_WORKERS))
    user_pb2_grpc.add_UserServiceServicer_to_server(_servicer(_Sync), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)  # noqa: T201 - the caller reads it
    sys.stdin.read()
    server.stop(None)


def _main(kind: str) -> None:
    if kind == "kit":
        _kit()
    elif kind == "sync":
        _sync()
    elif kind == "uvloop":
        _bare_on_uvloop()
    else:
        asyncio.run(_bare())


if __name__ == "__main__":
    _main(sys.argv[1])
