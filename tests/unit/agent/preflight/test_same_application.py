"""A machine runs one application: another's bundle is refused, however high its version."""

from __future__ import annotations

import pytest

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.preflight.checks import same_application
from filae_ops.agent.system.errors import Refused


def test_another_applications_bundle_is_refused() -> None:
    with pytest.raises(Refused, match="holds 'other', this machine runs 'filae'"):
        same_application(
            Contract({"name": "filae", "version": "1.0.0"}), Contract({"name": "other", "version": "9.0.0"})
        )


def test_the_same_application_passes() -> None:
    same_application(Contract({"name": "filae", "version": "1.0.0"}), Contract({"name": "filae", "version": "9.0.0"}))
