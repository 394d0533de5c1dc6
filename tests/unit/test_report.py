"""Tests of lpiclab.report."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from lpiclab.errors import ExitCode
from lpiclab.model import Outcome, Report, TaskResult
from lpiclab.report import exit_code, to_json, to_junit, to_text
from lpiclab.width import display_width

PASSED = TaskResult(id="key", title="Make a TSIG key", outcome=Outcome.PASS, points=20, max_points=20)
FAILED = TaskResult(
    id="transfer",
    title="Restrict transfers",
    outcome=Outcome.FAIL,
    points=0,
    max_points=40,
    seen="any",
    wanted="key",
    why="ns1 gives the zone to anybody. " * 4,
    hint="Look at allow-transfer.",
)
SKIPPED = TaskResult(
    id="slave", title="Pull the zone", outcome=Outcome.SKIP, points=0, max_points=40, why="It needs x."
)
BROKEN = TaskResult(
    id="change",
    title="Change it",
    outcome=Outcome.ERROR,
    points=0,
    max_points=10,
    why="ns2: no connection",
    hint="restart it",
)


def _report(*tasks: TaskResult, score: int | None = 20, passed: bool = False) -> Report:
    return Report(
        lab="dns-tsig",
        seed="s33d",
        passed=passed,
        score=score,
        max_score=100,
        seconds=1.234,
        tasks=tasks,
    )


MIXED = _report(PASSED, FAILED, SKIPPED)


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (_report(PASSED, passed=True), ExitCode.OK),
        (MIXED, ExitCode.NOT_PASSED),
        (_report(FAILED, score=0), ExitCode.NOT_PASSED),
        (_report(PASSED, BROKEN, score=None), ExitCode.MACHINERY),
    ],
)
def test_exit_code_tells_learner_from_machine(report: Report, code: ExitCode) -> None:
    """Passed, not passed and not measured are three exit statuses."""
    assert exit_code(report) is code


def test_json_is_exactly_the_promised_object() -> None:
    """The object has the documented keys in their order, and nothing else."""
    data = json.loads(to_json(MIXED))
    assert list(data) == ["schema", "lab", "seed", "passed", "score", "max_score", "seconds", "tasks"]
    assert (data["schema"], data["passed"], data["score"], data["seconds"]) == (1, False, 20, 1.234)
    assert data["tasks"][0] == {
        "id": "key",
        "title": "Make a TSIG key",
        "outcome": "pass",
        "points": 20,
        "max_points": 20,
        "seen": "",
        "wanted": "",
        "why": "",
        "hint": "",
        "on_fork": False,
    }
    assert [task["outcome"] for task in data["tasks"]] == ["pass", "fail", "skip"]


def test_json_without_a_score_says_null() -> None:
    """A score that was not measured is null, never zero."""
    assert json.loads(to_json(_report(BROKEN, score=None)))["score"] is None


def test_json_can_be_printed_whatever_was_seen() -> None:
    """Japanese stays readable, and no surrogate or raw control character is left."""
    text = to_json(_report(replace(FAILED, seen="課題 \udcff \x1b[31m")))
    assert "課題" in text
    assert "\x1b" not in text
    text.encode()


def test_junit_counts_and_explains() -> None:
    """Each task is a case, with its failure, error or skip and the facts about it."""
    root = ET.fromstring(to_junit(_report(PASSED, FAILED, SKIPPED, BROKEN, score=None)))  # noqa: S314 - our own
    (suite,) = root
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
    assert counts == {
        "name": "dns-tsig",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "1.234",
    }
    assert {each.get("name"): each.get("value") for each in suite.iter("property")} == {
        "seed": "s33d",
        "score": "",
        "max_score": "100",
    }
    cases = suite.findall("testcase")
    assert [(case.get("classname"), case.get("name")) for case in cases[:2]] == [
        ("dns-tsig", "key"),
        ("dns-tsig", "transfer"),
    ]
    assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["skipped"], ["error"]]
    failure, error = cases[1][0], cases[3][0]
    assert failure.get("message") == FAILED.why
    assert (failure.text or "").splitlines()[:3] == ["Restrict transfers", "seen: any", "wanted: key"]
    assert (error.text or "").splitlines() == ["Change it", "why: ns2: no connection", "hint: restart it"]


@pytest.mark.parametrize("bad", ["\0", "\x08", "\x1b", "\x7f", "\x9b", "\udc80", "\ufffe"])
def test_junit_holds_no_control_characters(bad: str) -> None:
    """Whatever a machine printed, the file is valid XML."""
    text = to_junit(_report(replace(FAILED, why=f"a{bad}b", seen=f"<&\n{bad}>", title=bad)))
    root = ET.fromstring(text.encode())  # noqa: S314 - our own
    failure = next(root.iter("failure"))
    assert failure.get("message") == "a\N{REPLACEMENT CHARACTER}b"
    assert "seen: <&\n\N{REPLACEMENT CHARACTER}>" in (failure.text or "")


def test_text_for_people() -> None:
    """A person sees each task's outcome and points, and what to do about a failure."""
    assert to_text(MIXED, language="en", width=60) == (
        "dns-tsig  (seed s33d)\n"
        "\n"
        "✔ PASS   Make a TSIG key                               20/20\n"
        "✘ FAIL   Restrict transfers                             0/40\n"
        "    seen    any\n"
        "    wanted  key\n"
        "    why     ns1 gives the zone to anybody. ns1 gives the\n"
        "            zone to anybody. ns1 gives the zone to anybody.\n"
        "            ns1 gives the zone to anybody.\n"
        "    hint    Look at allow-transfer.\n"
        "\N{EN DASH} SKIP   Pull the zone                                  0/40\n"
        "    why  It needs x.\n"
        "\n"
        "Not passed · 20 of 100 points · 1.2 s\n"
    )


