"""The exception tree and the exit codes.

Three kinds of trouble are never mixed up::

    LpiclabError
    ├── UsageError             the user named something that is not there       2
    ├── SpecError              a lab, catalogue entry or template is wrong      3
    └── MachineryError         the machine or the tool failed                   4
        ├── MissingTool        something this host lacks
        ├── ToolFailed         an outside program failed
        ├── ImageError         a disk image is missing, broken or unbuildable
        ├── ProviderError      machines could not be made, started or removed
        ├── GuestError         a machine could not be reached or refused a command
        │   ├── ConnectFailed
        │   └── CommandFailed
        ├── TimedOut           a wait came to its end
        └── StateError         instance records: busy, absent, damaged

A learner's wrong answer is none of these: see `lpiclab.checks.api.CheckFailed`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


class ExitCode(enum.IntEnum):
    """Exit statuses of the command line."""

    OK = 0
    NOT_PASSED = 1
    USAGE = 2
    SPEC = 3
    MACHINERY = 4
    BUG = 70
    INTERRUPTED = 130


class LpiclabError(Exception):
    """Say what failed (`message`), what to try (`hint`) and keep the evidence (`details`).

    Not a dataclass: an exception must stay hashable, picklable and mutable (`__traceback__`).
    """

    exit_code = ExitCode.MACHINERY

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class UsageError(LpiclabError):
    """The user asked for something that does not exist or does not fit."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, order=True)
class SpecProblem:
    """One thing that is wrong in a data file; `line` and `column` count from 1, 0 is unknown."""

    file: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """Return ``file:line:column: message`` with the file relative to the working folder."""
        file = self.file
        if file.is_absolute() and file.is_relative_to(Path.cwd()):
            file = file.relative_to(Path.cwd())
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{file}{place}: {self.message}"


class SpecError(LpiclabError):
    """A lab, catalogue entry or template is wrong; carries every problem found, not the first."""

    exit_code = ExitCode.SPEC

    def __init__(self, problems: Iterable[SpecProblem], *, hint: str = "") -> None:
        self.problems: Sequence[SpecProblem] = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)), hint=hint)


class MachineryError(LpiclabError):
    """The machine or the tool is at fault, never the learner."""


class MissingTool(MachineryError):
    """This host lacks a program or an ability; the hint is the command that mends it."""


class ToolFailed(MachineryError):
    """An outside program could not be run or ended with an error."""


class ImageError(MachineryError):
    """A disk image is missing, broken, or could not be built."""


class ProviderError(MachineryError):
    """Machines could not be made, started, stopped or removed."""


class GuestError(MachineryError):
    """A machine could not be reached, or a command of ours failed on it."""


class ConnectFailed(GuestError):
    """No management connection to a machine."""


class CommandFailed(GuestError):
    """A set-up command of ours ended with an error on a machine."""


class TimedOut(MachineryError):
    """A wait came to its end; the message names what was waited for."""


class StateError(MachineryError):
    """The record of an instance is missing, damaged or held by another process."""
