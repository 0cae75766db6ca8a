"""Keys of Kubernetes' Secrets -> secrets of Secret Manager, which have one value each."""

import re
from dataclasses import dataclass

_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_VERSION = re.compile(r"latest|[1-9][0-9]{0,9}")
_LONGEST = 255


@dataclass(frozen=True)
class CloudSecret:
    """A secret of Secret Manager.

    Attributes:
        name: Its ID.
        version: A number, or ``latest``.
        is_renamed: Whether the name has the key of a Secret in it.
    """

    name: str
    version: str
    is_renamed: bool


def secret_of(name: str, key: str) -> CloudSecret:
    """Returns the secret that stands for one key.

    A key that is a version is what an import from Cloud Run has left: its secret has one value.

    Args:
        name: Of the Secret.
        key: In it.
    """
    if _VERSION.fullmatch(key):
        return CloudSecret(_identifier(name), key, is_renamed=False)
    return CloudSecret(_identifier(f"{name}-{key}"), "latest", is_renamed=True)


def _identifier(text: str) -> str:
    return _OTHER.sub("-", text)[:_LONGEST]
