"""Verifying machines: facts gathered, host checks run on them, declared and measured side by side."""
