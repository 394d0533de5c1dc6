"""`lpiclab.render`: a lab with a seed and a distribution applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from lpiclab import labs, params, render
from lpiclab.errors import SpecError
from lpiclab.model import Distro, Fault, Lab, Nic, Plan, RenderedFile, Restore, Step

Edit = Callable[[str, str, str], None]


@pytest.fixture
def lab(web_folder: Path, shared_templates: Path) -> Lab:
    """Return the lab `web`."""
    return labs.load(web_folder, template_roots=[shared_templates])


@pytest.fixture
def plan(lab: Lab, debian: Distro, shared_templates: Path) -> Plan:
    """Return `web` with the slides' values."""
    return render.plan(lab, seed="", distro=debian, template_roots=[shared_templates])


@pytest.fixture
def problems(web_folder: Path, shared_templates: Path, debian: Distro) -> Callable[[], list[str]]:
    """Return a function that plans `web` as it is on disk now and returns the problems."""

    def plan_again() -> list[str]:
        lab = labs.load(web_folder, template_roots=[shared_templates])
        with pytest.raises(SpecError) as caught:
            render.plan(lab, seed="", distro=debian, template_roots=[shared_templates])
        return [str(problem).removeprefix(f"{web_folder}/") for problem in caught.value.problems]

    return plan_again


def test_a_plan_has_machines_without_templates(plan: Plan) -> None:
    """Host names, addresses and distributions are final; a machine without a host name has its own."""
    web, client = plan.machines
    assert (web.hostname, web.distro, web.memory_mib) == ("centos.example.net", "debian-13", 384)
    assert web.nics == (Nic(network="lan", address="192.168.130.1/24"),)
    assert (client.hostname, client.nics[1].address) == ("web-client", "")


def test_a_plan_has_files_from_the_lab_and_from_the_shared_templates(plan: Plan) -> None:
    """Both see parameters, machines, services; path, owner and mode are final too."""
    own, shared = plan.files
    assert own == RenderedFile(
        machine="web",
        path="/etc/example.net.conf",
        content=(
            "# centos.example.net on eth0\nlisten 192.168.130.1/24;\n"
            "allow 192.168.130.0/24;\nservice named;\n"
        ),
        owner="www-data",
        group="root",
        mode=0o640,
    )
    assert shared.content == "192.168.130.1 centos.example.net\n192.168.130.2 web-client\n"


def test_a_plan_survives_the_record(plan: Plan) -> None:
    """A plan can be written to an instance's record and read again, so nothing odd is in it."""
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


def test_a_seed_changes_what_is_drawn_only(lab: Lab, debian: Distro, shared_templates: Path) -> None:
    """The drawn network reaches addresses, files and scripts alike."""
    plan = render.plan(lab, seed="x", distro=debian, template_roots=[shared_templates])
    net = plan.parameters["net"]
    assert net != "192.168.130"
    assert plan.machines[0].nics[0].address == f"{net}.1/24"
    assert f"allow {net}.0/24;" in plan.files[0].content
    assert plan.setup[0].content == "#!/bin/bash\nmkdir -p /srv/example.net\n"


def test_all_mistakes_of_a_plan_come_at_once(edit: Edit, problems: Callable[[], list[str]]) -> None:
    """Undefined variables of a file and of a script are told together, each in its own file."""
    edit("files/site.conf.j2", "services.bind", "services.bnd")
    edit("setup/web.sh", "zone", "zonee")
    assert problems() == [
        "files/site.conf.j2:4:1: 'dict object' has no attribute 'bnd'",
        "setup/web.sh:2:1: 'zonee' is undefined; did you mean \"zone\"?",
    ]


def test_what_is_restored_is_rendered(edit: Edit, lab: Lab, debian: Distro, shared_templates: Path) -> None:
    """Paths, services and users follow the seed and the distribution."""
    restore = 'paths: ["/srv/{{ zone }}", /new], services: ["{{ services.bind }}"], users: [web]'
    edit("lab.yaml", "mutants:", f"restores: [{{machine: web, {restore}}}]\nmutants:")
    again = labs.load(lab.folder, template_roots=[shared_templates])
    planned = render.plan(again, seed="", distro=debian, template_roots=[shared_templates])
    assert planned.restores == (
        Restore(machine="web", paths=("/srv/example.net", "/new"), services=("named",), users=("web",)),
    )


@pytest.mark.parametrize(
    ("restore", "said"),
    [
        *(
            (f"paths: [{path}]", f'"{path}" is no path')
            for path in ("/", "/etc", "/etc/", "//etc", "/etc/../usr", "a/b")
        ),
        ('services: ["a b"]', '"a b" is no unit of systemd'),
        ("users: [Web]", '"Web" is no user'),
    ],
)
def test_what_is_no_labs_to_replace_is_refused(
    edit: Edit, problems: Callable[[], list[str]], restore: str, said: str
) -> None:
    """A whole folder of the system is never removed, nor what is not named plainly."""
    edit("lab.yaml", "mutants:", f"restores: [{{machine: web, {restore}}}]\nmutants:")
    (problem,) = problems()
    assert said in problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "{{ host }}.{{ zone }}",
            "{{ host }}_",
            'lab.yaml:9:15: machines[0].hostname: "centos_" is no host name',
        ),
        (
            "{{ server }}/24",
            "{{ server }}/33",
            'machines[0].nics[0].address: "192.168.130.1/33" is no IPv4 address',
        ),
        (
            "{{ net }}.2/24",
            "{{ server }}/24",
            "machines[1].nics[0].address: another card of lan has 192.168.130.1",
        ),
        ("/etc/{{ zone }}.conf", "{{ zone }}.conf", 'files[0].path: "example.net.conf" is no absolute path'),
        ("{{ server }}/24", "{{ sever }}/24", "machines[0].nics[0].address: 'sever' is undefined"),
    ],
)
def test_a_template_that_gives_nonsense_is_told_where_it_stands(
    edit: Edit, problems: Callable[[], list[str]], old: str, new: str, problem: str
) -> None:
    """What `lab.yaml` writes as a template is judged once its value is known."""
    edit("lab.yaml", old, new)
    (found,) = problems()
    assert problem in found


