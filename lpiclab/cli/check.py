"""The command `check`: grade once, or while the learner works."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from lpiclab.cli import arguments, output
from lpiclab.engine.context import Context
from lpiclab.errors import ExitCode, UsageError
from lpiclab.model import Language, Report

_BETWEEN_S = 2.0
_CLEAR = "\x1b[H\x1b[2J\x1b[3J"
_WORDS = {
    "en": {
        "green": "turned green: {title}",
        "watching": "watching; Ctrl-C ends it",
    },
    "ja": {
        "green": "合格になりました: {title}",
        "watching": "監視中です。Ctrl-C で終了します",
    },
}


def check(
    lab: arguments.Instance,
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK …]", help="Only these.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what is proved on a copy of the machines.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Grade again and again while you work, until all is green.")
    ] = False,
    json: arguments.Json = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report as well.")
    ] = None,
    lang: arguments.Lang = None,
) -> None:
    """Grade a lab, task by task, with reasons."""
    from lpiclab import report as reports  # noqa: PLC0415 - only here
    from lpiclab.engine import grading  # noqa: PLC0415 - only here

    language = output.language(lang)
    # While checks run, what they print goes nowhere.
    context = Context.from_environment(partial(output.talk, stream=sys.stderr))
    if watch:
        if tasks or quick or json or junit:
            raise UsageError("--watch grades the whole lab, for people", hint="say it without other options")
        raise typer.Exit(_watch(context, lab, language))
    report = grading.check(context, lab, tasks or [], language, quick=quick)
    if junit:
        _write(junit, reports.to_junit(report))
    if json:
        output.data(reports.to_json(report))
    else:
        output.data(reports.to_text(report, language=language, colour=output.colour(sys.stdout)))
    raise typer.Exit(reports.exit_code(report))


def _watch(context: Context, lab: str, language: Language) -> ExitCode:
    """Show each grade that says something new, the last one when all passed; Ctrl-C ends it before."""
    from lpiclab import report as reports  # noqa: PLC0415 - only here
    from lpiclab.engine import watching  # noqa: PLC0415 - only here

    last: Report | None = None
    try:
        for report in watching.watch(context, lab, language, pause=lambda: time.sleep(_BETWEEN_S)):
            _show(report, watching.turned_green(last, report) if last else [], language)
            last = report
    except KeyboardInterrupt:
        output.talk("")
    return reports.exit_code(last) if last else ExitCode.INTERRUPTED


def _show(report: Report, green: list[str], language: Language) -> None:
    from lpiclab import report as reports  # noqa: PLC0415 - only here

    words = _WORDS[language]
    text = reports.to_text(report, language=language, colour=output.colour(sys.stdout))
    output.data((_CLEAR if sys.stdout.isatty() else "") + text)
    for title in green:
        output.talk(words["green"].format(title=title))
    if not report.passed:
        output.talk(output.dim(words["watching"]))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
