"""A signal ends the process at once in each phase of its start that waits for a database."""

import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL

from grpc_service_kit.testing.polling import wait_until
from grpc_service_kit.testing.postgres import Postgres, free_port
from grpc_service_kit.testing.processes import ServerProcess

Start = Callable[..., ServerProcess]
LOCK = int.from_bytes(b"migrate", "big")
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
TERMINATED = 128 + signal.SIGTERM


def test_while_no_database_answers(start: Start) -> None:
    server = start(DATABASE_URL=f"postgres://ada:s3cret@127.0.0.1:{free_port()}/users")
    wait_until(lambda: "waiting for the database" in server.log.read_text())
    server.terminate()

    assert server.end() == TERMINATED


def test_while_a_database_does_not_answer_a_connection(start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        server = start(DATABASE_URL=f"postgres://ada:s3cret@127.0.0.1:{port}/users")
        connection, _ = silent.accept()
        server.terminate()

        assert server.end() == TERMINATED
        connection.close()


def test_while_another_process_migrates(
    start: Start, postgres: Postgres, empty_postgres: URL
) -> None:
    """The session of the process ends, too: it does not get the lock later."""
    name = empty_postgres.database or ""
    with _locked(postgres, name):
        server = start(DATABASE_URL=postgres.url(name))
        wait_until(lambda: postgres.sql(WAITING) == "1")
        server.terminate()

        assert server.end() == TERMINATED
        wait_until(lambda: postgres.sql(WAITING) == "0")
    assert postgres.sql("SELECT to_regclass('users') IS NULL", name) == "t"


@contextmanager
def _locked(postgres: Postgres, database: str) -> Iterator[None]:
    """Hold the lock of migrations."""
    held = f"SELECT pg_advisory_lock({LOCK}), pg_sleep(3600)"
    program = str(postgres.binaries / "psql")
    holder = subprocess.Popen([program, "-qX", "-c", held, postgres.url(database)])
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_until(lambda: postgres.sql(sleeping) == "1")
    yield
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    postgres.sql(end)
    holder.wait()


def test_while_another_process_writes_a_file(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "locked.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN IMMEDIATE")
        server = start(DATABASE_PATH=str(file))
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(2)  # It waits for the lock.
        server.terminate()

        assert server.end() == TERMINATED
