"""Database URLs: what DATABASE_URL may say, in the form the engine takes.

No error of this file quotes more of a URL than its scheme: a URL that cannot be read may have its
password anywhere.
"""

import re
from collections.abc import Mapping

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+asyncpg"

_DRIVERS = {
    "sqlite": SQLITE,
    SQLITE: SQLITE,
    "postgresql": POSTGRESQL,
    "postgres": POSTGRESQL,  # The scheme of many hosting providers; libpq knows both.
    POSTGRESQL: POSTGRESQL,
}
_EXAMPLES = "sqlite+aiosqlite:///data.db or postgresql://user:password@host:5432/database"


def sqlite_file(path: str) -> URL:
    """Return the URL of a SQLite file."""
    return URL.create(SQLITE, database=path)


def parse_url(text: str) -> URL:
    """Return the URL with the driver that is used.

    Raises:
        ValueError: There is no such database; the text says what to set instead.
    """
    scheme = re.match(r"([a-z0-9+]{1,30})://", text)
    driver = _DRIVERS.get(scheme[1]) if scheme else None
    if driver is None:
        begin = f"{scheme[1]}:// is not a database this service knows" if scheme else "is not a URL"
        raise ValueError(f"{begin}; set it to a URL such as {_EXAMPLES}")
    try:
        url = make_url(text).set(drivername=driver)
    except (ArgumentError, ValueError):
        raise _unreadable() from None
    if "@" in (url.host or ""):
        raise _unreadable()
    return _checked_sqlite(url) if driver == SQLITE else _checked_postgresql(url)


def _checked_sqlite(url: URL) -> URL:
    path = url.database or ""
    if url.host or url.query or not path or path.startswith(":") or path.endswith("/"):
        raise ValueError(
            "is not the URL of a SQLite file; set it to one such as sqlite+aiosqlite:///data.db,"
            " with four slashes for an absolute path: sqlite+aiosqlite:////data/data.db"
        )
    return url


def _checked_postgresql(url: URL) -> URL:
    """Take what libpq takes, as asyncpg does; an unknown parameter is a setting of the server."""
    query: Mapping[str, object] = url.query
    if not all(isinstance(value, str) for value in query.values()):
        raise ValueError("has a parameter twice; leave one of the two out")
    for secret in ("password", "sslpassword"):
        if secret in query:
            raise ValueError(f"has the parameter {secret}; passwords stand between user: and @")
    if query.get("channel_binding") == "require":
        raise ValueError(
            "asks for channel_binding=require, which the driver asyncpg cannot do; leave it out and"
            " keep sslmode=verify-full"
        )
    return url.difference_update_query(["channel_binding"])


def _unreadable() -> ValueError:
    return ValueError(
        "cannot be read; write special characters of the user and the password as %XX (an @ is"
        f" %40), as in {_EXAMPLES}"
    )


def postgresql_dsn(url: URL) -> str:
    """Return the URL as libpq and asyncpg read it. It holds the password: never print it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
