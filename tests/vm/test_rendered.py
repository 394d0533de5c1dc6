"""Configuration of labs for both families, put where the real programs read it, and read by them.

The machine is a Debian, also for the CentOS family's files: what hangs on a program's release or on how it
was built there is not seen. No script is run: of set-up's, and of that family's solutions, which have never
been run, what they write by ``cat`` and ``echo`` is taken. Solutions for Debian run in ``tests/labs``.
"""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from lpiclab import catalog, images, labs, render
from lpiclab.engine.context import DEFAULT_DISTRO
from lpiclab.families import of_family
from lpiclab.files import private_folder
from lpiclab.model import Distro, Instance, Lab, Machine, Plan, RenderedStep
from lpiclab.paths import Home, bundled
from lpiclab.providers.qemu.provider import QemuProvider
from lpiclab.ssh import Session
from lpiclab.wait import Deadline

pytestmark = pytest.mark.vm

Complaints = Callable[..., str]
DISTROS = ("almalinux-9", "debian-13")
UNREAD = {
    "/etc/resolv.conf": "whoever looks a name up reads it, and complains of nothing",
    "/etc/NetworkManager/conf.d/lab-dns.conf": "a Debian of ours has no NetworkManager",
}
"""Files of set-up that no program is asked about, each with its reason."""

GARBAGE = '\n} ((( "\nno such word = 1\n'
"""What no format allows at the end of a file; Samba passes over all but the last line."""

_PACKAGED = {
    "/etc/named.conf": """\
options {
	listen-on port 53 { 127.0.0.1; };
	directory "/var/named";
	allow-query { localhost; };
};
"""
}
"""Of files that the CentOS family's packages bring, and solutions add to: what matters here."""

