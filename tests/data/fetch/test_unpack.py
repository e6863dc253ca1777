"""Of an archive the wanted files alone are written, and nothing outside the folder."""

import io
import tarfile
import zipfile
from hashlib import sha256

import pytest

from mmbench.data.fetch.origins import Archive
from mmbench.data.fetch.unpack import ArchiveError, tree_digest, unpack

FILES = {"data/a.csv": b"1,2", "data/b.csv": b"3,4", "LICENSE": b"free"}


def wanted(files=FILES, members=("data/*.csv", "LICENSE"), **more):
    tree = tree_digest({path: sha256(content).hexdigest() for path, content in files.items()})
    known = {"tree": tree, "count": len(files), "size": sum(map(len, files.values())), **more}
    return Archive("a.tar.gz", (), members, **known)


def entry(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content)
    return info, io.BytesIO(content)


@pytest.fixture
def tar(tmp_path):
    """``tar(entry, …)``: an archive with the known files and these."""

    def make(*entries):
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for info, content in [*(entry(f"top/{name}", content) for name, content in FILES.items()), *entries]:
                archive.addfile(info, content)
        return path

    return make


@pytest.fixture
def into(tmp_path):
    (tmp_path / "here" / "into").mkdir(parents=True)
    return tmp_path / "here" / "into"


def written(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_wanted_files_are_written_without_the_top_folder(tar, into):
    extra = [entry("top/data/deeper/c.csv", b"5"), entry("top/data/notes.txt", b"6"), entry("top/run.py", b"7")]
    unpack(tar(*extra), into, wanted())
    assert written(into) == FILES


def test_zip_archives_too(tmp_path, into):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("top/", b"")
        for name, content in {**FILES, "other": b"x"}.items():
            archive.writestr(f"top/{name}", content)
    unpack(path, into, wanted())
    assert written(into) == FILES


@pytest.mark.parametrize("name", ["../../evil", "top/../../evil", "/evil", "top/data/../../../evil", "top/..\\evil"])
def test_paths_that_lead_out_are_refused(tar, into, tmp_path, name):
    with pytest.raises(ArchiveError, match="may lead out"):
        unpack(tar(entry(name, b"evil")), into, wanted())
    assert not list(tmp_path.rglob("*evil*"))


def test_a_zip_that_leads_out_is_refused(tmp_path, into):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("top/data/../../../evil.csv", b"evil")
    with pytest.raises(ArchiveError, match="may lead out"):
        unpack(path, into, wanted())
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize(
    ("kind", "link"),
    [(tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "top/LICENSE"), (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, "")],
)
def test_links_and_devices_are_refused_where_a_file_is_wanted(tar, into, kind, link):
    with pytest.raises(ArchiveError, match="no plain file"):
        unpack(tar(entry("top/data/c.csv", kind=kind, link=link)), into, wanted(count=4))
    assert not any(path.is_symlink() for path in into.rglob("*"))


def test_a_folder_that_is_a_link_is_not_followed(tar, into, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = entry("top/deep", kind=tarfile.SYMTYPE, link=str(outside))
    with pytest.raises(ArchiveError):
        unpack(tar(link, entry("top/deep/c.csv", b"8")), into, wanted(members=("data/*.csv", "LICENSE", "deep/*")))
    assert not list(outside.iterdir())


def test_a_link_in_a_zip_is_refused(tmp_path, into):
    path = tmp_path / "a.zip"
    link = zipfile.ZipInfo("top/data/c.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="no plain file"):
        unpack(path, into, wanted())
    assert written(into) == {}


def test_no_more_is_written_than_is_known(tar, into):
    with pytest.raises(ArchiveError, match="more bytes than are known"):
        unpack(tar(entry("top/data/c.csv", b"0" * 10**7)), into, wanted(count=4))
    assert sum(len(content) for content in written(into).values()) <= wanted().size


def test_no_more_files_than_are_known(tar, into):
    with pytest.raises(ArchiveError, match="more than the 3 files"):
        unpack(tar(*(entry(f"top/data/{number}.csv") for number in range(100))), into, wanted())
    assert len(written(into)) == 3


def test_a_file_that_is_there_twice_is_refused(tar, into):
    with pytest.raises(ArchiveError, match="twice"):
        unpack(tar(entry("top/LICENSE", b"evil")), into, wanted(count=4, size=100))
    assert written(into)["LICENSE"] == b"free"


def test_other_files_are_told_by_the_tree_digest(tar, into):
    changed = {**FILES, "LICENSE": b"FREE"}
    with pytest.raises(ArchiveError, match=f"expected 3 files with tree digest {wanted(changed).tree}"):
        unpack(tar(), into, wanted(changed))
    with pytest.raises(ArchiveError, match="got 2 with"):
        unpack(tar(), into / "again", wanted(members=("data/*.csv",)))


def test_the_tree_digest_is_of_sorted_lines():
    lines = "".join(sorted(f"{sha256(content).hexdigest()}  {path}\n" for path, content in FILES.items()))
    assert wanted().tree == sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize("keep", [0, 20, 0.5])
def test_damaged_archives_are_told(tar, into, keep):
    path = tar(entry("top/data/c.csv", bytes(sha256(b"").digest()) * 1000))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(ArchiveError):
        unpack(path, into, wanted())
    path.write_bytes(b"<html>no such page</html>")
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(path, into, wanted())


def test_a_zip_that_is_none_is_told(tmp_path, into):
    (tmp_path / "a.zip").write_bytes(b"PK but no more")
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(tmp_path / "a.zip", into, wanted())
