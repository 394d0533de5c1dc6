"""`lpiclab.labs.linting` and `checkfile`: what an author is told before any machine starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.labs.checkfile import read_check_file
from lpiclab.model import Distro

Edit = Callable[[str, str, str], None]
Lint = Callable[[], list[str]]


@pytest.fixture
def lint(web_folder: Path, debian: Distro, shared_templates: Path) -> Lint:
    """Return a function that lints `web` as it is now and returns its problems."""

    def now() -> list[str]:
        problems = labs.lint(web_folder, debian, [shared_templates])
        return [str(problem).removeprefix(f"{web_folder}/") for problem in problems]

    return now


def test_a_sound_lab_has_no_problems(lint: Lint) -> None:
    """The example lab is right, and renders."""
    assert lint() == []


def test_task_without_proof_is_told(lint: Lint, edit: Edit) -> None:
    """A task that no mutant fails has not been shown to measure anything."""
    edit("lab.yaml", "    fails: [boot]", "    fails: [page]")
    assert lint() == ['lab.yaml:30:5: tasks[1]: no mutant fails "boot": its checks are not proved']


_EXPECT = 'expect(page, parameters.secret, why="empty", bytes=len(page))'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'why="empty"',
            'why="emty"',
            'checks.py:12:41: there is no reason "emty" of the task "page"',
        ),
        ('why="empty"', 'why="emty"', 'no check of "page" gives the reason "empty"'),
        ('why="empty"', 'why="empty" if page else "none"', 'there is no reason "none" of the task "page"'),
        (', why="empty"', "", "checks.py:12:5: expect() needs why=: the id of a reason"),
        (", bytes=len(page)", "", "text.en.md:34:1: 'bytes' is undefined"),
        ('@task("page")\n', "", 'test_page has no @task("id")'),
        ('@task("page")', '@task("pgae")', 'there is no task "pgae"; did you mean "page"?'),
        ('@task("page")', '@task("boot")', 'no check is of the task "page"'),
        ("test_service_is_enabled", "test_page", "a second test_page: the first would never run"),
        ("(web_client: Any", "(webclient: Any", 'there is no machine or fixture "webclient"; did you mean'),
        ("parameters.secret", "parameters.secrt", 'there is no parameter "secrt"; did you mean "secret"?'),
        (_EXPECT, "assert page", "use expect() rather than assert"),
        ("def test_page", "def def test_page", "not valid Python: invalid syntax"),
    ],
)
def test_a_mistake_in_the_checks_is_told(lint: Lint, edit: Edit, old: str, new: str, problem: str) -> None:
    """Checks are read, not run: tasks, reasons, values and names in them must exist."""
    edit("checks.py", old, new)
    found = lint()
    assert any(problem in each for each in found), found


def test_helpers_and_fixtures_of_a_check_file_are_understood(lint: Lint, edit: Edit) -> None:
    """A helper may give any task's reason, a fixture of the file is known, values may be passed on."""
    edit(
        "checks.py",
        '@task("page")',
        "import pytest\n\n\n"
        "@pytest.fixture\ndef page(web):\n    return web\n\n\n"
        'def agree(seen, **values):\n    expect(seen, "x", why="empty", **values)\n\n\n'
        '@task("page")\ndef test_more(page):\n    agree(page, bytes=1)\n\n\n@task("page")',
    )
    assert lint() == []


def test_checks_are_never_run(lint: Lint, edit: Edit, tmp_path: Path) -> None:
    """Code at the top of checks.py has no effect while it is linted."""
    edit("checks.py", '@task("page")', f'open("{tmp_path}/trace", "w")\n\n\n@task("page")')
    assert lint() == []
    assert not (tmp_path / "trace").exists()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mutants/empty-page.sh: /srv/", "{{ srv }}/", "mutants/empty-page.sh:2:1: 'srv' is undefined"),
        ("solution/web.sh: systemctl", "if true; systemctl", "solution/web.sh:4:1: bash -n: "),
        ("files/site.conf.j2: services.bind", "services.dns", "files/site.conf.j2:4:1: 'dict object' has "),
        ("text.ja.md: - `empty`: ", "- `empty`: {{ machines.ns1 }}", "text.ja.md:24:1: 'dict object' has "),
        ("text.ja.md: {{ secret }}", "{{ secrt }}", "'secrt' is undefined; did you mean \"secret\"?"),
        ("lab.yaml: families: [debian]", "families: [el]", "lab.yaml:5:11: families: debian-13 is of "),
        ("lab.yaml: 10.2#.3#", "10.2#.99#", "lab.yaml:13:36: machines[0].nics[0].address: "),
    ],
)
def test_what_rendering_shows_is_told(lint: Lint, edit: Edit, old: str, new: str, problem: str) -> None:
    """Everything is rendered, for several seeds, and scripts are parsed by the shell."""
    file, _, words = old.partition(": ")
    edit(file, words, new)
    found = lint()
    assert any(problem in each for each in found), found


