"""Pack the agent into one executable file: the same sources give the same bytes."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

# -I: nothing of the caller's environment or working directory is imported.
SHEBANG = b"#!/usr/bin/python3 -I\n"
MAIN = b"import sys\n\nfrom filae_ops.agent.main import main\n\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PACKAGE = Path(__file__).resolve().parent


def build_zipapp(destination: Path) -> str:
    """Write filaectl to `destination`, and return its sha256."""
    members = {"__main__.py": MAIN, "filae_ops/__init__.py": (_PACKAGE.parent / "__init__.py").read_bytes()}
    for path in _PACKAGE.rglob("*.py"):
        if path != Path(__file__).resolve():
            members[f"filae_ops/agent/{path.relative_to(_PACKAGE).as_posix()}"] = path.read_bytes()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(members.items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    whole = SHEBANG + data.getvalue()
    destination.write_bytes(whole)
    destination.chmod(0o755)
    return hashlib.sha256(whole).hexdigest()
