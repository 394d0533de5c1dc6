"""`lpiclab.templating`: strict rendering and where its mistakes are."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpiclab.errors import SpecError, SpecProblem
from lpiclab.templating import Renderer
from lpiclab.yamlio import PlacedText

_ABSENT = SpecProblem(Path("lab.yaml"), 1, 1, "absent")


def test_text_renders_and_keeps_its_last_newline() -> None:
    """Variables, the filter `quote` and the final newline come through."""
    assert Renderer({"zone": "example net"}).text("{{ zone | quote }}\n") == "'example net'\n"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{{ zonee }}", "text.en.md:8:1: 'zonee' is undefined; did you mean \"zone\"?"),
        ("a {{ machines.ns9 }}", "text.en.md:7:5: 'dict object' has no attribute 'ns9'"),
        ("a\n{% if %}", "text.en.md:8:1: not a valid template: Expected an expression"),
        ("{{ 1 / 0 }}", "text.en.md:7:5: the template fails: division by zero"),
        ("{{ ''.__class__.mro() }}", "text.en.md:7:5: the template fails: access to attribute '__class__'"),
        ("{{ machines.clear() }}", "text.en.md:7:5: the template fails: access to attribute 'clear'"),
        ("{% include 'absent.j2' %}", 'text.en.md:7:5: there is no template "absent.j2"'),
    ],
)
def test_a_mistake_in_text_has_its_place(template: str, problem: str) -> None:
    """The line is that of the file the text was written in, the column only known in its first line."""
    renderer = Renderer({"zone": "example.net", "machines": {}})
    assert renderer.text(PlacedText.at(template, Path("text.en.md"), 7, 5)) == ""
    with pytest.raises(SpecError) as caught:
        renderer.finish()
    assert str(caught.value).startswith(problem)


def test_a_mistake_in_a_file_names_that_file(tmp_path: Path) -> None:
    """An undefined variable and a syntax error are told with the template file's own line."""
    (tmp_path / "outer.j2").write_text("one\n{% include 'inner.j2' %}\n")
    (tmp_path / "inner.j2").write_text("one\ntwo\n{{ zone }}\n")
    (tmp_path / "broken.j2").write_text("one\n{{ zone\n")
    renderer = Renderer({}, [tmp_path])
    renderer.file("outer.j2", _ABSENT)
    renderer.file("broken.j2", _ABSENT)
    places = [(problem.file.name, problem.line) for problem in renderer.problems]
    assert places == [("inner.j2", 3), ("broken.j2", 2)]


def test_the_first_folder_with_a_file_wins(tmp_path: Path) -> None:
    """A lab's own template hides the shared one of the same name, also from includes."""
    for folder in ("lab", "shared"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "both.j2").write_text(folder)
    (tmp_path / "shared" / "outer.j2").write_text("{% include 'both.j2' %}")
    renderer = Renderer({}, [tmp_path / "lab", tmp_path / "shared"])
    assert renderer.file("outer.j2", _ABSENT) == "lab"


@pytest.mark.parametrize("name", ["absent.j2", "../secret", "/etc/hostname"])
def test_a_file_outside_the_folders_is_absent(tmp_path: Path, name: str) -> None:
    """The problem is the one that the caller gave for a file that is not there."""
    (tmp_path / "secret").write_text("x")
    (tmp_path / "folder").mkdir()
    renderer = Renderer({}, [tmp_path / "folder"])
    assert renderer.file(name, _ABSENT) == ""
    assert renderer.problems == [_ABSENT]


def test_verify_finds_names_in_branches_not_taken_and_wrong_attributes() -> None:
    """A template whose values come later is checked for names, not for what it does with them."""
    renderer = Renderer({"machines": {}})
    for template in (
        "{% if seen == 1 %}{{ file }}{% endif %}",
        "{{ machines.ns1 }}",
        "{{ seen - 1 }} {{ wanted }} {{ range(3) | list }}",
    ):
        renderer.verify(PlacedText.at(template, Path("text.en.md"), 1), {"seen", "wanted"})
    messages = [problem.message for problem in renderer.problems]
    assert messages == [
        "'file' is undefined; known: machines, seen, wanted",
        "'dict object' has no attribute 'ns1'",
    ]
