"""connect(): the channel to a service, with everything that a call needs on its way."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import grpc

from grpc_service_kit.client import service_config
from grpc_service_kit.client.interceptors.deadline import limit_time
from grpc_service_kit.client.interceptors.kinds import intercept
from grpc_service_kit.client.interceptors.outcome import Outcomes
from grpc_service_kit.client.interceptors.outgoing import OutgoingCall, Step
from grpc_service_kit.client.interceptors.request_id import send_request_id
from grpc_service_kit.client.interceptors.tracing import send_trace_context
from grpc_service_kit.client.options import ClientOptions
from grpc_service_kit.client.renewal import RenewingChannel
from grpc_service_kit.client.target import Target
from grpc_service_kit.client.tls import ClientTls

_SERVER_NAME = "grpc.ssl_target_name_override"


def connect(target: Target | str, options: ClientOptions | None = None) -> grpc.aio.Channel:
    """Return a channel: one for each service that is called, kept as long as the process runs.

    It connects with the first call and again by itself. Call it in a coroutine: a channel belongs
    to the event loop that runs when it is made. Raises ClientConfigError.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("connect() needs a running event loop; call it in a coroutine") from None
    target = Target.parse(target) if isinstance(target, str) else target
    options = options or ClientOptions()
    config = service_config.with_retries(target.service_config, options.retry)
    arguments = [*options.channel_arguments(), ("grpc.service_config", json.dumps(config))]
    outcomes = Outcomes(target.address, options.registry)
    interceptors = [*intercept(_steps(options, config), outcomes), *options.interceptors]
    if options.tls is None:
        return grpc.aio.insecure_channel(
            target.address, options=arguments, interceptors=interceptors
        )
    return _secure(target.address, options.tls, arguments, interceptors)


def _secure(
    address: str,
    tls: ClientTls,
    arguments: list[tuple[str, int | str]],
    interceptors: list[grpc.aio.ClientInterceptor],
) -> grpc.aio.Channel:
    named = [] if tls.server_name is None else [(_SERVER_NAME, tls.server_name)]

    def make() -> grpc.aio.Channel:
        return grpc.aio.secure_channel(
            address, tls.credentials(), options=[*arguments, *named], interceptors=interceptors
        )

    return RenewingChannel(make, tls.files) if tls.files else make()


def _steps(options: ClientOptions, config: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return what is done to each call, in this order: a call without time asks for no token."""
    timeouts = service_config.timeouts(config)
    return (
        limit_time(timeouts, options.default_deadline_seconds, options.deadline_margin_seconds),
        send_request_id,
        send_trace_context,
        *([options.authorization] if options.authorization else []),
        *([_wait_for_ready] if options.wait_for_ready else []),
    )


async def _wait_for_ready(call: OutgoingCall) -> None:
    if call.wait_for_ready is None:
        call.wait_for_ready = True
