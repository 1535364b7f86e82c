"""An inventory as a git revision holds it: raw objects only, so that nothing of the repository runs."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from filae_ops.errors import OpsError

TIMEOUT = 30
MAX_FILES = 5000
MAX_BYTES = 64 * 1024 * 1024
SECRETS = "secrets.yml"
# No option, no path (`:`), no range (`..`), no pattern; `HEAD~2`, `v1.0^{}` and `main@{2026-01-01}` are names.
_NAME = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_@/.+~^{}-]{0,199}")
# Reading raw objects needs none of these; a repository could set them.
_OVERRIDDEN = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.alternateRefsCommand=", "protocol.allow=never",
    # A bare repository among the inventory's files would answer in the place of the one that holds them.
    "safe.bareRepository=explicit",
)  # fmt: skip
_AS_BEFORE = "name a revision of the repository that holds the inventory, or the folder of an older inventory"


@dataclass(frozen=True)
class Extracted:
    """An older inventory, written where it can be read."""

    directory: Path
    commit: str
    """Full name of the commit."""
    day: str
    """Day of the commit, ISO 8601."""
    secrets: bytes | None
    """secrets.yml as it was, never written to disk."""


@dataclass(frozen=True)
class _Blob:
    mode: str
    oid: str
    path: PurePosixPath


@contextmanager
def older(inventory: Path, revision: str) -> Iterator[Extracted]:
    """Give the inventory as `revision` holds it, for as long as the context lasts.

    `inventory` is its folder today. OpsError: no repository, an unknown or unlikely revision, no inventory there.
    """
    folder = inventory.resolve()
    commit, prefix = _commit(folder, revision), _prefix(folder)
    blobs = list(_blobs(folder, commit, prefix))
    if not blobs:
        raise OpsError(
            f"the inventory {folder.name} is not in the revision {revision}", next_step=_AS_BEFORE, exit_code=2
        )
    day = _day(folder, commit)
    with TemporaryDirectory(prefix="filae-review-") as place:
        target = Path(place, folder.name)
        target.mkdir()
        try:
            secrets = _write(folder, blobs, target)
        except OSError as error:
            raise OpsError(f"the revision {revision} cannot be written apart: {error}", next_step=_AS_BEFORE) from None
        yield Extracted(target, commit, day, secrets)


def _commit(folder: Path, revision: str) -> str:
    if not _NAME.fullmatch(revision) or ".." in revision:
        raise OpsError(
            f"{revision[:80]!r} is neither a folder nor the name of a revision", next_step=_AS_BEFORE, exit_code=2
        )
    try:
        found = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except OpsError:
        _prefix(folder)
        raise OpsError(
            f"{revision} is neither a folder nor a revision of the repository that holds {folder}",
            next_step=f"git -C {folder} log --oneline -- . names the revisions of this inventory", exit_code=2,
        ) from None  # fmt: skip
    return found.decode().strip()


def _day(folder: Path, commit: str) -> str:
    """Return the day on which a commit was made, where it was made; `git log` may run what the repository says."""
    header = _git(folder, "cat-file", "commit", commit).partition(b"\n\n")[0]
    found = re.search(rb"^committer .* ([0-9]{1,12}) ([+-])([0-9]{2})([0-9]{2})$", header, re.M)
    if not found:
        raise OpsError(f"the commit {commit[:12]} has no date", next_step="git fsck says what is wrong")
    offset = (int(found[3]) * 60 + int(found[4])) * (60 if found[2] == b"+" else -60)
    try:
        return dt.datetime.fromtimestamp(int(found[1]) + offset, dt.UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise OpsError(f"the commit {commit[:12]} has no possible date", next_step="git fsck") from None


def _prefix(folder: Path) -> str:
    try:
        return os.fsdecode(_git(folder, "rev-parse", "--show-prefix")).rstrip("\n")
    except OpsError as error:
        raise OpsError(
            f"{folder} is in no git repository that can be read: {error.args[0]}",
            next_step="give the folder of the older inventory: review --diff FOLDER", exit_code=2,
        ) from None  # fmt: skip


def _blobs(folder: Path, commit: str, prefix: str) -> Iterator[_Blob]:
    """List the files below the inventory's folder; refuse what no inventory needs."""
    tree = f"{commit}:{prefix.rstrip('/')}" if prefix else commit
    try:
        listing = _git(folder, "ls-tree", "-r", "-z", "-l", "--full-tree", tree)
    except OpsError:
        return
    rows = [row for row in listing.split(b"\0") if row]
    sizes = 0
    for row in rows:
        about, _, name = row.partition(b"\t")
        mode, kind, oid, size = about.decode().split()
        path = PurePosixPath(os.fsdecode(name))
        if kind != "blob":
            continue
        if not size.isdigit():
            raise OpsError(f"git does not have {path} of that revision", next_step="git fsck says what is missing")
        sizes += int(size)
        if any(part in ("", ".", "..", ".git") for part in os.fsdecode(name).split("/")):
            raise OpsError(f"the revision holds a path that no inventory has: {path}", next_step=_AS_BEFORE)
        yield _Blob(mode, oid, path)
    if len(rows) > MAX_FILES or sizes > MAX_BYTES:
        raise OpsError(
            f"the inventory of that revision is too large to compare: {len(rows)} files, {sizes / 2**20:.0f} MiB",
            next_step="move what is no evidence out of the inventory",
        )


def _write(folder: Path, blobs: list[_Blob], target: Path) -> bytes | None:
    """Write the files, then the links that stay inside; return secrets.yml, which is kept off the disk."""
    secrets, links = None, []
    contents = _contents(folder, [blob.oid for blob in blobs])
    for blob, content in zip(blobs, contents, strict=True):
        place = target / blob.path
        if str(blob.path) == SECRETS:
            secrets = content
        elif blob.mode == "120000":
            links.append((place, os.fsdecode(content)))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as stream:
                stream.write(content)
    for place, to in links:
        inside = Path(os.path.normpath(place.parent / to)).is_relative_to(target)
        if inside and not Path(to).is_absolute() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(to)
    return secrets


def _contents(folder: Path, names: list[str]) -> Iterator[bytes]:
    answer = _git(folder, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
    start = 0
    for name in names:
        end = answer.index(b"\n", start)
        header = answer[start:end].split()
        if len(header) != 3:
            raise OpsError(f"git does not give the object {name}", next_step="git fsck says what is missing")
        start = end + 1 + int(header[2]) + 1
        yield answer[end + 1 : start - 1]


def _git(folder: Path, *words: str, stdin: bytes = b"") -> bytes:
    settings = [word for each in _OVERRIDDEN for word in ("-c", each)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    ours = {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}  # fmt: skip
    argv = ["git", "--no-pager", *settings, "-C", str(folder), *words]
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=TIMEOUT, check=False, env=kept | ours)
    except FileNotFoundError:
        raise OpsError("git is not installed here", next_step="apt-get install git, or give a folder") from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"git did not answer in {TIMEOUT} s", next_step="give the folder of the older one") from None
    if done.returncode:
        raise OpsError(done.stderr.decode(errors="replace").strip()[:300] or f"git {words[0]} failed")
    return done.stdout
