"""DATABASE_URL: the forms people have, and errors without a word of the password."""

import pytest

from grpc_service_kit.sql.url import parse_url, postgresql_dsns


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        ("sqlite:///users.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////data/users.db", "sqlite+aiosqlite"),
        ("postgres://ada:pw@db/users", "postgresql+asyncpg"),
        ("postgresql://ada:pw@db:5433/users?sslmode=require", "postgresql+asyncpg"),
        ("postgresql+asyncpg://ada@[::1]:5432/users", "postgresql+asyncpg"),
        ("postgresql:///users?host=/run/postgresql", "postgresql+asyncpg"),
    ],
)
def test_every_usual_form_is_taken(text: str, driver: str) -> None:
    assert parse_url(text).drivername == driver


def test_what_the_driver_gets_is_the_url_with_its_parameters() -> None:
    text = "postgresql://ada:p%40ss%2F@db:5433/users?sslmode=verify-full&sslrootcert=/ca.crt"

    assert postgresql_dsns(parse_url(text))[0].replace("%2Fca", "/ca") == text


def test_a_binding_the_driver_need_not_do_is_left_out() -> None:
    url = parse_url("postgres://a:b@c/d?sslmode=require&channel_binding=prefer")

    assert dict(url.query) == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("s3cret", "is not a URL; set it to a URL such as sqlite"),
        ("mysql://ada:s3cret@db/users", "mysql:// is not a database this service knows; set it to"),
        ("postgres://ada:s3cret", "cannot be read; write special characters"),
        ("postgres://ada:s3cr@t@db/users", "cannot be read; write special characters"),
        ("postgres://ada@db:s3cret/users", "cannot be read; write special characters"),
        ("postgres://ada@db/users?password=s3cret", "has the parameter password; passwords stand"),
        ("postgres://ada:s3cret@db/u?a=1&a=2", "has a parameter twice"),
        ("postgres://a:s3cret@b/c?channel_binding=require", "asks for channel_binding=require"),
        ("sqlite://", "is not the URL of a SQLite file"),
        ("sqlite:///:memory:", "is not the URL of a SQLite file"),
        ("sqlite://host/users.db", "is not the URL of a SQLite file"),
        ("sqlite:///data/", "is not the URL of a SQLite file"),
        ("sqlite:///users.db?mode=ro", "is not the URL of a SQLite file"),
    ],
)
def test_a_bad_url_says_what_to_do_and_keeps_the_password(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^" + problem.replace("?", r"\?")) as caught:
        parse_url(text)

    assert "s3cr" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_printed_url_hides_the_password() -> None:
    url = parse_url("postgres://ada:s3cret@db/users")

    assert "s3cret" not in f"{url!r} {url!s} {url}"
