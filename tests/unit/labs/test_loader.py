"""`lpiclab.labs.loader`: finding and loading labs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.errors import SpecError, UsageError
from lpiclab.model import Disk, Mutant, Parameter, Step, Task

Edit = Callable[[str, str, str], None]


def test_a_lab_is_loaded_as_its_author_wrote_it(web_folder: Path, shared_templates: Path) -> None:
    """Values, defaults of the model and templates come through; the id is the folder's name."""
    lab = labs.load(web_folder, template_roots=[shared_templates])
    assert (lab.id, lab.folder, lab.kind, lab.objectives) == ("web", web_folder, "build", ("208.1",))
    assert lab.machines[0].disks == (Disk(name="sdb", size_mib=64), Disk(name="sdc", size_mib=64))
    assert (lab.machines[1].memory_mib, lab.machines[1].processors) == (512, 2)
    assert lab.parameters[3] == Parameter(name="server", value="{{ net }}.1")
    assert lab.parameters[4].range == (16, 56, 8)
    assert (lab.files[0].mode, lab.files[1].mode) == (0o640, 0o644)
    assert lab.tasks[1] == Task(id="boot", points=40, needs=("page",))
    assert lab.mutants[0] == Mutant(
        id="not-enabled",
        fails=("boot",),
        steps=(Step(machine="web", script="mutants/not-enabled.sh"),),
        reboot=True,
    )


def test_texts_come_in_both_languages(web_folder: Path, shared_templates: Path) -> None:
    """Each language has the lab's tasks."""
    texts = labs.load_texts(labs.load(web_folder, template_roots=[shared_templates]))
    assert [list(text.tasks) for text in texts.values()] == [["page", "boot"], ["page", "boot"]]
    assert texts["ja"].title == "{{ host }} のページ"


def test_a_missing_text_is_told(web_folder: Path, shared_templates: Path) -> None:
    """A lab needs its words in both languages."""
    lab = labs.load(web_folder, template_roots=[shared_templates])
    (web_folder / "text.ja.md").unlink()
    with pytest.raises(SpecError, match=r"text\.ja\.md: can't be read"):
        labs.load_texts(lab)


def test_a_folder_with_an_odd_name_is_refused(web_folder: Path, shared_templates: Path) -> None:
    """An id goes into file names and instance ids, so its characters are few."""
    folder = web_folder.rename(web_folder.with_name("Web_1"))
    with pytest.raises(SpecError, match="a lab's folder is named in lower-case"):
        labs.load(folder, template_roots=[shared_templates])


def _labs(root: Path, web_folder: Path, *names: str) -> Path:
    for name in names:
        shutil.copytree(web_folder, root / name)
        text = (root / name / "lab.yaml").read_text()
        (root / name / "lab.yaml").write_text(text.replace("shared/hosts.j2", "site.conf.j2"))
    return root


def test_labs_are_found_in_all_roots_and_an_earlier_root_wins(tmp_path: Path, web_folder: Path) -> None:
    """An author's own lab hides the bundled one of the same id; a folder without lab.yaml is no lab."""
    mine = _labs(tmp_path / "mine", web_folder, "squid")
    bundled = _labs(tmp_path / "bundled", web_folder, "squid", "lvm")
    (bundled / "notes").mkdir()
    roots = [mine, bundled, tmp_path / "absent"]
    assert labs.find_lab("squid", roots) == mine / "squid"
    assert [lab.id for lab in labs.list_labs(roots)] == ["lvm", "squid"]


def test_a_misspelt_lab_gets_the_nearest_name(tmp_path: Path, web_folder: Path) -> None:
    """The hint has the id that was probably meant."""
    root = _labs(tmp_path / "labs2", web_folder, "raid1", "dns-tsig")
    with pytest.raises(UsageError, match='there is no lab "dns-tsg"') as caught:
        labs.find_lab("dns-tsg", [root])
    assert caught.value.hint == 'did you mean "dns-tsig"?'


def test_every_wrong_lab_of_a_list_is_told(tmp_path: Path, web_folder: Path, edit: Edit) -> None:
    """Problems of several labs come in one error."""
    edit("lab.yaml", "minutes: 20", "minutes: none")
    root = _labs(tmp_path / "labs2", web_folder, "one", "two")
    with pytest.raises(SpecError) as caught:
        labs.list_labs([root])
    assert [problem.file.parent.name for problem in caught.value.problems] == ["one", "two"]


def test_listing_labs_imports_nothing_heavy() -> None:
    """`lpiclab list` stays quick: neither Jinja2, nor pytest, paramiko or typer is loaded."""
    code = "import sys, lpiclab.labs; print(*{'jinja2', 'pytest', 'paramiko', 'typer'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
