"""A scenario that calls the seven methods of the user service; its transcript is compared."""

import json
import re
from typing import Any

from google.protobuf import json_format

from tests.e2e.clients import Answer, Client
from user.v1 import user_pb2

_UNKNOWN = "00000000-0000-4000-8000-000000000000"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[^\"]*Z")


def run_scenario(client: Client) -> list[tuple[str, list[Any], int, str]]:
    """Calls every method, with right and wrong requests, and leaves no user behind.

    Returns:
        For each call: the method, the answers, status code and the text of errors; ids and times
        are replaced by what does not differ from one run to the next.
    """
    transcript: list[tuple[str, list[Any], int, str]] = []
    ids: dict[str, str] = {}

    def call(method: str, *requests: Any) -> Answer:
        answer = client.call(method, *requests)
        transcript.append(
            (
                method,
                [_plain(message, ids) for message in answer.messages],
                answer.code,
                _replaced(answer.text, ids) if answer.code else "",  # grpc-js sends: OK
            )
        )
        return answer

    def new(name: str) -> user_pb2.CreateUserRequest:
        return user_pb2.CreateUserRequest(email=f"{name}@example.com", name=name.title())

    ada = call("CreateUser", new("ada")).messages[0].user
    call("CreateUser", new("ada"))
    call("CreateUser", user_pb2.CreateUserRequest(email="no address", name="x"))
    call("GetUser", user_pb2.GetUserRequest(id=ada.id))
    call("GetUser", user_pb2.GetUserRequest(id=_UNKNOWN))
    admin = user_pb2.USER_ROLE_ADMIN
    call("UpdateUser", user_pb2.UpdateUserRequest(id=ada.id, name="Ada L.", role=admin))
    batch = call("BatchCreateUsers", new("grace"), new("edsger")).messages[0]
    call("BatchCreateUsers", new("alan"), new("grace"))
    changed = user_pb2.User(email="grace@example.com", name="Grace H.")
    barbara = user_pb2.User(email="barbara@example.com", name="Barbara")
    wanted = [user_pb2.SyncUsersRequest(user=user) for user in (changed, changed, barbara)]
    synced = call("SyncUsers", *wanted).messages
    call("ListUsers", user_pb2.ListUsersRequest(page_size=10))
    call("ListUsers", user_pb2.ListUsersRequest(page_size=2))
    call("ListUsers", user_pb2.ListUsersRequest(page_size=-1))
    for user in (ada, *batch.users, synced[-1].user):
        call("DeleteUser", user_pb2.DeleteUserRequest(id=user.id))
    call("DeleteUser", user_pb2.DeleteUserRequest(id=ada.id))
    call("ListUsers", user_pb2.ListUsersRequest())
    return transcript


def _plain(message: Any, ids: dict[str, str]) -> Any:
    text = json_format.MessageToJson(message)
    for found in re.findall(r'"id": "([^"]+)"', text):
        ids.setdefault(found, f"id-{len(ids) + 1}")
    return json.loads(_TIME.sub("TIME", _replaced(text, ids)))


def _replaced(text: str, ids: dict[str, str]) -> str:
    for found, name in ids.items():
        text = text.replace(found, name)
    return text
