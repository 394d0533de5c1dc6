"""What the author of a lab's `checks.py` imports."""

from lpiclab.checks.api import CheckFailed, expect, task

__all__ = ["CheckFailed", "expect", "task"]