def test_text_in_japanese() -> None:
    """Words and columns are right in Japanese."""
    task = replace(FAILED, title="ゾーン転送の制限", why="誰でもゾーンを取得できます。")
    assert to_text(_report(PASSED, task), language="ja", width=60) == (
        "dns-tsig  (シード s33d)\n"
        "\n"
        "✔ 合格    Make a TSIG key                              20/20\n"
        "✘ 不合格  ゾーン転送の制限                              0/40\n"
        "    現状    any\n"
        "    期待    key\n"
        "    理由    誰でもゾーンを取得できます。\n"
        "    ヒント  Look at allow-transfer.\n"
        "\n"
        "不合格 · 100点中20点 · 1.2秒\n"
    )


def test_text_of_what_was_not_measured() -> None:
    """An error shows the machine's trouble, nothing that was seen, and no score."""
    text = to_text(_report(BROKEN, score=None), language="en")
    assert "! ERROR  Change it" in text
    assert "why   ns2: no connection\n    hint  restart it" in text
    assert "seen" not in text
    assert text.endswith("No score: something could not be measured · 1.2 s\n")


def test_text_of_a_pass() -> None:
    """A passed lab says so; without a seed none is shown."""
    report = replace(_report(PASSED, score=100, passed=True), seed="")
    text = to_text(report, language="en")
    assert text.startswith("dns-tsig\n\n✔ PASS")
    assert text.endswith("Passed · 100 of 100 points · 1.2 s\n")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [1, 40, 80, 120])
def test_text_keeps_to_the_width(language: str, width: int) -> None:
    """No line is wider than asked (forty columns at least), wide characters counted twice."""
    task = replace(FAILED, title="課題の見出し" * 12, why="長い理由の文章です。" * 20, seen="a word " * 40)
    text = to_text(_report(task, PASSED), language="ja" if language == "ja" else "en", width=width)
    assert max(map(display_width, text.splitlines())) <= max(width, 40)


def test_colour_adds_nothing_but_colour() -> None:
    """The coloured text without its escapes is the plain text."""
    plain = to_text(MIXED, language="en")
    coloured = to_text(MIXED, language="en", colour=True)
    assert "\x1b[32m✔ PASS" in coloured
    assert "\x1b[31m✘ FAIL" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert "\x1b" not in plain


def test_text_can_not_steer_the_terminal() -> None:
    """Escapes in what a machine printed are shown as replacement characters, line by line."""
    task = replace(FAILED, seen="\x1b]0;x\x07one\r\ntwo\tthree\n\n", wanted="", why="-", hint="")
    text = to_text(_report(task), language="en")
    bad = "\N{REPLACEMENT CHARACTER}"
    assert f"    seen    {bad}]0;x{bad}one\n            two     three\n    wanted  (nothing)\n" in text


def test_paragraphs_are_filled() -> None:
    """Lines of a reason are joined as Markdown joins them, what a machine printed is left alone."""
    task = replace(FAILED, seen="a\nb", why="one\n  two\n\nthree\n", hint="長い理由\nの文章 see\n課題")
    text = to_text(_report(task), language="en")
    assert "    seen    a\n            b\n" in text
    assert "    why     one two\n\n            three\n    hint    長い理由の文章 see 課題\n" in text
