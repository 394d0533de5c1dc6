"""Tests of set-up, with machines that only note what they are told."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from lpiclab.errors import CommandFailed
from lpiclab.model import CommandResult, Machine, Nic, Plan, RenderedFile, RenderedStep
from lpiclab.provision import provision, put, run_step, step_command
from lpiclab.wait import Deadline


@dataclass
class _Runner:
    """Answers every command, with status 1 those that hold the word `bad`."""

    log: list[tuple[str, str, bytes]] = field(default_factory=list)
    name: str = "server"
    bad: str = "never said"

    def run(self, command: str, *, stdin: bytes = b"", deadline: Deadline) -> CommandResult:
        assert deadline
        self.log.append((self.name, command, stdin))
        status = int(self.bad in command)
        return CommandResult(
            command=command, status=status, stdout=b"said\n", stderr=b"complained\n" * status
        )


def _file(path: str, machine: str = "server", **changes: str | int) -> RenderedFile:
    words: dict[str, str | int] = {
        "content": "text",
        "owner": "root",
        "group": "bind",
        "mode": 0o640,
        **changes,
    }
    return RenderedFile(machine=machine, path=path, **words)  # type: ignore[arg-type]  # the tests give what fits


def _soon() -> Deadline:
    return Deadline.after(20.0)


def test_file_is_put_with_owner_group_and_mode() -> None:
    """install(1) gets everything as words of its own, the content through its input."""
    runner = _Runner()
    put(runner, _file("/var/cache/bind/a b;c.zone", content="課題\n"), deadline=_soon())
    assert [(shlex.split(command), stdin) for _, command, stdin in runner.log] == [
        (
            [
                "install",
                "-D",
                "-o",
                "root",
                "-g",
                "bind",
                "-m",
                "640",
                "/dev/stdin",
                "/var/cache/bind/a b;c.zone",
            ],
            "課題\n".encode(),
        )
    ]


def test_file_that_cannot_be_put_is_named() -> None:
    """The error says which file of which machine, and holds what the machine said."""
    with pytest.raises(CommandFailed, match=r"server: could not write /etc/x \(status 1\)") as raised:
        put(_Runner(bad="install"), _file("/etc/x"), deadline=_soon())
    assert raised.value.details == "said\ncomplained"


def test_failing_step_is_named_with_its_output() -> None:
    """The error says which script failed on which machine, and holds what it printed."""
    step = RenderedStep(machine="ns1", source="setup/ns1.sh", content="bad thing\n")
    with pytest.raises(CommandFailed, match=r"ns1: setup/ns1.sh failed \(status 1\)") as raised:
        run_step(_Runner(bad="bad thing"), step, deadline=_soon())
    assert raised.value.details == "said\ncomplained"


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("echo 'it'\"'\"'s'; echo two", 0, "it's\ntwo\n"),
        ("false\necho never", 1, ""),
        ("false | true\necho never", 1, ""),
        ("echo $unset_one\necho never", 1, ""),
    ],
)
def test_script_stops_at_its_first_failure(script: str, status: int, output: str) -> None:
    """Failing commands, failing pipes and unset variables end a script; quotes survive."""
    step = RenderedStep(machine="ns1", source="x.sh", content=script)
    done = subprocess.run(shlex.split(step_command(step)), check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, output)


def test_traced_script_shows_its_commands() -> None:
    """With a trace each command is shown before it runs."""
    step = RenderedStep(machine="ns1", source="x.sh", content="echo hello")
    done = subprocess.run(
        shlex.split(step_command(step, trace=True)), check=True, capture_output=True, text=True
    )
    assert (done.stderr, done.stdout) == ("+ echo hello\n", "hello\n")


def test_networks_and_files_come_before_the_steps(make_plan: Callable[..., Plan]) -> None:
    """Each machine gets its own files and its network first; steps keep their order over machines."""
    machines = [
        Machine(name=name, nics=(Nic(network="lan", address=f"10.0.0.{number}/24"),))
        for number, name in enumerate(("ns1", "ns2"), 1)
    ]
    plan = make_plan(
        *machines,
        files=(_file("/one", "ns1"), _file("/two", "ns2")),
        setup=tuple(
            RenderedStep(machine=name, source=source, content=f"run {source}")
            for name, source in (("ns2", "a.sh"), ("ns1", "b.sh"), ("ns2", "c.sh"))
        ),
    )
    log: list[tuple[str, str, bytes]] = []
    runners = {name: _Runner(log, name) for name in ("ns1", "ns2")}
    told: list[str] = []
    provision(plan, {"ns1": "debian", "ns2": "debian"}, runners, deadline=_soon(), progress=told.append)

    assert [(name, command.split()[-1].rstrip("'")) for name, command, _ in log[-3:]] == [
        ("ns2", "a.sh"),
        ("ns1", "b.sh"),
        ("ns2", "c.sh"),
    ]
    before = {name: [words.split()[-1] for who, words, _ in log[:-3] if who == name] for name in runners}
    assert before["ns1"][:2] == ["/etc/network/interfaces", "/one"]
    assert before["ns2"][:2] == ["/etc/network/interfaces", "/two"]
    assert any("set-up: a.sh on ns2" in each for each in told)


def test_faults_come_last_and_are_not_told(make_plan: Callable[..., Plan]) -> None:
    """Faults break what set-up has made; the user is not told which ones."""
    plan = make_plan(
        setup=(RenderedStep(machine="server", source="setup.sh", content="sound"),),
        faults=(RenderedStep(machine="server", source="faults/disk.sh", content="broken"),),
    )
    runner = _Runner()
    told: list[str] = []
    provision(plan, {"server": "debian"}, {"server": runner}, deadline=_soon(), progress=told.append)
    assert [command.split()[-1] for _, command, _ in runner.log[-2:]] == ["sound", "broken"]
    assert not any("disk" in each for each in told)


def test_failure_on_one_machine_ends_set_up(make_plan: Callable[..., Plan]) -> None:
    """No step runs when a file could not be put."""
    plan = make_plan(
        files=(_file("/etc/x"),),
        setup=(RenderedStep(machine="server", source="a.sh", content="never run"),),
    )
    runner = _Runner(bad="install")
    with pytest.raises(CommandFailed, match="could not write /etc/x"):
        provision(plan, {"server": "debian"}, {"server": runner}, deadline=_soon(), progress=print)
    assert not any("never run" in command for _, command, _ in runner.log)


def test_what_guards_the_family_is_switched_on_after_the_network(make_plan: Callable[..., Plan]) -> None:
    """A machine of the CentOS family has its cards, then SELinux and firewalld, then the lab's own steps."""
    server = Machine(name="server", nics=(Nic(network="lan", address="10.0.0.1/24"),))
    plan = make_plan(server, setup=(RenderedStep(machine="server", source="setup/x.sh", content="mine\n"),))
    runner = _Runner()
    provision(plan, {"server": "el"}, {"server": runner}, deadline=_soon(), progress=lambda _: None)
    words = ["eth0.nmconnection", "nmcli connection reload", "setenforce 1", "mine"]
    places = [next(n for n, (_, each, _) in enumerate(runner.log) if word in each) for word in words]
    assert places == sorted(places)
    runner.log.clear()
    provision(plan, {"server": "debian"}, {"server": runner}, deadline=_soon(), progress=lambda _: None)
    assert not any("setenforce" in command for _, command, _ in runner.log)
