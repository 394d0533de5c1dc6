"""The `vagrant` provider: one Vagrantfile an instance, and Vagrant to do what it says."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from lpiclab import catalog, images, ssh
from lpiclab.errors import ImageError, LpiclabError, MachineryError, ProviderError, TimedOut
from lpiclab.files import file_lock, private_folder, write_private
from lpiclab.keys import make_key_pair
from lpiclab.model import Distro, Instance, MachineState, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Finding, MachineStatus, Progress, Snapshot
from lpiclab.providers.vagrant import boxes, choice, overlay, snapshots, vagrantfile
from lpiclab.providers.vagrant.command import INSTALL, PROGRAM, Commands, environment_of
from lpiclab.providers.vagrant.site import Site
from lpiclab.wait import Deadline

_STATES: Mapping[str, MachineState] = {
    "running": MachineState.RUNNING,
    "inaccessible": MachineState.STARTING,  # libvirt: it runs and has no address yet
    "preparing": MachineState.STARTING,
    "poweroff": MachineState.STOPPED,
    "shutoff": MachineState.STOPPED,
    "shutdown": MachineState.STOPPED,
    "stopped": MachineState.STOPPED,
    "not_running": MachineState.STOPPED,
    "aborted": MachineState.STOPPED,
    "saved": MachineState.SUSPENDED,
    "paused": MachineState.SUSPENDED,
    "suspended": MachineState.SUSPENDED,
}
"""What virtualbox, libvirt and vmware_desktop call the states of a machine that has been made."""
_NOT_MADE = "not_created"
_LOOK_S = 60.0
_FORCE_S = 120.0
_DESTROY_S = 300.0


class VagrantProvider:
    """Machines that Vagrant makes, for hosts where that is how machines are made.

    Vagrant has no way to know a machine's host key before it runs: the key that it shows at the end of its
    first `start` is believed from then on. Who can answer in the machine's place at that moment, on this
    host or on libvirt's management network, is taken for it.
    """

    name: ClassVar[str] = "vagrant"
    images: ClassVar[bool] = False
    up_limit_s: ClassVar[float] = 3600.0  # a public box is downloaded, and gets packages
    restart_limit_s: ClassVar[float] = 1800.0  # one machine after the other, and Vagrant looks for each long

    def __init__(self, home: Home) -> None:
        self._home = home

    def probe(self) -> Sequence[Finding]:
        """Look for Vagrant, for the Vagrant provider that would be used, its plugin and its programs."""
        path = shutil.which(PROGRAM)
        if not path:
            meaning = "the provider vagrant cannot be used without it"
            return [Finding(name=PROGRAM, state="missing", meaning=meaning, mend=INSTALL)]
        found = Finding(name=PROGRAM, state="ok", meaning=f"found: {path}")
        try:
            with _nowhere("doctor", Deadline.after(_LOOK_S)) as commands:
                return [found, *choice.findings(commands.plugins()), _boxes(commands)]
        except MachineryError as error:
            meaning = f"it does not work: {error.message}"
            return [Finding(name=PROGRAM, state="missing", meaning=meaning, mend=error.hint or INSTALL)]

    def create(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Choose Vagrant provider and boxes, and write the Vagrantfile; `start` makes the machines."""
        site = Site(instance)
        if site.vagrantfile.exists():
            return
        private_folder(site.root)
        backend = choice.backend(lambda: _plugins(site.label, deadline))
        choice.require_system(backend)
        write_private(site.backend_file, f"{backend}\n".encode())
        progress(f"machines by Vagrant with {backend}")
        commands = _commands(site, deadline)
        setting = self._setting(site, backend, commands)
        for name in site.names:
            # libvirt's log daemon goes on with a file that is there, and the file stays ours.
            private_folder(site.folder(name))
            site.console(name).touch(mode=0o600)
        text = vagrantfile.render(site, setting)
        write_private(site.vagrantfile, text.encode())
        try:
            commands.validate()
        except BaseException:
            site.vagrantfile.unlink()
            raise

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Let Vagrant make and start what does not run, and learn the host keys of new machines."""
        site = Site(instance)
        deadline.require(f"{site.label} to boot")
        if not site.vagrantfile.exists():
            raise ProviderError(f"{site.label} has not been created", hint=f"`lpiclab reset {instance.id}`")
        commands = _commands(site, deadline)
        states = commands.states()
        _require_same_machines(site, states)
        waiting = [
            name for name in site.names if _STATES.get(states.get(name, "")) is not MachineState.RUNNING
        ]
        if waiting:
            for name in waiting:
                progress(f"{name} boots")
            self._up(site, waiting, commands, progress)
        for name in site.names:
            if not site.host_key(name).exists():
                _learn_host_key(site, name, commands, deadline)

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Let Vagrant shut machines down, by force after half a minute, and start them again."""
        site = Site(instance)
        for name in machines:
            if self._state(site, name, deadline) is not MachineState.RUNNING:
                raise _not_running(site, name)
        try:
            _commands(site, deadline).on_machines("reload", "--no-provision", *machines)
        except (ProviderError, TimedOut):
            _force_off(site, machines)
            self._up(site, machines, _commands(site, deadline), _silent)

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Let Vagrant shut all machines down; at the deadline, switch them off."""
        site = Site(instance)
        made = [name for name in site.names if site.has_made(name)]
        if not made:
            return
        if not deadline.expired():
            with contextlib.suppress(ProviderError, TimedOut):
                _commands(site, deadline).on_machines("halt", *made)
                return
        _force_off(site, made)

    def destroy(self, instance: Instance, /) -> None:
        """Let Vagrant remove what it has made, and remove our files; boxes stay."""
        site = Site(instance)
        if site.vagrantfile.exists() and any(site.data.glob("machines/*/*/id")):
            _commands(site, Deadline.after(_DESTROY_S)).on_machines("destroy", "--force")
        for folder in (site.root, instance.folder / "machines"):
            shutil.rmtree(folder, ignore_errors=True)

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Ask Vagrant; what memory and disks its machines take is not known."""
        site = Site(instance)
        if not site.vagrantfile.exists():
            return {name: MachineStatus(state=MachineState.ABSENT) for name in site.names}
        states: Mapping[str, str] | None = {}
        if any(site.has_made(name) for name in site.names):
            try:
                states = _commands(site, Deadline.after(_LOOK_S)).states()
            except LpiclabError:
                states = None  # `up` and `down` tell why
        return {name: MachineStatus(state=_state(site, name, states)) for name in site.names}

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return what `vagrant ssh-config` says, with the host key of the first start.

        Machines of lpiclab's own box let root in; others one user, who becomes root by sudo.
        """
        site = Site(instance)
        if not site.has_made(machine):
            raise _not_running(site, machine)
        if not site.host_key(machine).exists():
            raise ProviderError(
                f"{instance.id}/{machine} has not finished starting",
                hint=f"`lpiclab up {instance.id}` goes on",
            )
        deadline = Deadline.after(_LOOK_S)
        try:
            login = _commands(site, deadline).login(machine)
        except ProviderError:
            if self._state(site, machine, deadline) is not MachineState.RUNNING:
                raise _not_running(site, machine) from None
            raise
        return SshEndpoint(
            host=login["HostName"],
            port=int(login["Port"]),
            host_key=site.host_key(machine).read_text().strip(),
            key_file=Path(login["IdentityFile"]),
            user=login["User"],
            sudo=login["User"] != "root",
        )

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return the serial console's record and all that Vagrant has said."""
        site = Site(instance)
        return [site.console(machine), site.log]

    def save(self, instance: Instance, name: str, /, *, title: str, deadline: Deadline) -> float:
        """Let Vagrant snapshot one machine after the other: not at one moment, unlike the provider `qemu`."""
        site = Site(instance)
        return snapshots.save(site, name, title, _commands(site, deadline))

    def restore(self, instance: Instance, name: str, /, *, deadline: Deadline, progress: Progress) -> None:
        """Let Vagrant bring one machine after the other back to a snapshot, and set their clocks."""
        site = Site(instance)
        snapshots.restore(site, name, _commands(site, deadline), progress)
        for machine in site.names:
            endpoint, label = self.endpoint(instance, machine), f"{instance.id}/{machine}"
            with ssh.Session.connect(endpoint, machine=label, deadline=deadline) as session:
                session.run(f"date --set=@{time.time():.0f}", deadline=deadline)

    def snapshots(self, instance: Instance, /) -> Sequence[Snapshot]:
        """Return the snapshots that `save` has made."""
        return snapshots.listing(Site(instance))

    def forget(self, instance: Instance, name: str, /) -> None:
        """Let Vagrant remove a snapshot of every machine."""
        site = Site(instance)
        snapshots.forget(site, name, _commands(site, Deadline.after(_FORCE_S)))

    def _up(self, site: Site, names: Sequence[str], commands: Commands, progress: Progress) -> None:
        """Start machines; those of two instances are not made at once: plugins look for free names first."""
        words = ["--provider", site.backend, "--no-destroy-on-error", *names]
        if all(site.has_made(name) for name in names):
            commands.on_machines("up", *words)
            return
        lock = private_folder(self._home.settings) / ".vagrant.lock"
        with file_lock(lock, f"up {site.instance.id}", progress):
            commands.on_machines("up", *words)

    def _setting(self, site: Site, backend: str, commands: Commands) -> vagrantfile.Setting:
        distros = {each.distro: catalog.find_distro(each.distro) for each in site.instance.plan.machines}
        added = commands.boxes()
        chosen = {name: boxes.choose(distro, backend, added) for name, distro in distros.items()}
        for name, distro in distros.items():
            if not chosen[name].own:
                overlay.write(distro, site.root / f"{name}.tar")
        machines = site.instance.plan.machines
        return vagrantfile.Setting(
            backend=backend,
            driver=choice.driver(self._home.settings, self._kernel(distros)) if backend == "libvirt" else "",
            boxes={each.name: chosen[each.distro] for each in machines},
            public_key=make_key_pair(site.key, "lpiclab"),
            overlays={each.name: site.root / f"{each.distro}.tar" for each in machines},
            packages={each.name: overlay.packages(distros[each.distro]) for each in machines},
        )

    def _kernel(self, distros: Mapping[str, Distro]) -> Path | None:
        """Return the kernel of an image that happens to be there; Vagrant itself needs none."""
        for distro in distros.values():
            with contextlib.suppress(ImageError):
                if image := images.find(distro, self._home):
                    return image.kernel
        return None

    def _state(self, site: Site, machine: str, deadline: Deadline) -> MachineState:
        if not site.has_made(machine):
            return _state(site, machine, {})
        return _state(site, machine, _commands(site, deadline).states())


