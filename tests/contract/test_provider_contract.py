"""The provider contract, for every provider of the registry that makes machines.

One that has machines which exist already keeps another: see `tests/vm/test_ssh_provider.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lpiclab import catalog, images
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.errors import MachineryError, TimedOut, UsageError
from lpiclab.files import private_folder
from lpiclab.model import Disk, Instance, Machine, MachineState, Plan
from lpiclab.paths import Home
from lpiclab.providers.base import Adopts, Provider
from lpiclab.providers.registry import PROVIDERS, load_provider
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

_BOOT_S = 180.0
_PLAN_MACHINE = Machine(
    name="server",
    hostname="server.example.net",
    distro=DEFAULT_DISTRO,
    disks=(Disk(name="sdb", size_mib=16),),
)


_MAKERS = [name for name in PROVIDERS if not isinstance(load_provider(name, Home.from_environment()), Adopts)]


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.vm if name == "qemu" else ()) for name in _MAKERS],
)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Yield each provider; that of real machines with real folders, `vagrant` with a stand-in for Vagrant."""
    if request.param != "qemu":
        root = tmp_path_factory.mktemp(request.param)
        home = Home(
            images=root / "images",
            templates=root / "templates",
            instances=root / "instances",
            settings=root / "settings",
        )
    else:
        home = request.getfixturevalue("vm_home")
    made: Provider = load_provider(request.param, home)
    if request.param != "vagrant":
        yield made
        return
    fake_vagrant = request.getfixturevalue("fake_vagrant")
    with pytest.MonkeyPatch.context() as patch, fake_vagrant(tmp_path_factory.mktemp("vagrant"), patch):
        yield made


@pytest.fixture(scope="module")
def instance(
    provider: Provider,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    make_plan: Callable[..., Plan],
) -> Iterator[Instance]:
    """Yield an instance of which nothing has been made; whatever a test makes of it is removed."""
    found = {}
    if provider.images:
        home = request.getfixturevalue("vm_home")
        found = {DEFAULT_DISTRO: images.ensure(catalog.find_distro(DEFAULT_DISTRO), home, print)}
    folder = private_folder(tmp_path_factory.mktemp("instance") / "contract")
    made = Instance(id="raid1@provider", folder=folder, plan=make_plan(_PLAN_MACHINE), images=found)
    yield made
    provider.destroy(made)


def _soon() -> Deadline:
    return Deadline.after(_BOOT_S)


def _state(provider: Provider, instance: Instance) -> MachineState:
    status = provider.status(instance)
    assert list(status) == ["server"]
    return status["server"].state


def _files(instance: Instance) -> dict[Path, int]:
    return {file: file.stat().st_ino for file in instance.folder.rglob("*") if file.suffix == ".qcow2"}


def _root(provider: Provider, instance: Instance, command: str) -> str:
    """Return what a command says on the machine; nothing where machines are not real."""
    if not provider.images:
        return ""
    endpoint = provider.endpoint(instance, "server")
    with Session.connect(endpoint, machine="server", deadline=_soon()) as session:
        result = session.run(command, deadline=_soon())
    assert result.status == 0, result.stderr
    return result.stdout.decode().strip()


@pytest.mark.parametrize("name", PROVIDERS)
def test_probe_says_what_is_needed(home: Home, name: str) -> None:
    """Each finding says what it means, and whatever is missing how to mend it."""
    findings = load_provider(name, home).probe()
    assert findings
    assert all(finding.name and finding.meaning for finding in findings)
    assert all(finding.mend for finding in findings if finding.state == "missing")


# The life of one machine, told in the order of these tests: a boot costs too much for one each.


def test_absent_instance(provider: Provider, instance: Instance) -> None:
    """What was never made is absent, has no endpoint, and can be stopped and destroyed."""
    assert _state(provider, instance) is MachineState.ABSENT
    with pytest.raises(MachineryError, match="server"):
        provider.endpoint(instance, "server")
    provider.stop(instance, deadline=_soon())
    provider.destroy(instance)


