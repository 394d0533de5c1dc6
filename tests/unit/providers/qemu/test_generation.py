"""Tests of generations: whatever a crash leaves is the old machines or the new ones."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lpiclab.providers.qemu import generation


def _generation(folder: Path, *machines: str) -> Path:
    made = generation.new(folder)
    for name in machines:
        (made / name).mkdir()
    return made


def test_new_one_is_private_and_not_in_use(tmp_path: Path) -> None:
    """Making a generation changes nothing of the one in use."""
    one, two = generation.new(tmp_path), generation.new(tmp_path)
    assert one != two
    assert stat.S_IMODE(one.stat().st_mode) == 0o700
    assert not generation.current(tmp_path).exists()
    assert generation.others(tmp_path) == sorted([one, two])


def test_adopted_one_is_in_use(tmp_path: Path) -> None:
    """The path of what is in use stays the same whatever it leads to."""
    one, two = _generation(tmp_path, "ns1"), _generation(tmp_path, "ns2")
    generation.adopt(tmp_path, one)
    assert (generation.current(tmp_path) / "ns1").is_dir()
    generation.adopt(tmp_path, two)
    assert (generation.current(tmp_path) / "ns2").is_dir()
    assert generation.others(tmp_path) == [one]


def test_folder_can_be_moved(tmp_path: Path) -> None:
    """The link does not say where the instance's folder is."""
    (tmp_path / "a").mkdir()
    generation.adopt(tmp_path / "a", _generation(tmp_path / "a", "ns1"))
    (tmp_path / "a").rename(tmp_path / "b")
    assert (generation.current(tmp_path / "b") / "ns1").is_dir()


def test_adopting_is_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment before and after the last step, one of both generations is in use."""
    one, two = _generation(tmp_path), _generation(tmp_path)
    generation.adopt(tmp_path, one)
    seen: list[Path] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append(generation.current(tmp_path).resolve())
        result = replace(self, target)
        seen.append(generation.current(tmp_path).resolve())
        return result

    monkeypatch.setattr(Path, "replace", watched)
    generation.adopt(tmp_path, two)
    assert seen == [one, two]


def test_crash_before_the_last_step_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was prepared of the link is no generation, and does not hinder the next attempt."""
    one, two = _generation(tmp_path), _generation(tmp_path)
    generation.adopt(tmp_path, one)

    def killed(*_: object) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            generation.adopt(tmp_path, two)
    assert generation.current(tmp_path).resolve() == one
    assert generation.others(tmp_path) == [two]
    generation.adopt(tmp_path, two)
    assert generation.current(tmp_path).resolve() == two


def test_machines_are_found_in_every_generation(tmp_path: Path) -> None:
    """A process that runs where no record leads must be found all the same."""
    one, two = _generation(tmp_path, "ns1", "ns2"), _generation(tmp_path, "ns1")
    (one / "notes").touch()
    generation.adopt(tmp_path, one)
    expected = [one / "ns1", one / "ns2", two / "ns1"]
    assert sorted(generation.machine_folders(tmp_path)) == sorted(expected)


def test_folder_of_an_older_version_is_a_generation(tmp_path: Path) -> None:
    """A real folder `machines` is in use, its machines are found, and it can be removed."""
    (tmp_path / "machines" / "ns1").mkdir(parents=True)
    other = _generation(tmp_path)
    assert generation.others(tmp_path) == [other]
    assert generation.machine_folders(tmp_path) == [tmp_path / "machines" / "ns1"]
    generation.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folder_of_an_older_version_makes_room(tmp_path: Path) -> None:
    """The link takes the place of a real folder, which is then one of those that are not in use."""
    (tmp_path / "machines" / "ns1").mkdir(parents=True)
    made = _generation(tmp_path, "ns1")
    generation.adopt(tmp_path, made)
    assert generation.current(tmp_path).resolve() == made.resolve()
    assert len(generation.others(tmp_path)) == 1


def test_everything_is_removed(tmp_path: Path) -> None:
    """Neither generations nor the link stay; other files of the instance do."""
    (tmp_path / "record.json").touch()
    generation.adopt(tmp_path, _generation(tmp_path, "ns1"))
    _generation(tmp_path, "ns1")
    generation.remove(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["record.json"]
    generation.remove(tmp_path)


def test_link_to_nothing_is_removed(tmp_path: Path) -> None:
    """A generation that somebody removed by hand leaves a link that leads nowhere."""
    made = _generation(tmp_path)
    generation.adopt(tmp_path, made)
    made.rmdir()
    assert generation.others(tmp_path) == []
    generation.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []
