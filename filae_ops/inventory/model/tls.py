"""The certificate that users see."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from filae_ops.inventory.types.fields import RelativePath, Strict, refuse


class Tls(Strict):
    """The certificate that users see."""

    mode: Literal["provided", "local-ca"]
    """`provided`: the hospital's certificate; `local-ca`: for demo and tests only."""
    certificate: RelativePath | None = None
    """Server certificate (PEM), relative to the inventory."""
    chain: RelativePath | None = None
    """Intermediate certificates (PEM)."""
    root: RelativePath | None = None
    """Root certificate that the hospital's posts trust (PEM)."""

    @model_validator(mode="after")
    def _files_go_with_the_mode(self) -> Self:
        for key, value in self.files.items():
            if self.mode == "provided" and value is None:
                refuse(f"mode `provided` needs `{key}`", next_step=f"add `{key}`: a path such as tls/{key}.pem")
            if self.mode == "local-ca" and value is not None:
                refuse(f"`{key}` has no meaning with mode local-ca", next_step=f"remove `{key}`", at=(key,))
        return self

    @property
    def files(self) -> dict[str, str | None]:
        """Return the declared files by field."""
        return {"certificate": self.certificate, "chain": self.chain, "root": self.root}
