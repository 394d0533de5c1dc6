"""Tests of the provider `vagrant`, with a stand-in for Vagrant."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lpiclab.errors import LpiclabError, MissingTool, ProviderError, TimedOut
from lpiclab.model import Instance, Machine, MachineState, Plan
from lpiclab.paths import Home
from lpiclab.providers.vagrant.provider import VagrantProvider
from lpiclab.providers.vagrant.site import Site
from lpiclab.wait import Deadline


def _soon() -> Deadline:
    return Deadline.after(30.0)


def _quiet(_: str) -> None:
    pass


@pytest.fixture
def provider(vagrant: Any, home: Home) -> VagrantProvider:
    """Return the provider, whose Vagrant is the stand-in."""
    assert vagrant
    return VagrantProvider(home)


@pytest.fixture
def running(provider: VagrantProvider, instance: Instance, vagrant: Any) -> Instance:
    """Return the instance, started; what was called for it is forgotten."""
    provider.create(instance, deadline=_soon(), progress=_quiet)
    provider.start(instance, deadline=_soon(), progress=_quiet)
    vagrant.calls()
    return instance


def _states(provider: VagrantProvider, instance: Instance) -> list[str]:
    return [each.state.value for each in provider.status(instance).values()]


def test_machines_are_started_together(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """One command makes all, its progress is told, and each host key is learnt once."""
    told: list[str] = []
    provider.create(instance, deadline=_soon(), progress=told.append)
    assert vagrant.calls()[-1] == "validate"
    provider.start(instance, deadline=_soon(), progress=told.append)
    assert vagrant.calls() == [
        "status --machine-readable",
        "up --provider libvirt --no-destroy-on-error server client",
        "ssh-config server",
        "ssh-config client",
    ]
    assert told == ["machines by Vagrant with libvirt", "server boots", "client boots"]
    assert _states(provider, instance) == ["running", "running"]
    provider.start(instance, deadline=_soon(), progress=told.append)
    assert vagrant.calls() == ["status --machine-readable"] * 2


def test_files_are_private(running: Instance) -> None:
    """Nobody else can read keys, Vagrantfile and consoles."""
    site = Site(running)
    for file in (site.vagrantfile, site.key, site.console("server"), site.host_key("server")):
        assert file.stat().st_mode & 0o077 == 0


def test_endpoint_is_what_vagrant_says(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """The host key is the one that was learnt; who is not root becomes so by sudo."""
    endpoint = provider.endpoint(running, "client")
    assert endpoint.host_key.split() == vagrant.host_key.split()[:2]
    assert (endpoint.user, endpoint.sudo) == ("vagrant", True)
    assert endpoint.key_file == Site(running).root / "a key"
    said = f"Host server\n  HostName 10.0.0.2\n  User root\n  Port 2200\n  IdentityFile {Site(running).key}\n"
    vagrant.answer("ssh-config", stdout=said)
    endpoint = provider.endpoint(running, "server")
    assert (endpoint.host, endpoint.port, endpoint.user, endpoint.sudo) == ("10.0.0.2", 2200, "root", False)


def test_new_key_is_not_believed(running: Instance, provider: VagrantProvider) -> None:
    """What was learnt stays, also over a restart of the machine."""
    file = Site(running).host_key("server")
    file.write_text("ssh-ed25519 OLD")
    provider.stop(running, deadline=_soon())
    provider.start(running, deadline=_soon(), progress=_quiet)
    assert provider.endpoint(running, "server").host_key == "ssh-ed25519 OLD"


def test_half_started_machine_has_no_endpoint(running: Instance, provider: VagrantProvider) -> None:
    """Without a host key it has not finished starting, and the next start goes on."""
    Site(running).host_key("server").unlink()
    with pytest.raises(ProviderError, match="squid-acl@two/server has not finished starting"):
        provider.endpoint(running, "server")
    provider.start(running, deadline=_soon(), progress=_quiet)
    assert provider.endpoint(running, "server").host_key


def test_trouble_with_an_endpoint_is_told(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """A machine that runs and is not reached is another matter than one that does not run."""
    vagrant.answer("ssh-config", stderr="no address\n", status=1)
    with pytest.raises(ProviderError, match="`vagrant ssh-config` failed: no address"):
        provider.endpoint(running, "server")
    vagrant.answer()
    provider.stop(running, deadline=_soon())
    with pytest.raises(ProviderError, match="squid-acl@two/server is not running"):
        provider.endpoint(running, "server")


def test_only_what_is_off_is_started(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """A machine that runs is left alone."""
    vagrant.answer("status", stdout="1,server,state,running\n1,client,state,shutoff\n")
    told: list[str] = []
    provider.start(running, deadline=_soon(), progress=told.append)
    assert vagrant.calls()[1:] == ["up --provider libvirt --no-destroy-on-error client"]
    assert told == ["client boots"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("running", MachineState.RUNNING),
        ("inaccessible", MachineState.STARTING),
        ("shutoff", MachineState.STOPPED),
        ("poweroff", MachineState.STOPPED),
        ("aborted", MachineState.STOPPED),
        ("saved", MachineState.SUSPENDED),
        ("paused", MachineState.SUSPENDED),
        ("crashed", MachineState.BROKEN),
        ("not_created", MachineState.BROKEN),
    ],
)
def test_states_are_understood(
    running: Instance, provider: VagrantProvider, vagrant: Any, word: str, state: MachineState
) -> None:
    """Each Vagrant provider has words of its own."""
    vagrant.answer("status", stdout=f"1,server,state,{word}\n1,client,state,running\n")
    assert provider.status(running)["server"].state is state


def test_status_survives_vagrant(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """When Vagrant can't tell, the machines are broken, and the list of instances is still one."""
    vagrant.answer("status", stderr="libvirt is gone\n", status=1)
    assert _states(provider, running) == ["broken", "broken"]
    with pytest.raises(ProviderError, match="libvirt is gone"):
        provider.start(running, deadline=_soon(), progress=_quiet)


