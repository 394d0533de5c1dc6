"""Deadlines: pass one down a chain of calls rather than a time-out to each."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lpiclab.errors import TimedOut


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock by which a chain of steps has to be done."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that is `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def left_s(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.at_s - time.monotonic())

    def expired(self) -> bool:
        """Tell whether the moment has come."""
        return self.left_s() == 0.0

    def require(self, what: str) -> float:
        """Return the seconds left for `what`.

        Raises:
            TimedOut: none are left; the message names `what`.
        """
        left_s = self.left_s()
        if left_s == 0.0:
            raise TimedOut(f"timed out waiting for {what}")
        return left_s

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at_s, time.monotonic() + seconds))
