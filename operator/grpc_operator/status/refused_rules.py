"""The REST rules that are not served: the condition PartiallyInvalid, and their place in the
status.
"""

from collections.abc import Iterator
from typing import Any

from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.model import RefusedRule
from grpc_operator.gateway.ir import Attachment, Method
from grpc_operator.status.observed import ConditionResult

_MOST_OF_METHOD = 16
_MOST_NAMED = 4
_LONGEST_NAMED = 200
_LONGEST_RULE = 256
_LONGEST_REASON = 512


def condition(attachment: Attachment) -> ConditionResult | None:
    """Returns PartiallyInvalid; ``None`` while every rule is served."""
    found = [*_unmatched(attachment), *_named(attachment)]
    if not found:
        return None
    some = "; ".join(f"({number}) {text}" for number, text in enumerate(found[:_MOST_NAMED], 1))
    more = len(found) - _MOST_NAMED
    return ConditionResult(
        "True",
        Reason.UNSUPPORTED_RULE,
        f"{len(found)} REST rule{'s' * (len(found) > 1)} not served: {some}"
        + (f"; and {more} more, all in status.services[].methods[].refused" if more > 0 else "")
        + ". Everything else is served. Change them, or set spec.gateway.methods[].rest of their"
        " methods to Disabled",
    )


def of_method(method: Method) -> list[dict[str, Any]]:
    """Returns ``status.services[].methods[].refused``."""
    return [
        {"rule": _cut(each.rule, _LONGEST_RULE), "reason": _cut(each.reason, _LONGEST_REASON)}
        | ({"field": each.field} if each.field else {})
        for each in method.refused[:_MOST_OF_METHOD]
    ]


def _unmatched(attachment: Attachment) -> Iterator[str]:
    for each in attachment.unmatched:
        yield f"{each.field}: {_cut(each.reason, _LONGEST_NAMED)}"


def _named(attachment: Attachment) -> Iterator[str]:
    for api in attachment.apis:
        for method in api.methods:
            for each in method.refused:
                yield f"{api.name}/{method.name} {_text(each)}"


def _text(refused: RefusedRule) -> str:
    field = f" ({refused.field})" if refused.field else ""
    return f"{_cut(refused.rule, _LONGEST_NAMED)}{field}: {_cut(refused.reason, _LONGEST_NAMED)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
