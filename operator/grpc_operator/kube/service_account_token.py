"""The claims of a ServiceAccount's token, as its bearer states them: nothing here is verified.

They show at no cost what cannot be valid, and when a token expires, which a TokenReview does not
say. Their names are those of KEP-1205 and of RFC 7519.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

USER_PREFIX = "system:serviceaccount:"


@dataclass(frozen=True)
class Claims:
    """What a token says of itself.

    Attributes:
        username: Name of the user as which the API server knows the ServiceAccount.
        namespace: The ServiceAccount's.
        account: Name of the ServiceAccount.
        pod: Name of the pod that it is bound to; empty for none.
        pod_uid: The pod's UID.
        audiences: Whom it is for.
        expires: Seconds since the epoch.
    """

    username: str
    namespace: str
    account: str
    pod: str
    pod_uid: str
    audiences: tuple[str, ...]
    expires: float


def claims(token: str) -> Claims:
    """Reads a token.

    Raises:
        ValueError: It is not the token of a ServiceAccount.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature (RFC 7519)
        raise ValueError("not a JWT")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return _claims(found)
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the token of a ServiceAccount: {error!r}") from None


def _claims(found: Any) -> Claims:
    audiences = found["aud"]
    username = str(found["sub"])
    namespace, _, account = username.removeprefix(USER_PREFIX).partition(":")
    if not (username.startswith(USER_PREFIX) and namespace and account):
        raise ValueError("not the token of a ServiceAccount")
    pod = found["kubernetes.io"].get("pod") or {}
    return Claims(
        username=username,
        namespace=namespace,
        account=account,
        pod=str(pod.get("name", "")),
        pod_uid=str(pod.get("uid", "")),
        audiences=(audiences,) if isinstance(audiences, str) else tuple(map(str, audiences)),
        expires=float(found["exp"]),
    )
