"""The tar dialect of bundles, written and read strictly: files, directories and symbolic links only.

Python's tarfile guesses where it can; here everything that `header` would not write is refused, in bounded
memory, whatever the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from filae_ops.agent.system.errors import Refused

BLOCK = 512
CHUNK = 256 * 1024
MAX_PAX = 16 * 1024
MAX_PADDING = 64 * 1024
_KINDS = {b"0": "file", b"2": "link", b"5": "dir"}
_TYPES = {kind: flag for flag, kind in _KINDS.items()}
_REFUSED = {b"1": "hard link", b"3": "device", b"4": "device", b"6": "named pipe"}
_DAMAGED = "the bundle is damaged or was not made by `filae-ops bundle build`: ask for it again"


@dataclass(frozen=True)
class Member:
    """One entry of the archive, as its header states it."""

    path: str
    kind: str
    mode: int
    size: int = 0
    target: str = ""
    mtime: int = 0


def header(member: Member) -> bytes:
    """Return the header blocks of a member; long or non-ASCII names go to a pax header before it."""
    name, target = member.path.encode(), member.target.encode()
    records = b""
    for key, value in ((b"path", name), (b"linkpath", target)):
        if len(value) > 100 or not value.isascii():
            records += _record(key, value)
    blocks = _block(member, name, target, _TYPES[member.kind], member.size)
    if not records:
        return blocks
    extra = Member("@PaxHeader", "file", 0o644, mtime=member.mtime)
    return _block(extra, b"@PaxHeader", b"", b"x", len(records)) + pad(records) + blocks


def pad(data: bytes) -> bytes:
    """Return the data filled with zeros to whole blocks."""
    return data + b"\0" * (-len(data) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _block(member: Member, name: bytes, target: bytes, flag: bytes, size: int) -> bytes:
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (member.mode, 0, 0, size, member.mtime)
    block = name[:100].ljust(100, b"\0") + numbers + b" " * 8 + flag + target[:100].ljust(100, b"\0")
    block = (block + b"ustar\x0000").ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


class TarReader:
    """Read members one after the other: `next()`, then all of `content()`, until `next()` gives None."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = 0
        self._fill = 0

    def next(self) -> Member | None:
        """Return the next member, or None at the end of the archive (checked to its last byte)."""
        for _ in self.content():
            pass
        extra: dict[str, str] = {}
        while True:
            block = self._exactly(BLOCK)
            if block == bytes(BLOCK):
                self._end()
                return None
            member, flag = _parse(block)
            if flag != b"x":
                return self._accept(member, flag, extra)
            if extra or not 0 < member.size <= MAX_PAX:
                raise Refused("archive: unexpected pax header", next_step=_DAMAGED)
            extra = _pax(self._exactly(member.size))
            self._exactly(-member.size % BLOCK)

    def content(self) -> Iterator[bytes]:
        """Give the bytes of the current member, in pieces."""
        while self._left:
            piece = self._exactly(min(self._left, CHUNK))
            self._left -= len(piece)
            yield piece
        self._exactly(self._fill)
        self._fill = 0

    def _accept(self, member: Member, flag: bytes, extra: dict[str, str]) -> Member:
        path = extra.get("path", member.path)
        if flag in _REFUSED:
            raise Refused(f"archive: {path[:200]!r} is a {_REFUSED[flag]}", next_step=_DAMAGED)
        if flag not in _KINDS or (member.size and flag != b"0"):
            raise Refused(f"archive: {path[:200]!r} is of an unknown kind ({flag!r})", next_step=_DAMAGED)
        self._left, self._fill = member.size, -member.size % BLOCK
        path = path.removesuffix("/") if flag == b"5" else path
        target = extra.get("linkpath", member.target)
        return Member(path, _KINDS[flag], member.mode, member.size, target, member.mtime)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._stream.read(size - len(data))
            if not piece:
                raise Refused("archive: truncated", next_step=_DAMAGED)
            data += piece
        return data

    def _end(self) -> None:
        seen = BLOCK
        if self._exactly(BLOCK) != bytes(BLOCK):
            raise Refused("archive: data after its end", next_step=_DAMAGED)
        while piece := self._stream.read(BLOCK):
            seen += len(piece)
            if seen > MAX_PADDING or piece.count(0) != len(piece):
                raise Refused("archive: data after its end", next_step=_DAMAGED)


def _parse(block: bytes) -> tuple[Member, bytes]:
    plain = block[:148] + b" " * 8 + block[156:]
    if _octal(block[148:156]) != sum(plain) or block[257:265] != b"ustar\x0000":
        raise Refused("archive: damaged header", next_step=_DAMAGED)
    mode, uid, gid, size, mtime = (
        _octal(block[start:end]) for start, end in ((100, 108), (108, 116), (116, 124), (124, 136), (136, 148))
    )
    if uid or gid:
        raise Refused("archive: an entry that root does not own", next_step=_DAMAGED)
    path = _text(block[:100])
    prefix = _text(block[345:500])
    path = f"{prefix}/{path}" if prefix else path
    return Member(path, "", mode, size, _text(block[157:257]), mtime), block[156:157]


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits.isdigit() or digits.strip(b"01234567"):
        raise Refused("archive: damaged header", next_step=_DAMAGED)
    return int(digits, 8)


def _text(field: bytes) -> str:
    # A long name may be cut here: the pax header before it has the whole of it.
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _pax(data: bytes) -> dict[str, str]:
    records: dict[str, str] = {}
    while data:
        length, _, _ = data.partition(b" ")
        size = int(length) if length.isdigit() and len(length) < 6 else 0
        record, data = data[len(length) + 1 : size], data[size:]
        key, equals, value = record.removesuffix(b"\n").partition(b"=")
        name = key.decode("ascii", "replace")
        if not (equals and record.endswith(b"\n")) or name not in ("path", "linkpath") or name in records:
            raise Refused(f"archive: pax header {name[:40]!r} is not read", next_step=_DAMAGED)
        try:
            records[name] = value.decode()
        except UnicodeDecodeError as exc:
            raise Refused("archive: a name that is not UTF-8", next_step=_DAMAGED) from exc
    return records
