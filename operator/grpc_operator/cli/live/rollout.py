"""``grpcop rollout``: reads how a rollout goes, and writes the annotation that steers it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from grpc_operator import labels
from grpc_operator.cli import connection, output
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.known_errors import known
from grpc_operator.cli.live import commands, health, page, text
from grpc_operator.cli.live.commands import Command, Verb
from grpc_operator.cli.live.target import Target
from grpc_operator.cli.live.watching import readings
from grpc_operator.cli.main import program
from grpc_operator.cli.output import Column, Format, Table, note
from grpc_operator.errors import ClusterError, ConflictError
from grpc_operator.kube import apply_body
from grpc_operator.resources import GRPC_SERVICES, Manifest

FIELD_MANAGER = "grpcop"
"""Owner of the annotation, and of nothing else."""

_TAKEN_WITHIN = 15.0
"""Seconds that the operator has to act on a command."""


class Progress(NamedTuple):
    """How far a rollout is.

    Attributes:
        text: For people.
        is_over: Whether nothing more happens by itself.
        is_good: Whether the newest spec has all calls.
    """

    text: str
    is_over: bool
    is_good: bool


def progress(service: Manifest) -> Progress:
    """Returns how far the rollout of the newest spec is."""
    status = health.status_of(service)
    rollout = status.get("rollout") or {}
    found = health.problems(service)
    said = f"{found[0].reason}: {found[0].message}" if found else ""
    if not health.is_reconciled(service):
        return Progress(said, is_over=False, is_good=False)
    if health.is_healthy(service):
        what = text.line(rollout.get("summary"), 128) or text.line(status.get("readySummary"), 32)
        return Progress(f"complete: {what}", is_over=True, is_good=True)
    failed = rollout.get("phase") == "Failed"
    stalled = health.condition(service, "Stalled").get("status") == "True"
    if rollout.get("phase") and not failed:
        waits = text.line(rollout.get("message"), 1024)
        step = f"{rollout['phase']}: {text.line(rollout.get('summary'), 128)}"
        said = step + (f"; {waits}" if waits else "") + (f"; {said}" if stalled else "")
    return Progress(said, is_over=failed or stalled, is_good=False)


def status(target: Target, *, watch: bool, timeout: float, form: Format) -> ExitCode:
    """Prints how far a rollout is; waits for its end if asked to.

    Args:
        target: The service.
        watch: Whether to wait.
        timeout: Seconds to wait at most.
        form: Of the output.

    Returns:
        ``OK`` if the newest spec has all calls.

    Raises:
        CliError: It has not ended in time.
    """
    return asyncio.run(_status(target, watch=watch, timeout=timeout, form=form))


async def _status(target: Target, *, watch: bool, timeout: float, form: Format) -> ExitCode:  # noqa: ASYNC109 - includes what is printed
    ends, before = time.monotonic() + timeout, ""
    async for service in _followed(target, watch=watch):
        now = progress(service)
        if now.is_over or not watch:
            _print(service, now, form)
            return ExitCode.OK if now.is_good else ExitCode.FOUND
        if now.text != before:
            note(now.text)
        before = now.text
        if time.monotonic() > ends:
            raise CliError(
                f"the rollout has not ended within {text.duration(int(timeout))}: {now.text}"
            )
    raise AssertionError  # it is followed for ever


async def _followed(target: Target, *, watch: bool) -> AsyncIterator[Manifest]:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        async for each in readings(lambda: _service(cluster, target.name), watch=watch):
            yield each


def _print(service: Manifest, now: Progress, form: Format) -> None:
    namespace, name = health.name_of(service)
    found = health.status_of(service)
    data = {"namespace": namespace, "name": name, "over": now.is_over, "good": now.is_good}
    data |= {"rollout": found.get("rollout"), "revisions": found.get("revisions") or []}
    match form:
        case Format.JSON:
            output.write_json(data)
        case Format.YAML:
            output.write_yaml([data])
        case Format.NAME:
            output.write_text(f"grpcservice.grpc.infera.dev/{name}")
        case _:
            for line in text.wrapped(f"{namespace}/{name} {now.text}", ""):
                output.write_text(line)
            for line in page.revisions(data, datetime.now(UTC)):
                output.write_text(line)


def history(target: Target, form: Format) -> ExitCode:
    """Prints the revisions, the newest first."""
    service = asyncio.run(_read(target))
    found = commands.revisions(service)
    columns = ("REVISION", "ROLE", "SHARE", "READY", "SINCE", "PROMOTED", "IMAGE")
    now = datetime.now(UTC)
    table = Table(
        [*map(Column, columns), Column("VERDICT", wide=True)],
        [_row(each, now) for each in found],
        empty="No revisions: rollouts need spec.rollout or spec.traffic.",
    )
    output.write(form, table, found, [f"deployment.apps/{each.get('name')}" for each in found])
    return ExitCode.OK


def _row(revision: Any, now: datetime) -> list[str]:
    share = revision.get("percent")
    return [
        text.line(revision.get("name"), 63),
        text.line(revision.get("role"), 16),
        f"{share}%" if share is not None else "-",
        f"{revision.get('readyReplicas') or 0}/{revision.get('replicas') or 0}",
        text.age(revision.get("since"), now),
        text.age(revision.get("promotionTime"), now),
        text.line(revision.get("image"), 200) or "-",
        text.line((revision.get("verdict") or {}).get("message")) or "-",
    ]


def command(target: Target, verb: Verb, *, force: bool) -> ExitCode:
    """Writes a command into the annotation, and waits until the operator acts on it.

    Args:
        target: The service.
        verb: What to do.
        force: Whether to take the annotation over from another field manager.

    Returns:
        ``FOUND`` if the operator has not acted on it.

    Raises:
        CliError: It has no effect now, or somebody else owns the annotation.
    """
    return asyncio.run(_command(target, verb, force=force))


async def _command(target: Target, verb: Verb, *, force: bool) -> ExitCode:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        service = await _service(cluster, target.name)
        found = commands.of(service, verb)
        namespace, name = health.name_of(service)
        if found.is_done:
            output.write_text(f"{namespace}/{name}: {found}: nothing to do")
            return ExitCode.OK
        if commands.is_taken(service, found):
            # It had its effect once, and has another one only after the annotation was gone.
            await _apply(cluster, service, None, force=force)
            await _until(cluster, name, lambda each: not commands.is_taken(each, found))
        await _apply(cluster, service, found, force=force)
        taken = await _until(cluster, name, lambda each: commands.is_taken(each, found))
    if not taken:
        note(
            f"{namespace}/{name}: {found}: the operator has not acted on it within"
            f" {_TAKEN_WITHIN:.0f} s\n  Check: {program()} status {name} -n {namespace}"
        )
        return ExitCode.FOUND
    output.write_text(f"{namespace}/{name}: {found}")
    note(f"Follow it: {program()} rollout status {name} -n {namespace} --watch")
    return ExitCode.OK


async def _apply(cluster: Cluster, service: Manifest, what: Command | None, *, force: bool) -> None:
    """Applies the annotation alone, as ``FIELD_MANAGER``; without one, removes its own.

    With the uid, nothing is created if the object has been deleted meanwhile.
    """
    namespace, name = health.name_of(service)
    metadata = {"name": name, "namespace": namespace, "uid": service["metadata"]["uid"]}
    if what is not None:
        metadata["annotations"] = {labels.ROLLOUT_COMMAND: str(what)}
    body = {
        "apiVersion": GRPC_SERVICES.api_version,
        "kind": GRPC_SERVICES.kind,
        "metadata": metadata,
    }
    query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false"}
    try:
        await cluster.connection.send(
            "PATCH",
            GRPC_SERVICES.path(namespace, name),
            query=query,
            body=body,
            content_type=apply_body.CONTENT_TYPE,
        )
    except ConflictError as error:
        raise CliError(
            f"somebody else has set the annotation {labels.ROLLOUT_COMMAND}:"
            f" {text.line(error.words)}",
            fix="Take it over with --force; if it comes from Git, change it there instead.",
        ) from error
    except ClusterError as error:
        raise known(error) from error


async def _until(cluster: Cluster, name: str, holds: Any) -> bool:
    ends = time.monotonic() + _TAKEN_WITHIN
    async for service in readings(lambda: _service(cluster, name), watch=True, period=0.5):
        if holds(service):
            return True
        if time.monotonic() > ends:
            break
    return False


async def _read(target: Target) -> Manifest:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        return await _service(cluster, target.name)


async def _service(cluster: Cluster, name: str) -> Manifest:
    return await cluster.need(GRPC_SERVICES, cluster.namespace, name)
