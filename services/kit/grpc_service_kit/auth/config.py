"""AuthConfig: which tokens the server takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grpc_service_kit.auth.jwks_url import problem_of
from grpc_service_kit.environment import Environment

_SOURCES = ("AUTH_JWKS_URL", "AUTH_JWKS_FILE", "AUTH_SHARED_KEY_FILE")
_SHORTEST_KEY = 32
"""Bytes; RFC 7518 section 3.2 wants a key at least as long as the hash of HS256."""


@dataclass(frozen=True, kw_only=True)
class AuthConfig:
    """Where the keys are, and what a token must say. Exactly one of the three sources is set."""

    jwks_url: str = ""
    """AUTH_JWKS_URL: where the issuer publishes its keys; https, or http on loopback. Redirects are
    not followed."""
    jwks_file: str = ""
    """AUTH_JWKS_FILE: the same as a file; read again when it changes."""
    shared_key_file: str = ""
    """AUTH_SHARED_KEY_FILE: a file with the key that issuer and services share."""
    audience: str
    """AUTH_AUDIENCE: what `aud` must name: tokens for other services are no good here."""
    issuer: str = ""
    """AUTH_ISSUER: what `iss` must be; needed with JWKS."""
    public_methods: frozenset[str] = frozenset()
    """AUTH_PUBLIC_METHODS: methods without a token, as `package.Service/Method`, or
    `package.Service/*` for all of one service. Health checks and reflection always are."""

    @classmethod
    def read(cls, environment: Environment) -> Self | None:
        """Read the variables; None when there are none."""
        given = [name for name in _SOURCES if environment.text(name)]
        audience, issuer = environment.text("AUTH_AUDIENCE"), environment.text("AUTH_ISSUER")
        public = environment.words("AUTH_PUBLIC_METHODS")
        if not (given or audience or issuer or public):
            return None
        _check(environment, given)
        if not audience:
            environment.fail("AUTH_AUDIENCE", "is not set; set it to what `aud` of tokens must be")
        return cls(
            jwks_url=_url(environment),
            jwks_file=environment.file("AUTH_JWKS_FILE"),
            shared_key_file=_key_file(environment),
            audience=audience,
            issuer=issuer,
            public_methods=frozenset(public),
        )


def _check(environment: Environment, given: list[str]) -> None:
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        environment.fail(" / ".join(_SOURCES), f"{found} is set; set exactly one of them")
    if given and given[0] != "AUTH_SHARED_KEY_FILE" and not environment.text("AUTH_ISSUER"):
        environment.fail("AUTH_ISSUER", f"is not set; {given[0]} needs it: the `iss` of tokens")
    for name in environment.words("AUTH_PUBLIC_METHODS"):
        service, slash, method = name.partition("/")
        if not (service and slash and method) or "/" in method:
            environment.fail(
                "AUTH_PUBLIC_METHODS",
                f"{name!r} is not a method; write package.Service/Method or package.Service/*",
            )


def _url(environment: Environment) -> str:
    url = environment.text("AUTH_JWKS_URL")
    if url and (problem := problem_of(url)):
        environment.fail("AUTH_JWKS_URL", problem)
    return url


def _key_file(environment: Environment) -> str:
    path = environment.file("AUTH_SHARED_KEY_FILE")
    if path and len(Path(path).read_bytes().strip()) < _SHORTEST_KEY:
        environment.fail(
            "AUTH_SHARED_KEY_FILE",
            f"{path!r} holds less than {_SHORTEST_KEY} bytes; make one with `openssl rand -hex 32`",
        )
    return path
