"""Jinja2 as labs use it: strict, sandboxed, its errors as `SpecProblem` with file and line."""

from __future__ import annotations

import re
import shlex
import traceback
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.names import nearest
from lpiclab.yamlio import PlacedText

_TEXT_NAME = "<template>"
_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class Renderer:
    """Render templates with one set of variables; mistakes are collected until `finish`."""

    def __init__(self, variables: Mapping[str, Any], folders: Sequence[Path] = ()) -> None:
        self.problems: list[SpecProblem] = []
        self._variables = variables
        self._folders = tuple(folders)
        self._environment = _environment(self._folders)

    def text(self, template: str) -> str:
        """Return `template` rendered, or nothing when it has a mistake."""
        try:
            return _compiled(self._folders, template).render(self._variables)
        except Exception as error:  # noqa: BLE001 - a template can raise anything; it is its author's mistake
            self.problems.append(self._problem(error, template))
            return ""

    def file(self, name: str, asked: SpecProblem) -> str:
        """Return the template file `name` rendered; `asked` is the problem when there is no such file."""
        try:
            template = self._environment.get_template(name)
        except jinja2.TemplateNotFound:
            self.problems.append(asked)
            return ""
        except Exception as error:  # noqa: BLE001 - as in text()
            self.problems.append(self._problem(error, PlacedText.at("", self._path(name), 1)))
            return ""
        try:
            return template.render(self._variables)
        except Exception as error:  # noqa: BLE001 - as in text()
            self.problems.append(self._problem(error, PlacedText.at("", Path(template.filename or name), 1)))
            return ""

    def refuse(self, template: str, message: str) -> None:
        """Note that what `template` gave does not fit."""
        self.problems.append(_problem_at(template, 1, message))

    def verify(self, template: str, values: Iterable[str]) -> None:
        """Note what is wrong with `template` when it gets further variables named `values`.

        Their values are not known yet, so a mistake in what is done with them does not show.
        """
        placeholders = dict.fromkeys(values, "0")
        known = {**placeholders, **self._variables}
        try:
            needed = meta.find_undeclared_variables(self._environment.parse(template))
            unknown = sorted(needed - known.keys() - self._environment.globals.keys())
            for name in unknown:
                self.refuse(template, f"'{name}' is undefined; {nearest(name, known)}")
            if not unknown:
                _compiled(self._folders, template).render(known)
        except jinja2.TemplateError as error:
            self.problems.append(self._problem(error, template))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return

    def finish(self) -> None:
        """End the work.

        Raises:
            SpecError: templates had mistakes; holds them all.
        """
        if self.problems:
            raise SpecError(set(self.problems))

    def _path(self, name: str) -> Path:
        paths = [folder / name for folder in self._folders]
        return next((path for path in paths if path.is_file()), Path(name))

    def _problem(self, error: Exception, template: str) -> SpecProblem:
        file, line = _place(error)
        message = self._message(error)
        if file is not None:
            return SpecProblem(file, line, 1, message)
        return _problem_at(template, line, message)

    def _message(self, error: Exception) -> str:
        if isinstance(error, jinja2.TemplateNotFound):
            return f'there is no template "{error.name}"'
        message = str(error) or type(error).__name__
        if isinstance(error, jinja2.UndefinedError):
            name = _UNDEFINED.search(message)
            return f"{message}; {nearest(name[1], self._variables)}" if name else message
        if isinstance(error, jinja2.TemplateSyntaxError):
            return f"not a valid template: {error.message}"
        return f"the template fails: {message}"


def _problem_at(template: str, line: int, message: str) -> SpecProblem:
    """Return a problem in the given line of `template`, or at no place when it does not know its own."""
    if not isinstance(template, PlacedText):
        return SpecProblem(Path(_TEXT_NAME), line, 1, message)
    where = f"{template.path}: " if template.path else ""
    column = template.column if line == 1 else 1
    return SpecProblem(template.file, template.line + line - 1, column, where + message)


@cache
def _environment(folders: tuple[Path, ...]) -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters["quote"] = lambda value: shlex.quote(str(value))
    return environment


@lru_cache(maxsize=512)
def _compiled(folders: tuple[Path, ...], template: str) -> jinja2.Template:
    return _environment(folders).from_string(template)


def _place(error: Exception) -> tuple[Path | None, int]:
    """Return the file, None for a template that is text, and the line where a template failed."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return (Path(error.filename) if error.filename else None), error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == _TEXT_NAME:
            return None, frame.lineno or 1
        if not frame.filename.endswith(".py"):
            return Path(frame.filename), frame.lineno or 1
    return None, 1
