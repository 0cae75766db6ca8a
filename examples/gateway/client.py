"""One user, three protocols, one host and port.

    python client.py ADDRESS PORT HOST

ADDRESS and PORT are those of the gateway, HOST is that of the service. Where HOST resolves to the
gateway, a client needs nothing else.

Creates a user by REST/JSON, reads it by gRPC, lists it by gRPC-Web, deletes it by REST, and prints
every call. Exit code 0 when all of them agree.
"""

import http.client
import json
import struct
import sys
import uuid
from dataclasses import dataclass
from typing import Any

import grpc

from user.v1 import user_pb2, user_pb2_grpc

_TIMEOUT = 10
"""Seconds for one call."""

_TRAILERS = 0x80
"""Flag of the frame with the trailers (gRPC-Web protocol, PROTOCOL-WEB.md)."""


@dataclass(frozen=True)
class Gateway:
    """Where the gateway is reached, and which host of it is called."""

    address: str
    port: int
    host: str


def rest(gateway: Gateway, verb: str, path: str, body: Any = None) -> Any:
    """Makes one REST call and returns the JSON it answers."""
    connection = http.client.HTTPConnection(gateway.address, gateway.port, timeout=_TIMEOUT)
    text = json.dumps(body) if body is not None else None
    headers = {"Host": gateway.host, "Content-Type": "application/json"}
    connection.request(verb, path, text, headers)
    answer = connection.getresponse()
    data = answer.read().decode()
    print(f"REST      {verb} http://{gateway.host}{path} {text or ''}")
    print(f"          {answer.status} {data}")
    if answer.status != http.HTTPStatus.OK:
        raise SystemExit(f"{verb} {path}: HTTP {answer.status}")
    return json.loads(data or "{}")


def read_by_grpc(gateway: Gateway, id_: str) -> user_pb2.User:
    """Reads a user by gRPC."""
    options = [("grpc.default_authority", gateway.host)]
    with grpc.insecure_channel(f"{gateway.address}:{gateway.port}", options) as channel:
        stub = user_pb2_grpc.UserServiceStub(channel)
        user = stub.GetUser(user_pb2.GetUserRequest(id=id_), timeout=_TIMEOUT).user
    print(f"gRPC      {gateway.host} user.v1.UserService/GetUser id={id_}")
    print(f"          OK {user.email}")
    return user


def list_by_grpc_web(gateway: Gateway) -> list[user_pb2.User]:
    """Lists users by gRPC-Web, as a browser does: one HTTP/1.1 POST, frames in the answer."""
    message = user_pb2.ListUsersRequest(page_size=100).SerializeToString()
    headers = {
        "Host": gateway.host,
        "Content-Type": "application/grpc-web+proto",
        "X-Grpc-Web": "1",
    }
    connection = http.client.HTTPConnection(gateway.address, gateway.port, timeout=_TIMEOUT)
    path = "/user.v1.UserService/ListUsers"
    connection.request("POST", path, struct.pack(">BI", 0, len(message)) + message, headers)
    data = connection.getresponse().read()
    users, trailers = [], ""
    while data:
        flags, length = struct.unpack(">BI", data[:5])
        frame, data = data[5 : 5 + length], data[5 + length :]
        if flags & _TRAILERS:
            trailers = " ".join(frame.decode().split())
        else:
            users.append(user_pb2.User.FromString(frame))
    print(f"gRPC-Web  POST http://{gateway.host}{path}")
    print(f"          {trailers}, {len(users)} users")
    if "grpc-status:0" not in trailers.replace(" ", ""):
        raise SystemExit(f"ListUsers: {trailers or 'no trailers'}")
    return users


def main() -> int:
    """Makes the calls and returns the exit code."""
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    gateway = Gateway(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    email = f"ada-{uuid.uuid4().hex[:8]}@example.com"
    wanted = {"email": email, "name": "Ada", "role": "USER_ROLE_ADMIN"}
    created = rest(gateway, "POST", "/v1/users", wanted)["user"]
    read = read_by_grpc(gateway, created["id"])
    listed = [user for user in list_by_grpc_web(gateway) if user.id == created["id"]]
    rest(gateway, "DELETE", f"/v1/users/{created['id']}")
    if [user.email for user in (read, *listed)] != [email, email]:
        print(f"The protocols disagree: {created}, {read}, {listed}", file=sys.stderr)
        return 1
    print("The same user by all three.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
