"""A pytest plugin: a new database for each test, on SQLite and on a real PostgreSQL server.

A conftest.py loads it and says whose tables there are:

    def pytest_configure(config):
        config.pluginmanager.import_plugin("grpc_service_kit.testing.databases")

    @pytest.fixture
    def schema():
        return SCHEMA
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL

from grpc_service_kit.sql import Limits, Schema
from grpc_service_kit.sql.url import parse_url, sqlite_file
from grpc_service_kit.testing.postgres import Postgres, postgres_server

Create = Callable[..., URL]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests that do not break it."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def create_database(postgres: Postgres) -> Create:
    """Creates a PostgreSQL database, empty or as a copy of one that nobody is connected to."""
    numbers = count()

    def create(template: URL | None = None) -> URL:
        name = f"test_{next(numbers)}"
        copy = f" TEMPLATE {template.database}" if template else ""
        postgres.sql(f"CREATE DATABASE {name}{copy}")
        return parse_url(postgres.url(name))

    return create


@pytest.fixture(scope="session")
def migrated() -> dict[tuple[Schema, str], URL]:
    """The databases that are copied: a copy is made quicker than the migrations run."""
    return {}


@pytest.fixture
def empty_postgres(create_database: Create) -> URL:
    """A PostgreSQL database without any table."""
    return create_database()


@pytest.fixture
def postgres_url(
    schema: Schema, create_database: Create, migrated: dict[tuple[Schema, str], URL]
) -> URL:
    """A PostgreSQL database with the tables of the service."""
    template = migrated.get((schema, "postgres"))
    if template is None:
        template = migrated[schema, "postgres"] = _ready(schema, create_database())
    return create_database(template)


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> URL:
    """A SQLite file that is not there yet."""
    return sqlite_file(str(tmp_path / "new.db"))


@pytest.fixture
def sqlite_url(
    schema: Schema,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    migrated: dict[tuple[Schema, str], URL],
) -> URL:
    """A SQLite file with the tables of the service."""
    template = migrated.get((schema, "sqlite"))
    if template is None:
        file = tmp_path_factory.mktemp("migrated") / "data.db"
        template = migrated[schema, "sqlite"] = _ready(schema, sqlite_file(str(file)))
    return sqlite_file(shutil.copy(template.database or "", str(tmp_path)))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> URL:
    """Each of the databases in turn."""
    url: URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest) -> URL:
    """Each of the databases in turn, without any table."""
    url: URL = request.getfixturevalue(f"empty_{request.param}")
    return url


def _ready(schema: Schema, url: URL) -> URL:
    asyncio.run(schema.make_ready(url, Limits()))
    return url
