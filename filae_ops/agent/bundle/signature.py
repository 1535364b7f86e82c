"""Check a bundle's detached signature with ssh-keygen, before a byte of the bundle is decompressed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from filae_ops.agent.system.errors import Refused

NAMESPACE = "filae-bundle@1"
MAX_SIGNATURE = 64 * 1024
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_ASK = "ask the provider for the bundle and its .sig again, and compare their sha256 with the announced ones"


def check_signature(bundle: Path, signature: Path, allowed_signers: Path, *, at: datetime | None = None) -> str:
    """Return the principal who signed `bundle`; Refused unless a key that is allowed at `at` (now) did."""
    regular_file(bundle, "bundle", "give the path of the .tar.zst file")
    regular_file(
        signature,
        "signature",
        f"{bundle} is unsigned as it is: bring its .sig beside it, or build it again with --key",
    )
    regular_file(allowed_signers, "list of allowed signers", "provision the machine again, or give the file")
    namespace, key = _read_signature(signature)
    if namespace != NAMESPACE:
        raise Refused(
            f"{signature}: signed for {namespace[:60]!r}, not for {NAMESPACE!r}",
            next_step=f"sign with: ssh-keygen -Y sign -n {NAMESPACE} -f KEY {bundle.name}",
        )
    when = f"-Overify-time={(at or datetime.now(UTC)).astimezone(UTC):%Y%m%d%H%M%SZ}"
    common = ["-s", str(signature), "-f", str(allowed_signers), when]
    found = _ssh_keygen(["-Y", "find-principals", *common])
    principal = found.stdout.split("\n")[0].strip()
    if found.returncode != 0 or not principal:
        raise _unknown(signature, allowed_signers, key, found.stderr)
    verify = ["-Y", "verify", "-n", NAMESPACE, "-I", principal, *common]
    with bundle.open("rb") as stream:
        verified = _ssh_keygen(verify, stream.fileno())
    if verified.returncode != 0:
        raise _not_verified(bundle, signature, principal, verified.stderr)
    return principal


def regular_file(path: Path, what: str, next_step: str) -> None:
    """Refuse what is not a readable regular file (a pipe would block)."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            path.open("rb").close()
            return
        problem = "not a regular file"
    except (OSError, ValueError) as exc:
        problem = str(getattr(exc, "strerror", None) or exc)
    raise Refused(f"{what} {path}: {problem}", next_step=next_step)


def _ssh_keygen(arguments: list[str], stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "TZ": "UTC",
    }
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            stdin=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            check=False,
        )
    except OSError as exc:
        raise Refused(f"ssh-keygen cannot be run: {exc}", next_step="apt install openssh-client") from exc


def _read_signature(path: Path) -> tuple[str, str]:
    """Return the namespace and the key's fingerprint that the signature states (nothing is trusted yet)."""
    with path.open("rb") as stream:
        data = stream.read(MAX_SIGNATURE + 1)
    text = data.decode("ascii", "replace").strip()
    if len(data) > MAX_SIGNATURE or not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise Refused(f"{path}: not an SSH signature", next_step=_ASK)
    try:
        blob = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
        if blob[:10] != b"SSHSIG\0\0\0\x01":
            raise ValueError("magic")
        key, rest = _string(blob[10:])
        namespace = _string(rest)[0].decode()
    except (binascii.Error, ValueError) as exc:
        raise Refused(f"{path}: damaged signature", next_step=_ASK) from exc
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    return namespace, f"SHA256:{digest}"


def _string(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < max(4, end):
        raise ValueError("short")
    return data[4:end], data[end:]


def _unknown(signature: Path, allowed_signers: Path, key: str, said: str) -> Refused:
    if "key has expired" in said or "not yet valid" in said:
        why = "has expired" if "key has expired" in said else "is not valid yet"
        line = next(line for line in said.splitlines() if "valid" in line).split(": ", 1)[-1]
        return Refused(
            f"{signature}: the signing key {key} {why} ({line})",
            next_step="sign with a current key, or extend it in the inventory (app.signers) and provision",
        )
    return Refused(
        f"{signature}: signed by {key}, which is not among the keys of {allowed_signers}",
        next_step="if this key is the provider's, add it to app.signers in the inventory and provision",
    )


def _not_verified(bundle: Path, signature: Path, principal: str, said: str) -> Refused:
    if "incorrect signature" in said:
        return Refused(f"{bundle}: altered or damaged: its bytes are not those that {principal} signed", next_step=_ASK)
    reason = "; ".join(said.split("\n")).strip("; ")[:300] or "no reason given"
    return Refused(f"{signature}: refused by ssh-keygen: {reason}", next_step=_ASK)
