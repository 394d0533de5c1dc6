"""The labs' proofs go on side by side, in processes of their own, while all other tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from lpiclab.paths import Home

Done = subprocess.CompletedProcess[str]
_CONTRACT = "test_lab_keeps_its_contract"


class Proofs:
    """Runs of `lpiclab test`, two or so at once, the first named first."""

    def __init__(self, wanted: Sequence[tuple[str, ...]]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lpiclab-proofs-"))
        theirs = Home.from_environment()
        for name, folder in (("images", theirs.images), ("settings", theirs.settings)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / name).symlink_to(folder)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._ended = False
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count())
        self._made: dict[tuple[str, ...], Future[Done]] = {
            words: self._pool.submit(self._prove, words) for words in wanted
        }

    def done(self, *words: str) -> Done:
        """Wait for the run of `lpiclab test` with these words, and return what it came to."""
        return self._made[words].result()

    def close(self) -> None:
        """End what still runs, with its machines."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._call("down", "--all").communicate()
        shutil.rmtree(self._folder)

    def _prove(self, words: tuple[str, ...]) -> Done:
        with self._lock:
            if self._ended:
                raise InterruptedError
            process = self._call("test", *words)
            self._running.add(process)
        stdout, stderr = process.communicate()
        with self._lock:
            self._running.discard(process)
        return Done(words, process.returncode, stdout, stderr)

    def _call(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "lpiclab", *words],
            env={**os.environ, "LPICLAB_HOME": str(self._folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


_PROOFS = pytest.StashKey[Proofs]()


def _words(item: pytest.Item) -> tuple[str, ...]:
    assert isinstance(item, pytest.Function)
    words = item.callspec.params["words"]
    assert isinstance(words, tuple)
    return words


def _is_proof(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and item.originalname == _CONTRACT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask for the proofs last: they take longest."""
    items.sort(key=_is_proof)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin the proofs of all tests that will ask for one."""
    wanted = [_words(item) for item in session.items if _is_proof(item)]
    if wanted and not session.config.option.collectonly:
        session.config.stash[_PROOFS] = Proofs(wanted)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    proofs = session.config.stash.get(_PROOFS, None)
    if proofs is not None:
        proofs.close()


@pytest.fixture
def proofs(request: pytest.FixtureRequest) -> Proofs:
    """Return the proofs, which have begun before the first test."""
    return request.config.stash[_PROOFS]
