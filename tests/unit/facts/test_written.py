"""Which file sets what: read as sshd, journald and apt read them, first value first."""

from __future__ import annotations

from pathlib import Path

import pytest

from filae_ops.facts import written

SSHD = """Include /etc/ssh/sshd_config.d/*.conf
# PermitRootLogin no
  PermitRootLogin yes
PermitRootLogin no
X11Forwarding=yes
Match User mallory
    PasswordAuthentication yes
"""
JOURNALD = "[Journal]\n#Storage=auto\nStorage=volatile\nSystemMaxUse = 1G\n"
APT = """// APT::Periodic::Unattended-Upgrade "2";
APT::Periodic::Unattended-Upgrade "0";
APT::Periodic::Update-Package-Lists "1" ;
"""


@pytest.mark.parametrize(
    ("program", "text", "settings"),
    [
        ("sshd", SSHD, {"include": "/etc/ssh/sshd_config.d/*.conf", "permitrootlogin": "yes", "x11forwarding": "yes",
                        "match": "User mallory", "passwordauthentication": "yes"}),
        ("journald", JOURNALD, {"storage": "volatile", "systemmaxuse": "1G"}),
        ("apt", APT, {"apt::periodic::unattended-upgrade": "0", "apt::periodic::update-package-lists": "1"}),
    ],
)  # fmt: skip
def test_each_file_with_its_settings(
    program: str, text: str, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.conf").write_text(text)
    forms = dict.fromkeys(written.FILES, ()) | {program: (f"{tmp_path}/*.conf", f"{tmp_path}/absent")}
    monkeypatch.setattr(written, "FILES", forms)
    found = written.written({})
    assert found[program] == {f"{tmp_path}/one.conf": settings}
    assert {name for name, files in found.items() if files} == {program}
