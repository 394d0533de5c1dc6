"""Draw a lab's parameters and faults from a learner's seed: the same lab and seed give the same, always.

Each value hangs on the seed, the lab's id and the parameter's own name (HMAC-SHA256), so that a
parameter added to a lab leaves the others as they were, unless their values would have been equal.
Faults are ranked by numbers that hang on the seed, the lab's id and their own id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from itertools import count
from string import ascii_lowercase, digits

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.model import VALUE_PATTERN, Fault, Lab, Parameter, Value
from lpiclab.templating import Renderer
from lpiclab.yamlio import PlacedText

_SYMBOLS = {"#": digits, "@": ascii_lowercase}
_ATTEMPTS = 200
_RANK_BYTES = 16


def draw(lab: Lab, seed: str) -> Mapping[str, Value]:
    """Return the value of each parameter: the default when `seed` is empty, else drawn.

    A drawn text never equals another parameter's drawn or constant text (two addresses, two names),
    except where a `choice` leaves nothing else. Computed values (`value`) are as their author says.

    Raises:
        SpecError: a pattern has no distinct value left, or a computed value is not valid.
    """
    values: dict[str, Value] = {}
    taken = {p.default for p in lab.parameters if _is_constant(p)}
    for parameter in lab.parameters:
        if parameter.value:
            values[parameter.name] = _computed(lab, parameter, values)
        elif not seed or _is_constant(parameter):
            values[parameter.name] = parameter.default
        else:
            values[parameter.name] = _drawn(lab, parameter, seed, taken)
            taken.add(values[parameter.name])
    return values


def draw_faults(lab: Lab, seed: str) -> tuple[Fault, ...]:
    """Return the faults that set-up puts into an instance, in the lab's order.

    They are those that are always there and `faults_drawn` of the others: the first ones when `seed`
    is empty, else drawn.
    """
    others = [fault for fault in lab.faults if not fault.always]
    if seed:
        others.sort(key=lambda fault: _Draws(seed, lab.id, "fault", fault.id).take(_RANK_BYTES))
    drawn = {fault.id for fault in others[: lab.faults_drawn]}
    return tuple(fault for fault in lab.faults if fault.always or fault.id in drawn)


def _is_constant(parameter: Parameter) -> bool:
    kinds = (parameter.choice, parameter.range, parameter.pattern, parameter.secret_bytes, parameter.value)
    return not any(kinds)


def _computed(lab: Lab, parameter: Parameter, values: Mapping[str, Value]) -> str:
    renderer = Renderer(values)
    value = renderer.text(parameter.value)
    renderer.finish()
    if not re.fullmatch(VALUE_PATTERN, value):
        raise SpecError([_problem(lab, parameter, f'"{value}" has characters that a value must not have')])
    return value


def _drawn(lab: Lab, parameter: Parameter, seed: str, taken: set[Value]) -> Value:
    draws = _Draws(seed, lab.id, parameter.name)
    if parameter.range:
        low, high, step = parameter.range
        return low + step * draws.below((high - low) // step + 1)
    if parameter.choice:
        free = [each for each in parameter.choice if isinstance(each, int) or each not in taken]
        words = free or parameter.choice
        return words[draws.below(len(words))]
    if parameter.secret_bytes:
        return base64.b64encode(draws.take(parameter.secret_bytes)).decode()
    for _attempt in range(_ATTEMPTS):
        text = "".join(draws.symbol(each) for each in parameter.pattern)
        if text not in taken:
            return text
    raise SpecError([_problem(lab, parameter, f'"{parameter.pattern}" gives too few distinct values')])


def _problem(lab: Lab, parameter: Parameter, message: str) -> SpecProblem:
    """Return a problem of `parameter`, at its template where that knows its place."""
    place = parameter.pattern or parameter.value
    if isinstance(place, PlacedText):
        return SpecProblem(place.file, place.line, place.column, f"{place.path}: {message}")
    return SpecProblem(lab.folder / "lab.yaml", 0, 0, f"parameters.{parameter.name}: {message}")


class _Draws:
    """An endless stream of random numbers that a key and a context fix."""

    def __init__(self, seed: str, *context: str) -> None:
        # A seed may come from argv with bytes that are not UTF-8.
        self._key = seed.encode(errors="surrogateescape")
        self._context = "\0".join(context)
        self._counter = count()

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        blocks = [self._block() for _ in range(-(-length // hashlib.sha256().digest_size))]
        return b"".join(blocks)[:length]

    def below(self, end: int) -> int:
        """Return the next number from 0 up to and without `end`; 256 bits leave no bias to see."""
        return int.from_bytes(self._block()) % end

    def symbol(self, letter: str) -> str:
        """Return what a letter of a pattern stands for."""
        letters = _SYMBOLS.get(letter, letter)
        return letters[self.below(len(letters))] if len(letters) > 1 else letters

    def _block(self) -> bytes:
        message = f"{self._context}\0{next(self._counter)}".encode()
        return hmac.digest(self._key, message, hashlib.sha256)
