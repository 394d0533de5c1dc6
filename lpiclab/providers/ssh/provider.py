"""The `ssh` provider: it makes no machines, but has those of an inventory for a while."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from lpiclab import catalog
from lpiclab.errors import CommandFailed, GuestError, LpiclabError, MachineryError, ProviderError, TimedOut
from lpiclab.files import private_folder, write_private
from lpiclab.guest import UNDO
from lpiclab.model import Host, Instance, Machine, MachineState, SshEndpoint
from lpiclab.paths import Home
from lpiclab.providers.base import Finding, MachineStatus, Progress
from lpiclab.providers.ssh import claim, survey
from lpiclab.together import together
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from lpiclab.ssh import Session

_KNOCK_S = 3.0
_GIVE_BACK_S = 300.0
_ASK_S = 30.0
_CLOSE_S = 30.0
_PATIENCE_S = 90.0
_ATTEMPT_S = 15.0
_BETWEEN_S = 1.0
_BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is kept here of a machine that was taken: by what it knows us, and whether it is ready."""

    token: str
    complete: bool = False


class SshProvider:
    """Machines that exist already: looked at first, taken, and given back as they were.

    `stop` leaves them running, for they are not ours to switch off; `start` can't switch them on.
    """

    name: ClassVar[str] = "ssh"
    images: ClassVar[bool] = False
    up_limit_s: ClassVar[float] = 600.0
    restart_limit_s: ClassVar[float] = 300.0

    def __init__(self, home: Home) -> None:
        self._home = home

    def probe(self) -> Sequence[Finding]:
        """Need nothing of this host."""
        return [Finding(name="ssh", state="ok", meaning="needs nothing here: an inventory names machines")]

    def look(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Look at every machine of the inventory, and change nothing.

        Raises:
            ProviderError: they can't be used as they are; `details` has everything that is wrong.
        """

        def look_at(machine: Machine) -> list[str]:
            progress(f"looking at {machine.name}")
            distro = catalog.find_distro(machine.distro)
            host = _host(instance, machine.name)
            try:
                with _connect(instance, machine.name, deadline) as session:
                    found = survey.problems(session, machine, host, distro, deadline=deadline)
            except MachineryError as error:
                return [_whole(error)]
            return [f"{instance.id}/{machine.name}: {each}" for each in found]

        problems = together([lambda each=each: look_at(each) for each in instance.plan.machines])  # type: ignore[misc]  # mypy can't type a lambda's default
        if any(problems):
            raise ProviderError(
                f"{instance.id} can't have these machines as they are; nothing was changed on them",
                details="\n".join(line for lines in problems for line in lines),
            )

    def create(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Take the machines: keep what set-up will change, give them host names, clear their disks."""

        def take(machine: Machine) -> None:
            note = _note(instance, machine.name) or _Note(token=secrets.token_hex(8))
            if note.complete:
                return
            host = _host(instance, machine.name)
            # Written first: whatever becomes of this process, the machine can be given back.
            _write(instance, machine.name, note)
            with _connect(instance, machine.name, deadline) as session:
                progress(f"{machine.name}: keeping what set-up will change")
                ours = claim.new_owner(note.token, instance.id)
                distro = catalog.find_distro(machine.distro)
                claim.take(
                    session, machine, host, plan=instance.plan, distro=distro, ours=ours, deadline=deadline
                )
                claim.become(session, machine, host, deadline=deadline)
            _write(instance, machine.name, replace(note, complete=True))

        _for_all([lambda each=each: take(each) for each in instance.plan.machines])  # type: ignore[misc]  # mypy can't type a lambda's default

    def start(self, instance: Instance, /, *, deadline: Deadline, progress: Progress) -> None:
        """Make sure that all machines answer and are still this instance's; none is switched on."""

        def require(name: str) -> None:
            deadline.require(f"{name} to answer")
            _required_note(instance, name)
            with _connect(instance, name, deadline.sooner(_ASK_S)) as session:
                _require_ours(session, instance, name, deadline)
            progress(f"{name} answers")

        _for_all([lambda each=each: require(each.name) for each in instance.plan.machines])  # type: ignore[misc]  # mypy can't type a lambda's default

    def restart(self, instance: Instance, machines: Sequence[str], /, *, deadline: Deadline) -> None:
        """Reboot machines for real, by force those that don't go down, and wait until they answer."""
        for name in machines:
            _required_note(instance, name)
        _for_all([lambda name=name: _reboot(instance, name, deadline) for name in machines])  # type: ignore[misc]  # mypy can't type a lambda's default

    def stop(self, instance: Instance, /, *, deadline: Deadline) -> None:
        """Leave the machines running: who has them may need them, and nobody here could start them."""

    def destroy(self, instance: Instance, /) -> None:
        """Give back all machines that were taken, as they were.

        Raises:
            ProviderError: some could not be given back; the next call tries those again.
        """
        deadline = Deadline.after(_GIVE_BACK_S)

        def give_back(name: str) -> None:
            note = _note(instance, name)
            if note is not None:
                with _connect(instance, name, deadline) as session:
                    claim.give_back(session, f"{instance.id}/{name}", note.token, deadline=deadline)
                _file(instance, name).unlink()

        folder = _file(instance, "").parent
        names = sorted(file.stem for file in folder.glob("*.json"))
        try:
            _for_all([lambda name=name: give_back(name) for name in names])  # type: ignore[misc]  # mypy can't type a lambda's default
        except LpiclabError as error:
            error.hint = "; ".join(
                filter(
                    None,
                    [error.hint, f"a machine that is gone for good is forgotten with its file in {folder}"],
                )
            )
            raise
        shutil.rmtree(folder, ignore_errors=True)

    def status(self, instance: Instance, /) -> Mapping[str, MachineStatus]:
        """Knock at each machine's SSH: one that answers is running."""

        def state(name: str) -> MachineState:
            if _note(instance, name) is None:
                return MachineState.ABSENT
            return MachineState.RUNNING if _answers(_host(instance, name)) else MachineState.STOPPED

        names = [machine.name for machine in instance.plan.machines]
        states = together([lambda name=name: state(name) for name in names])  # type: ignore[misc]  # mypy can't type a lambda's default
        return {name: MachineStatus(state=each) for name, each in zip(names, states, strict=True)}

    def endpoint(self, instance: Instance, machine: str, /) -> SshEndpoint:
        """Return where the inventory says that the machine is."""
        _required_note(instance, machine)
        return _endpoint(instance, machine)

    def logs(self, instance: Instance, machine: str, /) -> Sequence[Path]:
        """Return nothing: what such a machine writes down stays on it."""
        del instance, machine
        return []


def _for_all(jobs: Iterable[Callable[[], None]]) -> None:
    """Do the same with several machines at once, to the end with each, and tell all that went wrong."""
    failures: list[LpiclabError] = []

    def attempt(job: Callable[[], None]) -> None:
        try:
            job()
        except LpiclabError as error:
            failures.append(error)

    together([lambda job=job: attempt(job) for job in jobs])  # type: ignore[misc]  # mypy can't type a lambda's default
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ProviderError(
            f"{len(failures)} machines failed", details="\n".join(sorted(map(_whole, failures)))
        )


def _whole(error: LpiclabError) -> str:
    """Return an error in one line."""
    words = error.message if not error.details else f"{error.message}: {' '.join(error.details.split())}"
    return f"{words} ({error.hint})" if error.hint else words


def _file(instance: Instance, machine: str) -> Path:
    # Not in `machines`, which is that of providers with machines of their own: they remove it.
    return instance.folder / "taken" / f"{machine}.json"


def _note(instance: Instance, machine: str) -> _Note | None:
    try:
        return msgspec.json.decode(_file(instance, machine).read_bytes(), type=_Note)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise ProviderError(
            f"{instance.id}/{machine}: {_file(instance, machine)} is damaged: {error}",
            hint=f"`bash {UNDO}` as root on the machine gives it back; then remove that file",
        ) from error


def _required_note(instance: Instance, machine: str) -> _Note:
    note = _note(instance, machine)
    if note is None:
        raise ProviderError(
            f"{instance.id}/{machine} has not been taken", hint=f"`lpiclab up {instance.id}` does so"
        )
    return note


def _write(instance: Instance, machine: str, note: _Note) -> None:
    file = _file(instance, machine)
    private_folder(file.parent)
    write_private(file, msgspec.json.encode(note))


def _host(instance: Instance, machine: str) -> Host:
    try:
        return instance.hosts[machine]
    except KeyError:
        raise ProviderError(
            f"{instance.id}: there is no inventory that says where {machine} is",
            hint=f"`lpiclab up {instance.id} --provider ssh --inventory FILE`",
        ) from None


def _endpoint(instance: Instance, machine: str) -> SshEndpoint:
    host = _host(instance, machine)
    return SshEndpoint(
        host=host.address,
        port=host.port,
        host_key=host.host_key,
        key_file=Path(host.key),
        user=host.user,
        learner=host.user,
        sudo=True,
        inventoried=True,
    )


def _connect(instance: Instance, machine: str, deadline: Deadline) -> Session:
    from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

    label = f"{instance.id}/{machine}"
    return Session.connect(_endpoint(instance, machine), machine=label, deadline=deadline)


def _answers(host: Host) -> bool:
    """Tell whether an SSH server greets us; it is told nothing."""
    try:
        with socket.create_connection((host.address, host.port), timeout=_KNOCK_S) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _require_ours(session: Session, instance: Instance, machine: str, deadline: Deadline) -> None:
    owner = claim.owner(session, deadline=deadline)
    if owner is None or owner.token != _required_note(instance, machine).token:
        now = f"in use by {owner}" if owner else "given back by hand"
        raise ProviderError(
            f"{instance.id}/{machine} is not this instance's any more: it is {now}",
            hint=f"`lpiclab down {instance.id}`, then `up` with an inventory",
        )


def _reboot(instance: Instance, machine: str, deadline: Deadline) -> None:
    with _connect(instance, machine, deadline) as session:
        _require_ours(session, instance, machine, deadline)
        before = _boot_id(session, deadline)
        _tell(session, "systemctl reboot", deadline)
        # A connection that the machine can't end any more stays open here.
        session.wait_closed(deadline.sooner(_CLOSE_S))
    patience = Deadline.after(_PATIENCE_S)
    while True:
        deadline.require(f"{instance.id}/{machine} to come back from its reboot")
        with (
            contextlib.suppress(GuestError, TimedOut),
            _connect(instance, machine, deadline.sooner(_ATTEMPT_S)) as session,
        ):
            if _boot_id(session, deadline.sooner(_ATTEMPT_S)) != before:
                return
            if patience.expired():
                _tell(session, "systemctl reboot --force", deadline)
                patience = Deadline.after(_PATIENCE_S)
        time.sleep(min(_BETWEEN_S, deadline.left_s()))


def _boot_id(session: Session, deadline: Deadline) -> bytes:
    result = session.run(_BOOT_ID, deadline=deadline)
    if result.status != 0:
        raise CommandFailed(f"`{_BOOT_ID}` failed", details=result.stderr.decode(errors="replace"))
    return result.stdout


def _tell(session: Session, command: str, deadline: Deadline) -> None:
    """Run a command after which the machine may be gone at any moment."""
    with contextlib.suppress(GuestError, TimedOut):
        session.run(command, deadline=deadline.sooner(_ASK_S))
