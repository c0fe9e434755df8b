"""Archives and arrays that somebody has put into a data root."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bad_inputs.case import Case, encoded, endless, fifo, folder, loop, sparse


def put(write: Callable[[Path], None], name: str = "PBC_dataset_normal_DIB.zip") -> Callable[[Path], list[str]]:
    """A data root with one file in the folder of ``pbc``."""

    def make(place: Path) -> list[str]:
        target = place / "root" / "pbc" / name
        target.parent.mkdir(parents=True)
        write(target)
        return ["data", "get", "pbc", "--root", str(place / "root")]

    return make


def content(data: bytes, name: str = "PBC_dataset_normal_DIB.zip") -> Callable[[Path], list[str]]:
    return put(lambda path: path.write_bytes(data), name)


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def patched(method: int = 0, flags: int = 0) -> bytes:
    """A zip whose headers say another compression, or that it is encrypted."""
    data = bytearray(zipped(("a/0.png", encoded("PNG"))))
    local, central = data.find(b"PK\3\4"), data.find(b"PK\1\2")
    for start, method_at, flags_at in ((local, 8, 6), (central, 10, 8)):
        struct.pack_into("<H", data, start + method_at, method)
        struct.pack_into("<H", data, start + flags_at, flags)
    return bytes(data)


def lying(members: dict[str, bytes], name: str, mib: int) -> bytes:
    """A zip in which a member goes on with zeros, of which neither its size nor its checksum knows."""
    assert name in members
    local, central = b"", b""
    for own, data in members.items():
        packer = zlib.compressobj(wbits=-15)
        stream = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
        if own == name:
            stream += (packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)) * mib
        stream += packer.flush()
        said = (20, 0, zipfile.ZIP_DEFLATED, 0, 33, zlib.crc32(data), len(stream), len(data), len(own), 0)
        central += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, *said, 0, 0, 0, 0, len(local)) + own.encode()
        local += struct.pack("<4sHHHHHIIIHH", b"PK\3\4", *said) + own.encode() + stream
    number = len(members)
    return local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, number, number, len(central), len(local), 0)


def packed_by_bzip2(path: Path) -> None:
    """A zip of 300 bytes that holds 256 MiB of zeros, which zipfile unpacks at one go."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive, archive.open("a/0.png", "w") as file:
        for _ in range(256):
            file.write(bytes(2**20))


def link() -> bytes:
    info = zipfile.ZipInfo("a/link")
    info.external_attr = 0o120777 << 16
    return zipped((info, b"/etc/passwd"))


def tarred(*members: tarfile.TarInfo, kind: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=kind) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info


def long_name(path: Path) -> None:
    """A tar whose first member has a name of 2 GiB, packed by gzip into 2 MB."""
    import gzip

    info = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    info.size = 2 * 2**30
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(256):
            file.write(b"a" * (8 * 2**20))


def arrays(path_content: bytes) -> Callable[[Path], list[str]]:
    """A data root with that BloodMNIST."""

    def make(place: Path) -> list[str]:
        target = place / "root" / "bloodmnist" / "bloodmnist.npz"
        target.parent.mkdir(parents=True)
        target.write_bytes(path_content)
        return ["data", "check", "bloodmnist", "--root", str(place / "root")]

    return make


def npz(images: bytes) -> bytes:
    """BloodMNIST in which every ``*_images`` is that file."""
    labels = io.BytesIO()
    np.save(labels, np.zeros((2, 1), np.uint8))
    members = []
    for part in ("train", "val", "test"):
        members += [(f"{part}_images.npy", images), (f"{part}_labels.npy", labels.getvalue())]
    return zipped(*members)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def says(shape: str, kind: str = "'|u1'") -> bytes:
    """The header of an array of that shape, and hardly anything behind it."""
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(64)


WHERE = "PBC_dataset_normal_DIB"
CASES = [
    Case("a zip of nothing", content(zipped()), ("zip",)),
    Case("an archive of no bytes", content(b""), ("zip",)),
    Case("text named zip", content(b"Sign in to download"), ("zip", "not an archive")),
    Case("a rar named zip", content(b"Rar!\x1a\x07\x01\x00" + bytes(500)), ("zip", "RAR", "7-Zip")),
    Case("half a zip", content(zipped((f"{WHERE}/basophil/0.jpg", encoded("JPEG")))[:-60]), ("zip",)),
    Case("a zip laid out otherwise", content(zipped(("pictures/of/cells/0.jpg", encoded("JPEG")))),
         ("pictures", "basophil")),
    Case("a member above its folder", content(zipped(("../../out.png", b"x"))), ("out.png", "outside")),
    Case("a member at the root", content(zipped(("/etc/out.png", b"x"))), ("out.png", "outside")),
    Case("a member on another disk", content(zipped(("C:\\out.png", b"x"))), ("out.png", "outside")),
    Case("a link in a zip", content(link()), ("link",)),
    Case("a zip with a password", content(patched(flags=1)), ("zip", "password")),
    Case("a zip packed by Deflate64", content(patched(method=9)), ("zip", "7-Zip")),
    Case("a zip packed by something else", content(patched(method=98)), ("zip", "7-Zip")),
    Case("a zip packed by bzip2", put(packed_by_bzip2), ("zip", "bzip2", "7-Zip")),
    Case("a name of 300 letters", content(zipped(("x" * 300 + ".png", b"x"))), ("zip",)),
    Case("a member where a folder is", content(zipped(("a/b.png", b"x"), ("a", b"x"))), ("zip",)),
    Case("half a tar.gz", content(tarred(member("a", size=9999))[:-40], "cells.tar.gz"), ("tar.gz",)),
    Case("a device in a tar", content(tarred(member("a", tarfile.CHRTYPE)), "cells.tar.gz"), ("device",)),
    Case("a tar with a name of 2 GiB", put(long_name, "cells.tar.gz"), ("tar.gz",)),
    Case("an archive that is a pipe", put(fifo), ("zip",)),
    Case("an archive that is a folder", put(folder), ("zip",)),
    Case("an archive that is a link to itself", put(loop), ("zip",)),
    Case("an archive that is a device", put(endless), ("zip",)),
    Case("an archive of 3 GiB of zeros", put(sparse), ("zip",)),
    Case("arrays that are text", arrays(b"no arrays"), ("bloodmnist.npz",)),
    Case("arrays of records", arrays(npz(npy(np.zeros(2, [("a", "u1")])))), ("bloodmnist.npz",)),
    Case("arrays of objects", arrays(npz(npy(np.array([{}, {}], object)))), ("bloodmnist.npz",)),
    Case("an array that says 100 GB", arrays(npz(says("(40000000, 28, 28, 3)"))), ("bloodmnist.npz",)),
    Case("an array of a shape that is none", arrays(npz(says("(-1, 28, 28, 3)"))), ("bloodmnist.npz",)),
    Case("an array of strings", arrays(npz(npy(np.array(["a" * 999] * 2)))), ("bloodmnist.npz",)),
]  # fmt: skip
