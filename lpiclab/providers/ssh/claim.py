"""Have a machine of an inventory for one instance alone, and give it back as it was.

Everything about it is on the machine, in a folder of root's (`lpiclab.guest.FOLDER`): whose the
machine is, the originals of all files that set-up replaces or the lab restores, its host name, its
services' states, which disks and cards are the lab's, the lab's undo steps, and the script `undo`,
which needs nothing of this host. The folder is prepared beside its place and gets there by one
rename(2): before it nothing is changed, after it everything can be undone, and of two instances one
comes first.
"""

from __future__ import annotations

import getpass
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lpiclab import guest
from lpiclab.errors import CommandFailed, ProviderError
from lpiclab.guest import FOLDER, UNDO
from lpiclab.model import CommandResult, Distro, Host, Machine, Plan, RenderedFile
from lpiclab.provision import Runner, put
from lpiclab.wait import Deadline

_SCRIPTS = Path(__file__).with_name("guest")
_TAKEN = 3
_TAIL_BYTES = 3000
_IDENTITY = ("/etc/hostname", "/etc/hosts")
# A boot waits for disks that these name, and the lab's disks are cleared in the end.
_DISK_TABLES = ("/etc/fstab", "/etc/crypttab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The instance that a machine is in use by, and who made it; `token` tells it from all others."""

    token: str
    instance: str
    by: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.instance} of {self.by}"


def new_owner(token: str, instance_id: str) -> Owner:
    """Return an instance of this user on this host as an owner."""
    return Owner(token=token, instance=instance_id, by=f"{getpass.getuser()}@{socket.gethostname()}")


def get_rid(owner: Owner) -> str:
    """Return how a machine gets rid of its owner, in words."""
    return f"`lpiclab down {owner.instance}` of theirs gives it back, and so does `bash {UNDO}` as root on it"


def owner(runner: Runner, *, deadline: Deadline) -> Owner | None:
    """Return whose a machine is; None when it is free."""
    result = runner.run(shlex.join(["cat", f"{FOLDER}/instance"]), deadline=deadline)
    if result.status != 0:
        return None
    try:
        return msgspec.json.decode(result.stdout, type=Owner)
    except msgspec.MsgspecError:
        return Owner(token="", instance="an instance", by="somebody unknown")


def kept_files(plan: Plan, machine: Machine, distro: Distro) -> tuple[str, ...]:
    """Return the files of a machine that set-up replaces, and those that name the lab's disks."""
    network, _ = guest.network_setup(machine, distro.family)
    files = [*network, *(file for file in plan.files if file.machine == machine.name)]
    mdadm = [distro.paths.get(name, "") for name in ("mdadm_config", "mdadm_config_preferred")]
    tables = [*_DISK_TABLES, *mdadm] if machine.disks else []
    return tuple(dict.fromkeys([*_IDENTITY, *filter(None, tables), *(file.path for file in files)]))


def take(
    runner: Runner,
    machine: Machine,
    host: Host,
    *,
    plan: Plan,
    distro: Distro,
    ours: Owner,
    deadline: Deadline,
) -> None:
    """Make a machine `ours`, having kept what set-up will change; a machine that is ours stays so.

    Raises:
        ProviderError: another instance has it.
        CommandFailed: something could not be kept; nothing is changed.
    """
    if owner(runner, deadline=deadline) == ours:
        return
    mine = f"{FOLDER}.{ours.token}"
    for path, content in _contents(machine, plan, ours):
        file = RenderedFile(
            machine=machine.name,
            path=f"{mine}/{path}",
            content=content,
            owner="root",
            group="root",
            mode=0o600,
        )
        put(runner, file, deadline=deadline)
    lines = [f"file {path}" for path in kept_files(plan, machine, distro)]
    for restore in plan.restores:
        if restore.machine == machine.name:
            lines += [f"tree {path}" for path in restore.paths]
            lines += [f"service {service}" for service in restore.services]
            lines += [f"user {user}" for user in restore.users]
    lines += [f"disk {disk.name}" for disk in machine.disks]
    lines += [f"card {card}" for card in host.interfaces]
    result = _run(runner, "claim", mine, stdin="\n".join([*lines, ""]).encode(), deadline=deadline)
    if result.status == _TAKEN:
        theirs = owner(runner, deadline=deadline)
        who = f"is in use by {theirs}" if theirs else f"has a folder {FOLDER} that is not ours"
        hint = get_rid(theirs) if theirs else f"look at {FOLDER} on it, and remove it if it is of no use"
        raise ProviderError(f"{machine.name} {who}", hint=hint)
    _require_success(result, f"{machine.name}: what set-up changes could not be kept; nothing was changed")


def become(runner: Runner, machine: Machine, host: Host, *, deadline: Deadline) -> None:
    """Give a machine the lab's host name, and clear its disks where the inventory allows that.

    Raises:
        CommandFailed: it did not work.
    """
    wiped = [disk.name for disk in host.disks if disk.wipe]
    result = _run(runner, "become", machine.hostname or machine.name, *wiped, deadline=deadline)
    _require_success(result, f"{machine.name}: could not get its host name, or its disks cleared")


def give_back(runner: Runner, machine: str, token: str, *, deadline: Deadline) -> None:
    """Make a machine what it was before it was taken; one that is not ours is left alone.

    Raises:
        CommandFailed: something could not be undone; it can be tried again.
    """
    theirs = owner(runner, deadline=deadline)
    if theirs is None or theirs.token != token:
        # What a taking that was cut short has prepared; nothing was changed then.
        runner.run(shlex.join(["rm", "-rf", f"{FOLDER}.{token}"]), deadline=deadline)
        return
    result = runner.run(shlex.join(["bash", UNDO]), deadline=deadline)
    _require_success(result, f"{machine}: could not be given back", hint="then `lpiclab down` again")


def _contents(machine: Machine, plan: Plan, ours: Owner) -> Iterator[tuple[str, str]]:
    """Yield what the folder holds that does not come from the machine itself."""
    yield "instance", msgspec.json.encode(ours).decode() + "\n"
    yield "undo", (_SCRIPTS / "undo").read_text()
    steps = [step for step in plan.undo if step.machine == machine.name]
    for number, step in enumerate(steps, 1):
        yield f"steps/{number:02}-{Path(step.source).name}", step.content


def _run(runner: Runner, script: str, *words: str, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
    content = (_SCRIPTS / script).read_text()
    return runner.run(shlex.join(["bash", "-c", content, script, *words]), stdin=stdin, deadline=deadline)


def _require_success(result: CommandResult, message: str, hint: str = "") -> None:
    if result.status != 0:
        output = (result.stdout + result.stderr)[-_TAIL_BYTES:].decode(errors="replace").strip()
        raise CommandFailed(f"{message} (status {result.status})", details=output, hint=hint)
