"""Tests of what every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.engine.context import Context, instance_of
from lpiclab.errors import ConnectFailed, UsageError
from lpiclab.model import Machine, Plan
from lpiclab.paths import Home, bundled
from lpiclab.providers.fake import FakeProvider
from lpiclab.providers.qemu import accelerator
from lpiclab.ssh import Session
from lpiclab.state import Record, new_record
from lpiclab.wait import Deadline


@pytest.fixture
def record(context: Context, make_plan: Callable[..., Plan], tmp_path: Path) -> Record:
    """Return the record of an instance of two machines that run."""
    plan = make_plan(Machine(name="ns1"), Machine(name="ns2"))
    made = new_record("web", "fake", tmp_path, {}, plan)
    context.store.save(made)
    provider = FakeProvider(context.home)
    provider.create(context.instance(made), deadline=Deadline.after(9), progress=print)
    provider.start(context.instance(made), deadline=Deadline.after(9), progress=print)
    return made


def test_environment_names_the_folders(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labs of the user's own come before the bundled ones."""
    monkeypatch.setenv("LPICLAB_LABS", f"{tmp_path}/one::{tmp_path}/two")
    context = Context.from_environment()
    assert context.home == home
    assert context.lab_roots == [tmp_path / "one", tmp_path / "two", bundled("labs")]


@pytest.mark.parametrize("name", ["web", "web@anna"])
def test_lab_is_found_by_its_own_or_its_instances_name(context: Context, web_folder: Path, name: str) -> None:
    """LAB@NAME is an instance of LAB."""
    assert context.lab_folder(name) == web_folder
    assert context.lab(name).id == "web"


def test_lab_is_the_one_of_the_distributions_family(
    context: Context, web_folder: Path, make_plan: Callable[..., Plan]
) -> None:
    """By a distribution or as an instance, a lab has what its family has, the reference too."""
    text = (web_folder / "lab.yaml").read_text().replace("families: [debian]", "families: [debian, el]")
    steps = "steps: [{machine: web, script: solution/web.sh}]"
    first = f"  - {{id: short, families: [el], only_because: no other has it, {steps}}}\n"
    (web_folder / "lab.yaml").write_text(text.replace("solutions:\n", f"solutions:\n{first}"))
    assert context.lab_on("web", None).solutions[0].id == "reference"
    assert context.lab_on("web", "almalinux-9").solutions[0].id == "short"
    for distro, reference in (("almalinux-9", "short"), ("debian-13", "reference")):
        plan = make_plan(Machine(name="web"), lab_id="web", distro=distro)
        context.store.save(record := new_record("web", "fake", web_folder, {}, plan))
        assert context.lab_of(record).solutions[0].id == reference
        # Whatever is up of it.
        assert context.lab_on("web", "almalinux-9").solutions[0].id == "short"


def test_lab_is_found_by_its_folder(
    context: Context, web_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is a path, the working folder among them."""
    monkeypatch.chdir(web_folder)
    assert context.lab_folder(".") == web_folder
    assert context.lab_folder("../web") == web_folder
    assert context.lab_folder("../web/") == web_folder
    assert context.lab_folder("./lab.yaml") == web_folder
    assert [instance_of(name) for name in (".", "../web/", "../web/lab.yaml")] == ["web"] * 3
    with pytest.raises(UsageError, match="no lab in"):
        context.lab_folder("./setup")


def test_lab_of_another_family_is_refused(context: Context) -> None:
    """What a lab runs on is told."""
    other = replace(context.distro("debian-13"), id="almalinux-10", family="el")
    with pytest.raises(UsageError, match="web does not run on almalinux-10") as raised:
        context.plan(context.lab("web"), seed="", distro=other)
    assert raised.value.hint == "it runs on: debian"


def test_words_are_rendered(context: Context) -> None:
    """A lab's words hold the plan's values."""
    lab = context.lab("web")
    plan = context.plan(lab, seed="", distro=context.distro("debian-13"))
    assert context.text(lab, plan, "en").title == "A page on centos"


def test_machine_by_name_or_the_first(context: Context, record: Record) -> None:
    """Without a name it is the lab's first machine."""
    assert context.machine(record, None) == "ns1"
    assert context.machine(record, "ns2") == "ns2"
    with pytest.raises(UsageError, match='no machine "ns3"'):
        context.machine(record, "ns3")


def test_sessions_are_made_for_all_and_closed(
    context: Context, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each machine gets a session under its own label; all are closed in the end."""
    made = {f"web/{name}": mock.create_autospec(Session, instance=True) for name in ("ns1", "ns2")}

    def connect(_: object, *, machine: str, deadline: Deadline) -> Session:
        deadline.require(machine)
        session: Session = made[machine]
        return session

    monkeypatch.setattr(Session, "connect", connect)
    with context.sessions(record, deadline=Deadline.after(9)) as sessions:
        assert sessions == {"ns1": made["web/ns1"], "ns2": made["web/ns2"]}
        made["web/ns1"].close.assert_not_called()
    for each in made.values():
        each.close.assert_called_once_with()


def test_one_unreachable_machine_fails_all(
    context: Context, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that can't be reached is named."""

    def connect(_: object, *, machine: str, deadline: Deadline) -> Session:
        deadline.require(machine)
        if machine == "web/ns2":
            raise ConnectFailed("web/ns2: nobody there")
        session: Session = mock.create_autospec(Session, instance=True)
        return session

    monkeypatch.setattr(Session, "connect", connect)
    with (
        pytest.raises(ConnectFailed, match="web/ns2"),
        context.sessions(record, deadline=Deadline.after(9)),
    ):
        pytest.fail("there is no session to ns2")


def test_accelerator_is_what_an_earlier_trial_found(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any machine has run nothing is known, and emulation is sure to work."""
    assert context.accelerator() == "tcg"
    monkeypatch.setattr(accelerator, "known", lambda settings: "kvm" if settings else None)
    assert context.accelerator() == "kvm"