def test_create_keeps_what_is_there(provider: Provider, instance: Instance) -> None:
    """Creating makes stopped machines; creating again changes nothing."""
    provider.create(instance, deadline=_soon(), progress=print)
    made = _files(instance)
    provider.create(instance, deadline=_soon(), progress=print)
    assert _files(instance) == made
    assert _state(provider, instance) is MachineState.STOPPED
    with pytest.raises(MachineryError, match="server"):
        provider.endpoint(instance, "server")
    with pytest.raises(MachineryError, match="server"):
        provider.restart(instance, ["server"], deadline=_soon())


def test_no_time_left_is_told(provider: Provider, instance: Instance) -> None:
    """A start whose deadline has passed names the machine, and can be made good."""
    with pytest.raises(TimedOut, match="server"):
        provider.start(instance, deadline=Deadline.after(0), progress=print)
    provider.stop(instance, deadline=Deadline.after(0))
    assert _state(provider, instance) is MachineState.STOPPED


def test_start_makes_management_answer(provider: Provider, instance: Instance) -> None:
    """After a start the machine runs, is who it should be, and starting again disturbs nothing."""
    told: list[str] = []
    provider.start(instance, deadline=_soon(), progress=told.append)
    assert any("server" in each for each in told)
    assert _state(provider, instance) is MachineState.RUNNING
    boot_id = _root(provider, instance, "cat /proc/sys/kernel/random/boot_id")
    assert _root(provider, instance, "hostname --fqdn") in {"", "server.example.net"}
    endpoint = provider.endpoint(instance, "server")
    provider.start(instance, deadline=_soon(), progress=told.append)
    assert provider.endpoint(instance, "server") == endpoint
    assert _root(provider, instance, "cat /proc/sys/kernel/random/boot_id") == boot_id


def test_endpoint_and_logs(provider: Provider, instance: Instance) -> None:
    """The endpoint is on this host only; the first log is the machine's console."""
    assert provider.endpoint(instance, "server").host == "127.0.0.1"
    assert provider.logs(instance, "server")[0].name == "console.log"


def test_restart_is_a_reboot(provider: Provider, instance: Instance) -> None:
    """After a restart the machine has booted anew, kept its disks and answers."""
    before = _root(provider, instance, "echo kept >/root/note; sync; cat /proc/sys/kernel/random/boot_id")
    provider.restart(instance, ["server"], deadline=_soon())
    assert _state(provider, instance) is MachineState.RUNNING
    after = _root(provider, instance, "cat /root/note /proc/sys/kernel/random/boot_id")
    assert after == "" or after.split()[0] == "kept"
    assert after == "" or after.split()[1] != before


def test_stop_and_start_keep_the_disks(provider: Provider, instance: Instance) -> None:
    """A stopped machine is off, its disks stay, and it comes back as who it was."""
    made = _files(instance)
    key = provider.endpoint(instance, "server").host_key
    machine_id = _root(provider, instance, "cat /etc/machine-id")
    provider.stop(instance, deadline=_soon())
    assert _state(provider, instance) is MachineState.STOPPED
    provider.stop(instance, deadline=_soon())
    provider.start(instance, deadline=_soon(), progress=print)
    assert _files(instance) == made
    assert provider.endpoint(instance, "server").host_key == key
    assert _root(provider, instance, "cat /root/note /etc/machine-id").split() in ([], ["kept", machine_id])


def test_status_disturbs_nothing_and_counts(provider: Provider, instance: Instance) -> None:
    """A running machine's memory and disk are what the host gives away for it."""
    status = provider.status(instance)["server"]
    assert status.state is MachineState.RUNNING
    assert bool(status.memory_bytes) == bool(status.disk_bytes) == provider.images


def test_stop_by_force(provider: Provider, instance: Instance) -> None:
    """With no time left the plug is pulled."""
    provider.stop(instance, deadline=Deadline.after(0))
    assert _state(provider, instance) is MachineState.STOPPED


def test_destroy_leaves_nothing(provider: Provider, instance: Instance) -> None:
    """Destroying removes machines and disks; once more is no mistake."""
    provider.destroy(instance)
    assert _state(provider, instance) is MachineState.ABSENT
    assert _files(instance) == {}
    provider.destroy(instance)


def test_unknown_provider_is_a_users_mistake(home: Home) -> None:
    """The nearest name is suggested."""
    with pytest.raises(UsageError, match='unknown provider "qmeu"') as raised:
        load_provider("qmeu", home)
    assert raised.value.hint == 'did you mean "qemu"?'
