"""The register: what each party answers for, and until when versions are maintained."""
