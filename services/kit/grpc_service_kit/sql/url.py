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
PGBOUNCER = "pgbouncer"
"""The parameter that says so of the URL: `pgbouncer=true`."""
_ATTRIBUTES = "target_session_attrs"
_KINDS_OF_SESSION = ("any", "read-write", "primary", "read-only", "standby", "prefer-standby")
"""https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS"""
_DRIVERS_PARAMETERS = {
    *("host", "port", "user", "dbname", "database", "passfile", "service", "servicefile"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib", _ATTRIBUTES),
}
"""What asyncpg takes for itself; it sends everything else to the server."""
_SEVERAL_HOSTS = re.compile(
    r"(?P<begin>[a-z0-9+]{1,30}://(?:[^@/?]*@)?)(?P<hosts>[^@/?,]+,[^@/?]*)"
    r"(?P<path>/[^?]*)?(?:\?(?P<query>.*))?"
)
_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>/.*|[^:,/]+))(?::(?P<port>[0-9]{1,5}))?"
)
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
        url = make_url(_with_hosts_as_parameter(text)).set(drivername=driver)
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


def _with_hosts_as_parameter(text: str) -> str:
    """Return a URL with several hosts in the form that libpq has for it, too: `?host=a:1,b:2`."""
    found = _SEVERAL_HOSTS.fullmatch(text)
    if found is None:
        return text
    query = f"&{found['query']}" if found["query"] else ""
    return f"{found['begin']}{found['path'] or '/'}?host={found['hosts']}{query}"


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
    if query.get(PGBOUNCER, "true") not in {"true", "false"}:
        raise ValueError(f"has a {PGBOUNCER} that is neither true nor false")
    if through_pgbouncer(url) and "options" in query:
        raise ValueError(
            "has the parameter options, which PgBouncer does not take; write each setting as a"
            " parameter of its own, such as search_path=users"
        )
    attributes = query.get(_ATTRIBUTES, "any")
    if attributes not in _KINDS_OF_SESSION:
        raise ValueError(f"has a {_ATTRIBUTES} that is none of {', '.join(_KINDS_OF_SESSION)}")
    _hosts(url)
    return url.difference_update_query(["channel_binding"])


def through_pgbouncer(url: URL) -> bool:
    """Whether the URL leads to PgBouncer, which gives a server to each transaction."""
    return url.query.get(PGBOUNCER) == "true"


def server_settings(url: URL) -> dict[str, str]:
    """Return the parameters of the URL that are settings of the server, such as search_path."""
    known = {*_DRIVERS_PARAMETERS, PGBOUNCER}
    return {name: str(value) for name, value in url.query.items() if name not in known}


def postgresql_dsns(url: URL) -> list[str]:
    """Return the URL of each host as asyncpg reads it. They hold the password: never print them.

    Of several hosts the one that takes writes is meant, unless the URL says otherwise.
    """
    hosts = _hosts(url)
    query = {k: v for k, v in url.query.items() if k in _DRIVERS_PARAMETERS - {"host", "port"}}
    if len(hosts) > 1:
        query = {_ATTRIBUTES: "read-write", **query}
    plain = url.set(drivername="postgresql", query=query)
    urls = (
        plain.update_query_dict({"host": host, **({"port": str(port)} if port else {})})
        if host.startswith("/")
        else plain.set(host=host or None, port=port)
        for host, port in hosts
    )
    return [found.render_as_string(hide_password=False) for found in urls]


def _hosts(url: URL) -> list[tuple[str, int | None]]:
    """Return the hosts with their ports; raise ValueError. An empty one is the default of libpq."""
    if "host" not in url.query:
        return [(url.host or "", url.port)]
    names = str(url.query["host"]).split(",")
    ports = str(url.query.get("port", "")).split(",")
    if len(ports) not in {1, len(names)}:
        raise ValueError("has another number of ports than of hosts")
    ports = ports if len(ports) > 1 else ports * len(names)
    found = [_HOST.fullmatch(name) for name in names]
    if not all(found) or not all(port.isdigit() or not port for port in ports):
        raise _unreadable()
    return [
        (host["v6"] or host["name"], int(host["port"] or port or 0) or None)
        for host, port in zip(found, ports, strict=True)
        if host is not None
    ]


def _unreadable() -> ValueError:
    return ValueError(
        "cannot be read; write special characters of the user and the password as %XX (an @ is"
        f" %40), as in {_EXAMPLES}"
    )
