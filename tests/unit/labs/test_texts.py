"""`lpiclab.labs.texts` and `agreement`: the words of a lab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.errors import SpecError
from lpiclab.labs.texts import read_lab_text
from lpiclab.model import Lab
from lpiclab.yamlio import PlacedText

Edit = Callable[[str, str, str], None]


@pytest.fixture
def lab(web_folder: Path, shared_templates: Path) -> Lab:
    """Return the lab `web`."""
    return labs.load(web_folder, template_roots=[shared_templates])


def test_a_text_is_read_part_by_part(web_folder: Path) -> None:
    """Title, story, table, bodies, hints and reasons are found; code is not searched for headings."""
    text = read_lab_text(web_folder / "text.en.md", "en")
    assert text.title == "A page on {{ host }}"
    assert text.story.endswith("```sh\n# a comment, not a heading\ncurl http://{{ server }}/\n```")
    assert text.then_and_now.splitlines()[0] == "| slides (2014) | today |"
    assert list(text.tasks) == ["page", "boot"]
    page = text.tasks["page"]
    assert (page.title, page.body) == ("Serve the page", "Put `{{ secret }}` on the page.")
    assert page.hints == (
        "Where does the server look?",
        "Write it to `/srv/{{ zone }}`:\nthe file is `index.html`.\n\n```sh\n# not a heading either\n```",
    )
    assert page.reasons == {
        "empty": "the page holds `{{ seen }}`, `{{ wanted }}` was expected\n"
        "at {{ machines.web.address }} ({{ bytes }} bytes). See `curl(1)`."
    }


def test_each_part_knows_its_line(web_folder: Path) -> None:
    """The lines are the file's own, so that a mistake in a template can be shown there."""
    file = web_folder / "text.en.md"
    lines = file.read_text().splitlines()
    text = read_lab_text(file, "en")
    page = text.tasks["page"]
    for part in (text.title, text.story, page.title, page.body, *page.hints, *page.reasons.values()):
        assert isinstance(part, PlacedText)
        assert part.splitlines()[0] in lines[part.line - 1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("# A page on {{ host }}\n", "A page\n", 'text.en.md:1:1: expected "# Title"'),
        ("# A page on", "words\n\n# A page on", 'text.en.md:1:1: expected "# Title"'),
        (
            "## Then and now",
            "## Then and Now",
            'heading "## Then and Now"; did you mean "Then and now"?',
        ),
        (
            "#### Hints\n\n1. Where",
            "#### Hint\n\n1. Where",
            'heading "#### Hint"; did you mean "Hints"?',
        ),
        ("## Tasks\n", "", 'there is no "## Tasks" or "## 課題"'),
        ("## Tasks\n", "## Tasks\n\n## 課題\n", '"課題" is there twice'),
        ("## Tasks\n", "## Tasks\n\nwords\n", "expected tasks (### id: title), found text"),
        ("## Tasks\n", "## Tasks\n\n#### Hints\n", '"Hints" outside of a task'),
        ("## Tasks\n", "# Tasks\n\n## Tasks\n", "a second title"),
        ("### page: Serve", "### Serve", 'expected "### id: title", found "### Serve the page"'),
        ("### boot: Serve it", "### page: Serve it", 'the task "page" is there twice'),
        ("Enable the service.\n", "", "the task does not say what is to be done"),
        ("1. `systemctl(1)`.\n", "", "the task has no hints"),
        ("2. Write it", "3. Write it", "text.en.md:25:1: expected hint 2, found 3"),
        ("   the file is", "the file is", 'expected "1. …", or an indented line'),
        ("- `disabled`: the", "- disabled: the", 'expected "- `id`: …", or an indented line'),
        ("- `disabled`: the", "- `disabled`: x\n- `disabled`: the", 'the reason "disabled" is there twice'),
        ("#### Reasons\n\n- `dis", "#### Hints\n\n- `dis", '"Hints" is there twice'),
    ],
)
def test_a_wrong_outline_is_told_with_its_line(
    web_folder: Path, edit: Edit, old: str, new: str, problem: str
) -> None:
    """Each slip in the outline has a message of its own."""
    edit("text.en.md", old, new)
    with pytest.raises(SpecError) as caught:
        read_lab_text(web_folder / "text.en.md", "en")
    assert problem in str(caught.value)


def test_an_empty_text_is_told(web_folder: Path) -> None:
    """A file without words lacks its title and its tasks."""
    (web_folder / "text.en.md").write_text("")
    with pytest.raises(SpecError, match='expected "# Title"'):
        read_lab_text(web_folder / "text.en.md", "en")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("### boot:", "### boat:", 'text.ja.md:26:1: lab.yaml has no task "boat"; did you mean "boot"?'),
        ("### boot:", "### boat:", 'text.ja.md: the task "boot" of lab.yaml is missing'),
        ("2. `/srv", "3. `/srv", "text.ja.md:20:1: expected hint 2, found 3"),
        ("1. サーバーはどこを見ますか。\n2.", "1.", "page: 1 hints, but 2 in text.en.md"),
        (
            "- `disabled`:",
            "- `disabeld`:",
            'text.en.md:47:1: boot: the reason "disabled" is missing',
        ),
        ("- `disabled`:", "- `disabeld`:", 'boot: the reason "disabeld" is missing in text.en.md'),
        ("## 昔と今", "## 課題", '"課題" is there twice'),
    ],
)
def test_the_languages_must_agree(lab: Lab, edit: Edit, old: str, new: str, problem: str) -> None:
    """Tasks, numbers of hints and reasons are the same in both languages and in lab.yaml."""
    edit("text.ja.md", old, new)
    with pytest.raises(SpecError) as caught:
        labs.load_texts(lab)
    assert problem in str(caught.value).replace(f"{lab.folder}/", "")


def test_a_table_in_one_language_only_is_told(lab: Lab, web_folder: Path) -> None:
    """The part "Then and now" is in both languages or in none."""
    file = web_folder / "text.ja.md"
    head, _, rest = file.read_text().partition("## 昔と今")
    file.write_text(head + rest[rest.index("## 課題") :])
    with pytest.raises(SpecError, match=r"text\.ja\.md: the part .* is in the other language only"):
        labs.load_texts(lab)
