"""A lab's `checks.py` as its author wrote it: import it, and say what is wrong with it."""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lpiclab.errors import SpecError, SpecProblem

_MODULE = "lpiclab_lab_checks"
_MESSAGE_CHARACTERS = 300


@contextmanager
def imported(file: Path) -> Iterator[types.ModuleType]:
    """Hold `file` imported as a module; no bytecode is written.

    pytest's own import would give its exceptions as text only, and keep the module for the next lab.

    Raises:
        SpecError: it is not there, is no Python, or raised something.
    """
    module = types.ModuleType(_MODULE)
    module.__file__ = str(file)
    sys.modules[_MODULE] = module  # dataclasses look a class's module up
    try:
        _execute(file, module)
        yield module
    finally:
        sys.modules.pop(_MODULE, None)


def mistake(file: Path, error: BaseException, message: str = "") -> SpecError:
    """Return what to raise for a mistake in `file`; its evidence is the frames of that file."""
    line = blamed_line(file, error)
    text = f"{message} {_in_words(error)}".strip()
    own = isinstance(error, AssertionError) and line and _frames(error)[-1].filename == str(file)
    problem = SpecError(
        [SpecProblem(file, line, 1 if line else 0, text)], hint="use expect(…), not assert" if own else ""
    )
    own_frames = [frame for frame in _frames(error) if frame.filename == str(file)]
    problem.details = "".join(traceback.format_list(own_frames)) + _in_words(error)
    problem.__cause__ = error
    return problem


def blamed_line(file: Path, error: BaseException) -> int:
    """Return the line of `file` that is to blame for an exception, 0 when none is."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 0
    lines = [frame.lineno or 0 for frame in _frames(error) if frame.filename == str(file)]
    return lines[-1] if lines else 0


def first_line(text: str) -> str:
    """Return the first line of a message, not too long."""
    return text.strip().partition("\n")[0][:_MESSAGE_CHARACTERS]


def _execute(file: Path, module: types.ModuleType) -> None:
    try:
        source = file.read_bytes()
    except OSError as error:
        raise SpecError([SpecProblem(file, 0, 0, f"can't be read: {error.strerror or error}")]) from error
    try:
        exec(compile(source, file, "exec"), vars(module))  # noqa: S102 - running it is the task
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # An unknown marker raises one of pytest's own outcomes, which are no Exception.
        raise mistake(file, error) from error


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__)


def _in_words(error: BaseException) -> str:
    """Return an exception's class and the first line of what it says."""
    words = first_line(error.msg if isinstance(error, SyntaxError) else str(error))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