@contextlib.contextmanager
def _nowhere(label: str, deadline: Deadline) -> Iterator[Commands]:
    """Hold Vagrant in a folder without any machines."""
    with tempfile.TemporaryDirectory(prefix="lpiclab-") as folder:
        root = Path(folder)
        environment = environment_of(root, root / ".vagrant", "")
        yield Commands(root, label=label, log=root / "log", deadline=deadline, environment=environment)


def _plugins(label: str, deadline: Deadline) -> set[str]:
    with _nowhere(label, deadline) as commands:
        return commands.plugins()


def _boxes(commands: Commands) -> Finding:
    own = sorted({box.name for box in commands.boxes() if box.name.startswith("lpiclab/")})
    meaning = f"lpiclab's own: {', '.join(own)}" if own else "none of lpiclab's own: public ones are fetched"
    return Finding(name="boxes", state="ok", meaning=meaning)


def _commands(site: Site, deadline: Deadline, **more: str) -> Commands:
    return Commands(
        site.root,
        label=site.label,
        log=site.log,
        deadline=deadline,
        environment={**environment_of(site.root, site.data, site.backend), **more},
    )


def _force_off(site: Site, machines: Sequence[str]) -> None:
    """Switch machines off; the variable is for the Vagrantfile, where it says what it is good for."""
    commands = _commands(site, Deadline.after(_FORCE_S), LPICLAB_HALT_S="0")
    commands.on_machines("halt", "--force", *machines)


