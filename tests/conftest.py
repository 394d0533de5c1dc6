"""Fixtures for all tests: places that are nobody's, and machines only where they can be had."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import paramiko
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

from lpiclab import catalog, images
from lpiclab.engine import lifecycle
from lpiclab.engine.context import DEFAULT_DISTRO, Context
from lpiclab.files import private_folder
from lpiclab.keys import make_key_pair
from lpiclab.model import CommandResult, Machine, Plan
from lpiclab.paths import Home, bundled
from lpiclab.providers.registry import DEFAULT, load_provider
from lpiclab.ssh import Session
from lpiclab.state import Record
from lpiclab.wait import Deadline

_LONG = ("tests/vm/test_faults.py::", "tests/vm/test_ssh_provider.py::")
"""Files whose tests take minutes, so that no processor idles at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first: a lab's proof, long files, what boots machines, the rest."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool, bool]:
    return (
        not _is_proof(item.nodeid),
        not item.nodeid.startswith(_LONG),
        item.get_closest_marker("vm") is None,
    )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Keep a file's tests in one process of several, for what they share; labs' proofs share nothing."""
    return _Files(config, log)


class _Files(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    def _split_scope(self, nodeid: str) -> str:
        return nodeid if _is_proof(nodeid) else nodeid.partition("::")[0]


def _is_proof(nodeid: str) -> bool:
    return nodeid.startswith("tests/labs/test_contract.py::")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what each lab's proof came to: a run of these tests is where that is measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "proof" and report.when == "call":
                terminalreporter.write_line(str(value))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs machines where there can't be any."""
    if item.get_closest_marker("vm") is None:
        return
    findings = load_provider(DEFAULT, Home.from_environment()).probe()
    missing = [f"{each.name}: {each.meaning} ({each.mend})" for each in findings if each.state == "missing"]
    if missing:
        pytest.skip("; ".join(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skip fail where every test has to run: it would hide what was not tested."""
    report = yield
    if report.skipped and os.environ.get("LPICLAB_REQUIRE_VM") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped where every test has to run: {report.longreprtext}"
    return report


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return folders of this test's own, which `LPICLAB_HOME` names."""
    monkeypatch.setenv("LPICLAB_HOME", str(tmp_path / "home"))
    return Home.from_environment()


@pytest.fixture(scope="session")
def imageless_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Hold folders for real machines: this user's images, whichever there are, and new instances."""
    theirs = Home.from_environment()
    root = tmp_path_factory.mktemp("home")
    for name, folder in (("images", theirs.images), ("settings", theirs.settings)):
        (root / name).symlink_to(private_folder(folder))
    home = Home(
        images=root / "images",
        templates=root / "templates",
        instances=root / "instances",
        settings=root / "settings",
    )
    yield home
    context = Context(home=home, lab_roots=[bundled("labs")], template_roots=[bundled("templates")])
    for instance_id in context.store.ids():
        lifecycle.down(context, instance_id)


@pytest.fixture(scope="session")
def vm_home(imageless_home: Home) -> Home:
    """Return folders for real machines, with the image that most tests need, built if need be."""
    distro = catalog.find_distro(os.environ.get("LPICLAB_DISTRO") or DEFAULT_DISTRO)
    images.ensure(distro, Home.from_environment(), print)
    return imageless_home


@pytest.fixture
def refused() -> set[str]:
    """Return the words that make a command of `commands` fail; a test adds its own."""
    return set()


@pytest.fixture
def commands(refused: set[str], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what machines of the provider `fake` are told: it has none, so here they are."""
    told: list[tuple[str, str]] = []

    def status(machine: str, command: str) -> int:
        told.append((machine, command))
        return int(any(word in command for word in refused))

    def session(machine: str) -> mock.Mock:
        def run(command: str, **_: object) -> CommandResult:
            ended = status(machine, command)
            return CommandResult(command=command, status=ended, stdout=b"", stderr=b"it said no\n" * ended)

        def follow(command: str, show: Callable[[bytes], None], **_: object) -> int:
            show(f"{machine} said\n".encode())
            return status(machine, command)

        made: mock.Mock = mock.create_autospec(Session, instance=True)
        made.run.side_effect = run
        made.follow.side_effect = follow
        return made

    @contextmanager
    def sessions(context: Context, record: Record, *, deadline: Deadline) -> Iterator[dict[str, mock.Mock]]:
        names = [machine.name for machine in record.plan.machines]
        for name in names:
            deadline.require(name)
            context.provider(record).endpoint(context.instance(record), name)
        yield {name: session(name) for name in names}

    monkeypatch.setattr(Context, "sessions", sessions)
    return told


@dataclass(frozen=True)
class FakeVagrant:
    """A stand-in for Vagrant on the PATH, and the host key that its machines show."""

    folder: Path
    host_key: str

    def answer(self, command: str = "", *, stdout: str = "", stderr: str = "", status: int = 0) -> None:
        """Replace what it answers to commands that begin so; without one, let it answer as ever."""
        if not command:
            shutil.rmtree(self.folder / "answers", ignore_errors=True)
            return
        rule = self.folder / "answers" / command
        rule.mkdir(parents=True, exist_ok=True)
        (rule / "stdout").write_text(stdout)
        (rule / "stderr").write_text(stderr)
        (rule / "status").write_text(f"{status}\n")

    def hang(self, command: str) -> None:
        """Let commands that begin so say a word and never end."""
        self.answer(command, stderr="still waiting\n")
        os.mkfifo(self.folder / "answers" / command / "hang")

    def calls(self) -> list[str]:
        """Return the commands since the last time they were asked for."""
        file = self.folder / "calls"
        seen = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return seen


@pytest.fixture(scope="session")
def fake_vagrant() -> Callable[..., contextlib.AbstractContextManager[FakeVagrant]]:
    """Return what puts a stand-in for Vagrant on the PATH, whose machines show a host key."""
    return _fake_vagrant


@contextmanager
def _fake_vagrant(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[FakeVagrant]:
    patch.setenv("PATH", f"{Path(__file__).parent / 'data' / 'vagrant'}:{os.environ['PATH']}")
    patch.setenv("LPICLAB_FAKE_VAGRANT", str(folder))
    patch.setenv("VAGRANT_DEFAULT_PROVIDER", "libvirt")
    patch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    made = FakeVagrant(folder, make_key_pair(folder / "host_key", "host"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        (folder / "port").write_text(f"{listening.getsockname()[1]}\n")
        thread = threading.Thread(target=_show_host_key, args=(listening, folder / "host_key"), daemon=True)
        thread.start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(20)


def _show_host_key(listening: socket.socket, key: Path) -> None:
    """Greet whoever comes as an SSH server does, and let nobody in."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        while True:
            transport = paramiko.Transport(listening.accept()[0])
            transport.add_server_key(paramiko.Ed25519Key.from_private_key_file(str(key)))
            transport.start_server(event=threading.Event(), server=paramiko.ServerInterface())


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    """Return a maker of plans: machines only, unless told more."""

    def make(*machines: Machine, **changes: object) -> Plan:
        words: dict[str, object] = {
            "lab_id": "raid1",
            "seed": "",
            "distro": DEFAULT_DISTRO,
            "parameters": {},
            "networks": ("lan",),
            "machines": machines or (Machine(name="server", distro=DEFAULT_DISTRO),),
            "files": (),
            "setup": (),
        }
        return Plan(**{**words, **changes})  # type: ignore[arg-type]  # the tests give what fits

    return make