def test_a_script_with_loops_has_its_rendered_line_told(lint: Lint, edit: Edit) -> None:
    """Where rendering changes the number of lines, the shell's line is not taken for the file's."""
    edit("setup/web.sh", "mkdir", "{% for _ in [1, 2] %}\n{% endfor %}(mkdir")
    (problem,) = lint()
    assert problem.startswith("setup/web.sh: bash -n: ")
    assert problem.endswith("when rendered)")


def test_problems_of_all_files_come_at_once(lint: Lint, edit: Edit) -> None:
    """A broken lab.yaml does not hide what is wrong with the texts."""
    edit("lab.yaml", "minutes: 20", "minutes: long")
    edit("text.en.md", "#### Reasons\n\n- `dis", "#### Reason\n\n- `dis")
    assert [each.split(":")[0] for each in lint()] == ["lab.yaml", "text.en.md"]


def test_several_mistakes_of_one_lab_are_told_once_each(lint: Lint, edit: Edit) -> None:
    """Rendering for several seeds finds the same mistake several times and tells it once."""
    edit("setup/web.sh", "zone", "zonee")
    assert len(lint()) == 1


def test_another_family_is_told_by_its_place(
    web_folder: Path, debian: Distro, shared_templates: Path
) -> None:
    """Linting for a distribution that the lab does not support says where that stands."""
    (problem,) = labs.lint(web_folder, replace(debian, id="el-10", family="el"), [shared_templates])
    assert (problem.line, problem.message) == (
        5,
        "families: el-10 is of the family el: not supported",
    )


def test_scripts_of_faults_that_no_seed_draws_are_read_too(lint: Lint, edit: Edit, web_folder: Path) -> None:
    """Each fault's script is rendered and parsed, whichever faults are drawn."""
    edit("lab.yaml", "kind: build", "kind: fix\nfaults_drawn: 1")
    steps = "steps: [{machine: web, script: faults"
    faults = "".join(f"  - {{id: {name}, fails: [page], {steps}/{name}.sh}}]}}\n" for name in ("one", "two"))
    edit("lab.yaml", "mutants:", f"faults:\n{faults}mutants:")
    (web_folder / "faults").mkdir()
    (web_folder / "faults" / "one.sh").write_text("echo {{ zone }}\n")
    (web_folder / "faults" / "two.sh").write_text("echo (\n")
    assert [each.partition(": bash -n")[0] for each in lint()] == ["faults/two.sh:1:1"]
    (web_folder / "faults" / "two.sh").write_text("echo {{ zoen }}\n")
    assert lint() == ["faults/two.sh:1:1: 'zoen' is undefined; did you mean \"zone\"?"]


def test_undo_steps_are_read_too(lint: Lint, edit: Edit, web_folder: Path) -> None:
    """They are rendered and parsed like set-up's."""
    edit("lab.yaml", "mutants:", "undo: [{machine: web, script: undo.sh}]\nmutants:")
    (web_folder / "undo.sh").write_text("rm -r /srv/{{ zone }}\n")
    assert lint() == []
    (web_folder / "undo.sh").write_text("echo (\n")
    assert [each.partition(": bash -n")[0] for each in lint()] == ["undo.sh:1:1"]
    (web_folder / "undo.sh").write_text("echo {{ zoen }}\n")
    assert lint() == ["undo.sh:1:1: 'zoen' is undefined; did you mean \"zone\"?"]


@pytest.mark.parametrize(
    ("code", "forks"),
    [
        ("", False),
        ('@task("boot")\ndef test_more(fork):\n    fork.reboot()\n', True),
        ("@pytest.fixture\ndef copy(fork):\n    return fork\n", True),
        ("def helper(fork):\n    return fork\n", False),
    ],
)
def test_checks_that_want_a_copy_are_known(
    web_folder: Path, shared_templates: Path, code: str, forks: bool
) -> None:
    """Tests and fixtures that take `fork` do, directly or not."""
    file = web_folder / "checks.py"
    file.write_text(f"import pytest\n{file.read_text()}\n{code}")
    assert read_check_file(labs.load(web_folder, template_roots=[shared_templates])).forks is forks


def test_a_lab_that_says_why_it_is_for_one_family_is_right(
    web_folder: Path, debian: Distro, shared_templates: Path, edit: Edit
) -> None:
    """The reason is the author's; where the lab runs there is none, and its files are checked anyway."""
    el = replace(debian, id="el-10", family="el")
    edit("lab.yaml", "families: [debian]", "families: [debian]\nonly_because: no other has its tools")
    assert labs.lint(web_folder, el, [shared_templates]) == []
    assert labs.not_for(web_folder, el, [shared_templates]) == "no other has its tools"
    assert labs.not_for(web_folder, debian, [shared_templates]) == ""
    edit("checks.py", 'why="empty"', 'why="emty"')
    assert labs.lint(web_folder, el, [shared_templates])
