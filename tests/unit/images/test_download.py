"""Downloads from a server on this host that can fail in the ways that servers do."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lpiclab.errors import ImageError
from lpiclab.images.download import discard, fetch
from lpiclab.model import CloudDisk

_CONTENT = bytes(range(256)) * 4096
_STALL_S = 0.3


@dataclass
class _Server:
    """A server with one file. `cuts` are how many bytes each of the first answers has before it breaks."""

    url: str = ""
    ranges: bool = True
    status: int = 0
    length: bool = True
    shift: int = 0
    hangs: bool = False
    cuts: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request for the file."""
        wanted = request.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if self.hangs:
            self.release.wait(10.0)
            return
        if self.status or start >= len(_CONTENT):
            request.send_error(self.status or 416)
            return
        start += self.shift
        request.send_response(206 if wanted and self.ranges else 200)
        if wanted and self.ranges:
            total = len(_CONTENT) if self.length else "*"
            request.send_header("Content-Range", f"bytes {start}-{len(_CONTENT) - 1}/{total}")
        if self.length:
            request.send_header("Content-Length", str(len(_CONTENT) - start))
        request.end_headers()
        end = start + self.cuts.pop(0) if self.cuts else len(_CONTENT)
        with contextlib.suppress(ConnectionError):  # the client may have heard enough
            request.wfile.write(_CONTENT[start:end])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """Yield a server that is all right until a test spoils it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    state = _Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_port}/images/disk-1.qcow2"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        state.release.set()
        listening.shutdown()
        thread.join()


@pytest.fixture
def disk(server: _Server) -> CloudDisk:
    """Return the catalogue's entry of the server's file."""
    return CloudDisk(url=server.url, digest=f"sha256:{hashlib.sha256(_CONTENT).hexdigest()}")


def _sized(disk: CloudDisk, size: int = len(_CONTENT), **changes: str) -> CloudDisk:
    return CloudDisk(**{"url": disk.url, "digest": disk.digest, "size_bytes": size, **changes})  # type: ignore[arg-type]  # the tests give what fits


def _part(folder: Path) -> Path:
    (part,) = folder.glob("*.part")
    return part


@pytest.mark.parametrize("length", [True, False])
def test_file_comes_whole_and_once(server: _Server, disk: CloudDisk, tmp_path: Path, *, length: bool) -> None:
    """What has been downloaded and is right is not asked for again, and progress was told."""
    server.length = length
    said: list[str] = []
    file = fetch(disk, tmp_path / "new", said.append)
    assert file.read_bytes() == _CONTENT
    assert file.name.endswith("-disk-1.qcow2")
    assert fetch(disk, tmp_path / "new", pytest.fail) == file
    assert server.asked == [""]
    assert [each for each in said if "MiB" in each] if length else not said
    assert list((tmp_path / "new").iterdir()) == [file]
    assert file.stat().st_mode & 0o077 == 0


def test_digest_may_be_a_sha512(disk: CloudDisk, tmp_path: Path) -> None:
    """The catalogue says which digest it has."""
    digest = f"sha512:{hashlib.sha512(_CONTENT).hexdigest()}"
    assert fetch(_sized(disk, digest=digest), tmp_path, print).read_bytes() == _CONTENT


def test_broken_connection_is_made_again(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """As long as each connection brings something, the rest is asked for."""
    server.cuts = [1000, 70000]
    said: list[str] = []
    assert fetch(disk, tmp_path, said.append).read_bytes() == _CONTENT
    assert server.asked == ["", "bytes=1000-", "bytes=71000-"]
    assert [each for each in said if each.startswith("the connection broke (1000 of 1048576 bytes")]


def test_connection_that_brings_nothing_ends_the_try_and_keeps_what_came(
    server: _Server, disk: CloudDisk, tmp_path: Path
) -> None:
    """The next try goes on from there, also in another process."""
    server.cuts = [300000, 0]
    with pytest.raises(ImageError, match="could not download") as caught:
        fetch(disk, tmp_path, lambda _: None)
    assert "are kept: another try goes on" in caught.value.hint
    assert _part(tmp_path).read_bytes() == _CONTENT[:300000]
    server.asked.clear()
    assert fetch(disk, tmp_path, print).read_bytes() == _CONTENT
    assert server.asked == ["bytes=300000-"]


def test_server_without_ranges_sends_all_again(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """An answer from the beginning replaces what has come, instead of being put behind it."""
    server.ranges = False
    server.cuts = [500000]
    assert fetch(disk, tmp_path, lambda _: None).read_bytes() == _CONTENT
    assert server.asked == ["", "bytes=500000-"]


def test_other_range_than_asked_for_is_refused(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """Nothing is put where it does not belong."""
    server.cuts, server.shift = [2000, 0], 0
    with pytest.raises(ImageError):
        fetch(disk, tmp_path, lambda _: None)
    server.shift = 1
    with pytest.raises(ImageError, match="another range"):
        fetch(disk, tmp_path, lambda _: None)
    assert _part(tmp_path).read_bytes() == _CONTENT[:2000]


def test_wrong_digest_leaves_nothing(disk: CloudDisk, tmp_path: Path) -> None:
    """What is not what the catalogue says is neither used nor gone on with."""
    with pytest.raises(ImageError, match=r"its digest is sha256:[0-9a-f]{64}, not sha256:0{64}"):
        fetch(_sized(disk, digest=f"sha256:{'0' * 64}"), tmp_path, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_other_size_is_seen_before_the_download(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """A file of another size can't be right, and is not waited for."""
    with pytest.raises(ImageError, match="has 1048576 bytes, and not the 1000 of the catalogue"):
        fetch(_sized(disk, 1000), tmp_path, pytest.fail)
    assert server.asked == [""]


