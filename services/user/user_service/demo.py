"""A client to run beside the service: every method once, then calls spread over the instances.

    python -m user_service.demo --target dns:///users:50051 --service-config-file client.json

GRPC_TARGET and GRPC_SERVICE_CONFIG (the JSON itself) in the environment stand in for the two
options. Exit code 0: every call succeeded and each instance had its share; 1: something did not;
2: the options are wrong.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import grpc

from grpc_service_kit import INSTANCE
from user.v1 import user_pb2, user_pb2_grpc

_ONE_INSTANCE = '{"loadBalancingConfig": [{"pick_first": {}}]}'
"""Keeps one connection, whatever the target resolves to: each instance has users of its own."""

_PAUSE = 0.02
"""Seconds between the calls that wait for every instance to be connected."""

_SETTLE = 2.0
"""Seconds that a channel has to connect to every instance, before a new channel asks DNS again."""

_Message = TypeVar("_Message")


class DemoError(Exception):
    """Something the demo expects did not happen."""


class Demo:
    """The calls of the demo over one channel; every call may take `timeout` seconds."""

    def __init__(self, channel: grpc.Channel, timeout: float) -> None:
        """Call over `channel`."""
        self._stub = user_pb2_grpc.UserServiceStub(channel)
        self._timeout = timeout

    def walk(self) -> None:
        """Call all seven methods, print one line for each call, and leave no user behind."""
        stub, timeout = self._stub, self._timeout
        suffix = uuid.uuid4().hex[:8]

        def profile(name: str) -> user_pb2.CreateUserRequest:
            return user_pb2.CreateUserRequest(email=f"{name}-{suffix}@example.com", name=name)

        ada = _call(
            "CreateUser",
            lambda: stub.CreateUser(profile("ada"), timeout=timeout, wait_for_ready=True).user,
            _line,
        )
        get = user_pb2.GetUserRequest(id=ada.id)
        _call("GetUser", lambda: stub.GetUser(get, timeout=timeout).user, _line)
        promote = user_pb2.UpdateUserRequest(id=ada.id, role=user_pb2.USER_ROLE_ADMIN)
        admin = _call("UpdateUser", lambda: stub.UpdateUser(promote, timeout=timeout).user, _line)
        entries = [profile("grace"), profile("edsger")]
        batch = _call(
            "BatchCreateUsers",
            lambda: stub.BatchCreateUsers(iter(entries), timeout=timeout),
            lambda answer: f"created {answer.created_count}",
        )
        barbara = user_pb2.User(email=f"barbara-{suffix}@example.com", name="barbara")
        wanted = [user_pb2.SyncUsersRequest(user=user) for user in (admin, barbara)]
        synced = _call(
            "SyncUsers", lambda: list(stub.SyncUsers(iter(wanted), timeout=timeout)), _statuses
        )
        page = user_pb2.ListUsersRequest(page_size=3)
        _call(
            "ListUsers",
            lambda: list(stub.ListUsers(page, timeout=timeout)),
            lambda users: f"{len(users)} on the first page of 3",
        )
        for user in [*batch.users, *(answer.user for answer in synced)]:
            delete = user_pb2.DeleteUserRequest(id=user.id)
            _call("DeleteUser", partial(stub.DeleteUser, delete, timeout=timeout), lambda _: "gone")

    def reaches(self, instances: int) -> bool:
        """Return whether so many instances answer within `_SETTLE` seconds.

        round_robin begins with the first connection that is ready.
        """
        seen: set[str] = set()
        end = time.monotonic() + _SETTLE
        while len(seen) < instances and time.monotonic() < end:
            seen.add(self._answering_instance())
            time.sleep(_PAUSE)
        return len(seen) >= instances

    def spread(self, calls: int) -> Counter[str]:
        """Make `calls` calls and return how many of them each instance answered."""
        return Counter(self._answering_instance() for _ in range(calls))

    def _answering_instance(self) -> str:
        # Every instance can answer ListUsers, whichever users it has.
        request = user_pb2.ListUsersRequest(page_size=1)
        call = self._stub.ListUsers(request, timeout=self._timeout, wait_for_ready=True)
        try:
            list(call)
        except grpc.RpcError as error:
            raise DemoError(f"ListUsers {_status(error)}") from error
        for key, value in call.initial_metadata():
            if key == INSTANCE:
                return str(value)
        raise DemoError(f"no {INSTANCE} in the answer: start the server with INSTANCE_METADATA=on")


def check_shares(counts: Counter[str], instances: int, min_share: float) -> None:
    """Raise DemoError unless that many instances answered their share of the calls."""
    total = counts.total()
    for instance, count in sorted(counts.items()):
        print(f"{instance} answered {count} of {total}")
    fair = [count for count in counts.values() if count >= min_share * total]
    if len(fair) < instances:
        raise DemoError(
            f"{len(fair)} of {instances} instances answered {min_share:.0%} of the calls or more"
        )


def _call(
    method: str, make: Callable[[], _Message], describe: Callable[[_Message], str]
) -> _Message:
    try:
        answer = make()
    except grpc.RpcError as error:
        raise DemoError(f"{method:<17}{_status(error)}") from error
    print(f"{method:<17}OK  {describe(answer)}")
    return answer


def _line(user: user_pb2.User) -> str:
    return f"id={user.id} email={user.email} role={user_pb2.UserRole.Name(user.role)}"


def _statuses(answers: list[user_pb2.SyncUsersResponse]) -> str:
    return " ".join(user_pb2.SyncStatus.Name(answer.status) for answer in answers)


def _status(error: grpc.RpcError) -> str:
    # The error of a call that has begun is its Call too: grpc/_channel.py.
    return f"{error.code().name}  {error.details()}" if isinstance(error, grpc.Call) else str(error)


def run(target: str, service_config: str, options: argparse.Namespace) -> None:
    """Walk on one instance, then spread over all; raise DemoError."""
    with connect(target, _ONE_INSTANCE) as channel:
        Demo(channel, options.timeout).walk()
    counts = _spread(target, service_config, options)
    check_shares(counts, options.instances, options.min_share)


def _spread(target: str, service_config: str, options: argparse.Namespace) -> Counter[str]:
    """Count calls over a channel that reaches every instance, or over the last one tried.

    A channel asks DNS when it is made, and again only when a connection ends. EndpointSlices, and
    so DNS, may name a pod some seconds after it has become ready.
    """
    end = time.monotonic() + options.settle_timeout
    while True:
        with connect(target, service_config) as channel:
            demo = Demo(channel, options.timeout)
            if demo.reaches(options.instances) or time.monotonic() >= end:
                return demo.spread(options.calls)


def connect(target: str, service_config: str) -> grpc.Channel:
    """Return a channel with a service config."""
    return grpc.insecure_channel(target, options=[("grpc.service_config", service_config)])


def _service_config(file: Path | None) -> str:
    """Return the JSON for the balanced channel; raise ValueError, as a channel drops bad JSON."""
    text = file.read_text() if file else os.environ.get("GRPC_SERVICE_CONFIG", "")
    return json.dumps(json.loads(text or "{}"))


def _seconds(text: str) -> float:
    """Return seconds, as argparse reads them."""
    return _between(float(text), 0.001, 3600)


def _share(text: str) -> float:
    return _between(float(text), 0, 1)


def _count(text: str) -> int:
    return int(_between(int(text), 1, 1_000_000))


def _between(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{number:g} is not from {least:g} to {most:g}")
    return number


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m user_service.demo", description=__doc__)
    parser.add_argument("--target", default=os.environ.get("GRPC_TARGET", ""))
    parser.add_argument("--service-config-file", type=Path)
    parser.add_argument("--timeout", type=_seconds, default=5.0, help="for each call")
    parser.add_argument("--calls", type=_count, default=200, help="balanced calls to make")
    parser.add_argument("--instances", type=_count, default=2, help="instances that must answer")
    parser.add_argument(
        "--settle-timeout",
        type=_seconds,
        default=30.0,
        help="until DNS must name every instance",
    )
    parser.add_argument("--min-share", type=_share, default=0.3, help="share of each, 0 to 1")
    options = parser.parse_args()
    if not options.target:
        parser.error("no target: set GRPC_TARGET or --target, such as dns:///users:50051")
    try:
        config = _service_config(options.service_config_file)
    except (OSError, ValueError) as error:
        parser.error(f"service config: {error}")
    try:
        run(options.target, config, options)
    except DemoError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