def test_steps_of_a_solution_are_rendered(lab: Lab, plan: Plan, debian: Distro) -> None:
    """A solution's script sees the same values and names its source."""
    (step,) = render.render_steps(lab, lab.solutions[0].steps, plan, debian)
    assert (step.machine, step.source) == ("web", "solution/web.sh")
    assert step.content == (
        "#!/bin/bash\necho c2VjcmV0 > /srv/example.net/index.html\nsystemctl enable --now named\n"
    )


def test_words_are_rendered_but_reasons_wait(lab: Lab, plan: Plan, debian: Distro) -> None:
    """Title, story, bodies and hints have the plan's values; reasons stay templates."""
    text = render.render_text(labs.load_texts(lab)["en"], lab, plan, debian)
    assert text.title == "A page on centos"
    assert text.story.startswith("centos.example.net has to serve")
    assert text.tasks["page"].body == "Put `c2VjcmV0` on the page."
    assert text.tasks["page"].hints[1].startswith("Write it to `/srv/example.net`:")
    assert "{{ seen }}" in text.tasks["page"].reasons["empty"]


def test_an_undefined_variable_in_words_has_its_line(
    lab: Lab, plan: Plan, debian: Distro, web_folder: Path, edit: Edit
) -> None:
    """The line counts within the text file, not within the hint."""
    edit("text.en.md", "/srv/{{ zone }}", "/srv/{{ zonee }}")
    with pytest.raises(SpecError, match=r"text\.en\.md:25:1: 'zonee' is undefined"):
        render.render_text(labs.load_texts(lab)["en"], lab, plan, debian)
    assert "zonee" in (web_folder / "text.en.md").read_text().splitlines()[24]


def test_a_reason_sees_the_checks_values(lab: Lab, plan: Plan, debian: Distro) -> None:
    """What was seen, what was wanted, the check's own values and the plan's are there; text stays text."""
    template = labs.load_texts(lab)["en"].tasks["page"].reasons["empty"]
    words = render.render_reason(template, "{{ 1 }}", "x", {"bytes": 7}, plan=plan, distro=debian)
    assert words == ("the page holds `{{ 1 }}`, `x` was expected\nat 192.168.130.1 (7 bytes). See `curl(1)`.")


def test_a_reason_without_its_value_is_the_authors_mistake(lab: Lab, plan: Plan, debian: Distro) -> None:
    """A value that the check did not give is told with the reason's place."""
    template = labs.load_texts(lab)["en"].tasks["page"].reasons["empty"]
    with pytest.raises(SpecError, match=r"text\.en\.md:35:1: 'bytes' is undefined"):
        render.render_reason(template, "", "x", {}, plan=plan, distro=debian)


def test_a_plan_has_the_steps_of_the_drawn_faults(lab: Lab, debian: Distro, shared_templates: Path) -> None:
    """Faults are rendered like set-up; seeds that draw others have other plans, the set-up's identity."""
    steps = {name: Step(machine="web", script=f"mutants/{name}.sh") for name in ("not-enabled", "empty-page")}
    faults = tuple(Fault(id=name, fails=("page",), steps=(step,)) for name, step in steps.items())
    broken = replace(lab, faults=faults, faults_drawn=1)
    drawn = {}
    for seed in ("", "a", "b", "c", "d"):
        plan = render.plan(broken, seed=seed, distro=debian, template_roots=[shared_templates])
        (fault,) = params.draw_faults(broken, seed)
        assert [step.source for step in plan.faults] == [steps[fault.id].script]
        assert [step.source for step in plan.setup] == ["setup/web.sh"]
        drawn[seed] = plan.faults
    assert "systemctl disable named" in drawn[""][0].content
    assert len(set(drawn.values())) > 1


def test_a_service_that_the_distribution_has_not_says_what_became_of_it(
    lab: Lab, debian: Distro, shared_templates: Path
) -> None:
    """The author learns what there is instead; a template can ask whether it is there."""
    services = {name: service for name, service in debian.services.items() if name != "bind"}
    other = replace(debian, services=services, absent={"bind": "names are somebody else's work"})
    with pytest.raises(SpecError) as caught:
        render.plan(lab, seed="", distro=other, template_roots=[shared_templates])
    assert f"{debian.id} has no services.bind: names are somebody else's work" in caught.value.message
    step = Step(machine="web", script="asks.sh")
    (lab.folder / "asks.sh").write_text("{{ services.bind is defined }} {{ services.none is defined }}\n")
    plan = render.plan(lab, seed="", distro=debian, template_roots=[shared_templates])
    (rendered,) = render.render_steps(lab, [step], plan, other, template_roots=[shared_templates])
    assert rendered.content == "False False\n"
