#!/usr/bin/python
"""Place a role's directories and files in one call: atomic, with a diff per file, nothing touched when equal."""

from __future__ import annotations

import base64
import difflib
import grp
import os
import pwd
import stat
import subprocess
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: place_files
short_description: Place directories and files in one call
description:
  - Directories are made first, then files are written beside their place, fsynced and renamed, then links.
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

# Paths changed since the last run that went to its end: it removes this file once its handlers have run.
UNFINISHED = "/var/lib/filae-ops/unfinished"


def unfinished():
    try:
        with open(UNFINISHED, encoding="utf-8") as handle:
            return set(handle.read().splitlines())
    except FileNotFoundError:
        return set()


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
        if not os.path.isdir(path):
            if os.path.lexists(path):
                self.fail("%s exists and is not a directory; remove it first" % path)
            self.note(path, "absent\n", "directory\n")
            if self.module.check_mode:
                return
            os.makedirs(path)
        self.attributes(path, owner, group, mode)

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
        if os.path.islink(path) or (os.path.exists(path) and not os.path.isfile(path)):
            self.fail("%s is not a plain file; remove it first" % path)
        old = None
        if os.path.exists(path):
            with open(path, "rb") as handle:
                old = handle.read()
        if old == new or (keep and old is not None):
            self.attributes(path, owner, group, mode)
            return
        self.note(path, *self.texts(old, new, secret or src64 is not None))
        if not self.module.check_mode:
            self.prepare(path, new, owner, group, mode, validate)

    def texts(self, old, new, hidden):
        if hidden:
            return ("(not shown)\n" if old else "absent\n"), "(not shown, changed)\n"
        return (old or b"").decode("utf-8", "replace"), new.decode("utf-8", "replace")

    def prepare(self, path, new, owner, group, mode, validate):
        """Write beside the place and have it checked; nothing is renamed before every file is ready."""
        directory = os.path.dirname(path)
        os.makedirs(directory, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=".place-")
        self.pending.append((temporary, path))
        with os.fdopen(handle, "wb") as out:
            os.fchmod(out.fileno(), 0o600)
            os.fchown(out.fileno(), self.uid(owner), self.gid(group))
            os.fchmod(out.fileno(), int(mode, 8))
            out.write(new)
            out.flush()
            os.fsync(out.fileno())
        if validate:
            self.validate(path, [word.replace("%s", temporary) for word in validate])

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
            os.rename(*self.pending.pop(0))

    def discard(self):
        for temporary, _ in self.pending:
            os.unlink(temporary)

    def validate(self, path, argv):
        done = subprocess.run(argv, capture_output=True, text=True)
        if done.returncode != 0:
            self.fail(
                "%s not written, %s refuses it: %s" % (path, argv[0], (done.stderr or done.stdout).strip()[-600:])
            )

    def link(self, path, target):
        if os.path.islink(path) and os.readlink(path) == target:
            return
        if os.path.exists(path) and not os.path.islink(path):
            self.fail("%s exists and is not a link; remove it first" % path)
        self.note(path, "absent\n", "link to %s\n" % target)
        if not self.module.check_mode:
            temporary = path + ".place-new"
            os.symlink(target, temporary)
            os.rename(temporary, path)

    def remove(self, path):
        if os.path.lexists(path):
            self.note(path, "present\n", "absent\n")
            if not self.module.check_mode:
                os.unlink(path)

    def attributes(self, path, owner, group, mode):
        now = os.stat(path)
        wanted = (self.uid(owner), self.gid(group), int(mode, 8))
        have = (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode))
        if have == wanted:
            return
        self.note(path, "uid %d gid %d mode %04o\n" % have, "uid %d gid %d mode %04o\n" % wanted)
        if not self.module.check_mode:
            os.chown(path, wanted[0], wanted[1])
            os.chmod(path, wanted[2])

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
