"""A real PostgreSQL server in a directory of its own: Debian's packages, a free loopback port."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grpc_service_kit.testing.polling import TIMEOUT, wait_until

_BINARIES = Path("/usr/lib/postgresql")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Postgres:
    """One cluster, owned by the user postgres inside; nobody else can reach it but this machine."""

    binaries: Path
    directory: Path
    durable: bool = False
    """Write as in production; otherwise nothing that a crash may lose is waited for."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """Return a URL as Secrets of hosted databases have it."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        # After a kill the processes of the old server need a moment to notice, and until then a
        # new one refuses to start: they share memory.
        wait_until(self._started)

    def kill(self) -> None:
        """Kill the server, and wait until its other processes have noticed and ended."""
        process = self._running()
        others = self._children()
        process.kill()
        process.wait()
        # Until then they serve the connections that exist.
        wait_until(lambda: not any(_command(pid) for pid in others))

    def kill_one_backend(self) -> bool:
        """Kill a process that serves a connection, upon which the server restarts all of them."""
        for pid in self._children():
            if b"postgres: postgres" in _command(pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:  # It has just ended by itself.
                    continue
                return True
        return False

    def stop(self, *, forever: bool = False) -> None:
        """End the server in an orderly way, or without a checkpoint: its files cannot be used then.

        https://www.postgresql.org/docs/current/server-shutdown.html
        """
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if forever else signal.SIGINT)
            self.process.wait(TIMEOUT)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL in a process of its own and return what it prints."""
        return self.sql_at(self.url(database), statement)

    def sql_at(self, url: str, statement: str) -> str:
        """Do so through another address of the server."""
        command = [self._program("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def set(self, setting: str, value: str) -> None:
        """Change a setting of the running server."""
        self.sql(f"ALTER SYSTEM SET {setting} = '{value}'")
        self.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.sql(f"SHOW {setting}") == value)

    def initialize(self) -> None:
        """Make the files of the cluster."""
        self._run(
            *(
                "initdb",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ),
            *("--no-sync", "--no-instructions", "--pgdata", str(self.directory / "data")),
        )

    def _running(self) -> "subprocess.Popen[bytes]":
        if self.process is None:
            raise RuntimeError("the server has not been started; call start() first")
        return self.process

    def _started(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            self.process = self._spawn()
        return self._answers()

    def _answers(self) -> bool:
        ready = [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.directory}",
            "shared_buffers=32MB",
            "log_min_messages=fatal",
            *(() if self.durable else _QUICK),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    *leave_root(),
                    self._program("postgres"),
                    "-D",
                    f"{self.directory}/data",
                    *options,
                ],
                cwd="/",
                stdout=log,
                stderr=log,
            )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*leave_root(), self._program(program), *arguments],
            check=False,
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stderr}")

    def _program(self, name: str) -> str:
        return str(self.binaries / name)

    def _children(self) -> list[int]:
        pid = self._running().pid
        file = Path(f"/proc/{pid}/task/{pid}/children")
        return [int(pid) for pid in file.read_text().split()]


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a server with an empty cluster, and remove both at the end."""
    with ExitStack() as stack:
        binaries = _find_binaries()
        directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        stack.callback(shutil.rmtree, directory)
        if os.geteuid() == 0:
            os.chown(directory, account().pw_uid, account().pw_gid)
        server = Postgres(binaries, directory, durable)
        server.initialize()
        stack.callback(server.stop, forever=True)
        server.start()
        yield server


def _find_binaries() -> Path:
    """Return where the newest installed server is; root installs one when there is none."""
    if not _versions():
        install("postgresql")
    return max(_versions(), key=lambda path: float(path.parent.name))


def install(package: str) -> None:
    """Install a package of Debian; raise RuntimeError where only root could."""
    command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    if os.geteuid() != 0:
        raise RuntimeError(f"{package} is missing; run: sudo {' '.join(command)}")
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def _versions() -> list[Path]:
    return [path.parent for path in _BINARIES.glob("*/bin/postgres")]


def leave_root() -> list[str]:
    """Return a command to put in front when root starts PostgreSQL or PgBouncer, which refuse to
    run as root.

    subprocess's own way would fork with the threads of grpc in the process, which crashes.
    """
    if os.geteuid() != 0:
        return []
    user_of = account()
    user = [f"--reuid={user_of.pw_uid}", f"--regid={user_of.pw_gid}", "--clear-groups"]
    return ["setpriv", *user, "--"]


def account() -> pwd.struct_passwd:
    """Return the account that Debian's package makes."""
    return pwd.getpwnam("postgres")


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
