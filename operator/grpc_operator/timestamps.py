"""Times as the status of an object has them (RFC 3339)."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Returns a time as a status has it, in whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str | None, now: float) -> float:
    """Returns a time of a status in seconds since the epoch; ``now`` if it is none, or later."""
    try:
        return min(datetime.fromisoformat(text or "").timestamp(), now)
    except ValueError:
        return now
