"""The words of a lab's `checks.py`: which task a check belongs to, and what it expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Check = TypeVar("_Check", bound=Callable[..., object])


class CheckFailed(Exception):
    """The learner's system is not as the task wants it; raised by `expect` only."""

    def __init__(self, seen: object, wanted: object, why: str, values: dict[str, object]) -> None:
        super().__init__(f"seen {seen!r}, wanted {wanted!r} ({why})")
        self.seen = seen
        self.wanted = wanted
        self.why = why
        self.values = values


def task(id: str) -> Callable[[_Check], _Check]:  # noqa: A002 - what lab.yaml calls it
    """Mark a function as a check of the task `id`.

    >>> @task("key")
    ... def test_key_is_private(ns1): ...
    """
    import pytest  # noqa: PLC0415 - a tenth of a second, for those who only import this package

    return pytest.mark.task(id)


def expect(seen: object, wanted: object, *, why: str, ok: object = None, **values: object) -> None:
    """Fail the task unless `seen` equals `wanted`, or unless `ok` is true where it is given.

    >>> expect(oct(mode), "0o640", why="open", file=path)
    >>> expect(size, wanted, ok=size >= wanted, why="small")

    Args:
        seen: What the learner's system shows.
        wanted: What the task wants, in the same terms.
        why: The id of a reason in the task's texts.
        ok: The verdict, when equality is not the question.
        values: More that the reason's words may use.

    Raises:
        CheckFailed: the expectation is not met.
    """
    passed = seen == wanted if ok is None else ok
    if not passed:
        raise CheckFailed(seen, wanted, why, values)
