"""Tests of reading inventories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lpiclab import labs
from lpiclab.errors import SpecError
from lpiclab.inventory import load
from lpiclab.model import Lab, OfferedDisk
from lpiclab.paths import bundled

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
_INVENTORY = f"""\
schema: 1
machines:
  web:
    address: 192.0.2.10
    port: 2222
    user: hanako
    key: id
    host_key: "{_KEY} root@web"
    disks: [{{name: sdc, wipe: true}}, {{name: sdb}}, {{name: sdd}}]
    nics: [{{network: lan, interface: ens4}}, {{network: other, interface: ens5}}]
  web-client:
    address: 2001:db8::11
    key: id
    host_key: "{_KEY}"
    nics: [{{network: lan, interface: ens8}}, {{network: lan, interface: ens7}}]
  not-of-this-lab:
    address: elsewhere.example
    key: nowhere
    host_key: "{_KEY}"
"""


@pytest.fixture
def lab(web_folder: Path, shared_templates: Path) -> Lab:
    """Return the lab `web`: a machine with two disks and a card, one with two cards."""
    return labs.load(web_folder, template_roots=[shared_templates])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return an inventory that has all that the lab needs, and more."""
    (tmp_path / "id").touch()
    made = tmp_path / "inventory.yaml"
    made.write_text(_INVENTORY)
    return made


@pytest.fixture
def problems(file: Path, lab: Lab) -> Callable[[str, str], list[str]]:
    """Return a function that changes the inventory and returns the problems it then has."""

    def change(old: str, new: str) -> list[str]:
        assert old in _INVENTORY
        file.write_text(_INVENTORY.replace(old, new, 1))
        with pytest.raises(SpecError) as caught:
            load(file, lab)
        return [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]

    return change


def test_lab_gets_what_it_needs_and_no_more(file: Path, lab: Lab) -> None:
    """Other machines, disks and networks of the inventory are nobody's business; cards keep their order."""
    hosts = load(file, lab)
    assert list(hosts) == ["web", "web-client"]
    web, client = hosts.values()
    assert (web.address, web.port, web.user) == ("192.0.2.10", 2222, "hanako")
    assert (web.key, web.host_key) == (str(file.parent / "id"), _KEY)
    assert web.disks == (OfferedDisk(name="sdc", wipe=True), OfferedDisk(name="sdb"))
    assert web.interfaces == ("ens4",)
    assert (client.address, client.port, client.user) == ("2001:db8::11", 22, "root")
    assert client.interfaces == ("ens8", "ens7")


def test_home_folder_can_be_written_as_a_tilde(file: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are where ssh(1) has them."""
    monkeypatch.setenv("HOME", str(file.parent))
    file.write_text(_INVENTORY.replace("key: id", "key: ~/id"))
    assert load(file, lab)["web"].key == str(file.parent / "id")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "  web:\n",
            "  wbe:\n",
            'inventory.yaml:3:3: machines: web needs a machine "web"; did you mean "wbe"?',
        ),
        (
            "{name: sdb}, ",
            "",
            'inventory.yaml:9:12: machines.web.disks: web needs the disk "sdb" with 64 MiB',
        ),
        (
            "{network: lan, interface: ens4}, ",
            "",
            'inventory.yaml:10:11: machines.web.nics: web needs a card on the network "lan"; known: other',
        ),
        (
            "{network: lan, interface: ens8}, ",
            "",
            'machines.web-client.nics: web needs 2 cards, not 1, on the network "lan"',
        ),
        ("key: id", "key: ie", "inventory.yaml:7:10: machines.web.key: there is no file "),
        ("key: id", "key: ~nosuchuser/id", "machines.web.key: there is no such user as in ~nosuchuser/id"),
        (
            "2001:db8::11",
            "192.0.2.10\n    port: 2222",
            'machines.web-client.address: "web" is the same machine',
        ),
        ("{name: sdb}", "{name: sdc}", 'machines.web.disks[1]: "sdc" is there twice'),
        ("interface: ens5", "interface: ens4", 'machines.web.nics[1]: "ens4" is there twice'),
        ("name: sdd", "name: sda", "machines.web.disks[2].name: expected a disk name from sdb on"),
        ("port: 2222", "port: 70000", "expected a whole number from 1 to 65535, found 70000"),
        ("wipe: true", "wipe: yes", "expected true or false"),
        ("user: hanako", "users: hanako", 'machines.web: unknown key "users"; did you mean "user"?'),
        ("ssh-ed25519", "ssh-rsa", "machines.web.host_key: expected the machine's public host key"),
        ("AAAAC3", "AAAA", "machines.web.host_key: expected the machine's public host key"),
        ("192.0.2.10", "-oProxyCommand=x", "machines.web.address: expected a host name or an address"),
        ("interface: ens4", 'interface: "en s4"', "expected the name of a network card"),
        ("schema: 1", "schema: 2", "schema: expected 1, found 2"),
    ],
)
def test_mistake_is_told_with_its_place(
    problems: Callable[[str, str], list[str]], old: str, new: str, problem: str
) -> None:
    """Where it is, what is wrong, and the nearest right name."""
    assert any(problem in each for each in problems(old, new)), problems(old, new)


def test_all_mistakes_are_told_at_once(file: Path, lab: Lab) -> None:
    """One reading is enough to mend the file."""
    file.write_text(
        _INVENTORY.replace("name: sdb", "name: sde").replace("interface: ens7", "interface: ens8")
    )
    with pytest.raises(SpecError) as caught:
        load(file, lab)
    assert len(caught.value.problems) == 2


def test_file_that_is_not_there_is_told(file: Path, lab: Lab) -> None:
    """As with every file of ours."""
    with pytest.raises(SpecError, match="can't be read: No such file"):
        load(file.with_name("other.yaml"), lab)


@pytest.mark.parametrize("lab_id", ["raid1", "dns-tsig"])
def test_documented_inventory_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lab_id: str) -> None:
    """Who copies it and fills in addresses and keys gets one that fits."""
    page = (Path(__file__).parents[2] / "docs" / "instructor.md").read_text()
    file = tmp_path / "machines.yaml"
    file.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").touch()
    lab = labs.load(bundled("labs") / lab_id)
    assert list(load(file, lab)) == [machine.name for machine in lab.machines]
