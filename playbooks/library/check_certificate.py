#!/usr/bin/python
"""Check a provided certificate on the controller, before anything is touched."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: check_certificate
short_description: Refuse a certificate that would not serve
options:
  key: {description: private key in PEM, type: str, required: true}
  certificate: {description: path of the server's certificate, type: path, required: true}
  chain: {description: path of the intermediate certificates, type: path, required: true}
  root: {description: path of the root certificate, type: path, required: true}
  names: {description: names that it must cover, type: list, elements: str, required: true}
"""


def main():
    module = AnsibleModule(
        argument_spec={
            "key": {"type": "str", "required": True, "no_log": True},
            "certificate": {"type": "path", "required": True},
            "chain": {"type": "path", "required": True},
            "root": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        from filae_ops.certificates import check_files
        from filae_ops.errors import OpsError
    except ImportError:
        module.fail_json(
            msg="filae_ops is not installed beside this ansible-playbook. Next: use .venv/bin/ansible-playbook"
        )
    files = {name: Path(module.params[name]) for name in ("certificate", "chain", "root")}
    try:
        check_files(**files, key=module.params["key"], names=module.params["names"])
    except OpsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
