"""`lpiclab.labs.proved`: what proves each task's grader."""

from __future__ import annotations

from lpiclab import labs
from lpiclab.labs.proved import proof_page, proof_text, proofs
from lpiclab.paths import bundled

LAB = labs.load(bundled("templates") / "lab")


def test_mistakes_and_lies_are_apart() -> None:
    """A task is proved by all solutions and by the mutants that fail it; lies are told by their ids."""
    now, boot = proofs(LAB)
    assert (now.mistakes, now.lies) == (("switched-off-again",), ("lie-sysctl-wrapper",))
    assert (boot.mistakes, boot.lies) == (("commented-out", "read-too-early"), ())
    assert now.solutions == boot.solutions == ("reference", "in-the-file-that-is-there")


def test_page_counts() -> None:
    """The page has a row for each task and the numbers of all labs."""
    page = proof_page([LAB])
    assert "1 labs, 2 correct solutions, 3 mistakes, 1 lies." in page
    assert "| `now` | `switched-off-again` | `lie-sysctl-wrapper` |" in page
    assert "| `boot` | `commented-out`, `read-too-early` | - |" in page


def test_text_is_in_the_reader_s_language() -> None:
    """Titles and words are the reader's; ids stay."""
    text = proof_text(LAB, {"now": "今すぐ", "boot": "起動後"}, "ja")
    assert "now: 今すぐ\n  不合格にする誤り:\n    switched-off-again\n" in text
