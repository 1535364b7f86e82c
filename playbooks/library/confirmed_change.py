#!/usr/bin/python
"""Change a file that could lock everyone out: the way back is armed first and fires unless it is confirmed."""

from __future__ import annotations

import os
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: confirmed_change
short_description: Apply a change that undoes itself unless confirmed over a new connection
description:
  - C(state=applied) validates, arms a timer outside of this session that restores the previous content, then
    writes and activates. C(state=confirmed) disarms the timer.
options:
  name: {description: short name of the change, type: str, required: true}
  state: {description: applied or confirmed, type: str, choices: [applied, confirmed], required: true}
  path: {description: the file, type: path}
  content: {description: its new content, type: str}
  validate: {description: command that checks the new file, with %s in its place, type: list, elements: str}
  activate: {description: command that makes the file's content live, type: list, elements: str}
  without: {description: command that runs instead when there was no previous file, type: list, elements: str}
  live:
    description: >-
      command that prints what is live of the file, and fails when it is not in force. Its answer is kept beside the
      file; another answer at the next run (a rule added by hand, a restart with what was there before) is a change.
    type: list
    elements: str
  seconds: {description: delay before the way back fires, type: int, default: 90}
"""

# Runs from a transient timer: restore or remove the file, then make that live.
WAY_BACK = """path=$1; shift
if [ -e "$path.previous" ]; then mv "$path.previous" "$path"; else rm -f "$path"; fi
exec "$@\""""


def run(module, argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode != 0:
        module.fail_json(msg="%s: %s" % (" ".join(argv), (done.stderr or done.stdout).strip()[-800:]))


def live_now(argv):
    """Return status and words of the command that shows what is live."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True)
    except FileNotFoundError:
        return 127, ""
    return done.returncode, done.stdout if done.returncode == 0 else (done.stderr or done.stdout).strip()


def lost(module):
    """Say whether something else is live than what this module last made so."""
    if not module.params["live"]:
        return False
    status, words = live_now(module.params["live"])
    kept = module.params["path"] + ".live"
    if status or not os.path.exists(kept):
        return True
    with open(kept, encoding="utf-8") as handle:
        return handle.read() != words


def keep_live(module):
    """Keep what is live now; what is not in force is a failure, and the way back runs in its time."""
    if module.params["live"]:
        status, words = live_now(module.params["live"])
        if status:
            module.fail_json(msg=words or "%s was written, and is not in force" % module.params["path"])
        write(module.params["path"] + ".live", words.encode())


def apply(module, unit):
    path, content = module.params["path"], module.params["content"].encode()
    old = None
    if os.path.exists(path):
        with open(path, "rb") as handle:
            old = handle.read()
    armed = subprocess.run(["systemctl", "is-active", "--quiet", unit + ".timer"]).returncode == 0
    if old == content and not armed and not lost(module):
        module.exit_json(changed=False)
    diff = {
        "before": (old or b"").decode(),
        "after": content.decode(),
        "before_header": path,
        "after_header": path,
    }
    if module.check_mode:
        module.exit_json(changed=True, diff=diff)
    new = path + ".new"
    write(new, content)
    run(module, [word.replace("%s", new) for word in module.params["validate"]])
    subprocess.run(["systemctl", "stop", unit + ".timer"], capture_output=True)
    if old is not None and not (armed and os.path.exists(path + ".previous")):
        write(path + ".previous", old)
    back = module.params["activate"] if old is not None else module.params["without"]
    run(
        module,
        [
            "systemd-run",
            "--quiet",
            "--collect",
            "--unit=" + unit,
            "--on-active=%d" % module.params["seconds"],
            "--timer-property=AccuracySec=1s",
            "/bin/sh",
            "-c",
            WAY_BACK,
            "way-back",
            path,
            *back,
        ],
    )
    os.rename(new, path)
    run(module, module.params["activate"])
    keep_live(module)
    module.exit_json(changed=True, diff=diff)


def write(path, content):
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def confirm(module, unit):
    done = subprocess.run(["systemctl", "is-active", "--quiet", unit + ".timer"])
    if done.returncode != 0:
        module.fail_json(msg="%s was not confirmed in time: the previous state is back" % module.params["name"])
    run(module, ["systemctl", "stop", unit + ".timer"])
    previous = module.params["path"] + ".previous"
    if os.path.exists(previous):
        os.unlink(previous)
    module.exit_json(changed=False)


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["applied", "confirmed"], "required": True},
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "validate": {"type": "list", "elements": "str"},
            "activate": {"type": "list", "elements": "str"},
            "without": {"type": "list", "elements": "str"},
            "live": {"type": "list", "elements": "str"},
            "seconds": {"type": "int", "default": 90},
        },
        required_if=[("state", "applied", ["content", "validate", "activate", "without"])],
        supports_check_mode=True,
    )
    unit = "filae-undo-" + module.params["name"]
    (apply if module.params["state"] == "applied" else confirm)(module, unit)


if __name__ == "__main__":
    main()
