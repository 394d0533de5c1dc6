"""Tell a lab's author everything that can be known without a machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lpiclab import params, proc, render
from lpiclab.errors import SpecError, SpecProblem, ToolFailed
from lpiclab.labs.agreement import text_file, text_problems
from lpiclab.labs.checkfile import CheckFile, read_check_file, reason_problems
from lpiclab.labs.loader import load_document
from lpiclab.labs.texts import read_lab_text
from lpiclab.model import LANGUAGES, Distro, Lab, LabText, Language, Plan, RenderedStep
from lpiclab.paths import bundled
from lpiclab.templating import syntax_problems, undeclared
from lpiclab.wait import Deadline
from lpiclab.yamlio import PlacedText
