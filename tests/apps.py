"""Materialise a version of one of the test applications, ready for `bundle build`."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

APPS = {
    "reference": Path(__file__).parent / "reference_app",
    "minimal": Path(__file__).parent / "minimal_app",
}
SHARED = Path(__file__).parent / "shared_app"
CONTRACT, EDITS = "release.yml", "edits.yml"
KEPT_OUT = {"versions", EDITS, "Gemfile.lock", ".bundle", "storage", "tmp", "log"}
EPOCH = 1_767_225_600  # 2026-01-01


def materialise(
    app: str,
    version: str,
    destination: Path,
    *,
    overrides: Mapping[str, object] | None = None,
    files: Mapping[str, str | bytes | None] | None = None,
) -> Path:
    """Write `app` ("reference", "minimal") as it is at `version` into `destination`, and return it.

    What both share comes first; then the overlays `versions/<number>` up to `version`, in order: files are added,
    the texts that edits.yml names take the place of others, release.yml is merged. `overrides` is merged into
    release.yml (None removes a key); `files` adds, replaces or (None) removes files of the tree.
    """
    if destination.exists() and any(destination.iterdir()):
        raise FileExistsError(f"{destination} is not empty")
    source = APPS[app]
    contract: Any = {}
    for layer in [SHARED, source, *_overlays(source, version)]:
        _copy(layer, destination)
        _edit(layer / EDITS, destination)
        if (layer / CONTRACT).exists():
            contract = merge(contract, yaml.safe_load((layer / CONTRACT).read_text()))
    contract = merge(contract, {"version": version, **(overrides or {})})
    digest_client(destination / "public")
    text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True)
    for name, content in {"VERSION": f"{version}\n", CONTRACT: text, **(files or {})}.items():
        _place(destination / name, content)
    _settle(destination, EPOCH + 60 * sum(part * 100**place for place, part in enumerate(number(version)[::-1])))
    return destination


def digest_client(public: Path) -> None:
    """Give scripts and styles their digest in their name, as a bundler does, and rewrite what refers to them."""
    todo = {path for path in public.rglob("*") if path.suffix in (".js", ".css")}
    pages = list(public.glob("*.html"))
    while todo:
        # Those that refer to no other first: a digest covers the digests of what is imported.
        ready = [path for path in sorted(todo) if not any(_refers(path, other) for other in todo - {path})]
        if not ready:
            raise ValueError(f"modules import each other in a circle: {sorted(map(str, todo))}")
        for path in ready:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
            hashed = path.with_name(f"{path.stem}-{digest}{path.suffix}")
            path.rename(hashed)
            todo.remove(path)
            for other in [*todo, *pages]:
                other.write_text(other.read_text().replace(f'/{path.name}"', f'/{hashed.name}"'))


def _refers(path: Path, other: Path) -> bool:
    return f'/{other.name}"' in path.read_text()


def merge(base: Any, change: Any) -> Any:
    """Merge mappings key by key; anything else is replaced, and None removes a key."""
    if not isinstance(base, Mapping) or not isinstance(change, Mapping):
        return change
    merged = {**base, **{key: merge(base.get(key), value) for key, value in change.items()}}
    return {key: value for key, value in merged.items() if value is not None}


def number(version: str) -> tuple[int, ...]:
    """Give `2.10.0` an order."""
    return tuple(int(part) for part in version.split("."))


def _overlays(source: Path, version: str) -> Iterator[Path]:
    known = (source / "versions").iterdir() if (source / "versions").is_dir() else ()
    yield from sorted(
        (path for path in known if number(path.name) <= number(version)), key=lambda path: number(path.name)
    )


def _copy(layer: Path, destination: Path) -> None:
    shutil.copytree(layer, destination, dirs_exist_ok=True, ignore=lambda _, names: KEPT_OUT.intersection(names))


def _edit(edits: Path, destination: Path) -> None:
    for name, changes in (yaml.safe_load(edits.read_text()) if edits.exists() else {}).items():
        for old, new in changes.items():
            text = (destination / name).read_text()
            if text.count(old) != 1:
                raise ValueError(f"{edits}: {old!r} is {text.count(old)} times in {name}")
            (destination / name).write_text(text.replace(old, new))


def _place(path: Path, content: str | bytes | None) -> None:
    if content is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o755 if path.read_bytes().startswith(b"#!") else 0o644)


def _settle(destination: Path, moment: int) -> None:
    """Same version, same modes and dates; a later version is dated later, since caches compare dates."""
    for path in sorted(destination.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (moment, moment))
    destination.chmod(0o755)
    os.utime(destination, (moment, moment))


if __name__ == "__main__":
    import sys

    print(materialise(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