def test_removed_by_hand_is_told(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """After `vagrant destroy` nothing of the lab is left: a new machine in its place would be a lie."""
    shutil.rmtree(Site(running).data / "machines" / "client")
    assert _states(provider, running) == ["running", "broken"]
    vagrant.calls()
    with pytest.raises(ProviderError, match="squid-acl@two/client was removed outside lpiclab") as raised:
        provider.start(running, deadline=_soon(), progress=_quiet)
    assert raised.value.hint.startswith("`lpiclab reset squid-acl@two`")
    assert vagrant.calls() == ["status --machine-readable"]
    provider.destroy(running)
    assert _states(provider, running) == ["absent", "absent"]


def test_restart_is_vagrants_reload(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """Only the named machines, and set-up's first steps are not done again."""
    provider.restart(running, ["client"], deadline=_soon())
    assert vagrant.calls()[-1] == "reload --no-provision client"


def test_stop_that_takes_too_long_is_forced(
    running: Instance, provider: VagrantProvider, vagrant: Any
) -> None:
    """When the time for an orderly end is over, the machines are switched off."""
    vagrant.hang("halt server")
    provider.stop(running, deadline=Deadline.after(1.0))
    assert vagrant.calls() == ["halt server client", "halt --force server client"]
    assert _states(provider, running) == ["stopped", "stopped"]


def test_stop_that_fails_is_forced(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """A machine that can't be asked is switched off; when that fails too, it is told."""
    vagrant.answer("halt server", stderr="no\n", status=1)
    provider.stop(running, deadline=_soon())
    assert vagrant.calls() == ["halt server client", "halt --force server client"]
    vagrant.answer("halt", stderr="never\n", status=1)
    with pytest.raises(ProviderError, match="`vagrant halt` failed: never"):
        provider.stop(running, deadline=_soon())


def test_restart_that_fails_is_forced(running: Instance, provider: VagrantProvider, vagrant: Any) -> None:
    """A machine that does not go down is switched off and started."""
    vagrant.answer("reload", stderr="no\n", status=1)
    provider.restart(running, ["client"], deadline=_soon())
    assert vagrant.calls()[-3:] == [
        "reload --no-provision client",
        "halt --force client",
        "up --provider libvirt --no-destroy-on-error client",
    ]


def test_failed_up_is_told(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """The error names the machines and Vagrant's reason; the next start tries again."""
    provider.create(instance, deadline=_soon(), progress=_quiet)
    vagrant.answer("up", stderr="The box 'a/b' could not be found.\n", status=1)
    with pytest.raises(ProviderError, match="squid-acl@two/server\\+client: `vagrant up` failed") as raised:
        provider.start(instance, deadline=_soon(), progress=_quiet)
    assert "lpiclab image box" in raised.value.hint
    vagrant.answer()
    provider.start(instance, deadline=_soon(), progress=_quiet)


def test_hanging_up_is_told(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """A start that does not end names what it waited for."""
    provider.create(instance, deadline=_soon(), progress=_quiet)
    vagrant.hang("up")
    with pytest.raises(TimedOut, match="timed out waiting for `vagrant up`"):
        provider.start(instance, deadline=Deadline.after(2.0), progress=_quiet)


def test_refused_vagrantfile_is_not_kept(provider: VagrantProvider, instance: Instance, vagrant: Any) -> None:
    """Nothing has been created then, and creating again begins anew."""
    vagrant.answer("validate", stderr="There are errors in the configuration\n", status=1)
    with pytest.raises(ProviderError, match="There are errors in the configuration"):
        provider.create(instance, deadline=_soon(), progress=_quiet)
    assert _states(provider, instance) == ["absent", "absent"]
    with pytest.raises(ProviderError, match="has not been created"):
        provider.start(instance, deadline=_soon(), progress=_quiet)
    vagrant.answer()
    provider.create(instance, deadline=_soon(), progress=_quiet)
    assert _states(provider, instance) == ["stopped", "stopped"]


def test_missing_box_is_told_before_anything_is_made(
    provider: VagrantProvider, instance: Instance, vagrant: Any
) -> None:
    """With neither an own box nor one of the catalogue the error names the command that makes one."""
    machines = tuple(replace(each, distro="debian-12") for each in instance.plan.machines)
    other = replace(instance, plan=replace(instance.plan, machines=machines))
    provider.create(other, deadline=_soon(), progress=_quiet)
    text = Site(other).vagrantfile.read_text()
    assert 'box = "cloud-image/debian-12"' in text
    assert (Site(other).root / "debian-12.tar").exists()
    assert vagrant.calls()[0] == "box list --machine-readable"


def test_two_instances_have_nothing_in_common(
    running: Instance, provider: VagrantProvider, vagrant: Any
) -> None:
    """Each has its own Vagrantfile and data: one is removed, the other goes on."""
    other = replace(running, id="squid-acl@one", folder=running.folder.with_name("squid-acl@one"))
    provider.create(other, deadline=_soon(), progress=_quiet)
    provider.start(other, deadline=_soon(), progress=_quiet)
    provider.destroy(running)
    assert "destroy --force" in vagrant.calls()
    assert _states(provider, running) == ["absent", "absent"]
    assert _states(provider, other) == ["running", "running"]


def test_removal_needs_no_vagrant_where_it_made_nothing(
    instance: Instance, provider: VagrantProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance of another provider, or one only written down, goes away without it; machines do not."""
    provider.create(instance, deadline=_soon(), progress=_quiet)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    provider.stop(instance, deadline=_soon())
    provider.destroy(instance)
    assert not Site(instance).root.exists()


def test_machines_are_not_forgotten_without_vagrant(
    running: Instance, provider: VagrantProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their notes stay until Vagrant has removed them."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(MissingTool, match="vagrant is not installed"):
        provider.destroy(running)
    assert Site(running).vagrantfile.exists()
    assert _states(provider, running) == ["broken", "broken"]


def test_instance_without_a_record_is_removed(
    running: Instance, provider: VagrantProvider, vagrant: Any, make_plan: Callable[..., Plan]
) -> None:
    """What is known of it then are its machines' folders."""
    names = sorted(each.name for each in (running.folder / "machines").iterdir())
    salvaged = replace(running, plan=make_plan(*(Machine(name=name) for name in names)))
    provider.destroy(salvaged)
    assert vagrant.calls() == ["destroy --force"]
    assert not (running.folder / "machines").exists()


def test_probe_looks_at_vagrant(
    provider: VagrantProvider, vagrant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Absent, broken or without its provider: each is told with what mends it."""
    assert "lpiclab/debian-13" in provider.probe()[-1].meaning
    vagrant.answer("plugin", stderr="Vagrant failed to initialize\n", status=1)
    broken = provider.probe()
    assert broken[0].state == "missing"
    assert "Vagrant failed to initialize" in broken[0].meaning
    vagrant.answer("plugin")
    assert [each.state for each in provider.probe()] == ["ok", "missing", "ok"]
    vagrant.answer("box")
    assert "public ones are fetched" in provider.probe()[-1].meaning
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    (absent,) = provider.probe()
    assert absent.state == "missing"
    assert "apt-get install vagrant" in absent.mend


def test_no_time_is_told_without_asking_vagrant(
    provider: VagrantProvider, instance: Instance, vagrant: Any
) -> None:
    """The machines are named."""
    with pytest.raises(LpiclabError, match="server"):
        provider.start(instance, deadline=Deadline.after(0), progress=_quiet)
    assert vagrant.calls() == []
