"""Names the answering instance in the initial metadata, so that load balancing can be seen."""

from typing import Any

from grpc_service_kit.call import Call, Interceptor, Method, Proceed

INSTANCE = "x-instance"
"""The key of the metadata that names the answering instance."""


def name_instance(instance: str) -> Interceptor:
    """Return the interceptor that sends the name of this instance before the first answer."""

    def interceptor(_method: Method, proceed: Proceed) -> Proceed:
        async def call(call: Call, request: Any) -> Any:
            await call.context.send_initial_metadata(((INSTANCE, instance),))
            return await proceed(call, request)

        return call

    return interceptor
