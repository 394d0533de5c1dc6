"""`lpiclab.labs.references`: what within a lab.yaml must fit together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.errors import SpecError

Edit = Callable[[str, str, str], None]
Change = Callable[[str, str], list[str]]


_NO_PAGE = "  - {id: no-page, fails: [page], steps: [{machine: web, script: mutants/empty-page.sh}]}\n"
_FAULT = f"faults:\n{_NO_PAGE}"


@pytest.fixture
def problems(web_folder: Path, shared_templates: Path, edit: Edit) -> Change:
    """Return a function that changes `lab.yaml` and returns the problems it then has."""

    def change(old: str, new: str) -> list[str]:
        edit("lab.yaml", old, new)
        with pytest.raises(SpecError) as caught:
            labs.load(web_folder, template_roots=[shared_templates])
        return [str(problem).removeprefix(f"{web_folder}/") for problem in caught.value.problems]

    return change


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "memory_mib: 384",
            "memory_mib: lots",
            'lab.yaml:10:17: machines[0].memory_mib: expected a whole number of at least 64, found "lots"',
        ),
        ("schema: 1", "schema: 2", "lab.yaml:1:9: schema: expected 1, found 2"),
        (
            "kind: build",
            "kind: bild",
            'lab.yaml:4:7: kind: expected a known word, found "bild"; did you mean "build"?',
        ),
        ("points: 60", "points: 0", "tasks[0].points: expected a whole number from 1 to 1000, found 0"),
        (
            'mode: "0640"',
            "mode: 0640",
            'files[0].mode: expected four octal digits in quotes, such as "0644",',
        ),
        (
            "networks: [lan]",
            "networks: [wan]",
            'machines[0].nics[0].network: there is no network "lan"; did you mean "wan"?',
        ),
        ("networks: [lan]", "networks: [lan, lan]", 'lab.yaml:6:17: networks[1]: "lan" is there twice'),
        ("name: web-client", "name: web", 'lab.yaml:14:11: machines[1].name: "web" is there twice'),
        ("name: web-client", "name: class", '"class" means something else in checks and templates'),
        ("name: web-client", "name: parameters", '"parameters" means something else in checks and templates'),
        ("  size_mib: {", "  paths: {", '"paths" means something else in checks and templates'),
        ("  host: {", "  web: {", "parameters.web: a machine has the same name"),
        ("name: sdc", "name: sdd", 'machines[0].disks[1].name: expected "sdc": disks are named in order'),
        ("name: sdc", "name: sda", "machines[0].disks[1].name: expected a disk name from sdb on"),
        ('"{{ host }}.{{ zone }}"', "web_1", 'machines[0].hostname: "web_1" is no host name'),
        ('"{{ server }}/24"', "10.0.0.1", 'machines[0].nics[0].address: "10.0.0.1" is no IPv4 address'),
        (
            "  zone: {default: example.net}",
            "  zone: {default: a b}",
            "parameters.zone.default: expected a value of letters",
        ),
        (
            "  zone: {default: example.net}",
            "  zone: {}",
            "parameters.zone: expected either a default, or a value",
        ),
        ('pattern: "10.2#.3#"', "pattern: abc", 'parameters.net.pattern: expected a pattern with "#"'),
        ("[16, 56, 8]", "[56, 16, 8]", "parameters.size_mib.range: expected [low, high, step]"),
        ("[16, 56, 8]", "[16, 56]", "parameters.size_mib.range: expected [low, high, step]"),
        (
            "secret_bytes: 16",
            "secret_bytes: 16, choice: [a]",
            "parameters.secret: expected one of choice and secret_bytes, found both",
        ),
        (
            "template: site.conf.j2",
            "template: ste.conf.j2",
            'there is no file "ste.conf.j2"; did you mean "site.conf.j2"?',
        ),
        (
            "template: site.conf.j2",
            "template: ../lab.yaml",
            "files[0].template: expected a path in the lab's folder",
        ),
        (
            "script: setup/web.sh",
            "script: setup/wob.sh",
            'setup[0].script: there is no file "setup/wob.sh"; did you mean',
        ),
        (
            "{machine: web, script: setup/",
            "{machine: wib, script: setup/",
            'setup[0].machine: there is no machine "wib"',
        ),
        (
            "path: /etc/hosts.lab",
            "path: etc/hosts",
            'files[1].path: expected an absolute path, found "etc/hosts"',
        ),
        ("{id: boot", "{id: page", 'lab.yaml:30:10: tasks[1].id: "page" is there twice'),
        ("needs: [page]", "needs: [pag]", 'tasks[1].needs[0]: there is no task "pag"; did you mean "page"?'),
        ("needs: [page]", "needs: [boot]", 'tasks[1].needs: "boot" needs itself'),
        (
            "points: 60}",
            "points: 60, needs: [boot]}",
            'tasks[0].needs: "page" needs itself, directly or through others',
        ),
        (
            "fails: [page]",
            "fails: [pgae]",
            'mutants[1].fails[0]: there is no task "pgae"; did you mean "page"?',
        ),
        (
            "fails: [page]",
            "fails: [page, boot]",
            'mutants[1].fails[1]: "boot" is skipped, not failed: it needs "page"',
        ),
        ("id: empty-page", "id: not-enabled", 'mutants[1].id: "not-enabled" is there twice'),
        ("start: fresh", "start: frsh", 'found "frsh"; did you mean "fresh"?'),
        ("mutants:", f"{_FAULT}mutants:", 'lab.yaml:35:3: faults: a lab of kind "build" has no faults'),
        (
            "mutants:",
            f"{_FAULT}mutants:",
            'faults: missing "faults_drawn": how many',
        ),
        (
            "mutants:",
            f"faults_drawn: 2\n{_FAULT}mutants:",
            "lab.yaml:34:15: faults_drawn: expected 1 at most",
        ),
        ("mutants:", "faults_drawn: 1\nmutants:", "faults_drawn: expected 0 at most"),
        (
            "mutants:",
            "faults_drawn: 0\nmutants:",
            "faults_drawn: expected a whole number from 1 to 3, found 0",
        ),
        (
            "mutants:",
            f"{_FAULT.replace('[page]', '[pgae]')}mutants:",
            'lab.yaml:35:27: faults[0].fails[0]: there is no task "pgae"; did you mean "page"?',
        ),
        (
            "mutants:",
            f"{_FAULT.replace('[page]', '[page, boot]')}mutants:",
            'faults[0].fails[1]: "boot" is skipped, not failed: it needs "page"',
        ),
        (
            "mutants:",
            f"{_FAULT.replace('machine: web', 'machine: wob')}mutants:",
            'faults[0].steps[0].machine: there is no machine "wob"',
        ),
        (
            "mutants:",
            f"{_FAULT.replace('empty-page', 'emptypage')}mutants:",
            'faults[0].steps[0].script: there is no file "mutants/emptypage.sh"; did you mean',
        ),
        (
            "mutants:",
            "undo:\n  - {machine: wob, script: setup/web.sh}\nmutants:",
            'lab.yaml:35:15: undo[0].machine: there is no machine "wob"; did you mean "web"?',
        ),
        (
            "mutants:",
            "restores:\n  - {machine: wob, users: [web]}\nmutants:",
            'lab.yaml:35:15: restores[0].machine: there is no machine "wob"; did you mean "web"?',
        ),
        (
            "mutants:",
            "undo:\n  - {machine: web, script: undo/web.sh}\nmutants:",
            'undo[0].script: there is no file "undo/web.sh"; did you mean "setup/web.sh"?',
        ),
        (
            "mutants:",
            f"{_FAULT}{_NO_PAGE}mutants:",
            'faults[1].id: "no-page" is there twice',
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(problems: Change, old: str, new: str, problem: str) -> None:
    """Each wrong value or reference in `lab.yaml` has a message of its own."""
    found = problems(old, new)
    assert any(problem in each for each in found), found
    assert all(each.startswith("lab.yaml:") and each.split(":")[1] != "0" for each in found)


def test_all_wrong_references_come_at_once(problems: Change) -> None:
    """Renaming a machine shows every place that still has the old name."""
    found = problems("  - name: web\n", "  - name: server-1\n")
    assert [each.split(": ")[1] for each in found] == [
        "files[0].machine",
        "setup[0].machine",
        "solutions[0].steps[0].machine",
        "mutants[0].steps[0].machine",
        "mutants[1].steps[0].machine",
    ]
