"""What every use case works with: folders, labs, records, providers, sessions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lpiclab.errors import SpecError, SpecProblem, StateError, UsageError
from lpiclab.families import of_family
from lpiclab.model import Distro, Host, Image, Instance, Lab, LabText, Language, Machine, Plan
from lpiclab.paths import Home, bundled
from lpiclab.providers.base import Provider
from lpiclab.providers.registry import load_provider
from lpiclab.state import Record, Store
from lpiclab.together import together
from lpiclab.wait import Deadline

if TYPE_CHECKING:
    from lpiclab.ssh import Session

DEFAULT_DISTRO = "debian-13"
Progress = Callable[[str], None]


def silent(_message: str) -> None:
    """Show nothing."""


def instance_of(name: str) -> str:
    """Return the instance id for a lab given by id, instance id or path."""
    return _folder_of(name).resolve().name if is_path(name) else name


def is_path(name: str) -> bool:
    """Tell whether a lab is given by its place rather than by its name."""
    return "/" in name or name == "."


def _folder_of(path: str) -> Path:
    """Return a lab's folder by its path or that of its ``lab.yaml``."""
    folder = Path(path)
    return folder.parent if folder.name == "lab.yaml" else folder


def _with_cards(machine: Machine, host: Host) -> Machine:
    cards = zip(machine.nics, host.interfaces, strict=True)
    return replace(machine, nics=tuple(replace(nic, interface=interface) for nic, interface in cards))