_WRITTEN = re.compile(
    r"""^cat\ >(?P<more>>?)\ (?P<path>[^\s$"]+)\ <<'(?P<end>\w+)'\n(?P<content>.*?\n)(?P=end)$
    |^echo\ (?P<quote>['"])(?P<line>[^\n$]*)(?P=quote)\ >(?P<line_more>>?)\ (?P<line_path>[^\s$"]+)$""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
_SCRIPT = """\
mount -t tmpfs tmpfs /mnt
for folder in etc var srv usr/local; do
    mkdir -p /mnt/$folder/upper /mnt/$folder/work
    above=upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work
    mount -t overlay overlay -o lowerdir=/$folder,$above /$folder
done
"""
_START_S = 180.0
_COMMAND_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A program that reads files whose paths begin with one of `prefixes`; its command gets them as ``$@``.

    `complaint` is what it must not say, where its exit status does not tell.
    """

    prefixes: tuple[str, ...]
    command: str
    complaint: str = ""

    def reads(self, path: str) -> bool:
        """Tell whether the program reads this file."""
        return path.startswith(self.prefixes)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The files of one machine that belong together; those of `added` end what is there already."""

    distro: Distro
    files: Mapping[str, str]
    added: Mapping[str, str] = field(default_factory=dict)


def _readers(distro: Distro) -> list[Reader]:
    paths = distro.paths
    bind = tuple(paths[name] for name in ("bind_main", "bind_options", "bind_local"))
    folders = (f"{paths['bind_config']}/", f"{paths['bind_primary_zones']}/")
    needed = f"mkdir -p {paths['bind_zones']} {paths['bind_secondary_zones']}"
    only_site = "" if distro.family == "debian" else "rm /etc/nginx/sites-enabled/*; "
    exported = f"cat {paths['nfs_exports']} {paths['nfs_exports']}.d/* 2> /dev/null"
    return [
        Reader(prefixes=(*bind, *folders), command=f"{needed}; named-checkconf -z {paths['bind_main']}"),
        Reader(
            prefixes=(paths["squid_config"], paths.get("squid_conf_d", paths["squid_config"])),
            command=f"squid -k parse -f {paths['squid_config']}",
            complaint="FATAL|ERROR",
        ),
        Reader(prefixes=(f"{paths['nginx_config']}/",), command=f"{only_site}nginx -t"),
        Reader(prefixes=(paths["samba_config"],), command="testparm -s", complaint="Unknown|Ignoring|ERROR"),
        Reader(
            prefixes=(paths["nfs_exports"],),
            command=f"mkdir -p $({exported} | sed -n 's#^\\(/[^ ]*\\) .*#\\1#p'); exportfs -ra",
            complaint="exportfs: ",
        ),
        Reader(
            prefixes=(f"{paths['nfs_conf_d']}/",),
            command="nfsconf --dump > /dev/null",
            complaint=r"config|error",
        ),
        Reader(
            prefixes=("/etc/systemd/system/",),
            command='systemd-analyze verify --man=no "$@"',
            complaint=r"/etc/systemd/system/.*:\d+: ",
        ),
        Reader(prefixes=("/usr/local/sbin/",), command="for file; do sh -n $file; done"),
    ]


def _groups() -> Iterator[tuple[str, Group]]:
    """Yield what each machine of each lab gets, named: by set-up, and by solutions that were never run."""
    for name, folder in labs.lab_folders([bundled("labs")]).items():
        for distro in map(catalog.find_distro, DISTROS):
            lab = of_family(labs.load(folder), distro.family)
            if distro.family in lab.families:
                yield from _of_lab(f"{distro.id}-{name}", lab, distro)


def _of_lab(name: str, lab: Lab, distro: Distro) -> Iterator[tuple[str, Group]]:
    plan = render.plan(lab, seed="", distro=distro, template_roots=[bundled("templates")])
    for machine in plan.machines:
        put = {file.path: file.content for file in plan.files if file.machine == machine.name}
        put = {path: content for path, content in put.items() if path not in UNREAD}
        first = [step for step in plan.setup if step.machine == machine.name]
        set_up = _written(distro, put, first)
        if set_up.files or set_up.added:
            yield f"{name}-{machine.name}", set_up
        if distro.family == catalog.find_distro(DEFAULT_DISTRO).family:
            continue
        for solution in lab.solutions:
            steps = render.render_steps(lab, solution.steps, plan, distro)
            then = [step for step in steps if step.machine == machine.name]
            group = _written(distro, put, [*first, *then])
            if group != set_up:
                yield f"{name}-{machine.name}-{solution.id}", group


def _written(distro: Distro, put: Mapping[str, str], steps: Iterable[RenderedStep]) -> Group:
    """Return set-up's files with what scripts write whole or add, as far as a reader knows it."""
    files, added = dict(put), dict[str, str]()
    for step in steps:
        for found in _WRITTEN.finditer(step.content):
            more, path = found["more"] or found["line_more"], found["path"] or found["line_path"]
            content = found["content"] or f"{found['line']}\n"
            if not any(reader.reads(path) for reader in _readers(distro)):
                continue
            if not more:
                files[path] = content
                added.pop(path, None)
            elif path in files or path in _PACKAGED:
                files[path] = files.get(path, _PACKAGED.get(path, "")) + content
            else:
                added[path] = added.get(path, "") + content
    return Group(distro=distro, files=files, added=added)


GROUPS = dict(_groups())
BROKEN = {
    (group.distro.id, path): (name, path)
    for name, group in reversed(GROUPS.items())
    for path in (*group.files, *group.added)
}
"""Each path once, with the first group that it is in: a later one may not read it any more."""


@pytest.fixture(scope="module")
def complaints(vm_home: Home, make_plan: Callable[..., Plan]) -> Iterator[Complaints]:
    """Yield what puts a group's files on a machine for a moment, and returns what programs find wrong."""
    distro = catalog.find_distro(DEFAULT_DISTRO)
    image = images.ensure(distro, vm_home, print)
    machine = Machine(name="reader", distro=distro.id)
    plan = make_plan(machine, lab_id="rendered", networks=())
    folder = private_folder(vm_home.instances / "rendered")
    instance = Instance(id="rendered", folder=folder, plan=plan, images={distro.id: image})
    provider = QemuProvider(vm_home)
    deadline = Deadline.after(_START_S)
    try:
        provider.create(instance, deadline=deadline, progress=print)
        provider.start(instance, deadline=deadline, progress=print)
        endpoint = provider.endpoint(instance, machine.name)
        with Session.connect(endpoint, machine=machine.name, deadline=deadline) as session:
            yield lambda group, about="": _complaints(session, group, about)
    finally:
        provider.destroy(instance)


def _complaints(session: Session, group: Group, about: str) -> str:
    """Let the programs read a group's files, in a mount namespace whose changes are gone afterwards.

    With a path in `about`, only those are asked that read it.
    """
    places = [*group.files, *group.added]
    said = []
    for reader in _readers(group.distro):
        read = [each for each in places if reader.reads(each)]
        if not read or (about and about not in read):
            continue
        script = [_SCRIPT, "tar --extract --directory /"]
        script += [f"cat /mnt/{number} >> {path}" for number, path in enumerate(group.added)]
        words = shlex.quote("\n".join([*script, reader.command]))
        command = f"unshare --mount bash -eo pipefail -c {words} reader {shlex.join(read)} 2>&1"
        result = session.run(command, stdin=_archive(group), deadline=Deadline.after(_COMMAND_S))
        output = result.stdout.decode(errors="replace")
        if result.status or (reader.complaint and re.search(reader.complaint, output)):
            said.append(f"{reader.command}: status {result.status}\n{output}")
    return "\n".join(said)


def _archive(group: Group) -> bytes:
    added = {f"mnt/{number}": content for number, content in enumerate(group.added.values())}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in {**group.files, **added}.items():
            member = tarfile.TarInfo(path.removeprefix("/"))
            member.size = len(content.encode())
            member.mode = 0o755 if content.startswith("#!") else 0o644
            archive.addfile(member, io.BytesIO(content.encode()))
    return stream.getvalue()


@pytest.mark.parametrize("name", GROUPS)
def test_programs_accept_what_labs_write(name: str, complaints: Complaints) -> None:
    """The program that each file is for reads it without a complaint."""
    assert complaints(GROUPS[name]) == ""


@pytest.mark.parametrize(("name", "path"), BROKEN.values())
def test_programs_refuse_a_broken_file(name: str, path: str, complaints: Complaints) -> None:
    """Garbage at the end of any file is found: whoever accepted it has read it."""
    group = GROUPS[name]
    files, added = (
        {each: content + GARBAGE * (each == path) for each, content in part.items()}
        for part in (group.files, group.added)
    )
    assert complaints(Group(distro=group.distro, files=files, added=added), path)


def test_every_file_of_set_up_has_its_reader() -> None:
    """A lab's new file gets a program that reads it, or a reason why none does."""
    unread = {
        path
        for group in GROUPS.values()
        for path in (*group.files, *group.added)
        if not any(reader.reads(path) for reader in _readers(group.distro))
    }
    assert unread == set()
