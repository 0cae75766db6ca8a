"""The part of metav1.ObjectMeta that the operator reads, and the rules for names."""

from typing import Any

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, rule, rules


def names(example: str, child: str) -> dict[str, Any]:
    """Returns the ``json_schema_extra`` of an owner, whose name is also that of a Service.

    Args:
        example: A valid name.
        child: Longest name of a child.
    """
    return rules(
        rule(
            f"self.metadata.name.size() <= {limits.NAME_LENGTH}",
            f"metadata.name must have at most {limits.NAME_LENGTH} characters:"
            f" {child} becomes a DNS label",
        ),
        rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            f"metadata.name must be a DNS label that begins with a letter, such as {example}:"
            " it becomes the name of a Service",
        ),
    )


class ObjectMeta(ApiModel):
    """Identity and age of an object."""

    name: str
    namespace: str
    uid: str
    generation: int
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
