"""The example lab of `tests/data`, as a copy that a test may spoil; machines of an inventory for it."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest

from lpiclab.errors import ConnectFailed
from lpiclab.model import CommandResult, Distro, Host, SshEndpoint
from lpiclab.providers.ssh import provider
from lpiclab.ssh import Session

_DATA = Path(__file__).parents[1] / "data"
Edit = Callable[[str, str, str], None]


@pytest.fixture
def shared_templates() -> Path:
    """Return a folder of shared templates."""
    return _DATA / "templates"


@pytest.fixture
def web_folder(tmp_path: Path) -> Path:
    """Return a copy of the lab `web`."""
    return shutil.copytree(_DATA / "labs" / "web", tmp_path / "labs" / "web")


@pytest.fixture
def edit(web_folder: Path) -> Edit:
    """Return a function that replaces a text, which must be there, in a file of `web_folder`."""

    def replace(name: str, old: str, new: str) -> None:
        text = (web_folder / name).read_text()
        assert old in text
        (web_folder / name).write_text(text.replace(old, new))

    return replace


@pytest.fixture
def debian() -> Distro:
    """Return a distribution that `web` runs on."""
    return Distro(
        id="debian-13",
        title="Debian 13",
        family="debian",
        version="13",
        support_end="2028-08-09",
        services={"bind": "named"},
        paths={"bind_config": "/etc/bind"},
    )


@dataclass
class Stranger:
    """A machine that exists already, as far as the provider `ssh` asks it; `log` is what it was told."""

    log: list[str] = field(default_factory=list)
    owner: str = ""
    boots: int = 1
    switched_off: bool = False
    refuses: str = ""
    _put: str = ""

    def run(self, command: str, *, stdin: bytes = b"", **_: object) -> CommandResult:
        """Answer as a machine does that has all that is asked for, and is nobody's at first."""
        self.log.append(command)
        refused = bool(self.refuses) and self.refuses in command
        status, stdout = (1, "") if refused else self._answer(shlex.split(command), stdin.decode())
        return CommandResult(
            command=command, status=status, stdout=stdout.encode(), stderr=b"it said no\n" * bool(status)
        )

    def _answer(self, words: list[str], stdin: str) -> tuple[int, str]:
        match words:
            case ["cat", "/var/lib/lpiclab/instance"]:
                return int(not self.owner), self.owner
            case ["install", *_, path] if path.endswith("/instance"):
                self._put = stdin
            case ["bash", "-c", _, "claim", _] if self.owner:
                return 3, ""
            case ["bash", "-c", _, "claim", _]:
                self.owner = self._put
            case ["bash", "/var/lib/lpiclab/undo"]:
                self.owner = ""
            case ["systemctl", "reboot"]:
                self.boots += 1
        return 0, self._facts().get(words[0], "")

    def _facts(self) -> dict[str, str]:
        disk = {"name": "sd", "type": "disk", "size": 1 << 40, "ro": False, "mountpoints": [None]}
        return {
            "cat": f"ID=debian\nVERSION_ID=13\nBOOT_ID={self.boots}\n",
            "lsblk": json.dumps({"blockdevices": [disk]}),
            "ip": json.dumps([{"addr_info": []}]),
        }


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stranger]:
    """Return the machines that answer at ``web.example`` and ``client.example``."""
    machines = {"web.example": Stranger(), "client.example": Stranger()}

    def connect(endpoint: SshEndpoint, *, machine: str, **_: object) -> mock.MagicMock:
        stranger = machines[endpoint.host]
        if stranger.switched_off:
            raise ConnectFailed(f"{machine}: no connection", hint="is it on?")
        session = mock.MagicMock(run=stranger.run, wait_closed=lambda _: True)
        session.__enter__.return_value = session
        return session

    def answers(host: Host) -> bool:
        return not machines[host.address].switched_off

    monkeypatch.setattr(Session, "connect", connect)
    monkeypatch.setattr(provider, "_answers", answers)
    return machines


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Return an inventory that has the machines of the lab `web`."""
    (tmp_path / "id").touch()
    host_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    machine = f'key: id, host_key: "{host_key}"'
    file = tmp_path / "inventory.yaml"
    file.write_text(
        "schema: 1\nmachines:\n"
        f"  web: {{address: web.example, {machine}, disks: [{{name: sdb}}, {{name: sdc, wipe: true}}],"
        " nics: [{network: lan, interface: ens4}]}\n"
        f"  web-client: {{address: client.example, user: hanako, {machine},"
        " nics: [{network: lan, interface: ens4}, {network: lan, interface: ens5}]}\n"
    )
    return file
