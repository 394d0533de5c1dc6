"""A `Report` as text for people, JSON for programs, JUnit for build servers; pure."""

from __future__ import annotations

import dataclasses
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

from lpiclab.errors import ExitCode
from lpiclab.model import Language, Outcome, Report, TaskResult
from lpiclab.width import display_width, pad, wrap

_SCHEMA = 1
_INDENT = "  "
_NARROWEST = 40
# What XML 1.0 can't hold (section 2.2), and the control characters that it can.
_NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Markdown: a single line break is a space. What stands before and after it decides which kind.
_SOFT_BREAK = re.compile(r"(?<=(\S))[ \t]*\n[ \t]*(?=(\S))")
_MARKS = {Outcome.PASS: "✔", Outcome.FAIL: "✘", Outcome.SKIP: "\N{EN DASH}", Outcome.ERROR: "!"}
_COLOURS = {Outcome.PASS: "32", Outcome.FAIL: "31", Outcome.SKIP: "33", Outcome.ERROR: "35"}
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "pass": "PASS",
        "fail": "FAIL",
        "skip": "SKIP",
        "error": "ERROR",
        "seen": "seen",
        "wanted": "wanted",
        "why": "why",
        "hint": "hint",
        "nothing": "(nothing)",
        "on fork": "(on a copy)",
        "seed": "seed",
        "passed": "Passed",
        "not passed": "Not passed",
        "no score": "No score: something could not be measured",
        "points": "{score} of {max_score} points",
        "seconds": "{seconds:.1f} s",
    },
    "ja": {
        "pass": "合格",
        "fail": "不合格",
        "skip": "保留",
        "error": "エラー",
        "seen": "現状",
        "wanted": "期待",
        "why": "理由",
        "hint": "ヒント",
        "nothing": "(なし)",
        "on fork": "(複製で確認)",
        "seed": "シード",
        "passed": "合格",
        "not passed": "不合格",
        "no score": "採点できなかった課題があるため、点数はありません",
        "points": "{max_score}点中{score}点",
        "seconds": "{seconds:.1f}秒",
    },
}


def exit_code(report: Report) -> ExitCode:
    """Return the exit status that a grading ends with."""
    if report.score is None:
        return ExitCode.MACHINERY
    return ExitCode.OK if report.passed else ExitCode.NOT_PASSED


def to_json(report: Report) -> str:
    """Return the report as one JSON object, in UTF-8's characters."""
    text = json.dumps({"schema": _SCHEMA, **dataclasses.asdict(report)}, ensure_ascii=False, indent=2)
    return text.encode(errors="replace").decode()


def to_junit(report: Report) -> str:
    """Return the report as JUnit XML: one suite, one case a task."""
    outcomes = [task.outcome for task in report.tasks]
    suite = ET.Element(
        "testsuite",
        name=_printable(report.lab),
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAIL)),
        errors=str(outcomes.count(Outcome.ERROR)),
        skipped=str(outcomes.count(Outcome.SKIP)),
        time=f"{report.seconds:.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    facts = {"seed": report.seed, "score": report.score, "max_score": report.max_score}
    for name, value in facts.items():
        ET.SubElement(
            properties, "property", name=name, value=_printable("" if value is None else str(value))
        )
    for task in report.tasks:
        suite.append(_case(report, task))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def to_text(report: Report, *, language: Language, colour: bool = False, width: int = 80) -> str:
    """Return the report as lines of at most `width` columns, long words apart.

    Args:
        report: The report; its tasks' texts are in the learner's language already.
        language: The language of the words around them.
        colour: Whether outcomes are coloured; they are words in any case.
        width: Columns of the terminal; wide characters take two.
    """
    words = _WORDS[language]
    width = max(width, _NARROWEST)
    seed = f"  ({words['seed']} {_visible(report.seed)})" if report.seed else ""
    lines = [_visible(report.lab) + seed, ""]
    for task in report.tasks:
        lines += _task_lines(task, words, colour=colour, width=width)
    lines += ["", _summary(report, words, colour=colour)]
    return "\n".join(lines) + "\n"


