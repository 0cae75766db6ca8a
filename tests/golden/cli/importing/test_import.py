"""Every file is imported as its case says, and the result means the same or says what does not."""

from pathlib import Path

import pytest
from tests.golden import Golden, cases, output
from tests.unit.cli import run

from grpc_operator.cli import manifests, schema

HERE = Path(__file__).parent
CASES = cases(HERE)


@pytest.mark.parametrize("case", CASES)
def test_the_result_is_that_of_the_file(
    case: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The objects with their comments, and below them what is printed about losses."""
    monkeypatch.chdir(HERE)

    ran = run("import", f"{case}.in.yaml")

    remarks = "".join(f"# {line}\n" for line in ran.err.splitlines())
    golden.compare(output(HERE, case), f"{ran.out}---\n{remarks}")
    assert ran.code == 0


@pytest.mark.parametrize("case", CASES)
def test_every_difference_is_explained(case: str) -> None:
    """``--check`` compares what the operator would run with what the source asks for."""
    ran = run("import", "--check", str(HERE / f"{case}.in.yaml"))

    assert ran.code == 0, ran.err
    assert "settings are the same" in ran.err


@pytest.mark.parametrize("case", CASES)
def test_the_api_server_would_accept_the_result(case: str) -> None:
    """Schema and CEL rules of the CRDs."""
    ran = run("import", str(HERE / f"{case}.in.yaml"))
    ours = [
        each
        for each in manifests.of_text(ran.out, "result")
        if each.kind in ("GrpcService", "GrpcGateway")
    ]

    assert ours
    assert [problem for each in ours for problem in schema.problems(each)] == []


@pytest.mark.parametrize("case", CASES)
def test_lint_finds_no_error(case: str, tmp_path: Path) -> None:
    """What platforms do by default may be a warning."""
    (tmp_path / "result.yaml").write_text(
        run("import", str(HERE / f"{case}.in.yaml")).out, encoding="utf-8"
    )

    ran = run("lint", "--fail-on", "error", str(tmp_path / "result.yaml"))

    assert ran.code == 0, ran.out
