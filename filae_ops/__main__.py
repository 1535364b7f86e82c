"""Run the command line with `python -m filae_ops`."""

import sys

from filae_ops.cli import main

sys.exit(main())
