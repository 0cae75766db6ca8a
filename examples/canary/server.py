"""The user service with faults that it can be given: versions to roll out, and to take back.

FAILING=CreateUser   every second call of this method ends with INTERNAL
SLOW=GetUser         calls of this method take half a second longer
REMOVED=DeleteUser   this method exists no more, which reflection says as well
"""

import asyncio
import itertools
import os
import sys
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from grpc_service_kit import Service, build_server, configure_logging, run
from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.errors import Internal, Unimplemented
from user.v1 import user_pb2, user_pb2_grpc
from user_service.config import Config
from user_service.servicer import UserServicer
from user_service.store import UserStore

_DELAY = 0.5
"""Seconds that calls of a slow method take longer."""

NAME = user_pb2.DESCRIPTOR.services_by_name["UserService"].full_name


def faults(failing: str, slow: str, removed: str) -> Interceptor:
    """Returns what makes methods fail; each is a short name, or empty for none."""

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        name = method.name.rpartition("/")[2]
        calls = itertools.count()

        async def call(call: Call, request: Any) -> Any:
            if name == removed:
                raise Unimplemented(f"{method.name} was removed in this version")
            if name == slow:
                await asyncio.sleep(_DELAY)
            if name == failing and next(calls) % 2:
                raise Internal(f"{method.name} has a fault in this version")
            return await proceed(call, request)

        return call if name in (failing, slow, removed) else proceed

    return interceptor


def pool_without(removed: str) -> descriptor_pool.DescriptorPool:
    """Returns the descriptors of the service without a method."""
    pool = descriptor_pool.DescriptorPool()
    known: set[str] = set()

    def add(descriptor: Any) -> None:
        if descriptor.name in known:
            return
        known.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        file = descriptor_pb2.FileDescriptorProto()
        descriptor.CopyToProto(file)
        for service in file.service:
            left = [method for method in service.method if method.name != removed]
            del service.method[:]
            service.method.extend(left)
        pool.AddSerializedFile(file.SerializeToString())

    add(user_pb2.DESCRIPTOR)
    return pool


async def _main() -> None:
    config = Config.from_env(os.environ)
    configure_logging(config.server.log_level, config.server.log_format)
    failing, slow, removed = (os.environ.get(name, "") for name in ("FAILING", "SLOW", "REMOVED"))
    names = (NAME, reflection.SERVICE_NAME)
    reflected = reflection.aio.ReflectionServicer(names, pool_without(removed))
    async with UserStore.open(config.database.url, config.database.limits) as store:
        users = UserServicer(store)
        services = (
            Service(user_pb2_grpc.add_UserServiceServicer_to_server, users, store.check),
            Service(reflection_pb2_grpc.add_ServerReflectionServicer_to_server, reflected),
        )
        chain = (faults(failing, slow, removed),)
        await build_server(config.server, *services, interceptors=chain).serve()


if __name__ == "__main__":
    sys.exit(run(_main))
