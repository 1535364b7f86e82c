"""Print the agent, packed and in base64; runs on the controller, from the checkout or from the wheel."""

import base64
import sys
import tempfile
from pathlib import Path

# roles/agent/files in a checkout, which may lie just under /; filae_ops/_data/roles/agent/files in the wheel.
home = next(place for place in Path(__file__).resolve().parents if (place / "filae_ops/agent/zipapp.py").is_file())
sys.path.insert(0, str(home))

from filae_ops.agent.zipapp import build_zipapp

with tempfile.TemporaryDirectory() as directory:
    packed = Path(directory, "filaectl")
    build_zipapp(packed)
    print(base64.b64encode(packed.read_bytes()).decode())
