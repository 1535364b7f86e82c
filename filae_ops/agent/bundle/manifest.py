"""MANIFEST.json of a bundle: its bounds, and the rules that every path and link of a release obeys."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from filae_ops.agent.bundle.contract_rules import REBUILD, contract_problem, shown
from filae_ops.agent.bundle.field_rules import path_problem
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.plain_text import one_line

NAME = "MANIFEST.json"
FORMAT = 1
MAX_MANIFEST = 16 * 1024 * 1024
MAX_TOTAL = 4 * 1024 * 1024 * 1024
MAX_MTIME = 2**33 - 1
MAX_BY = 100
_KEYS = {
    "file": {"path", "type", "mode", "size", "sha256"},
    "dir": {"path", "type", "mode"},
    "link": {"path", "type", "mode", "target"},
}
_MODES = {"file": ("0644", "0755"), "dir": ("0755",), "link": ("0777",)}
_SHA = re.compile(r"[0-9a-f]{64}")
# The lock's own name, and the one under which it is written before it has that.
_LOCK_NAMES = ("Gemfile.lock", ".Gemfile.lock.new")
_TARGET_PARTS = 40
# Of a target and of the links on its way: what is done for each link stays cheap, however many there are.
_FOLLOWED_PARTS = 100

Manifest = dict[str, Any]


def refuse(message: str) -> NoReturn:
    """Refuse a bundle that `filae-ops bundle build` cannot have made."""
    raise Refused(message, next_step=REBUILD)


def machine_links(contract: dict[str, Any]) -> list[str]:
    """Return the paths where the machine makes links: `files` and `scratch` of the contract."""
    return [item["path"] for item in contract["files"]] + list(contract["scratch"])


def parse_manifest(data: bytes) -> Manifest:
    """Read MANIFEST.json and refuse whatever breaks a rule."""
    try:
        manifest = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_constant)
    except (ValueError, RecursionError) as exc:
        refuse(f"{NAME}: not JSON: {str(exc)[:100]}")
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int or manifest["format"] != FORMAT:
        refuse(f"{NAME}: not of format {FORMAT}: this filae-ops is older than the bundle, or the reverse")
    if set(manifest) != {"format", "contract", "files", "built"}:
        refuse(f"{NAME}: unexpected keys")
    _check_contract(manifest["contract"])
    _check_built(manifest["built"])
    entries = _check_entries(manifest["files"])
    _check_tree(entries, manifest["contract"])
    return manifest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_contract(contract: object) -> None:
    if problem := contract_problem(contract):
        refuse(f"{NAME}: {problem}")


def _check_built(built: Any) -> None:
    if not isinstance(built, dict) or set(built) != {"by", "mtime"}:
        refuse(f"{NAME}: built: not `by` and `mtime` alone")
    by, mtime = built["by"], built["mtime"]
    if not isinstance(by, str) or not one_line(by) or len(by) > MAX_BY:
        refuse(f"{NAME}: built.by is not the name of a program: {shown(by)}")
    if type(mtime) is not int or not 0 <= mtime <= MAX_MTIME:
        refuse(f"{NAME}: built.mtime is not a time: {shown(mtime)}")


def _check_entries(files: Any) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    last, total = "", 0
    for entry in files if isinstance(files, list) else refuse(f"{NAME}: no list of files"):
        path = _check_entry(entry)
        if path <= last:
            refuse(f"{NAME}: {path[:200]!r} is duplicate or out of order")
        last, total = path, total + entry.get("size", 0)
        if total > MAX_TOTAL:
            refuse(f"{NAME}: more than {MAX_TOTAL} bytes in all")
        entries[path] = entry
    return entries


def _check_entry(entry: Any) -> str:
    kind = entry.get("type") if isinstance(entry, dict) else None
    if not isinstance(kind, str) or set(entry) != _KEYS.get(kind):
        refuse(f"{NAME}: an entry is not a file, a directory or a link: {shown(entry)}")
    path = entry["path"]
    if problem := path_problem(path):
        refuse(f"{NAME}: {problem}: {shown(path)}")
    if path == NAME:
        refuse(f"{NAME}: lists itself")
    if entry["mode"] not in _MODES[kind]:
        refuse(f"{NAME}: {path!r}: mode {shown(entry['mode'])} (setuid, or not {' or '.join(_MODES[kind])})")
    if kind == "file" and not (type(entry["size"]) is int and 0 <= entry["size"] <= MAX_TOTAL):
        refuse(f"{NAME}: {path!r}: not a size: {shown(entry['size'])}")
    if kind == "file" and not (isinstance(entry["sha256"], str) and _SHA.fullmatch(entry["sha256"])):
        refuse(f"{NAME}: {path!r}: not a sha256")
    if kind == "link" and (problem := _target_problem(entry["target"])):
        refuse(f"{NAME}: {path!r} is a link {problem}: {shown(entry['target'])}")
    return str(path)


def _check_tree(entries: dict[str, dict[str, Any]], contract: dict[str, Any]) -> None:
    links = set(machine_links(contract))
    for path in (name for name in _LOCK_NAMES if contract["gems"] == "debian" and name in entries):
        refuse(f"{NAME}: {path} inside, while `gems: debian` makes Gemfile.lock on the machine, by way of this name")
    for path, entry in entries.items():
        parent = path.rpartition("/")[0]
        if parent and entries.get(parent, {}).get("type") != "dir":
            refuse(f"{NAME}: {path!r} is not in a directory of the bundle")
        if path in links:
            refuse(f"{NAME}: {path!r} is where the machine makes a link (files or scratch)")
        if entry["type"] == "link" and (problem := _link_problem(path, entry["target"], entries)):
            refuse(f"{NAME}: {path!r} is a link {problem}: {shown(entry['target'])}")
    _check_client(entries, contract)
    for path in links:
        parent = path.rpartition("/")[0]
        if parent and entries.get(parent, {}).get("type") != "dir":
            refuse(f"{NAME}: {path!r} (files or scratch) is not in a directory of the bundle")


def _check_client(entries: dict[str, dict[str, Any]], contract: dict[str, Any]) -> None:
    """Refuse a client that is a link or holds one that leads out of it: nginx serves to anyone what it leads to."""
    directory = contract.get("client", {}).get("directory")
    if directory is None:
        return
    if entries.get(directory, {}).get("type") != "dir":
        refuse(f"{NAME}: client.directory: {directory!r} is not a directory of the bundle (nor may it be a link)")
    for path, entry in entries.items():
        if entry["type"] != "link" or not path.startswith(f"{directory}/"):
            continue
        depth = path.removeprefix(f"{directory}/").count("/")
        ups = entry["target"].split("/")
        leading = next((n for n, part in enumerate(ups) if part not in ("..", ".", "")), len(ups))
        if ups[:leading].count("..") > depth or ".." in ups[leading:]:
            refuse(f"{NAME}: {path!r} is a link out of {directory}, which anyone may read")


def _target_problem(target: object) -> str:
    """Return what of a link's target is refused wherever the link is, or nothing."""
    if not isinstance(target, str) or not target or len(target.encode("utf-8", "replace")) > 1024:
        return "without a target"
    if not one_line(target):
        return "with a control character"
    if target.startswith("/"):
        return "to an absolute path"
    return f"to a target of more than {_TARGET_PARTS} parts" if target.count("/") >= _TARGET_PARTS else ""


def _link_problem(path: str, target: str, entries: dict[str, dict[str, Any]]) -> str:
    """Return why the link `path` to `target` may leave the tree, or nothing; other links are followed."""
    here, todo, followed = path.split("/")[:-1], _parts(target), 0
    while todo:
        part, followed = todo.pop(), followed + 1
        if part == "..":
            if not here:
                return "out of the tree"
            here.pop()
            continue
        entry = entries.get("/".join([*here, part]), {})
        if entry.get("type") == "link":
            if followed > _FOLLOWED_PARTS:
                return "through too many links"
            todo += _parts(entry["target"])
            continue
        here.append(part)
        if entry.get("type") != "dir":
            return "through what is not a directory" if ".." in todo else ""
    return ""


def _parts(target: str) -> list[str]:
    return [part for part in reversed(target.split("/")) if part not in ("", ".")]
