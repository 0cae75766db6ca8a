"""Certificates of the xDS server: shared by replicas, renewed, and never lost by an accident."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.app import certificates
from grpc_operator.app.certificates import ServingCertificates, from_folder, from_secret
from grpc_operator.certificates import Certificates, renewed
from grpc_operator.errors import ConflictError, ForbiddenError, NotFoundError
from grpc_operator.kube.certificate_secret import CertificateSecret, decoded, encoded
from tests.waiting import until

HOST = "xds.example.com"


class ApiServer:
    """Has one Secret, or none; refuses writes of older versions."""

    def __init__(self, secret: dict[str, Any] | None = None) -> None:
        self.secret = secret
        self.version = 1
        self.may_create = False
        self.before_write: list[dict[str, str]] = []
        self.writes = 0

    async def send(self, method: str, _path: str, *, body: Any = None, **_: Any) -> dict[str, Any]:
        """Answers a request."""
        if method == "POST" and not self.may_create:
            raise ForbiddenError("secrets is forbidden", status=403)
        if self.before_write and method in {"PUT", "POST"}:
            self.put(self.before_write.pop())
        if method == "GET" and self.secret is None:
            raise NotFoundError("not found", status=404)
        if method == "PUT" and body["metadata"]["resourceVersion"] != str(self.version):
            raise ConflictError("changed", status=409)
        if method == "POST" and self.secret is not None:
            raise ConflictError("exists", status=409)
        if method in {"PUT", "POST"}:
            self.writes += 1
            self.put(body["data"])
        assert self.secret is not None
        return self.secret

    def put(self, data: dict[str, str]) -> None:
        """Sets the content, as another replica or somebody would."""
        self.version += 1
        self.secret = {"metadata": {"resourceVersion": str(self.version)}, "data": data}

    @property
    def content(self) -> Certificates | None:
        """What the Secret has."""
        return decoded(self.secret["data"]) if self.secret else None


def empty() -> ApiServer:
    """The Secret as the chart creates it."""
    return ApiServer({"metadata": {"resourceVersion": "1"}})


def secret(server: ApiServer) -> CertificateSecret:
    """Returns the operator's access to it."""
    return CertificateSecret(server, "ns", "xds")  # type: ignore[arg-type]  # what is used of it


async def test_an_empty_secret_is_filled_once() -> None:
    """And read by whoever comes second."""
    server = empty()
    first = await from_secret(secret(server), HOST)(None)
    second = await from_secret(secret(server), HOST)(None)
    assert first == second == server.content
    assert server.writes == 1


async def test_of_two_replicas_that_begin_together_one_decides() -> None:
    """The other takes what it finds then."""
    server = empty()
    theirs = renewed(None, HOST, datetime.now(UTC))
    server.before_write.append(encoded(theirs))
    assert await from_secret(secret(server), HOST)(None) == theirs
    assert server.writes == 0


async def test_a_secret_that_was_emptied_is_filled_with_what_is_in_use() -> None:
    """A new CA would be one that no proxy trusts yet."""
    server = empty()
    load = from_secret(secret(server), HOST)
    used = await load(None)
    server.put({})
    assert await load(used) == used == server.content


async def test_what_is_due_is_renewed_in_the_secret() -> None:
    """A replica that reads it later has nothing to do."""
    server = empty()
    old = renewed(None, HOST, datetime.now(UTC) - timedelta(days=70))
    server.put(encoded(old))
    load = from_secret(secret(server), HOST)
    current = await load(old)
    assert (current.ca, server.content) == (old.ca, current)
    assert current.chain != old.chain
    await load(current)
    assert server.writes == 1


async def test_a_secret_that_is_missing_and_may_not_be_created_is_named() -> None:
    """With the way out."""
    with pytest.raises(ForbiddenError, match=r"ns/xds does not exist.*as helm upgrade does"):
        await from_secret(secret(ApiServer()), HOST)(None)


async def test_a_secret_is_created_where_that_is_allowed() -> None:
    """Without the chart."""
    server = ApiServer()
    server.may_create = True
    assert await from_secret(secret(server), HOST)(None) == server.content


async def test_files_of_somebody_else_are_read_as_they_change(tmp_path: Path) -> None:
    """A key that does not belong to the certificate is not used: the other file comes later."""
    load = from_folder(tmp_path)
    one, other = (renewed(None, HOST, datetime.now(UTC)) for _ in range(2))
    for name, content in (("ca.crt", one.ca), ("tls.crt", one.chain), ("tls.key", one.key)):
        (tmp_path / name).write_bytes(content)
    assert await load(None) == Certificates(one.ca, b"", one.chain, one.key)
    (tmp_path / "tls.crt").write_bytes(other.chain)
    with pytest.raises(ValueError, match=r"tls.key is not the key"):
        await load(None)
    (tmp_path / "tls.key").unlink()
    with pytest.raises(OSError, match="No such file"):
        await load(None)


async def test_a_failure_is_reported_until_there_is_a_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later ones leave what is in use; a new CA is reported to who publishes it."""
    monkeypatch.setattr(certificates, "PERIOD", 0.01)
    monkeypatch.setattr(certificates, "RETRY", 0.01)
    one, other = (renewed(None, HOST, datetime.now(UTC)) for _ in range(2))
    answers: list[Certificates | Exception] = [OSError("no file")]
    changed: list[bool] = []

    async def load(_: Certificates | None) -> Certificates:
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[-1]

    serving = ServingCertificates(load, lambda: changed.append(True))
    assert "no certificate yet" in serving.why_unready
    keeping = asyncio.create_task(serving.keep())

    async def said() -> bool:
        return "no file" in serving.why_unready

    await until(said, "the failure is reported")
    answers.append(one)
    await serving.wait()
    assert (serving.why_unready, serving.ca, changed) == ("", one.ca.decode(), [])

    answers.append(OSError("gone"))
    await asyncio.sleep(0.05)
    assert (serving.why_unready, serving.ca) == ("", one.ca.decode())
    answers.append(other)

    async def published() -> bool:
        return bool(changed)

    await until(published, "the new CA is to be published")
    assert serving.ca == other.ca.decode()
    keeping.cancel()