def _silent(_: str) -> None:
    pass


def _state(site: Site, machine: str, states: Mapping[str, str] | None) -> MachineState:
    """Return a machine's state by Vagrant's words; None where Vagrant could not tell.

    A machine that is written down and not made is off; one that has been made and is there no more was
    removed behind our back, and what set-up did is gone with it.
    """
    if states is None:
        return MachineState.BROKEN
    word = states.get(machine, _NOT_MADE)
    if word != _NOT_MADE:
        return _STATES.get(word, MachineState.BROKEN)
    if site.host_key(machine).exists():
        return MachineState.BROKEN
    return MachineState.STOPPED if site.vagrantfile.exists() else MachineState.ABSENT


def _require_same_machines(site: Site, states: Mapping[str, str]) -> None:
    for name in site.names:
        if states.get(name, _NOT_MADE) == _NOT_MADE and site.host_key(name).exists():
            raise ProviderError(
                f"{site.instance.id}/{name} was removed outside lpiclab, with all that was done on it",
                hint=f"`lpiclab reset {site.instance.id}` makes the lab anew",
            )


def _learn_host_key(site: Site, machine: str, commands: Commands, deadline: Deadline) -> None:
    login = commands.login(machine)
    label = f"{site.instance.id}/{machine}"
    line = ssh.learn_host_key(login["HostName"], int(login["Port"]), machine=label, deadline=deadline)
    write_private(site.host_key(machine), f"{line}\n".encode())


def _not_running(site: Site, machine: str) -> ProviderError:
    return ProviderError(
        f"{site.instance.id}/{machine} is not running",
        hint=f"`lpiclab up {site.instance.id}` starts it again",
    )
