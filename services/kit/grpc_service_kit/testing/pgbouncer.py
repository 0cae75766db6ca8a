"""A real PgBouncer in front of a PostgreSQL server: Debian's package, a free loopback port."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grpc_service_kit.testing.polling import TIMEOUT, wait_until
from grpc_service_kit.testing.postgres import Postgres, account, free_port, install, leave_root

_PROGRAM = Path("/usr/sbin/pgbouncer")


@dataclass(frozen=True)
class Pgbouncer:
    """A running PgBouncer."""

    port: int
    log: Path

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of the server behind it."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"


@contextmanager
def pgbouncer_before(postgres: Postgres, **settings: object) -> Iterator[Pgbouncer]:
    """Run PgBouncer; end it and remove its files at the end.

    Args:
        postgres: The server behind it, with all of its databases.
        settings: Of the section `pgbouncer`: https://www.pgbouncer.org/config.html.
    """
    if not _PROGRAM.exists():
        install("pgbouncer")
    directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    bouncer = Pgbouncer(free_port(), directory / "log")
    usual = {
        "listen_addr": "127.0.0.1",
        "listen_port": bouncer.port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "logfile": bouncer.log,
        **settings,
    }
    lines = [
        "[databases]",
        f"* = host=127.0.0.1 port={postgres.port} user=postgres",
        "[pgbouncer]",
        *(f"{name} = {value}" for name, value in usual.items()),
    ]
    (directory / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        os.chown(directory, account().pw_uid, account().pw_gid)
    process = subprocess.Popen(
        [*leave_root(), str(_PROGRAM), "-q", str(directory / "pgbouncer.ini")], cwd="/"
    )
    try:
        wait_until(lambda: _listens(bouncer, process))
        yield bouncer
    finally:
        process.terminate()
        process.wait(TIMEOUT)
        shutil.rmtree(directory)


def _listens(bouncer: Pgbouncer, process: "subprocess.Popen[bytes]") -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"PgBouncer ended at once:\n{bouncer.log.read_text()}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", bouncer.port)) == 0
