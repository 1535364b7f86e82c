"""The toolkit's writers as filters: what templates emit is what they parsed, or the task fails."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from ansible.errors import AnsibleFilterError

# From the checkout, which may lie just under /, or from the wheel: this same copy of the toolkit.
HOME = next(place for place in Path(__file__).resolve().parents if (place / "filae_ops/writers/filters.py").is_file())
if str(HOME) not in sys.path:
    sys.path.insert(0, str(HOME))

from filae_ops.agent.system.plain_text import plain  # noqa: E402
from filae_ops.errors import OpsError  # noqa: E402
from filae_ops.writers.filters import FILTERS  # noqa: E402


def refusing(writer):
    """Return a writer whose refusal Ansible shows whole: what, who acts, the next step."""

    @functools.wraps(writer)
    def filter_(*values):
        try:
            return writer(*values)
        except OpsError as error:
            raise AnsibleFilterError(plain(str(error))) from None

    return filter_


class FilterModule:
    """Gives the writers to Ansible."""

    def filters(self):
        """Return the filters by name."""
        return {name: refusing(writer) for name, writer in FILTERS.items()}