@dataclass(frozen=True, kw_only=True)
class Context:
    """The folders in use and how to talk to the user while something takes long."""

    home: Home
    lab_roots: Sequence[Path]
    template_roots: Sequence[Path]
    progress: Progress = silent
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Store(self.home))

    @classmethod
    def from_environment(cls, progress: Progress = silent) -> Context:
        """Return the context of this user: ``LPICLAB_HOME``, ``LPICLAB_LABS`` (folders, by ``:``)."""
        extra = [Path(each) for each in os.environ.get("LPICLAB_LABS", "").split(":") if each]
        return cls(
            home=Home.from_environment(),
            lab_roots=[*extra, bundled("labs")],
            template_roots=[bundled("templates")],
            progress=progress,
        )

    def lab(self, name: str) -> Lab:
        """Return the lab of an instance that is up, a lab id or a lab's folder, as its author wrote it.

        Raises:
            UsageError: there is none; the nearest name is suggested.
            SpecError: it has mistakes.
        """
        from lpiclab import labs  # noqa: PLC0415 - YAML would slow down `--help`

        if not is_path(name) and (record := self.store.find(name)):
            return self._lab_behind(record)
        return labs.load(self.lab_folder(name), template_roots=self.template_roots)

    def lab_on(self, name: str, distro: str | None) -> Lab:
        """Return the lab called `name` as a distribution's family has it, the default's without one.

        Raises:
            UsageError: there is no such lab or distribution; the nearest name is suggested.
            SpecError: the lab has mistakes.
        """
        return of_family(self.lab(name), self.distro(distro or DEFAULT_DISTRO).family)

    def lab_folder(self, name: str) -> Path:
        """Return the folder of a lab given by id, instance id or path.

        An instance that is there knows its own.

        Raises:
            UsageError: there is none; the nearest name is suggested.
        """
        from lpiclab import labs  # noqa: PLC0415 - YAML would slow down `--help`

        if is_path(name):
            folder = _folder_of(name)
            if not (folder / "lab.yaml").is_file():
                raise UsageError(
                    f"no lab in {name}: there is no lab.yaml",
                    hint="name a lab's folder, or a lab of `lpiclab list` without any /",
                )
            return folder.resolve()
        with contextlib.suppress(StateError):
            record = self.store.find(name)
            if record and (Path(record.lab_folder) / "lab.yaml").is_file():
                return Path(record.lab_folder)
        return labs.find_lab(name.partition("@")[0], self.lab_roots)

    def text(self, lab: Lab, plan: Plan, language: Language) -> LabText:
        """Return the lab's words in one language, with the plan's values in place."""
        from lpiclab import labs, render  # noqa: PLC0415 - jinja2 costs 50 ms

        return render.render_text(labs.load_texts(lab)[language], lab, plan, self.distro(plan.distro))

    def distro(self, name: str) -> Distro:
        """Return a distribution of the catalogue."""
        from lpiclab import catalog  # noqa: PLC0415 - YAML would slow down `--help`

        return catalog.find_distro(name)

    def accelerator(self) -> str:
        """Return what machines run with on this host, as far as it is known: ``kvm`` or ``tcg``."""
        from lpiclab.providers.qemu import accelerator  # noqa: PLC0415 - only where an image is built

        return accelerator.known(self.home.settings) or "tcg"

    def plan(self, lab: Lab, *, seed: str, distro: Distro, hosts: Mapping[str, Host] | None = None) -> Plan:
        """Apply a seed and a distribution to a lab, and the names of cards of `hosts` that exist already."""
        if distro.family not in lab.families:
            reason = f" ({lab.only_because})" if lab.only_because else ""
            raise UsageError(
                f"{lab.id} does not run on {distro.id}", hint=f"it runs on: {', '.join(lab.families)}{reason}"
            )
        from lpiclab import render  # noqa: PLC0415 - jinja2 costs 50 ms

        if hosts:
            lab = replace(lab, machines=tuple(_with_cards(each, hosts[each.name]) for each in lab.machines))
        return render.plan(lab, seed=seed, distro=distro, template_roots=self.template_roots)

    def record(self, name: str) -> Record:
        """Return the record of an instance that is up.

        Raises:
            UsageError: there is no such lab or it is not up.
            StateError: its `up` was interrupted.
        """
        if self.store.find(name) is None:
            self.lab_folder(name)
        record = self.store.load(name)
        if record.phase != "ready":
            raise StateError(
                f"{name} is only half set up: its `up` was interrupted",
                hint=f"`lpiclab up {name}` starts it over, `lpiclab down {name}` removes it",
            )
        return record

    def lab_of(self, record: Record) -> Lab:
        """Return the lab that an instance was made from, as it is on disk now and its family has it."""
        return of_family(self._lab_behind(record), self.distro(record.plan.distro).family)

    def _lab_behind(self, record: Record) -> Lab:
        from lpiclab import labs  # noqa: PLC0415 - YAML would slow down `--help`

        folder = Path(record.lab_folder)
        if not (folder / "lab.yaml").is_file():
            problem = SpecProblem(folder / "lab.yaml", 0, 0, f"the lab of {record.id} is gone")
            raise SpecError([problem])
        return labs.load(folder, template_roots=self.template_roots)

    def provider(self, record: Record) -> Provider:
        """Return the provider that has the instance's machines."""
        return load_provider(record.provider, self.home)

    def instance(self, record: Record, *, with_images: bool = True) -> Instance:
        """Return what the provider needs to know of a record's instance.

        Looking at machines and removing them needs no images, so damaged ones are no hindrance then.

        Raises:
            ImageError: an image is damaged.
        """
        images = self._images(record) if with_images else {}
        folder = self.store.folder(record.id)
        hosts = self.store.hosts(record.id)
        return Instance(id=record.id, folder=folder, plan=record.plan, images=images, hosts=hosts)

    def _images(self, record: Record) -> Mapping[str, Image]:
        from lpiclab import images  # noqa: PLC0415 - only where machines are at hand

        found = {
            distro: images.find(self.distro(distro), self.home, digest=digest)
            for distro, digest in record.images.items()
        }
        return {distro: image for distro, image in found.items() if image is not None}

    def machine(self, record: Record, name: str | None) -> str:
        """Return a machine's name: the first where none is given.

        Raises:
            UsageError: the instance has no such machine.
        """
        from lpiclab.names import nearest  # noqa: PLC0415 - only for a mistake

        known = [machine.name for machine in record.plan.machines]
        if name is None:
            return known[0]
        if name not in known:
            raise UsageError(f'{record.id} has no machine "{name}"', hint=nearest(name, known))
        return name

    @contextlib.contextmanager
    def sessions(self, record: Record, *, deadline: Deadline) -> Iterator[Mapping[str, Session]]:
        """Hold a root session to each machine of an instance, made side by side."""
        from lpiclab.ssh import Session  # noqa: PLC0415 - paramiko costs 100 ms

        provider, instance = self.provider(record), self.instance(record)
        made: dict[str, Session] = {}

        def connect(machine: str) -> None:
            endpoint = provider.endpoint(instance, machine)
            label = f"{record.id}/{machine}"
            made[machine] = Session.connect(endpoint, machine=label, deadline=deadline)

        names = [machine.name for machine in record.plan.machines]
        try:
            together([lambda name=name: connect(name) for name in names])  # type: ignore[misc]  # mypy can't type a lambda's default
            yield made
        finally:
            for session in list(made.values()):
                session.close()
