"""Counts every call that is served."""

from typing import Any

from prometheus_client import CollectorRegistry

from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.call_metrics import metrics_of


def count_calls(registry: CollectorRegistry) -> Interceptor:
    """Return the interceptor that counts calls in a registry."""
    metrics = metrics_of(registry, "server")

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        counted = metrics.of(
            method.path, requests=method.request_streaming, responses=method.response_streaming
        )
        begin, end = counted.begin, counted.end

        async def call(call: Call, request: Any) -> Any:
            began = begin()
            try:
                return await proceed(call, request)
            finally:
                end(call.code, began)

        return call

    return interceptor
