"""Authentication: who calls. What a caller may do is for the servicer to decide, by the claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grpc_service_kit import context
from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.environment import ConfigError

if TYPE_CHECKING:
    from grpc_service_kit.auth.tokens import TokenVerifier

AUTHORIZATION = "authorization"


def authenticate(config: AuthConfig | None) -> Interceptor:
    """Return the interceptor; raise ConfigError without PyJWT or with an invalid key file."""
    if config is None:
        return _keep_authorization
    verifier, public = _verifier(config), config.public_methods

    def interceptor(method: Method, proceed: Proceed) -> Proceed:
        open_names = {method.name, f"{method.service}/*"}
        if method.infrastructure or not public.isdisjoint(open_names):
            return _keep_authorization(method, proceed)

        async def call(call: Call, request: Any) -> Any:
            authorization = call.metadata.get(AUTHORIZATION)
            context.claims.set(await verifier.claims(authorization))
            context.authorization.set(authorization)  # type: ignore[arg-type]
            return await proceed(call, request)

        return call

    return interceptor


def _keep_authorization(_method: Method, proceed: Proceed) -> Proceed:
    async def call(call: Call, request: Any) -> Any:
        authorization = call.metadata.get(AUTHORIZATION)
        if isinstance(authorization, str):
            context.authorization.set(authorization)
        return await proceed(call, request)

    return call


def _verifier(config: AuthConfig) -> TokenVerifier:
    try:
        from grpc_service_kit.auth.keys import key_set  # noqa: PLC0415 needs PyJWT
        from grpc_service_kit.auth.tokens import TokenVerifier  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("AUTH_*: PyJWT is missing; install grpc-service-kit[jwt]") from error
    return TokenVerifier(config, key_set(config))
