"""Print the script that ensures PostgreSQL's roles, after what is declared; runs on the controller, as pack.py does."""

from pathlib import Path

here = Path(__file__).resolve()
DECLARED = "filae_ops/agent/database/declared_roles.py"
# roles/database/files in a checkout, filae_ops/_data/roles/database/files in the wheel.
declared = next(place / DECLARED for place in here.parents if (place / DECLARED).is_file())
print(declared.read_text(encoding="utf-8"))
print(here.with_name("ensure_roles.py").read_text(encoding="utf-8"))
