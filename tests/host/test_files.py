"""Files that others must not read, and trees that others must not change. The provider answers."""

from __future__ import annotations

from filae_ops.verification.check import Target, broken, check, not_run

NO_SECRET = "the machine has no secret yet"
WANTED = {
    "/etc/filae/secrets": ("0700", "root", "root"),
    "/etc/filae/settings.json": ("0640", "root", "filae"),
    "/etc/filae/allowed_signers": ("0644", "root", "root"),
    "/etc/sudoers.d/filae-operators": ("0440", "root", "root"),
    "/etc/sudoers.d/filae-dsi": ("0440", "root", "root"),
    "/usr/local/sbin/filaectl": ("0755", "root", "root"),
    "/var/lib/filae-ops": ("0700", "root", "root"),
    "/srv/filae": ("0750", "root", "filae"),
    "/srv/filae/files": ("0750", "root", "filae"),
}


@check("files-secret", "OPS-03")
def test_secrets_are_root_s_alone(on: Target) -> None:
    """Keys and secrets can be read by root alone."""
    about = on.facts["files"]
    if not about["secret"]:
        not_run(NO_SECRET)
    bad = [
        f"{path} ({each['mode']} {each['user']})"
        for path in about["secret"]
        if (each := about["files"][path])["mode"] not in ("0600", "0400") or each["user"] != "root"
    ]
    if bad:
        broken(f"readable by others: {', '.join(bad)}", "provider: chmod 600; consider the secret lost, and change it")


@check("files-key", "OPS-03")
def test_the_tls_key_is_a_plain_file_of_root_s(on: Target) -> None:
    """The TLS key is a plain file, nobody else's."""
    key = on.host.file("/etc/filae/tls/key.pem")
    if not key.exists or key.is_symlink or key.group != "root":
        broken("/etc/filae/tls/key.pem is absent, a link, or another group's")


@check("files-modes", "OPS-07")
def test_modes(on: Target) -> None:
    """Settings, agent and directories have their owners and modes."""
    found = on.facts["files"]["files"]
    bad = []
    for path, (mode, user, group) in WANTED.items():
        each = found.get(path)
        if each is None or (each["mode"], each["user"], each["group"]) != (mode, user, group):
            shown = f"{each['mode']} {each['user']}:{each['group']}" if each else "absent"
            bad.append(f"{path} is {shown}, not {mode} {user}:{group}")
    if bad:
        broken("; ".join(bad))


@check("files-protected", "OPS-07")
def test_code_and_settings_are_root_s_to_change(on: Target) -> None:
    """Releases, units and settings can be changed by root alone."""
    if loose := on.facts["files"]["loose"]:
        broken(f"others may change: {', '.join(loose[:4])}{'…' if len(loose) > 4 else ''}")


@check("secrets-journal", "OPS-03")
def test_no_secret_in_the_logs(on: Target) -> None:
    """No secret is written to a log."""
    found = on.facts["leaks"]
    if not found["secrets"]:
        not_run(NO_SECRET)
    if found["logs"]:
        step = (
            "provider: change the secret, find what wrote it; once the DSI agrees: journalctl --rotate "
            "--vacuum-time=1s, with --namespace=filae for the application's journal"
        )
        broken(f"written to a log: {', '.join(found['logs'][:4])}", step)
    if found["unread"]:
        not_run(f"too much to read in time, left out: {', '.join(found['unread'])}")


@check("secrets-processes", "OPS-03")
def test_no_secret_in_a_command_line(on: Target) -> None:
    """No secret shows in a command line."""
    found = on.facts["leaks"]
    if not found["secrets"]:
        not_run(NO_SECRET)
    if found["processes"]:
        broken(
            f"shown to every account: {', '.join(found['processes'])}", "provider: stop the process, change the secret"
        )


@check("secrets-files", "OPS-03")
def test_no_secret_in_a_readable_file(on: Target) -> None:
    """No file that others may read holds a secret."""
    if not on.facts["leaks"]["secrets"]:
        not_run(NO_SECRET)
    if found := on.facts["exposed"]:
        broken(f"held by readable files: {', '.join(found[:4])}", "provider: remove it, change the secret")
