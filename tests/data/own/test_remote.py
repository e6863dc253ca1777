"""Datasets of the Hub, against a stand-in of it on this machine; then without any network."""

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
CARD = """
name = "far"
target = "label"
[task]
kind = "classification"
outputs = 2
[modalities.v]
kind = "vector"
column = "v"
"""


def contents():
    made = {"mmbench.toml": CARD.encode()}
    for name, rows in {"train": 6, "validation": 4, "test": 4}.items():
        buffer = io.BytesIO()
        pq.write_table(
            pa.table({"v": [[float(row), 1.0] for row in range(rows)], "label": [0, 1] * (rows // 2)}), buffer
        )
        made[f"data/{name}-00000-of-00001.parquet"] = buffer.getvalue()
    return made


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as its library asks for; ``org/bare`` has no card of its own."""

    protocol_version = "HTTP/1.1"
    files = contents()

    def log_message(self, *words: object) -> None:
        pass

    def answer(self, content: object, code: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        for name in ("org/name", "org/bare"):
            files = {file: body for file, body in self.files.items() if name == "org/name" or file != "mmbench.toml"}
            if path.startswith(f"/api/datasets/{name}"):
                return self.about(name, files, path.removeprefix(f"/api/datasets/{name}"))
            if path.startswith(f"/datasets/{name}/resolve/"):
                file = path.removeprefix(f"/datasets/{name}/resolve/").partition("/")[2]
                if file in files:
                    tag = hashlib.sha1(files[file]).hexdigest()
                    return self.answer(files[file], ETag=f'"{tag}"', X_Repo_Commit=COMMIT)
                return self.answer(b"", 404, X_Error_Code="EntryNotFound", X_Repo_Commit=COMMIT)
        return self.answer({}, 404, X_Error_Code="RepoNotFound")

    def do_HEAD(self) -> None:
        self.do_GET()

    def about(self, name: str, files: dict[str, bytes], rest: str) -> None:
        if rest.startswith("/tree/"):
            entries = [
                {"type": "file", "path": file, "size": len(body), "oid": hashlib.sha1(body).hexdigest()}
                for file, body in files.items()
            ]
            return self.answer([*entries, {"type": "directory", "path": "data", "size": 0, "oid": "a" * 40}])
        if rest in ("", f"/revision/{COMMIT}", "/revision/v1"):
            return self.answer({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})
        return self.answer({}, 404, X_Error_Code="RevisionNotFound")


ASK = """
import json, sys
from mmbench.core.errors import MmbenchError
from mmbench.core.spec import parse_spec
from mmbench.data.own.place import dataset_at
from mmbench.registry import load
try:
    card, parameters = dataset_at(parse_spec(sys.argv[1]))
    source = load(card)(**{**card.preset, **parameters})
    print(json.dumps([card.name, card.version, card.source, parameters, source.splits["test"][2]["v"]]))
except MmbenchError as error:
    print(json.dumps(str(error)))
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def ask(hub, tmp_path):
    """``ask("hf:…")``: what becomes of it in a process of its own, or the error's words."""

    def run(place: str, offline: bool = False) -> object:
        own = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "hf"), "MMBENCH_CACHE": str(tmp_path / "cache")}
        others = {"HF_HUB_OFFLINE": str(int(offline)), "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
        command = [sys.executable, "-c", ASK, place]
        environment = {**os.environ, **own, **others}
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
def test_a_dataset_with_a_card_of_its_own_is_known_by_its_commit(ask):
    page = "https://huggingface.co/datasets/org/name"
    assert ask("hf:org/name") == ["far", COMMIT, page, {}, [2.0, 1.0]]
    assert ask("hf:org/name", offline=True) == ["far", COMMIT, page, {}, [2.0, 1.0]]
    assert ask("hf:org/name[revision=v1]") == ["far", COMMIT, page, {"revision": "v1"}, [2.0, 1.0]]


@pytest.mark.slow
def test_without_a_network_no_other_commit_is_taken_for_the_one_that_was_asked_for(ask, tmp_path):
    (tmp_path / "my.toml").write_text(CARD)
    assert ask("hf:org/bare[card=my.toml]")[1] == COMMIT
    told = ask(f"hf:org/bare[card=my.toml,revision={OTHER}]", offline=True)
    assert f"commit {OTHER} was asked for" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "offline", "told"),
    [
        ("hf:org/nothing", False, "there is no dataset hf:org/nothing"),
        ("hf:org/name[revision=v9]", False, "hf:org/name has no revision 'v9'"),
        ("hf:org/bare", False, "hf:org/bare has no mmbench.toml: write one"),
        ("hf:org/name", True, "the Hub cannot be reached"),
        (f"hf:org/name[revision={COMMIT}]", True, "its mmbench.toml was never fetched here"),
        ("hf:org/name[config=small]", False, "cannot be loaded"),
    ],
)
def test_what_cannot_be_had_is_told(ask, place, offline, told):
    assert told in ask(place, offline)


@pytest.mark.slow
def test_its_rows_may_name_no_files(ask, tmp_path):
    (tmp_path / "my.toml").write_text(CARD.replace('"vector"\ncolumn', '"image"\nfile'))
    assert "on the Hub images and sounds are columns" in ask("hf:org/name[card=my.toml]")
