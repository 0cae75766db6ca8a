"""``spec.traffic`` of a Knative Service -> that of a GrpcService.

The names of revisions are those of another cluster. Only the revision of the template that is
imported exists afterwards.
"""

import re
from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect

_TAG = re.compile(r"^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$")


def read(spec: Fields, template_name: str | None) -> list[dict[str, Any]] | None:
    """Returns the shares of revisions; ``None`` where all calls go to the latest one.

    Args:
        spec: The ``spec`` of the Service.
        template_name: Name that it gives to the revision of its template.
    """
    tags = []
    percent = 0
    targets = spec.items("traffic")
    for target in targets:
        name, share = target.text("revisionName"), target.number("percent") or 0
        latest = target.flag("latestRevision")
        target.ignore("url", "the cluster writes it")
        target.ignore("configurationName", "the Service has one configuration")
        tag = target.text("tag")
        if name is not None and name != template_name:
            target.say(
                Effect.LOST,
                f"revision {name} with {share}% of the calls is not in the file; deploy it first,"
                " then this one with spec.rollout.strategy Manual",
            )
            continue
        if name is not None and not latest:
            target.say(Effect.CHANGED, "is Latest: the revision of the template in this file")
        percent += share
        if tag:
            tags.append((target, tag))
    if targets and percent < 100:  # noqa: PLR2004 - percent
        spec.say(
            Effect.CHANGED,
            f"the revision of the template gets 100% of the calls instead of {percent}%: there is"
            " no other one",
            "traffic",
        )
    return _tagged(tags)


def _tagged(tags: list[tuple[Fields, str]]) -> list[dict[str, Any]] | None:
    chosen = None
    for target, tag in tags:
        if chosen is not None:
            target.say(Effect.LOST, f"a revision has one tag, which is {chosen}", "tag")
        elif not _TAG.match(tag):
            target.say(
                Effect.LOST, "a tag has at most 20 characters, and begins with a letter", "tag"
            )
        else:
            chosen = tag
    if chosen is None:
        return None
    return [{"revision": "Latest", "percent": 100, "tag": chosen}]
