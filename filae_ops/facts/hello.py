"""A TLS greeting made by hand: asks for what a good client library no longer knows how to ask for."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

TLS10, TLS11, TLS12 = 0x0301, 0x0302, 0x0303
GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x0100)  # x25519, the three NIST curves, ffdhe2048
WEAK_GROUPS = (0x0010, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016)  # secp160 to secp256k1
GOOD = (0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9)  # ECDHE with GCM or Poly1305
OLD = (0xC009, 0xC00A, 0xC013, 0xC014, 0x0033, 0x0039, 0x002F, 0x0035, 0x000A)  # what TLS 1.0 and 1.1 know
# Without forward secrecy, without integrity mode, or broken: RSA and static exchanges, CBC, 3DES, RC4, NULL, EXPORT,
# anonymous.
WEAK = (
    *OLD, 0x003C, 0x003D, 0x009C, 0x009D, 0x0001, 0x0002, 0x003B, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x0008,
    0x0009, 0x0014, 0x0015, 0x0016, 0x0018, 0x001A, 0x001B, 0x0034, 0x003A, 0x0041, 0x0045, 0x0067, 0x006B, 0x006C,
    0x006D, 0x0084, 0x0088, 0x0096, 0x009A, 0x00A6, 0x00A7, 0xC004, 0xC005, 0xC007, 0xC008, 0xC00E, 0xC00F, 0xC011,
    0xC012, 0xC018, 0xC019, 0xC023, 0xC024, 0xC027, 0xC028, 0xC02D, 0xC02E, 0xC031, 0xC032, 0xC0A0, 0xC0A1,
)  # fmt: skip
SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
ALERT, HANDSHAKE, SERVER_HELLO = 21, 22, 2


def _list(values: Sequence[int]) -> bytes:
    return struct.pack(">H", 2 * len(values)) + b"".join(struct.pack(">H", value) for value in values)


def _extension(number: int, body: bytes) -> bytes:
    return struct.pack(">HH", number, len(body)) + body


def greeting(
    version: int, suites: Sequence[int], name: str, groups: Sequence[int] = GROUPS, compress: bool = False
) -> bytes:
    """Return a ClientHello that offers exactly this."""
    host = name.encode()
    extensions = _extension(0, struct.pack(">HBH", len(host) + 3, 0, len(host)) + host)
    extensions += _extension(10, _list(groups)) + _extension(11, b"\x01\x00")
    if version == TLS12:
        extensions += _extension(13, _list(SIGNATURES))
    methods = b"\x02\x01\x00" if compress else b"\x01\x00"
    body = struct.pack(">H", version) + os.urandom(32) + b"\0" + _list(suites) + methods
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return struct.pack(">BHH", HANDSHAKE, TLS10, len(message)) + message


def ask(address: str, port: int, hello: bytes, seconds: float = 5) -> dict[str, int] | None:
    """Send a greeting; return the version, suite and compression that the server chose, or None when it refuses."""
    with socket.create_connection((address, port), timeout=seconds) as link:
        link.sendall(hello)
        try:
            kind, _, size = struct.unpack(">BHH", _exactly(link, 5))
            body = _exactly(link, size)
        except (ConnectionResetError, EOFError):
            return None
    if kind != HANDSHAKE or body[0] != SERVER_HELLO:
        return None
    after = 39 + body[38]  # 4 of header, 2 of version, 32 random, 1 of length
    version, suite, compression = struct.unpack(">H", body[4:6]) + struct.unpack(">HB", body[after : after + 3])
    return {"version": version, "suite": suite, "compression": compression}


def _exactly(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (block := link.recv(size - len(data))):
            raise EOFError
        data += block
    return data
