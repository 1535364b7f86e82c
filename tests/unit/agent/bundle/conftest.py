from material.bundle_fixtures import good, keys, raw, signers, source

__all__ = ["good", "keys", "raw", "signers", "source"]
