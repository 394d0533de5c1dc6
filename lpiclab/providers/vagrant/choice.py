"""Which Vagrant provider has the machines, and by what their processors run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from lpiclab.errors import MissingTool, ProviderError, UsageError
from lpiclab.names import nearest
from lpiclab.providers.base import Finding
from lpiclab.providers.qemu import accelerator

BACKENDS = ("libvirt", "virtualbox", "vmware_desktop")
"""The Vagrant providers that lpiclab can write a Vagrantfile for, the first preferred."""
DRIVER_VARIABLE = "LPICLAB_VAGRANT_DRIVER"
_DRIVERS = ("kvm", "qemu")
_SYSTEM_URI = re.compile(r"qemu(\+unix)?:///system(\?.*)?")
_KVM = Path("/dev/kvm")
_PLUGINS = {"libvirt": "vagrant-libvirt", "vmware_desktop": "vagrant-vmware-desktop"}
_PROGRAMS = {"libvirt": "qemu-system-x86_64", "virtualbox": "VBoxManage", "vmware_desktop": "vmrun"}
_MEND = {
    "libvirt": "apt-get install vagrant-libvirt libvirt-daemon-system qemu-system-x86",
    "virtualbox": "install VirtualBox from its makers",
    "vmware_desktop": "install VMware Workstation, the Vagrant VMware utility, and "
    "`vagrant plugin install vagrant-vmware-desktop`",
}


def asked() -> str | None:
    """Return the Vagrant provider that ``VAGRANT_DEFAULT_PROVIDER`` names, if any.

    Raises:
        UsageError: lpiclab does not know it.
    """
    name = os.environ.get("VAGRANT_DEFAULT_PROVIDER")
    if name and name not in BACKENDS:
        raise UsageError(
            f'VAGRANT_DEFAULT_PROVIDER is "{name}", which lpiclab has no Vagrantfile for',
            hint=f"{nearest(name, BACKENDS)}; it knows {', '.join(BACKENDS)}",
        )
    return name or None


def backend(plugins: Callable[[], Collection[str]]) -> str:
    """Return the Vagrant provider to make machines with: the one asked for, else the first that is there.

    `plugins` is only called when it is needed: Vagrant takes a second to tell.

    Raises:
        MissingTool: there is none.
        UsageError: lpiclab does not know the one that is asked for.
    """
    if name := asked():
        return name
    found = plugins()
    for name in BACKENDS:
        if lacks(name, found) is None:
            return name
    raise MissingTool(
        "Vagrant has no provider that lpiclab can use: no libvirt, VirtualBox or VMware",
        hint=_MEND["libvirt"],
    )


def require_system(name: str) -> None:
    """Refuse another libvirt than this host's system one.

    In session mode vagrant-libvirt makes no networks; machines on another host could not be reached.

    Raises:
        ProviderError: ``LIBVIRT_DEFAULT_URI`` asks for another.
    """
    uri = os.environ.get("LIBVIRT_DEFAULT_URI")
    if name == "libvirt" and uri and not _SYSTEM_URI.fullmatch(uri):
        raise ProviderError(
            f"LIBVIRT_DEFAULT_URI is {uri}: lpiclab's machines need this host's system libvirt",
            hint="LIBVIRT_DEFAULT_URI=qemu:///system",
        )


def lacks(name: str, plugins: Collection[str]) -> str | None:
    """Return what a Vagrant provider lacks on this host, None when it is complete."""
    plugin, program = _PLUGINS.get(name), _PROGRAMS[name]
    if plugin and plugin not in plugins:
        return f"the plugin {plugin}"
    return None if shutil.which(program) else program


def findings(plugins: Collection[str]) -> list[Finding]:
    """Tell about the Vagrant provider that is asked for, else about the first that is there."""
    try:
        name = asked() or next((each for each in BACKENDS if lacks(each, plugins) is None), BACKENDS[0])
    except UsageError as error:
        return [Finding(name="Vagrant provider", state="missing", meaning=error.message, mend=error.hint)]
    missing = lacks(name, plugins)
    if missing:
        meaning = f"Vagrant can't use {name}: {missing} is missing"
        return [Finding(name=f"Vagrant with {name}", state="missing", meaning=meaning, mend=_MEND[name])]
    return [Finding(name=f"Vagrant with {name}", state="ok", meaning="its plugin and its programs are found")]


def driver(settings: Path, kernel: Path | None) -> str:
    """Return libvirt's driver: ``kvm``, or ``qemu`` where processors have to be emulated.

    ``LPICLAB_VAGRANT_DRIVER`` decides; else a trial with `kernel`, which the provider `qemu` shares. Where
    there is no kernel at hand, or we may not use ``/dev/kvm``, its being there decides: libvirt's user may.

    Raises:
        UsageError: the variable names no driver.
    """
    if wanted := os.environ.get(DRIVER_VARIABLE):
        if wanted not in _DRIVERS:
            raise UsageError(
                f'{DRIVER_VARIABLE} is "{wanted}", which is no driver', hint=f"say {' or '.join(_DRIVERS)}"
            )
        return wanted
    shown = accelerator.known(settings)
    if shown is None and kernel is not None and os.access(_KVM, os.R_OK | os.W_OK):
        shown = accelerator.ensure(settings, kernel)
    if shown is None:
        shown = "kvm" if _KVM.exists() else "tcg"
    return {"kvm": "kvm", "tcg": "qemu"}[shown]