def test_complete_part_is_not_asked_for(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """A command that was killed between the last byte and the proof loses nothing."""
    name = fetch(disk, tmp_path, lambda _: None).name
    for known in (disk, _sized(disk)):
        server.asked.clear()
        (tmp_path / name).rename(tmp_path / f"{name}.part")
        assert fetch(known, tmp_path, lambda _: None).read_bytes() == _CONTENT
        assert server.asked == ([] if known.size_bytes else [f"bytes={len(_CONTENT)}-"])


def test_part_that_is_too_long_begins_anew(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """What can't be the beginning of the server's file is thrown away."""
    name = fetch(disk, tmp_path, lambda _: None).name
    (tmp_path / name).rename(tmp_path / f"{name}.part")
    with (tmp_path / f"{name}.part").open("ab") as stream:
        stream.write(b"more")
    assert fetch(disk, tmp_path, lambda _: None).read_bytes() == _CONTENT
    assert server.asked[-1] == ""


def test_damaged_file_comes_anew(disk: CloudDisk, tmp_path: Path) -> None:
    """A file that was right once and is not any more is not used."""
    file = fetch(disk, tmp_path, lambda _: None)
    file.write_bytes(b"cut")
    assert fetch(disk, tmp_path, lambda _: None).read_bytes() == _CONTENT


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [(404, r"has no http://.* \(HTTP 404\)", "a newer one"), (503, "HTTP 503", "later")],
)
def test_server_that_refuses_is_told(
    server: _Server, disk: CloudDisk, tmp_path: Path, *, status: int, words: str, hint: str
) -> None:
    """A file that is gone and a server that is ill are different news."""
    server.status = status
    with pytest.raises(ImageError, match=words) as caught:
        fetch(disk, tmp_path, pytest.fail)
    assert hint in caught.value.hint


def test_server_that_is_gone_is_told(disk: CloudDisk, tmp_path: Path) -> None:
    """A refused connection is one error, with what to look at."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/disk-1.qcow2"
        with pytest.raises(ImageError, match="Connection refused") as caught:
            fetch(_sized(disk, url=url), tmp_path, pytest.fail)
    assert caught.value.hint == "is the server there, and the network?"


def test_server_that_says_nothing_is_not_waited_for(server: _Server, disk: CloudDisk, tmp_path: Path) -> None:
    """Silence ends the try."""
    server.hangs = True
    with pytest.raises(ImageError, match="the server says nothing"):
        fetch(disk, tmp_path, pytest.fail, stall_s=_STALL_S)


def test_discarding_removes_only_ones_own(disk: CloudDisk, tmp_path: Path) -> None:
    """A download that was of use is gone, and its folder with the last one; doing so twice does no harm."""
    folder = tmp_path / "downloads"
    fetch(disk, folder, lambda _: None)
    (folder / "other.part").touch()
    discard(disk, folder)
    assert [each.name for each in folder.iterdir()] == ["other.part"]
    (folder / "other.part").unlink()
    discard(disk, folder)
    assert not folder.exists()
    discard(disk, folder)
