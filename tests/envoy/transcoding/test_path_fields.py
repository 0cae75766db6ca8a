"""The names that path variables have in the transcoder, and what a client can do with one."""

import re

import pytest

from tests.envoy import calls
from tests.envoy.transcoding.conftest import Served

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_HEADERS = {"host": "path-wins.test", "content-type": "application/json"}
_PATH = "/v1/owned-numbers"


async def _put(served: Served, path: str, body: str) -> calls.HttpReply:
    served.echo.take()
    return await calls.http(
        served.gateway.port, "PUT", _PATH + path, body=body.encode(), headers=_HEADERS
    )


async def test_a_name_that_an_error_shows_sets_nothing(served: Served) -> None:
    """A value of the wrong type is the only way to see one."""
    shown = await _put(served, "/x", "{}")
    (name,) = re.findall(r"revision_in_path_\w+", shown.json()["message"])
    for path, body in (
        (f"/5?{name}=6", "{}"),
        (f"/5?{name}=5", "{}"),
        ("/5", f'{{"{name}": 6}}'),
        ("/5", f'{{"{name}": "6"}}'),
        ("/5", f'{{"{name}": 5, "{name}": 6}}'),
    ):
        reply = await _put(served, path, body)
        assert (reply.status, served.echo.take()) == (400, []), (path, body)
