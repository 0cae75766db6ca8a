"""The body of a server-side apply: JSON, which the API server reads as YAML."""

import json
import re
from typing import Any

CONTENT_TYPE = "application/apply-patch+yaml"

_MISREAD = re.compile("[\x7f-\uffff]")
"""What is escaped: YAML refuses some of these characters as they are (DEL, C1 controls), folds
others as line breaks (NEL, U+2028, U+2029), and drops a byte order mark."""

_REPLACEMENT = "\ufffd"


def encode(manifest: Any) -> bytes:
    r"""Returns a manifest so that the API server reads every text in it as it is.

    It takes applies as YAML only (``applyPatcher`` in k8s.io/apiserver), and go-yaml refuses the
    surrogate pairs by which JSON escapes a character beyond the Basic Multilingual Plane, so these
    are written as they are. A lone surrogate is no character, and becomes U+FFFD, as Go reads JSON.
    """
    text = json.dumps(manifest, ensure_ascii=False)
    return _MISREAD.sub(_escaped, text).encode()


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if "\ud800" <= character <= "\udfff":
        character = _REPLACEMENT
    return f"\\u{ord(character):04x}"
