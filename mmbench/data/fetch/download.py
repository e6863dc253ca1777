"""One file over HTTP: resumed where it broke off, tried again, checked, and under its name only when it is whole.

While it grows it is ``<name>.part``; beside it ``<name>.part.from`` says which URL it is from and how that
server marks this version of the file, so that no two versions are ever joined.
"""

import json
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from importlib import metadata
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mmbench.core.errors import MmbenchError
from mmbench.data.fetch.content import file_digest
from mmbench.data.fetch.progress import QUIET, Progress

CHUNK = 2**16
LIMIT = 4 * 2**30  # bytes of a file of which no size is known
PASSING = (408, 425, 429, 500, 502, 503, 504)  # HTTP states that another attempt may not meet


class DownloadError(MmbenchError):
    """A file could not be had, or is not the one that is known."""


class _GivenUpError(Exception):
    """This URL does not have the file."""


class _PassingError(Exception):
    """Another attempt may do better, not before ``wait`` seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """How long one URL is tried.

    Attributes:
        attempts: of each URL.
        pause: seconds before the second one; every later pause is twice as long.
        longest: seconds of a pause, also where the server asks for more.
        timeout: seconds without a byte, after which a connection counts as broken.
    """

    attempts: int = 5
    pause: float = 1.0
    longest: float = 60.0
    timeout: float = 30.0


PATIENCE = Patience()


@dataclass(frozen=True)
class Wanted:
    """A file to have.

    Attributes:
        urls: that have it, tried in order.
        path: that it gets when it is whole.
        sha256: of its bytes; empty where it is not known.
        size: in bytes; None where it is not known.
    """

    urls: Sequence[str]
    path: Path
    sha256: str = ""
    size: int | None = None

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part.from")


def download(wanted: Wanted, progress: Progress = QUIET, patience: Patience = PATIENCE) -> None:
    """Have a file; nothing is done if it is there already, with the right bytes.

    Raises:
        DownloadError: if no URL gave it, with what each one gave instead.
        OSError: if it cannot be written.
    """
    if wanted.path.is_file() and (not wanted.sha256 or file_digest(wanted.path) == wanted.sha256):
        return
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    troubles = []
    for url in wanted.urls:
        try:
            _patiently(url, wanted, progress, patience)
            _check(wanted)
        except _GivenUpError as error:
            troubles.append(f"{url}: {error}")
            continue
        wanted.part.replace(wanted.path)
        wanted.mark.unlink(missing_ok=True)
        return
    raise DownloadError("\n".join([f"{wanted.path.name} could not be downloaded", *troubles]))


def _patiently(url: str, wanted: Wanted, progress: Progress, patience: Patience) -> None:
    for attempt in range(patience.attempts):
        try:
            _once(url, wanted, progress, patience.timeout)
            return
        except _PassingError as error:
            reason, wait = str(error), max(error.wait, patience.pause * 2**attempt)
        if attempt + 1 < patience.attempts:
            wait = min(wait, patience.longest)
            progress.say(f"{wanted.path.name}: {reason}; trying again in {wait:.0f} s")
            time.sleep(wait)
    raise _GivenUpError(f"{reason} (tried {patience.attempts} times)")


def _once(url: str, wanted: Wanted, progress: Progress, timeout: float) -> None:
    """One request: go on from what is there if the server still has that version, else anew."""
    have, version = _begun(url, wanted)
    if have == wanted.size:
        return
    headers = {"User-Agent": f"mmbench/{metadata.version('mmbench')}", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    with _open(Request(url, headers=headers), wanted, timeout) as reply:
        resumed = reply.status == 206
        if resumed and not str(reply.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            _forget(wanted)
            raise _PassingError("the server sent another part of the file than was asked for")
        have = have if resumed else 0
        total = _total(reply.headers, have)
        if None not in (total, wanted.size) and total != wanted.size:
            _forget(wanted)
            raise _GivenUpError(f"expected {wanted.size} bytes, got {total}")
        if not resumed:
            _note(url, reply.headers, wanted)
        progress.begin(wanted.path.name, total)
        try:
            with wanted.part.open("ab" if resumed else "wb") as part:
                have = _copy(reply, part, have, wanted, progress)
        finally:
            progress.end()
    if total is not None and have != total:
        raise _PassingError(f"the connection broke off after {have} of {total} bytes")


def _open(request: Request, wanted: Wanted, timeout: float) -> HTTPResponse:
    try:
        reply: HTTPResponse = build_opener(_WebAlone).open(request, timeout=timeout)
        return reply
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the file has become shorter than what is there of it
            _forget(wanted)
            raise _PassingError("the file has changed") from None
        told = f"HTTP {error.code} {error.reason}"
        if error.code not in PASSING:
            raise _GivenUpError(told) from None
        asked = str(error.headers.get("Retry-After", ""))
        raise _PassingError(told, float(asked) if asked.isdecimal() else 0.0) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise _GivenUpError(f"the server's certificate is not trusted: {reason}") from None
        if isinstance(reason, socket.gaierror):
            raise _GivenUpError(f"its server cannot be found ({reason}): is there a network?") from None
        raise _PassingError(_said(reason)) from None


def _copy(reply: HTTPResponse, part: IO[bytes], have: int, wanted: Wanted, progress: Progress) -> int:
    """Bytes that are there in the end."""
    most = LIMIT if wanted.size is None else wanted.size
    while True:
        progress.at(have)
        try:
            chunk = reply.read1(CHUNK)
        except (OSError, HTTPException) as error:
            raise _PassingError(f"the connection broke off after {have} bytes: {_said(error)}") from None
        if not chunk:
            return have
        have += len(chunk)
        if have > most:
            _forget(wanted)
            raise _GivenUpError(f"expected {most} bytes at most, got more")
        part.write(chunk)


def _check(wanted: Wanted) -> None:
    """Refuse, and remove, a part whose bytes are not the known ones."""
    got = file_digest(wanted.part) if wanted.sha256 else ""
    size = wanted.part.stat().st_size
    if got != wanted.sha256 or wanted.size not in (None, size):
        _forget(wanted)
        expected = wanted.sha256 if wanted.size is None else f"{wanted.sha256} ({wanted.size} bytes)"
        raise _GivenUpError(f"wrong bytes: expected sha256 {expected}, got {got} ({size} bytes)")


def _begun(url: str, wanted: Wanted) -> tuple[int, str]:
    """Bytes that are there of what this URL sends, and how the server marks that version; 0 if nothing is."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        mark = json.loads(wanted.mark.read_text())
        if mark["url"] == url and isinstance(mark["version"], str):
            return wanted.part.stat().st_size, mark["version"]
    return 0, ""


def _note(url: str, headers: HTTPMessage, wanted: Wanted) -> None:
    """Keep how the server marks this version, if it does so in a way that holds for every byte."""
    _forget(wanted)
    version = headers.get("ETag") or headers.get("Last-Modified")
    if version and not version.startswith("W/"):
        wanted.mark.write_text(json.dumps({"url": url, "version": version}))


def _forget(wanted: Wanted) -> None:
    wanted.part.unlink(missing_ok=True)
    wanted.mark.unlink(missing_ok=True)


def _total(headers: HTTPMessage, have: int) -> int | None:
    """Bytes of the whole file, if the server says."""
    rest = str(headers.get("Content-Length", ""))
    return have + int(rest) if rest.isdecimal() else None


def _said(error: object) -> str:
    return str(error) or type(error).__name__


class _WebAlone(HTTPRedirectHandler):
    """Follows redirections to the web alone, and never from an encrypted connection to an open one."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        wanted = ("https:",) if req.type == "https" else ("http:", "https:")
        if not newurl.lower().startswith(wanted):
            raise HTTPError(req.full_url, code, f"redirection to {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
