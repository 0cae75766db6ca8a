"""GS102 to GS110 in source code, as far as it can be seen without running it.

A server is checked as a whole project: what it registers may be in another file. Tests and
generated code are left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from grpc_operator.cli.lint import python_mistakes
from grpc_operator.cli.lint.code_rules import RULES, SERVICE_CONFIG, Missing, Present, Rules
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.report import Report
from grpc_operator.cli.lint.source import NODE, PYTHON, Source

_BY_CONFIG = "GS103"
"""What a channel may do for all of its calls."""


def check(sources: Iterable[Source], report: Report) -> None:
    """Reports the mistakes in source code, and what cannot be seen in it."""
    projects: dict[tuple[str, Path], list[Source]] = defaultdict(list)
    for each in sources:
        if each.is_checked:
            projects[each.language.name, each.project].append(each)
    projects = {key: of for key, of in projects.items() if any(each.uses_grpc for each in of)}
    for (name, _), members in sorted(projects.items()):
        rules = next(each for each in RULES if each.language.name == name)
        report.add(*_of_project(rules, members))
    for name in sorted({name for name, _ in projects}):
        language = next(each.language for each in RULES if each.language.name == name)
        report.unchecked.append(f"code in {name}: {language.unchecked}")


def _of_project(rules: Rules, members: Sequence[Source]) -> Iterator[Finding]:
    for missing in rules.missing:
        yield from _missing(missing, members, in_texts=rules.language is NODE)
    has_config = any(SERVICE_CONFIG.search(each.text) for each in members)
    for source in filter(_uses_grpc, members):
        for present in rules.present:
            if present.code != _BY_CONFIG or not has_config:
                yield from _present(present, source)
        if rules.language is PYTHON:
            yield from python_mistakes.findings(source)


def _missing(rule: Missing, members: Sequence[Source], *, in_texts: bool) -> Iterator[Finding]:
    """Yields what needs something that no file of a project has.

    Args:
        rule: What is needed.
        members: The files.
        in_texts: Whether names of packages are texts.
    """
    texts = [each.with_texts if in_texts else each.code for each in members]
    needs = all(any(re.search(each, text) for text in texts) for each in rule.when)
    if not needs or any(re.search(rule.signs, text) for text in texts):
        return
    if rule.code == _BY_CONFIG and any(SERVICE_CONFIG.search(each.text) for each in members):
        return
    for source in filter(_uses_grpc, members):
        for match in re.finditer(rule.needed_by, source.code):
            yield Finding(_place(source, _start(match)), rule.code, rule.message, rule.fix)


def _present(rule: Present, source: Source) -> Iterator[Finding]:
    text = source.with_texts if rule.in_texts else source.code
    for match in re.finditer(rule.found, text, re.DOTALL | re.MULTILINE):
        yield Finding(_place(source, _start(match)), rule.code, rule.message, rule.fix)


def _uses_grpc(source: Source) -> bool:
    return source.uses_grpc


def _start(match: re.Match[str]) -> int:
    return match.start("at") if "at" in match.re.groupindex else match.start()


def _place(source: Source, offset: int) -> Place:
    column = offset - (source.text.rfind("\n", 0, offset) + 1) + 1
    return Place(str(source.file), source.line(offset), column)
