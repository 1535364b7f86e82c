"""The file of keys that ssh-keygen checks bundles against, from the signers of an inventory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Protocol

from filae_ops.agent.bundle.signature import NAMESPACE


class SignerLike(Protocol):
    """A name, an OpenSSH public key and the last day on which it signs."""

    @property
    def name(self) -> str:
        """Return the principal that messages and the journal name."""

    @property
    def key(self) -> str:
        """Return the public key, on one line."""

    @property
    def until(self) -> dt.date:
        """Return the last day of validity, in UTC."""


def allowed_signers(signers: Iterable[SignerLike]) -> str:
    """Return the text of `allowed_signers`: each key for bundles alone, to the end of its last day."""
    return "".join(_line(signer) for signer in signers)


def _line(signer: SignerLike) -> str:
    kind, body = signer.key.split()[:2]
    end = min(signer.until, dt.date(9998, 12, 30)) + dt.timedelta(days=1)
    return f'{signer.name} namespaces="{NAMESPACE}",valid-before="{end:%Y%m%d}Z" {kind} {body}\n'
