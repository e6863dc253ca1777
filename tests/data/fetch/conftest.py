"""A web site that misbehaves as it is told, and small collections that are fetched from it."""

import gzip
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mmbench.data.fetch.content import content_digest
from mmbench.data.fetch.download import Patience
from mmbench.data.fetch.origins import Archive, Collection, File, Made
from mmbench.data.fetch.unpack import tree_digest

SLOW = 1024  # bytes at a time
PAUSE = 0.02  # seconds between them


class Site:
    """Files by path, and what happens to the next requests of a path.

    ``faults[path]`` is a list that is used up: a status (404, 503), ``("break", n)`` after n bytes,
    ``("break unmarked", n)`` without an ETag too,
    ``("wrong", bytes)``, ``("redirect", url)``, ``("stall", seconds)``, ``"slow"``, ``"whole"`` (ignores ranges),
    ``"chunked"`` (says no length) and ``"unmarked"`` (no ETag).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[object]] = {}
        self.asked: list[tuple[str, str | None]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                site.answer(self)

            def log_message(self, *words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path: str, content: bytes, *faults: object) -> str:
        """The URL of a file that is there from now on."""
        self.files[path] = content
        self.faults[path] = list(faults)
        return f"{self.url}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """What was asked for of a file, request by request; None for all of it."""
        return [asked for name, asked in self.asked if name == path]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path
        self.asked.append((path, handler.headers.get("Range")))
        queue = self.faults.get(path, [])
        fault = queue.pop(0) if queue else None
        kind, value = fault if isinstance(fault, tuple) else (fault, None)
        if isinstance(kind, int) or path not in self.files:
            handler.send_error(kind if isinstance(kind, int) else 404)
            return
        if kind == "redirect":
            handler.send_response(302)
            handler.send_header("Location", value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if kind == "stall":
            time.sleep(value)
        content = value if kind == "wrong" else self.files[path]
        self._send(handler, content, kind, value)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, content: bytes, kind: object, value: object) -> None:
        tag = f'"{sha256(content).hexdigest()[:16]}"'
        asked, start = handler.headers.get("Range"), 0
        if asked and kind != "whole" and handler.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                handler.send_error(416)
                return
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            handler.send_response(200)
        if kind != "chunked":
            handler.send_header("Content-Length", str(len(content) - start))
        if kind not in ("unmarked", "break unmarked"):
            handler.send_header("ETag", tag)
        handler.send_header("Connection", "close")
        handler.end_headers()
        body = content[start:]
        if kind in ("break", "break unmarked"):
            body = body[:value]
        step = SLOW if kind == "slow" else max(1, len(body))
        try:
            for at in range(0, len(body), step):
                handler.wfile.write(body[at : at + step])
                if kind == "slow":
                    time.sleep(PAUSE)
        except OSError:
            pass  # the client went away


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def hasty() -> Patience:
    """Tries thrice, at once."""
    return Patience(attempts=3, pause=0.0, timeout=5.0)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and no folder of the user's."""
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MMBENCH_DATA", raising=False)
    return tmp_path / "cache"


def tar_gz(files: dict[str, bytes]) -> bytes:
    """An archive as GitHub makes them: everything below one folder, which is an entry too."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        top = tarfile.TarInfo("top-0123abc")
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name, content in files.items():
            entry = tarfile.TarInfo(f"top-0123abc/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def archive_of() -> Callable[[dict[str, bytes]], bytes]:
    return tar_gz


DIGITS = gzip.compress(b"\0\0\x08\x01" + bytes(range(256)) * 64, 0, mtime=0)  # it cannot be made smaller: 16 KiB


def _collection(name: str, origins: tuple[File | Archive, ...], convert: str, *files: Made) -> Collection:
    return Collection(name, f"a few {name}", "CC0", "Nobody, 2026", "a test", origins, convert, files)


@pytest.fixture
def table(site, tmp_path) -> dict[str, Collection]:
    """``digits``: one file as it is; ``people``: an archive, converted as rosmap is."""
    copied = tmp_path / "digits-ubyte.gz"
    copied.write_bytes(DIGITS)
    digest = sha256(DIGITS).hexdigest()
    url = site.put("/digits-ubyte.gz", DIGITS)
    digits = _collection(
        "digits",
        (File("digits-ubyte.gz", (url,), digest, len(DIGITS)),),
        "mmbench.data.fetch.convert.mnist:convert",
        Made("digits-ubyte.gz", content_digest(copied), digest),
    )
    raw = {f"ROSMAP/{n}_{part}.csv": b"0.25,0.5\n1,0\n" for n in (1, 2, 3) for part in ("tr", "te")}
    raw |= {f"ROSMAP/{n}_featname.csv": b"left\nright\n" for n in (1, 2, 3)}
    raw |= {f"ROSMAP/labels_{part}.csv": b"0\n1\n" for part in ("tr", "te")}
    archive = Archive(
        "people.tar.gz",
        (site.put("/people", tar_gz({**raw, "README.md": b"not wanted"})),),
        ("ROSMAP/*.csv",),
        tree_digest({path: sha256(content).hexdigest() for path, content in raw.items()}),
        len(raw),
        sum(map(len, raw.values())),
    )
    people = _collection(
        "people",
        (archive,),
        "mmbench.data.fetch.convert.rosmap:convert",
        Made("rosmap.npz", _content_of_people(raw, tmp_path)),
    )
    return {"digits": digits, "people": people}


def _content_of_people(raw: dict[str, bytes], tmp_path) -> str:
    from mmbench.data.fetch.convert.rosmap import convert

    here, out = tmp_path / "raw", tmp_path / "out"
    out.mkdir()
    for path, content in raw.items():
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_bytes(content)
    convert(here, out)
    return content_digest(out / "rosmap.npz")
