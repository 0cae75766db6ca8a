"""The process: it starts, refuses bad settings, and ends without losing a call."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_service_kit.testing.polling import TIMEOUT, attempts, wait_until
from grpc_service_kit.testing.processes import ServerProcess, environment
from user.v1 import user_pb2, user_pb2_grpc

Start = Callable[..., ServerProcess]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_the_server(start: Start, number: signal.Signals) -> None:
    """Health turns first; new and running calls are still served; then the process ends with 0."""
    for attempt in attempts(1, 30):
        with attempt:
            _drain(start(GRPC_DRAIN_SECONDS="600", LAME_DUCK_SECONDS=str(attempt.seconds)), number)


def _drain(server: ServerProcess, number: signal.Signals) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = user_pb2_grpc.UserServiceStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        statuses = {
            name: health.Watch(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT)
            for name in ("", "user.v1.UserService")
        }
        assert {name: next(watch).status for name, watch in statuses.items()} == dict.fromkeys(
            statuses, SERVING
        )
        sent: SimpleQueue[user_pb2.SyncUsersRequest | None] = SimpleQueue()
        running = stub.SyncUsers(_until_none(sent), timeout=TIMEOUT)
        sent.put(_sync_request("before"))
        assert next(running).status == user_pb2.SYNC_STATUS_CREATED

        server.process.send_signal(number)

        assert {name: next(watch).status for name, watch in statuses.items()} == dict.fromkeys(
            statuses, NOT_SERVING
        )
        late = user_pb2.CreateUserRequest(email="late@example.com", name="Late")
        assert stub.CreateUser(late, timeout=TIMEOUT).user.name == "Late"
        for watch in statuses.values():
            watch.cancel()
        wait_until(lambda: _is_refused(stub))

        sent.put(_sync_request("after"))
        assert next(running).status == user_pb2.SYNC_STATUS_CREATED
        sent.put(None)
        assert list(running) == []
        assert running.code() is grpc.StatusCode.OK
    assert server.end() == 0
    assert "stopped" in server.lines[-1]


def test_bad_settings_end_with_2_and_one_line_each(start: Start) -> None:
    server = start(PORT="http", REFLECTION="maybe")

    assert server.end() == 2
    assert [line.partition(":")[0] for line in server.lines] == ["PORT", "REFLECTION"]


def test_a_directory_that_cannot_be_written_ends_with_2_and_one_line(start: Start) -> None:
    server = start(DATABASE_PATH="/proc/users.db")

    assert server.end() == 2
    assert len(server.lines) == 1
    assert server.lines[0].startswith("DATABASE_PATH: /proc/users.db cannot be used: ")


def test_a_port_in_use_ends_with_2_and_one_line(start: Start) -> None:
    port = start().target.rpartition(":")[2]
    second = start(PORT=port)

    assert second.end() == 2
    assert f"PORT: cannot listen on {port}: " in second.lines[-1]
    assert second.lines[-1].endswith("choose a free port")


def test_it_runs_where_only_the_database_directory_can_be_written(tmp_path: Path) -> None:
    """The package writes nothing beside itself: -B and a foreign working directory suffice."""
    command = [sys.executable, "-B", "-c", "import user_service.__main__"]
    subprocess.run(command, env=environment(), cwd=tmp_path, check=True)

    assert list(tmp_path.iterdir()) == []


def _is_refused(stub: user_pb2_grpc.UserServiceStub) -> bool:
    try:
        list(stub.ListUsers(user_pb2.ListUsersRequest(), timeout=TIMEOUT))
    except grpc.RpcError:
        return True
    return False


def _sync_request(name: str) -> user_pb2.SyncUsersRequest:
    return user_pb2.SyncUsersRequest(user=user_pb2.User(email=f"{name}@example.com", name=name))


def _until_none(
    queue: SimpleQueue[user_pb2.SyncUsersRequest | None],
) -> Iterator[user_pb2.SyncUsersRequest]:
    return iter(queue.get, None)
