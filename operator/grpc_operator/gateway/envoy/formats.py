"""Format strings of Envoy ("Substitution Formatter") for the access log and local replies."""

from grpc_operator.hashing import canonical_json


def first_of(*operators: tuple[str, str], longest: int | None = None) -> str:
    """Returns what formats the first operator that has a value.

    Args:
        operators: Their commands and parameters.
        longest: Characters after which a value is cut off.
    """
    limit = {} if longest is None else {"max_length": longest}
    made = [{"command": command, "param": parameter, **limit} for command, parameter in operators]
    return f"%COALESCE({canonical_json({'operators': made})})%"
