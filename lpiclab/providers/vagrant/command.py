"""Run Vagrant through python-vagrant, whose own runners are all replaced.

The library loses what Vagrant says on standard error, raises in Python's words, waits for ever, and
takes an error in machine-readable output for data. Here each command has a deadline, its words are
in a log, and a failure is a `MachineryError`. Vagrant's output is described in
https://developer.hashicorp.com/vagrant/docs/cli/machine-readable.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lpiclab import proc
from lpiclab.errors import MissingTool, ProviderError, TimedOut
from lpiclab.wait import Deadline

# Imported without Vagrant on the PATH, the library would print a warning of its own.
logging.getLogger("vagrant").addHandler(logging.NullHandler())

import vagrant  # noqa: E402 - its logger must be quiet first

PROGRAM = "vagrant"
INSTALL = "apt-get install vagrant vagrant-libvirt libvirt-daemon-system"
_DETAIL_LINES = 25
_REASON_CHARACTERS = 200
_FIELDS = 4
_PROGRESS = re.compile(r"(==>| {4})\s*\S+: |Bringing machine ")
_PREFACE = re.compile(r"An error occurred while executing.*?try again:\s*", re.DOTALL)
_HINTS: Sequence[tuple[str, str]] = (
    (
        r"Timed out while waiting for the machine to boot",
        "the instance's `machines/*/console.log` shows how far it came; `lpiclab reset` makes it anew",
    ),
    (
        r"box .*could not be (found|accessed)|Couldn't open file|error occurred while downloading",
        "without internet, `lpiclab image box --for PROVIDER` packs one, and `vagrant box add` takes that",
    ),
    (r"is locked|another process is already executing", "another vagrant works on it: wait until it ends"),
    (
        r"[Ee]rror while connecting to [Ll]ibvirt|Failed to connect socket",
        "does libvirt run, and are you in its group? `systemctl start libvirtd`, `adduser USER libvirt`",
    ),
    (
        r"provider '?libvirt'? could not be found",
        "`apt-get install vagrant-libvirt`",
    ),
    (
        r"provider .* could not be found|not usable",
        "`lpiclab doctor --provider vagrant` tells what lacks",
    ),
    (
        r"[Pp]ermission denied",
        "libvirt's own user reads kernel and disk: may it enter your home? `chmod o+x ~` lets it",
    ),
    (r"dnsmasq", "libvirt gives machines their addresses by dnsmasq: `apt-get install dnsmasq-base`"),
    (r"VT-x|AMD-V|VERR_(VMX|SVM)", "virtualisation is off in the firmware, or another hypervisor has it"),
)


class Commands(vagrant.Vagrant):
    """Vagrant in one folder, until one deadline; `label` is what messages call its machines."""

    def __init__(
        self, root: Path, *, label: str, log: Path, deadline: Deadline, environment: Mapping[str, str]
    ) -> None:
        super().__init__(root=str(root))  # type: ignore[no-untyped-call]  # python-vagrant has no types
        self._label = label
        self._log = log
        self._deadline = deadline
        self._environment = environment

    def on_machines(self, command: str, *words: str) -> None:
        """Run a command that python-vagrant can't say, such as one on several machines."""
        self._execute([command, *words], capture=False)

    def states(self) -> dict[str, str]:
        """Return each machine's state in the Vagrant provider's own word."""
        listed = self.status()  # type: ignore[no-untyped-call]  # python-vagrant has no types
        return {each.name: each.state or "" for each in listed if each.name}

    def boxes(self) -> Sequence[Any]:
        """Return the boxes that have been added: each has `name`, `provider` and `version`."""
        listed: Sequence[Any] = self.box_list()  # type: ignore[no-untyped-call]  # python-vagrant has no types
        return listed

    def login(self, machine: str) -> dict[str, str]:
        """Return the words of `vagrant ssh-config` about a machine: HostName, Port, User, IdentityFile.

        Raises:
            ProviderError: it does not run, or Vagrant does not say all of them.
        """
        text = self._execute(["ssh-config", machine])
        pairs = [line.strip().partition(" ") for line in text.splitlines()]
        said = {key: value.strip().strip('"') for key, _, value in pairs if value}
        missing = {"HostName", "Port", "User", "IdentityFile"} - said.keys()
        if missing or not said["Port"].isdigit():
            raise ProviderError(
                f"{self._label}: Vagrant does not tell how {machine} is reached",
                hint=f"see {self._log}",
                details=f"`vagrant ssh-config` lacks {', '.join(sorted(missing)) or 'a port'}",
            )
        return said

    def plugins(self) -> set[str]:
        """Return the names of installed plugins."""
        output = self._run_vagrant_command(["plugin", "list", "--machine-readable"])
        return {
            data for _, _, kind, data in self._parse_machine_readable_output(output) if kind == "plugin-name"
        }

    def validate(self, directory: str | None = None) -> None:
        """Let Vagrant read the Vagrantfile."""
        del directory
        self._execute(["validate"], capture=False)

    def _call_vagrant_command(self, args: Sequence[str | None]) -> None:
        self._execute(args, capture=False)

    def _run_vagrant_command(self, args: Sequence[str | None]) -> str:
        return self._execute(args)

    def _stream_vagrant_command(self, args: Sequence[str | None]) -> Iterator[str]:
        yield from self._execute(args).splitlines(keepends=True)

    def _parse_machine_readable_output(self, output: str) -> list[tuple[str, ...]]:
        """Return time, target, kind and data of each line that has just these.

        The library splits off a fifth, which its callers can't take, and takes any line for data.
        """
        lines = [tuple(line.split(",", _FIELDS - 1)) for line in output.splitlines()]
        return [each for each in lines if len(each) == _FIELDS and each[0].isdigit() and each[2] != "ui"]

    def _execute(self, args: Sequence[str | None], *, capture: bool = True) -> str:
        words = [word for word in args if word is not None]
        begin = self._log.stat().st_size if self._log.exists() else 0
        try:
            status, output = proc.run_family(
                [PROGRAM, *_quietly(words), *words],
                deadline=self._deadline,
                environment=self._environment,
                log=self._log,
                capture=capture,
            )
        except MissingTool as error:
            raise MissingTool(
                f"{self._label}: vagrant is not installed", hint=f"{INSTALL}, or another provider"
            ) from error
        except TimedOut as error:
            raise TimedOut(
                f"{self._label}: timed out waiting for `vagrant {words[0]}`",
                hint=f"its words are in {self._log}",
                details=_last(self._said(begin)),
            ) from error
        if status:
            raise self._failure(words, output.decode(errors="replace"), self._said(begin))
        return output.decode(errors="replace")

    def _said(self, begin: int) -> str:
        """Return what was said since `begin`, without the command's own line."""
        if not self._log.exists():
            return ""
        with self._log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace").partition("\n")[2]

    def _failure(self, words: Sequence[str], output: str, said: str) -> ProviderError:
        text = _error_exit(output) or _PREFACE.sub("", said)
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        plain = [line for line in lines if not _PROGRESS.match(line)]
        sentence = re.split(r"(?<=[.!?])\s", " ".join(line.strip() for line in plain), maxsplit=1)[0]
        reason = sentence[:_REASON_CHARACTERS] or "it said nothing"
        hint = next((hint for pattern, hint in _HINTS if re.search(pattern, text, re.DOTALL)), "")
        return ProviderError(
            f"{self._label}: `vagrant {words[0]}` failed: {reason}",
            hint=hint or f"all its words are in {self._log}",
            details=_last("\n".join(plain or lines)),
        )


