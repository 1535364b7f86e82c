"""Ad-hoc commands on a machine over fabric, its host key pinned: what the agent is asked, and what it answers."""

from __future__ import annotations

import base64
import contextlib
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import paramiko
from fabric import Config, Connection

from filae_ops.errors import OpsError
from filae_ops.inventory.model.machine import Host
from filae_ops.remote.known_messages import AT_CONSOLE
from filae_ops.remote.ssh import Login

CONNECT_SECONDS = 10
LOGIN_SECONDS = 30
KEEPALIVE_SECONDS = 15
GONE_SECONDS = 60
LISTENING_SECONDS = 15
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    stdout: str
    stderr: str


class Remote:
    """One connection to one machine; commands are lists, quoted for the machine's shell."""

    def __init__(self, host: Host, connection: Connection) -> None:
        self.host = host
        self._connection = connection

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: BinaryIO | None = None,
        on_line: Callable[[str], None] | None = None,
        on_sent: Callable[[int], None] | None = None,
    ) -> Answer:
        """Run a command; feed it `stdin`, hand each line of its output to `on_line` as it comes."""
        channel = self._connection.transport.open_session()
        channel.exec_command(shlex.join(argv))
        if stdin is not None:
            _send(channel, stdin, on_sent)
        channel.shutdown_write()
        lines = []
        for line in channel.makefile("r", -1):
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
        errors = channel.makefile_stderr("r", -1).read()
        text = errors.decode(errors="replace") if isinstance(errors, bytes) else errors
        return Answer(channel.recv_exit_status(), "".join(lines), text)

    def follow(self, argv: Sequence[str], on_line: Callable[[str], None]) -> Answer:
        """Run a command that ends when we do: it reads on stdin that we still listen; a lost connection is -1."""
        channel = self._connection.transport.open_session()
        try:
            channel.exec_command(shlex.join(argv))
            channel.settimeout(1)
            rest, said = b"", time.monotonic()
            while (data := _receive(channel)) != b"":
                if time.monotonic() - said > LISTENING_SECONDS:
                    said = time.monotonic()
                    with contextlib.suppress(OSError):
                        channel.sendall(b"\n")
                *lines, rest = (rest + (data or b"")).split(b"\n")
                for line in lines:
                    on_line(line.decode(errors="replace"))
            ended = channel.recv_exit_status() if self._connection.is_connected else -1
            errors = channel.makefile_stderr("rb", -1).read()
        finally:
            channel.close()
        return Answer(ended, "", errors.decode(errors="replace"))


def _receive(channel: paramiko.Channel) -> bytes | None:
    """Return what came, nothing at the end, None while there is nothing new."""
    try:
        return channel.recv(CHUNK)
    except TimeoutError:
        return None


def _send(channel: paramiko.Channel, stream: BinaryIO, on_sent: Callable[[int], None] | None) -> None:
    # A refusal closes the channel before all is sent: its reason comes on stderr.
    with contextlib.suppress(OSError):
        while block := stream.read(CHUNK):
            channel.sendall(block)
            if on_sent is not None:
                on_sent(len(block))


@contextlib.contextmanager
def connect(host: Host, login: Login) -> Iterator[Remote]:
    """Open a connection to a machine of the inventory; an unknown or changed host key is an error."""
    key = login.key_for(host)
    options: dict[str, object] = {
        "timeout": CONNECT_SECONDS,
        "banner_timeout": LOGIN_SECONDS,
        "auth_timeout": LOGIN_SECONDS,
    }
    options |= {"key_filename": key, "look_for_keys": False, "allow_agent": False} if key else {}
    connection = Connection(
        host.ansible_host,
        user=login.user_for(host),
        port=host.ansible_port,
        config=Config(),
        connect_kwargs=options,
    )
    _pin(connection.client, host)
    try:
        connection.open()
    except paramiko.BadHostKeyException as error:
        raise _wrong_key(host, error.key) from None
    except paramiko.AuthenticationException as error:
        raise OpsError(
            f"{host.name}: the machine refuses {login.user_for(host)}: {error}",
            next_step="check --user, --key and the key's end date in access.yml",
        ) from None
    except (OSError, paramiko.SSHException, socket.gaierror) as error:
        if "not found in known_hosts" in str(error):
            raise _wrong_key(host, None) from None
        raise OpsError(
            f"{host.name}: no connection to {host.ansible_host}:{host.ansible_port}: {error}", owner="dsi",
            next_step="check that the machine is on, and TCP 22 open from the administration network",
        ) from None  # fmt: skip
    _notice_its_end(connection.transport)
    try:
        yield Remote(host, connection)
    finally:
        connection.close()


def _notice_its_end(transport: paramiko.Transport) -> None:
    """Have the connection end within a minute when the machine vanishes: paramiko alone would wait for ever."""
    transport.set_keepalive(KEEPALIVE_SECONDS)
    if isinstance(transport.sock, socket.socket) and hasattr(socket, "TCP_USER_TIMEOUT"):  # not through a bastion
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_SECONDS * 1000)


def _pin(client: paramiko.SSHClient, host: Host) -> None:
    """Replace fabric's policy, which trusts any key at first sight, by the inventory's key alone."""
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    name = host.ansible_host if host.ansible_port == 22 else f"[{host.ansible_host}]:{host.ansible_port}"
    kind, blob = host.host_key.split()[:2]
    try:
        key = paramiko.PKey.from_type_string(kind, base64.b64decode(blob))
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError) as error:
        raise OpsError(
            f"{host.name}: the `host_key` of the inventory ({kind} {blob[:40]}…) is not a usable key: {error}",
            owner="dsi",
            next_step="read it again at the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub",
        ) from None
    client.get_host_keys().add(name, kind, key)


def _wrong_key(host: Host, seen: paramiko.PKey | None) -> OpsError:
    shown = f" (the machine shows {seen.get_name()} {seen.get_base64()})" if seen else ""
    return OpsError(
        f"{host.name}: the machine's SSH host key is not the `host_key` of the inventory{shown}", owner="dsi",
        next_step=f"{AT_CONSOLE}; correct hosts.yml only if the DSI confirms the change",
    )  # fmt: skip
