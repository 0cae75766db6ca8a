"""Help is fast: it imports nothing of what does the work."""

import json
import subprocess
import sys

from grpc_operator.cli.main import COMMANDS

HEAVY = {"aiohttp", "google", "grpc", "jinja2", "kubernetes", "pydantic", "rich", "yaml"}
"""Packages that take tens of milliseconds each, or hundreds."""

PROGRAM = """
import contextlib, io, json, sys
from grpc_operator.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    codes = [main([*name.split(), "--help"]) for name in sys.argv[1:]]
packages = {name.partition(".")[0] for name in sys.modules}
own = {name for name in sys.modules if name.startswith("grpc_operator.")}
print(json.dumps([codes, sorted(packages), sorted(own)]))
"""


def test_help_imports_only_arguments() -> None:
    """That of all commands, one after the other."""
    names = [
        "",
        "descriptor compare",
        "rollout status",
        *(name for names in COMMANDS.values() for name in names),
    ]

    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names], check=True, capture_output=True, text=True
    )

    codes, packages, own = json.loads(ran.stdout)
    assert set(codes) == {0}
    assert HEAVY.isdisjoint(packages)
    ours = {name for name in own if not name.startswith("grpc_operator.cli")}
    assert ours == set()