def _error_exit(output: str) -> str:
    """Return the message of a failed command's machine-readable output, if it has one."""
    for line in output.splitlines():
        fields = line.split(",", _FIELDS)
        if len(fields) == _FIELDS + 1 and fields[2] == "error-exit":
            return fields[4].replace("%!(VAGRANT_COMMA)", ",").replace("\\n", "\n").replace("\\r", "")
    return ""


def _quietly(words: Sequence[str]) -> Sequence[str]:
    """Return what spares the log thousands of percentages; machine-readable output would be lost by it."""
    return [] if "--machine-readable" in words else ["--no-tty"]


def _last(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-_DETAIL_LINES:])


def environment_of(root: Path, data: Path, backend: str) -> dict[str, str]:
    """Return the variables that make Vagrant work in one folder only, and for one Vagrant provider."""
    return {
        "VAGRANT_CWD": str(root),
        "VAGRANT_DOTFILE_PATH": str(data),
        "VAGRANT_VAGRANTFILE": "Vagrantfile",
        **({"VAGRANT_DEFAULT_PROVIDER": backend} if backend else {}),
        # Before 2.4, disks of the Vagrantfile's own are only made where this is said; libvirt has its own.
        **({"VAGRANT_EXPERIMENTAL": "disks"} if backend != "libvirt" else {}),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_BOX_UPDATE_CHECK_DISABLE": "1",
        "VAGRANT_NO_COLOR": "1",
    }
