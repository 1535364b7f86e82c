"""Ask the agent of a machine: send it a bundle, have it deployed, read its status."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from filae_ops.agent.database import postgresql
from filae_ops.agent.transaction.wording import verdict
from filae_ops.errors import OpsError, Owner
from filae_ops.remote.connection import Answer, Remote

Event = dict[str, Any]
# In English: the machine speaks the language of its site, and what sudo says is looked at.
AGENT = ("env", "LC_ALL=C.UTF-8", "sudo", "-n", "/usr/local/sbin/filaectl")


def ask(remote: Remote, *words: str, **options: Any) -> Answer:
    """Run one command of the agent as root; raise what it refuses, with its owner and next step."""
    answer = remote.run([*AGENT, *words], **options)
    if answer.status == 0:
        return answer
    for line in reversed(answer.stdout.splitlines()):
        said = _event(line)
        if said.get("event") == "refused" and "message" in said:
            raise OpsError(
                f"{remote.host.name}: {said['message']}",
                owner=said.get("owner", "provider"),
                next_step=from_here(said.get("next_step", "")),
            )
    if problem := unanswered(answer.stderr, remote.host.name):
        raise problem
    return answer


def unanswered(said: str, host: str) -> OpsError | None:
    """Return why the agent was not even asked, or None when it was."""
    if "command not found" in said or "No such file" in said:
        return OpsError(f"{host}: the agent is not installed", next_step="filae-ops -i INVENTORY provision")
    if "password is required" in said:
        return OpsError(f"{host}: this account has no sudo on the machine", next_step="give --user an operator's name")
    return None


def send(remote: Remote, bundle: Path, on_sent: Callable[[int], None] | None = None) -> str:
    """Store a bundle and its signature on the machine; return their path there."""
    signature = bundle.with_name(bundle.name + ".sig")
    for path, step in (
        (bundle, "give the path of the .tar.zst file"),
        (signature, "sign it: filae-ops bundle build SRC --key KEY"),
    ):
        if not path.is_file():
            raise OpsError(f"{path}: no such file", next_step=step)
    with bundle.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    sizes = {"bundle": bundle.stat().st_size, "signature": signature.stat().st_size, "sha256": digest}
    with bundle.open("rb") as first, signature.open("rb") as second:
        framed = _Chain(io.BytesIO(json.dumps(sizes).encode() + b"\n"), first, second)
        answer = ask(remote, "receive", "--json", stdin=cast(BinaryIO, framed), on_sent=on_sent)
    if answer.status != 0:
        raise OpsError(f"{remote.host.name}: the bundle was not taken: {answer.stderr.strip()[-400:]}")
    return str(json.loads(answer.stdout)["path"])


def deploy(remote: Remote, path: str, operator: str, *, check: bool, on_event: Callable[[Event], None]) -> list[Event]:
    """Have a stored bundle deployed; return the transaction's events, handed over as they come."""
    return transact(remote, ["deploy", path], operator, check=check, on_event=on_event)


def transact(
    remote: Remote, words: Sequence[str], operator: str, *, check: bool, on_event: Callable[[Event], None]
) -> list[Event]:
    """Ask for a transaction; return its events, handed over as they come."""
    events: list[Event] = []

    def take(line: str) -> None:
        if event := _event(line):
            events.append(event)
            on_event(event)

    asked = [*words, "--operator", operator, "--json"] + (["--check"] if check else [])
    answer = ask(remote, *asked, on_line=take)
    if answer.status != 0 and not any(event.get("event") in ("failed", "refused") for event in events):
        raise OpsError(
            f"{remote.host.name}: `{words[0]}` ended without a result: {answer.stderr.strip()[-400:]}",
            next_step="on the machine: sudo filaectl attach; sudo filaectl status",
        )
    return events


def failure(events: list[Event], host: str) -> OpsError | None:
    """Return why a transaction did not commit, or None."""
    why = verdict(events, postgresql.AGAIN)
    if why is None:
        return None
    return OpsError(f"{host}: {why.message}", owner=cast(Owner, why.owner), next_step=from_here(why.next_step))


def from_here(step: str) -> str:
    """Return the agent's next step as it is typed where filae-ops runs."""
    if step.startswith(("filaectl status", "filaectl journal", "filaectl releases", "filaectl rollback")):
        return step.replace("filaectl ", "filae-ops -i INVENTORY ", 1)
    return f"on the machine: sudo {step}" if step.startswith("filaectl ") else step


def _event(line: str) -> Event:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def understood(host: str) -> Iterator[None]:
    """Blame the machine for an answer that no agent of ours gives: it is of another version, or was taken over."""
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OpsError(
            f"{host}: the machine does not answer as its agent does ({type(error).__name__}: {str(error)[:100]})",
            next_step="provision it again with this version; if that changes nothing, look at the machine's console",
        ) from error


class _Chain(io.RawIOBase):
    """Several streams read one after the other."""

    def __init__(self, *streams: BinaryIO) -> None:
        super().__init__()
        self._streams = list(streams)

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, empty at the end of the last stream."""
        while self._streams:
            if block := self._streams[0].read(size):
                return block
            self._streams.pop(0)
        return b""
