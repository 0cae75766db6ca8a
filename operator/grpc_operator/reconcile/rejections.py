"""What the API server says about a child it refuses, in terms of the owner's fields."""

import re
from collections.abc import Sequence

from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError, Problem, RejectedError
from grpc_operator.resources import Manifest

_OF_POD_TEMPLATE = re.compile(
    r"[.]spec[.]template([.](?:spec|metadata)[^\s:]*): (.+?)(?: [(]HTTP [0-9]+[)])?$", re.MULTILINE
)
"""An error of server-side apply about the schema. Only ``spec.podTemplate`` can cause one in a pod
template: everything else in it comes from fields with a schema of their own."""


def rejected(
    child: Manifest, error: RejectedError, managers: Sequence[str] = ()
) -> InvalidSpecError:
    """Returns the error that names the field, the child and who else has written to it.

    Args:
        child: What was refused.
        error: The API server's answer.
        managers: Other field managers of the child, which may have caused it.
    """
    name = f"{child['kind']} {child['metadata']['name']}"
    also = f"; {' and '.join(managers)} also changed this {child['kind']}" if managers else ""
    problems = [
        Problem(
            f"spec.podTemplate{found[1]}", f"{found[2]} (the API server's answer for {name}){also}"
        )
        for found in _OF_POD_TEMPLATE.finditer(str(error))
    ]
    if not problems:
        problems = [Problem("spec", f"the API server refuses {name}: {error}{also}")]
    return InvalidSpecError(problems, reason=Reason.REJECTED)
