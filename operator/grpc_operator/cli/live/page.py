"""The page of ``grpcop describe``, section by section, for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from grpc_operator import quotes
from grpc_operator.cli.live.text import age, aligned, line, wrapped

_MOST_ROWS = 20
"""Pods, endpoints and proxies that are listed unless all are asked for."""

_Data = Mapping[str, Any]


def lines(data: _Data, now: datetime, *, everything: bool) -> Iterator[str]:
    """Yields the lines of the page.

    Args:
        data: See ``description.of``.
        now: The time.
        everything: Whether long lists are not cut.
    """
    most = 10**9 if everything else _MOST_ROWS
    sections: Sequence[tuple[str, Iterable[str]]] = (
        ("", _head(data, now)),
        ("Problems", _problems(data)),
        ("Conditions", _conditions(data, now)),
        ("Rollout", _rollout(data, now)),
        ("Revisions", revisions(data, now)),
        ("Pods", _pods(data, now, most)),
        ("Endpoints", _endpoints(data, most)),
        ("Gateway", _gateway(data, now, most)),
        ("Methods", _methods(data)),
        ("REST rules that are not served", _refused(data)),
        ("Commands to paste", _commands(data)),
        ("Last events", _events(data, now)),
        ("Not known", _not_known(data)),
    )
    is_first = True
    for title, content in sections:
        found = list(content)
        if not found:
            continue
        if not is_first:
            yield ""
        is_first = False
        if title:
            yield f"{title}:"
        yield from found


def _head(data: _Data, now: datetime) -> list[str]:
    descriptor = data["descriptor"] or {}
    pairs = (
        ("Name", data["name"]),
        ("Namespace", data["namespace"]),
        ("Age", age(data["created"], now)),
        ("Healthy", "yes" if data["healthy"] else "no"),
        ("Image", data["image"]),
        ("Replicas", data["replicas"]),
        ("In the cluster", data["inCluster"]),
        ("Descriptor", _descriptor(descriptor)),
        ("Operator", data["operator"]),
    )
    return aligned([[f"{name}:", line(value)] for name, value in pairs if value], indent="")


def _descriptor(found: _Data) -> str:
    if not found:
        return ""
    return f"{found.get('source')}, {found.get('bytes')} bytes, {str(found.get('sha256'))[:12]}"


def _problems(data: _Data) -> Iterator[str]:
    for each in data["problems"]:
        yield f"  {each['reason']}"
        yield from wrapped(each["message"], "    ")
        yield from wrapped(each["fix"], "    ")


def _conditions(data: _Data, now: datetime) -> list[str]:
    rows = [["TYPE", "STATUS", "SINCE", "REASON"]]
    rows += [
        [
            line(each.get("type"), 64),
            line(each.get("status"), 16),
            age(each.get("lastTransitionTime"), now),
            line(each.get("reason"), 128),
        ]
        for each in data["conditions"]
    ]
    return aligned(rows) if len(rows) > 1 else ["  none: no operator has reconciled it"]


def _rollout(data: _Data, now: datetime) -> Iterator[str]:
    rollout = data["rollout"]
    if rollout:
        since = f", for {age(rollout['since'], now)}" if rollout.get("since") else ""
        yield f"  {line(rollout.get('phase'), 32)}: {line(rollout.get('summary'), 128)}{since}"
        if rollout.get("message"):
            yield from wrapped(line(rollout["message"]), "  ")


def revisions(data: _Data, now: datetime) -> Iterator[str]:
    """Yields the revisions, with what was found about each."""
    if not data["revisions"]:
        return
    rows = [["NAME", "ROLE", "SHARE", "TAG", "READY", "SINCE", "IMAGE"]]
    rows += [
        [
            line(each.get("name"), 63),
            line(each.get("role"), 16),
            f"{each['percent']}%" if each.get("percent") is not None else "-",
            line(each.get("tag"), 20) or "-",
            f"{each.get('readyReplicas') or 0}/{each.get('replicas') or 0}",
            age(each.get("since"), now),
            line(each.get("image"), 200) or "-",
        ]
        for each in data["revisions"]
    ]
    yield from aligned(rows)
    for each in data["revisions"]:
        said = (each.get("verdict") or {}).get("message")
        if said:
            yield from wrapped(f"{line(each.get('name'), 63)}: {line(said)}", "  ")


def _pods(data: _Data, now: datetime, most: int) -> Iterator[str]:
    pods = sorted(data["pods"] or (), key=lambda each: bool(each["ready"]))
    if not pods:
        yield from _none(data["pods"])
        return
    rows = [["NAME", "REVISION", "READY", "RESTARTS", "NODE", "AGE", "REASON"]]
    rows += [
        [
            line(each["name"], 253),
            line(each["revision"], 63) or "-",
            "yes" if each["ready"] else "no",
            str(each["restarts"]),
            line(each["node"], 253) or "-",
            age(each["created"], now),
            each["reason"] or "-",
        ]
        for each in pods[:most]
    ]
    yield from aligned(rows)
    yield from _more(pods, most)
    yield from _messages(pods)


def _messages(pods: Sequence[_Data]) -> Iterator[str]:
    """Yields what is wrong with pods, each text once: often it is the same of all."""
    seen: set[str] = set()
    for each in pods:
        if each["message"] and each["message"] not in seen:
            seen.add(each["message"])
            yield from wrapped(f"{line(each['name'], 253)}: {each['message']}", "  ")


def _none(found: Sequence[object] | None) -> list[str]:
    return ["  not known"] if found is None else ["  none"]


def _endpoints(data: _Data, most: int) -> Iterator[str]:
    found = data["endpoints"]
    if not found:
        yield from _none(found)
        return
    rows = [
        [
            line(each["address"], 64),
            "ready" if each["ready"] else "terminating" if each["terminating"] else "not ready",
            line(each["pod"], 253),
        ]
        for each in found[:most]
    ]
    yield from aligned(rows)
    yield from _more(found, most)


def _gateway(data: _Data, now: datetime, most: int) -> Iterator[str]:
    gateway = data["gateway"]
    if gateway is None:
        return
    at = f" at {line(gateway['address'], 253)}" if gateway["address"] else ""
    yield f"  {line(gateway['name'], 253)}{at}"
    yield from wrapped(f"hosts: {line(', '.join(gateway['hosts'])) or 'none'}", "  ")
    if gateway["ready"] is not None:
        yield (
            f"  {gateway['serving']} of {gateway['ready']} ready proxies have acknowledged the"
            " newest configuration"
        )
    proxies = gateway["proxies"]
    if proxies is None:
        if gateway["behind"]:
            yield f"  behind: {line(', '.join(gateway['behind']))}"
        return
    rows = [
        [line(each["name"], 253), _CONFIGURATION[each["configuration"]], age(each["created"], now)]
        for each in proxies[:most]
    ]
    yield from aligned(rows) if rows else ()
    yield from _more(proxies, most)


_CONFIGURATION = {
    "Newest": "has acknowledged it",
    "Behind": "has not acknowledged it yet",
    "NotReady": "is not ready",
    "Unknown": "not known: too many are behind to be listed",
}


def _methods(data: _Data) -> Iterator[str]:
    for service in data["services"]:
        yield f"  {line(service.get('name'), 253)}"
        rows = [["METHOD", "KIND", "TIMEOUT", "LONGEST", "IDLE", "RETRIES", "JSON", "REST"]]
        rows += [_method(each) for each in service.get("methods") or ()]
        yield from aligned(rows, indent="    ")
        if service.get("omittedMethods"):
            yield f"    and {service['omittedMethods']} more, which the status does not list"


def _method(method: _Data) -> list[str]:
    size = method.get("maxMessageBytes")
    return [
        line(method.get("name"), 256),
        line(method.get("kind"), 32),
        line(method.get("timeout"), 32) or "-",
        line(method.get("longestDeadline"), 32) or "-",
        line(method.get("idleTimeout"), 32) or "-",
        _retries(method.get("retries")),
        f"{size} B" if size is not None else "-",
        line(", ".join(method.get("rest") or ())) or "-",
    ]


def _retries(retries: _Data | None) -> str:
    if not retries:
        return "-"
    codes = ", ".join(retries.get("codes") or ())
    each = f", {retries['perTryTimeout']} each" if retries.get("perTryTimeout") else ""
    return line(f"{retries.get('attempts')}" + (f" ({codes}{each})" if codes or each else ""), 200)


def _refused(data: _Data) -> Iterator[str]:
    for service in data["services"]:
        for method in service.get("methods") or ():
            for each in method.get("refused") or ():
                yield f"  {line(each.get('rule'), 512)}"
                yield from wrapped(line(each.get("reason")), "    ")


def _commands(data: _Data) -> Iterator[str]:
    for each in data["urls"]:
        yield f"  {line(each.get('protocol'), 16)}   {line(each.get('url'), 1024)}"
        if each.get("example"):  # never wrapped: a shell takes it as it is
            yield f"    {quotes.printable(each['example'])}"


def _events(data: _Data, now: datetime) -> list[str]:
    rows = [
        [
            age(each["last"], now),
            f"x{each['count']}",
            each["type"],
            each["reason"],
            each["object"],
            each["message"],
        ]
        for each in data["events"]
    ]
    return aligned(rows) if rows else []


def _not_known(data: _Data) -> Iterator[str]:
    for each in data["notKnown"]:
        for part in str(each).splitlines():
            yield from wrapped(part.strip(), "  ")


def _more(found: Sequence[object], most: int) -> Iterator[str]:
    if len(found) > most:
        yield f"  and {len(found) - most} more (-o wide shows all)"
