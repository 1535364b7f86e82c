#!/usr/bin/python
"""Place a role's directories and files in one call: atomic, with a diff per file, nothing touched when equal."""

from __future__ import annotations

import base64
import contextlib
import difflib
import grp
import os
import pwd
import secrets
import stat
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: place_files
short_description: Place directories and files in one call
description:
  - Directories are made first, then files are written beside their place, fsynced and renamed, then links.
  - Everything is reached by descriptors; a link is followed only in a directory that root alone writes.
  - C(paths) lists what changed, so that handlers can act on what they know.
  - What was changed by a run that was cut before its end counts as changed again, so that its handlers run.
options:
  directories: {description: "path, owner, group, mode", type: list, elements: dict, default: []}
  files:
    description: >-
      path; content (text) or src64 (base64); owner, group, mode; secret (no diff); keep (leave an existing file's
      content alone); validate (a command as a list, with %s where the new file is)
    type: list
    elements: dict
    default: []
  links: {description: "path, target", type: list, elements: dict, default: []}
  absent: {description: paths of files to remove, type: list, elements: str, default: []}
"""

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY
# Paths changed since the last run that went to its end: it removes this file once its handlers have run.
UNFINISHED = "/var/lib/filae-ops/unfinished"


def unfinished():
    try:
        with open(UNFINISHED, encoding="utf-8") as handle:
            return set(handle.read().splitlines())
    except FileNotFoundError:
        return set()


@contextlib.contextmanager
def closing(handle):
    """Close a descriptor, if there is one, at the end."""
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def inner(parent, name, make):
    """Open a directory in another one, made if it is not there and is to be."""
    try:
        return os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
        os.mkdir(name, 0o755, dir_fd=parent)
        return os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except NotADirectoryError:
        about = os.fstat(parent)
        if about.st_uid != os.geteuid() or about.st_mode & 0o022:
            raise
        try:
            return os.open(name, DIRECTORY, dir_fd=parent)
        except FileNotFoundError:
            raise NotADirectoryError(name) from None


class Placer:
    """Collects what changes; writes unless the module runs in check mode."""

    def __init__(self, module):
        self.module = module
        self.paths = []
        self.diffs = []
        self.pending = []

    def fail(self, message):
        self.discard()
        self.module.fail_json(msg=message)

    def directory(self, path, owner="root", group="root", mode="0755"):
        handle = self.opened(path)
        if handle is None:
            self.note(path, "absent\n", "directory\n")
            if self.module.check_mode:
                return
            handle = self.opened(path, make=True)
        with closing(handle):
            self.attributes(handle, path, owner, group, mode)

    def opened(self, path, make=False):
        """Return a descriptor of a directory, reached part by part; None when there is none.

        What another user owns may become a link at any time: one is followed only where root alone can have put it.
        """
        handle, here = os.open("/", DIRECTORY), ""
        for part in filter(None, path.split("/")):
            here += "/" + part
            with closing(handle):
                try:
                    handle = inner(handle, part, make)
                except FileNotFoundError:
                    return None
                except NotADirectoryError:
                    self.fail("%s is not a directory, or a link that root may not have put; remove it first" % here)
        return handle

    def there(self, parent, path):
        """Return the state of what has this path, whose directory is open; None when there is nothing."""
        try:
            return None if parent is None else os.stat(os.path.basename(path), dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def file(
        self,
        path,
        content=None,
        src64=None,
        owner="root",
        group="root",
        mode="0644",
        secret=False,
        keep=False,
        validate=None,
    ):
        new = base64.b64decode(src64) if src64 is not None else (content or "").encode()
        old = self.present(path, owner, group, mode, new, keep)
        if old == new or (keep and old is not None):
            return
        self.note(path, *self.texts(old, new, secret or src64 is not None))
        if not self.module.check_mode:
            self.prepare(path, new, owner, group, mode, validate)

    def present(self, path, owner, group, mode, new, keep):
        """Return what a file says, None when it is absent; one that stays gets its owner and mode."""
        parent = self.opened(os.path.dirname(path))
        with closing(parent):
            state = self.there(parent, path)
            if state is None:
                return None
            if not stat.S_ISREG(state.st_mode):
                self.fail("%s is not a plain file; remove it first" % path)
            handle = os.open(os.path.basename(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
            with os.fdopen(handle, "rb") as stream:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    self.fail("%s is not a plain file; remove it first" % path)
                old = b"" if keep else stream.read()
                if keep or old == new:
                    self.attributes(handle, path, owner, group, mode)
                return old

    def texts(self, old, new, hidden):
        if hidden:
            return ("(not shown)\n" if old else "absent\n"), "(not shown, changed)\n"
        return (old or b"").decode("utf-8", "replace"), new.decode("utf-8", "replace")

    def prepare(self, path, new, owner, group, mode, validate):
        """Write beside the place and have it checked; nothing is renamed before every file is ready."""
        directory, name = os.path.split(path)
        parent, temporary = self.opened(directory, make=True), ".place-" + secrets.token_hex(8)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=parent)
        self.pending.append((parent, temporary, name))
        with os.fdopen(handle, "wb") as out:
            os.fchown(out.fileno(), self.uid(owner), self.gid(group))
            os.fchmod(out.fileno(), int(mode, 8))
            out.write(new)
            out.flush()
            os.fsync(out.fileno())
        if validate:
            self.validate(path, [word.replace("%s", os.path.join(directory, temporary)) for word in validate])

    def promise(self):
        """Write down what is about to change, before it does."""
        paths = sorted(set(self.paths) - unfinished())
        if paths and not self.module.check_mode:
            os.makedirs(os.path.dirname(UNFINISHED), mode=0o700, exist_ok=True)
            with open(UNFINISHED, "a", encoding="utf-8") as handle:
                handle.writelines(path + "\n" for path in paths)
                handle.flush()
                os.fsync(handle.fileno())

    def resume(self, given):
        """Count as changed what a run changed that was cut before its handlers ran."""
        for path in given:
            if path in unfinished() and path not in self.paths:
                self.note(path, "", "written by a run that was cut: acted on now\n")

    def commit(self):
        self.promise()
        while self.pending:
            parent, temporary, name = self.pending.pop(0)
            with closing(parent):
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)

    def discard(self):
        for parent, temporary, _ in self.pending:
            os.unlink(temporary, dir_fd=parent)

    def validate(self, path, argv):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            self.fail(
                "%s not written, %s refuses it: %s" % (path, argv[0], (done.stderr or done.stdout).strip()[-600:])
            )

    def link(self, path, target):
        name = os.path.basename(path)
        parent = self.opened(os.path.dirname(path), make=not self.module.check_mode)
        with closing(parent):
            state = self.there(parent, path)
            if state and not stat.S_ISLNK(state.st_mode):
                self.fail("%s exists and is not a link; remove it first" % path)
            if state and os.readlink(name, dir_fd=parent) == target:
                return
            self.note(path, "absent\n", "link to %s\n" % target)
            if not self.module.check_mode:
                temporary = name + ".place-new"
                with contextlib.suppress(FileNotFoundError):  # of a run that was cut
                    os.unlink(temporary, dir_fd=parent)
                os.symlink(target, temporary, dir_fd=parent)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)

    def remove(self, path):
        parent = self.opened(os.path.dirname(path))
        with closing(parent):
            if self.there(parent, path):
                self.note(path, "present\n", "absent\n")
                if not self.module.check_mode:
                    os.unlink(os.path.basename(path), dir_fd=parent)

    def attributes(self, handle, path, owner, group, mode):
        now = os.fstat(handle)
        wanted = (self.uid(owner), self.gid(group), int(mode, 8))
        have = (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode))
        if have == wanted:
            return
        if stat.S_ISREG(now.st_mode) and now.st_nlink > 1:
            self.fail("%s has a second name, and may be another file; remove it first" % path)
        self.note(path, "uid %d gid %d mode %04o\n" % have, "uid %d gid %d mode %04o\n" % wanted)
        if not self.module.check_mode:
            os.fchown(handle, wanted[0], wanted[1])
            os.fchmod(handle, wanted[2])

    def uid(self, owner):
        try:
            return pwd.getpwnam(owner).pw_uid
        except KeyError:
            return 0 if self.module.check_mode else self.fail("user %s does not exist on the machine" % owner)

    def gid(self, group):
        try:
            return grp.getgrnam(group).gr_gid
        except KeyError:
            return 0 if self.module.check_mode else self.fail("group %s does not exist on the machine" % group)

    def note(self, path, before, after):
        if path not in self.paths:
            self.paths.append(path)
        lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), path, path, n=3)
        self.diffs.append({"prepared": "".join(lines)})


def main():
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "default": []},
            "files": {"type": "list", "elements": "dict", "default": []},
            "links": {"type": "list", "elements": "dict", "default": []},
            "absent": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    placer = Placer(module)
    for each in module.params["directories"]:
        placer.directory(**each)
    for each in module.params["files"]:
        placer.file(**each)
    placer.commit()
    for each in module.params["links"]:
        placer.link(**each)
    for path in module.params["absent"]:
        placer.remove(path)
    placer.resume(each["path"] for kind in ("directories", "files", "links") for each in module.params[kind])
    module.exit_json(changed=bool(placer.paths), paths=placer.paths, diff=placer.diffs)


if __name__ == "__main__":
    main()
