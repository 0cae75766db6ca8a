"""The command line of a service with a database: serve, or migrate."""

import argparse

from grpc_service_kit.sql.schema import Schema


def migration_asked_for(schema: Schema, program: str) -> str | None:
    """Return the revision to migrate to, or None when the process is to serve.

    Ends the process when the arguments are wrong.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description="Serve, or migrate.")
    commands = parser.add_subparsers(metavar="COMMAND")
    migrate = commands.add_parser(
        "migrate", help="migrate the database and end; serving does so too, up to the newest"
    )
    migrate.add_argument(
        "--to",
        metavar="REVISION",
        choices=schema.revisions,
        default=schema.head,
        help=f"one of {', '.join(schema.revisions)} (default: %(default)s); down loses data",
    )
    parser.set_defaults(to=None)
    to: str | None = parser.parse_args().to
    return to
