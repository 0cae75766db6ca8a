"""What is raised when a database cannot be used: at start, and by a call."""

from grpc_service_kit.errors import ResourceExhausted, Unavailable


class StoreError(Exception):
    """The database cannot be used; the text names the setting and says how to fix it."""


class DatabaseUnavailable(Unavailable):
    """The database is away, or others keep changing the same rows; nothing may have happened."""


class DatabaseOverloaded(ResourceExhausted):
    """All connections stay in use; nothing has happened."""
