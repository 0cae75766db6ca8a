"""Creates that are sent again: what the request ids of the kit mean for users."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from grpc_service_kit.sql import Request, RequestIds, fingerprint
from user_service.domain import REQUEST_ID_LIFETIME, Creation, RequestIdReused, User, at
from user_service.store.schema import create_requests


class CreateRequests:
    """The creates of the last 24 hours that came with a request id."""

    def __init__(self) -> None:
        """Use the table of the schema."""
        self._ids = RequestIds(create_requests, REQUEST_ID_LIFETIME)

    async def claim(
        self, connection: AsyncConnection, creations: Sequence[Creation]
    ) -> Mapping[str, User]:
        """Take note of the new request ids; return the first answers of those known, by id.

        Raises RequestIdReused when the content is not that of the first try. While another
        transaction holds one of the ids, this waits for its end.
        """
        wanted = {entry.request_id: _request(entry) for entry in creations if entry.request_id}
        known = await self._ids.claim(connection, list(wanted.values()))
        answers = {}
        for position, creation in enumerate(creations):
            first = known.get(creation.request_id)
            if first is None:
                continue
            if first.fingerprint != wanted[creation.request_id].fingerprint:
                error = RequestIdReused(
                    f"request_id: {creation.request_id} was used to create another user; send a new"
                    " UUID for each user"
                )
                raise at(position, error) if len(creations) > 1 else error
            time = first.created_at
            answers[creation.request_id] = replace(
                creation.user, id=first.resource_id, created_at=time, updated_at=time
            )
        return answers


def _request(creation: Creation) -> Request:
    user = creation.user
    return Request(
        request_id=creation.request_id,
        fingerprint=fingerprint(user.email, user.name, user.role.value),
        resource_id=user.id,
        created_at=user.created_at,
    )
