"""Tests of lpiclab.checks.host: testinfra's own modules over a fake machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

from lpiclab.checks.host import COMMAND_LIMIT_S, make_host
from lpiclab.errors import GuestError, MachineryError, TimedOut
from lpiclab.wait import Deadline

Fake = Callable[..., Any]


@pytest.mark.parametrize(
    ("ask", "command", "output", "wanted"),
    [
        (lambda host: host.file("/etc/a b").mode, "stat -Lc %a '/etc/a b'", b"640\n", 0o640),
        (lambda host: host.file("/x").exists, "test -e /x", b"", True),
        (lambda host: host.file("/x").content, "cat -- /x", b"\0\xff", b"\0\xff"),
        (lambda host: host.file("/x").content_string, "cat -- /x", "課題\n".encode(), "課題\n"),
        (lambda host: host.file("/x").content_string, "cat -- /x", b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (lambda host: host.user("student").uid, "id -u student", b"1000\n", 1000),
        (lambda host: host.exists("dig"), "command -v dig", b"/usr/bin/dig\n", True),
        (lambda host: host.check_output("echo %s", "a'b"), "echo 'a'\"'\"'b'", b"a'b\n", "a'b"),
    ],
)
def test_a_question_costs_one_command(
    fake: Fake, ask: Callable[[Host], object], command: str, output: bytes, wanted: object
) -> None:
    """Testinfra's modules ask the machine what was asked, and nothing before it."""
    runner = fake({command: output})
    assert ask(make_host("ns1", runner)) == wanted
    assert runner.commands == [command]


def test_services_are_found_out_once(fake: Fake) -> None:
    """Asking for a second service costs one command only."""
    runner = fake({"test -d /run/systemd/system/": 0, "systemctl is-active a": 0, "systemctl is-active b": 3})
    host = make_host("ns1", runner)
    assert host.service("a").is_running
    assert not host.service("b").is_running
    assert len(runner.commands) == 3


def test_facts_of_the_system_are_asked_for_once(fake: Fake) -> None:
    """The distribution comes from the machine itself, the first time that it matters."""
    runner = fake({"uname -s": b"Linux\n", "uname -m": b"x86_64\n", "cat /etc/os-release": b"ID=debian\n"})
    host = make_host("ns1", runner)
    assert (host.system_info.type, runner.commands) == ("linux", [])
    assert host.system_info.distribution == "debian"
    assert host.system_info.arch == "x86_64"
    assert len(runner.commands) == 3


def test_hosts_share_nothing(fake: Fake) -> None:
    """Two hosts of one name are two hosts: after a reset nothing is remembered."""
    first, second = fake({"id -u a": b"1\n"}), fake({"id -u a": b"2\n"})
    uids = [make_host("ns1", runner).user("a").uid for runner in (first, second)]
    assert uids == [1, 2]


@pytest.mark.parametrize("error", [GuestError("ns1: lost"), TimedOut("ns1: timed out")])
def test_machine_trouble_comes_out_untouched(fake: Fake, error: MachineryError) -> None:
    """Testinfra neither catches our errors nor makes assertions of them."""
    host = make_host("ns1", fake({"stat -Lc %a /x": error}))
    with pytest.raises(type(error)) as caught:
        _ = host.file("/x").mode
    assert caught.value is error


def test_each_command_has_its_own_time_limit(fake: Fake) -> None:
    """Without a deadline of the caller's a command has half a minute."""
    runner = fake({"true": 0})
    make_host("ns1", runner).run("true")
    assert COMMAND_LIMIT_S - 5 < runner.deadlines[0].left_s() <= COMMAND_LIMIT_S


def test_deadline_is_asked_for_before_each_command(fake: Fake) -> None:
    """The caller decides how long each command may take."""
    deadlines = [Deadline(1.0), Deadline(2.0)]
    runner = fake({"true": 0})
    host = make_host("ns1", runner, iter(deadlines).__next__)
    host.run("true")
    host.run("true")
    assert runner.deadlines == deadlines


def test_commands_get_their_input(fake: Fake) -> None:
    """`stdin` reaches the runner."""
    runner = fake({"cat": b""})
    make_host("ns1", runner).run("cat", stdin=b"\0x")
    assert runner.stdin == [b"\0x"]


def test_other_users_do_not_need_sudo(fake: Fake) -> None:
    """`host.sudo` works while sudo is what the learner has broken."""
    runner = fake()
    host = make_host("ns1", runner)
    with host.sudo("student"):
        host.run("id -u %s", "x y")
    host.run("id")
    inner = "'id -u '\"'\"'x y'\"'\"''"
    assert runner.commands == [f"runuser -u student -- /bin/sh -c {inner}", "id"]
