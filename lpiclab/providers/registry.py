"""Providers by name, imported only when used."""

from __future__ import annotations

import importlib

from lpiclab.errors import UsageError
from lpiclab.names import nearest
from lpiclab.paths import Home
from lpiclab.providers.base import Provider

DEFAULT = "qemu"
PROVIDERS = {
    "qemu": "lpiclab.providers.qemu.provider:QemuProvider",
    "ssh": "lpiclab.providers.ssh.provider:SshProvider",
    "vagrant": "lpiclab.providers.vagrant.provider:VagrantProvider",
    "fake": "lpiclab.providers.fake:FakeProvider",
}
"""Each is made with one argument, the `Home`. `fake` has no machines: it is for tests."""


def load_provider(name: str, home: Home) -> Provider:
    """Return the provider `name`.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in PROVIDERS:
        raise UsageError(f'unknown provider "{name}"', hint=nearest(name, PROVIDERS))
    module, _, attribute = PROVIDERS[name].partition(":")
    provider: Provider = getattr(importlib.import_module(module), attribute)(home)
    return provider
