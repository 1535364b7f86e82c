"""Files that others must not read, and trees that others must not change. The provider answers."""

from __future__ import annotations

from filae_ops.verification.check import Target, broken, check, not_run


@check("files-secret", "OPS-03")
def test_secrets_are_root_s_alone(on: Target) -> None:
    """Keys and secrets can be read by root alone."""
    about = on.facts["files"]
    if not about["secret"]:
        not_run("no_secret")
    bad = [
        f"{path} ({each['mode']} {each['user']})"
        for path in about["secret"]
        if (each := about["files"][path])["mode"] not in ("0600", "0400") or each["user"] != "root"
    ]
    if bad:
        broken("readable", files=bad)


@check("files-key", "OPS-03")
def test_the_tls_key_is_a_plain_file_of_root_s(on: Target) -> None:
    """The TLS key is a plain file, nobody else's."""
    key = on.host.file("/etc/filae/tls/key.pem")
    if key.is_symlink:
        broken("link", target=key.linked_to)
    if not key.exists:
        broken("absent")
    if key.group != "root":
        broken("group", group=key.group)


@check("secrets-journal", "OPS-03")
def test_no_secret_in_the_logs(on: Target) -> None:
    """No secret is written to a log."""
    found = on.facts["leaks"]
    if not found["secrets"]:
        not_run("no_secret")
    if found["logs"]:
        broken("written", places=found["logs"])
    if found["unread"]:
        not_run("unread", places=found["unread"])


@check("secrets-processes", "OPS-03")
def test_no_secret_in_a_command_line(on: Target) -> None:
    """No secret shows in a command line."""
    found = on.facts["leaks"]
    if not found["secrets"]:
        not_run("no_secret")
    if found["processes"]:
        broken("shown", places=found["processes"])


@check("secrets-files", "OPS-03")
def test_no_secret_in_a_readable_file(on: Target) -> None:
    """No file that others may read holds a secret."""
    if not on.facts["leaks"]["secrets"]:
        not_run("no_secret")
    if found := on.facts["exposed"]:
        broken("held", places=found)