def _case(report: Report, task: TaskResult) -> ET.Element:
    case = ET.Element("testcase", classname=_printable(report.lab), name=_printable(task.id))
    tags = {Outcome.FAIL: "failure", Outcome.ERROR: "error", Outcome.SKIP: "skipped"}
    if tag := tags.get(task.outcome):
        verdict = ET.SubElement(case, tag, message=_printable(task.why))
        facts = [f"{name}: {text}" for name, text in _facts(task)]
        verdict.text = _printable("\n".join([task.title, *facts]))
    return case


def _facts(task: TaskResult) -> Iterator[tuple[str, str]]:
    """Yield what is to be said about a task that has not passed."""
    if task.outcome is Outcome.FAIL:
        yield "seen", task.seen
        yield "wanted", task.wanted
    for name, text in (("why", task.why), ("hint", task.hint)):
        if text:
            yield name, _SOFT_BREAK.sub(_joined, text)


def _joined(line_break: re.Match[str]) -> str:
    """Return what replaces a line break inside a paragraph: scripts without spaces need none."""
    wide = all(display_width(neighbour) > 1 for neighbour in line_break.groups())
    return "" if wide else " "


def _task_lines(task: TaskResult, words: Mapping[str, str], *, colour: bool, width: int) -> Iterator[str]:
    outcomes = [words[outcome] for outcome in Outcome]
    mark = f"{_MARKS[task.outcome]} {pad(words[task.outcome], max(map(display_width, outcomes)))}"
    points = f"{task.points}/{task.max_points}"
    room = width - display_width(mark) - len(points) - 2 * len(_INDENT)
    title = f"{_visible(task.title)} {words['on fork']}" if task.on_fork else _visible(task.title)
    first, *rest = wrap(title, room)
    yield f"{_coloured(mark, task.outcome, colour)}{_INDENT}{pad(first, room)}{_INDENT}{points}"
    margin = " " * (display_width(mark) + len(_INDENT))
    yield from (margin + line for line in rest)
    facts = list(_facts(task))
    label_width = max((display_width(words[name]) for name, _ in facts), default=0)
    margin = 2 * _INDENT
    for name, text in facts:
        label = margin + pad(words[name], label_width) + _INDENT
        yield from _labelled(label, _visible(text) or words["nothing"], width)


def _labelled(label: str, text: str, width: int) -> Iterator[str]:
    """Yield `text` wrapped, with `label` before its first line."""
    columns = display_width(label)
    for part in text.split("\n"):
        for line in wrap(part, width - columns):
            yield (label + line).rstrip()
            label = " " * columns


def _summary(report: Report, words: Mapping[str, str], *, colour: bool) -> str:
    seconds = words["seconds"].format(seconds=report.seconds)
    if report.score is None:
        return f"{_coloured(words['no score'], Outcome.ERROR, colour)} · {seconds}"
    outcome, word = (Outcome.PASS, "passed") if report.passed else (Outcome.FAIL, "not passed")
    verdict = _coloured(words[word], outcome, colour)
    points = words["points"].format(score=report.score, max_score=report.max_score)
    return f"{verdict} · {points} · {seconds}"


def _coloured(text: str, outcome: Outcome, colour: bool) -> str:
    return f"\x1b[{_COLOURS[outcome]}m{text}\x1b[0m" if colour else text


def _printable(text: str) -> str:
    """Return text that XML can hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _visible(text: str) -> str:
    """Return text that can't steer a terminal: what a learner's machine prints is not to be trusted."""
    lines = text.replace("\r\n", "\n").expandtabs().strip("\n").split("\n")
    return "\n".join("".join(map(_visible_character, line)) for line in lines)


def _visible_character(character: str) -> str:
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character).startswith("C") else character
