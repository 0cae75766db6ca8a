"""Writes every generated file, or with ``--check`` fails naming the stale ones."""

import argparse
import sys
from pathlib import Path

from generate import (
    chart,
    cli_docs,
    crds,
    kustomize,
    limits_docs,
    locks,
    pod_policy,
    protos,
    reasons,
    schemas,
    settings_docs,
    version,
)

GENERATORS = (
    version,
    crds,
    schemas,
    kustomize,
    chart,
    cli_docs,
    protos,
    locks,
    settings_docs,
    limits_docs,
    reasons,
    pod_policy,
)
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Returns the exit code: 1 when ``--check`` found a stale file."""
    parser = argparse.ArgumentParser(prog="python -m generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    check = parser.parse_args().check
    stale = []
    for generator in GENERATORS:
        for name, text in generator.generate().items():
            path = ROOT / name
            if path.exists() and path.read_text() == text:
                continue
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    for name in stale:
        print(f"stale: {name}" if check else f"wrote {name}")
    if check and stale:
        print("Run 'make gen' and commit the result.", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
