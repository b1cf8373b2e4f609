"""An SDL for the eyes of its owner's screen: what looks secret is masked. Pure.

Comments are left out: nobody knows what they say.
"""

import re
from typing import Any

import yaml

from slipway.akash.sdl.yaml_reader import parse_yaml

MASK = "********"
_SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|PRIVATE|MNEMONIC|SEED|SALT|DSN|CERT|COOKIE", re.IGNORECASE
)
_LOGIN = re.compile(r"(://[^/\s:@]*):[^/\s@]+@")
_OPTION = re.compile(rf"(--?[\w-]*(?:{_SECRET.pattern})[\w-]*[= ])\S+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return an SDL with passwords, and values of variables and options with names like TOKEN, masked."""
    document = parse_yaml(text)
    for service in document["services"].values():
        for field in ("command", "args"):
            service[field] = _masked(service.get(field), _line)
        service["env"] = _masked(service.get("env"), _variable)
        if service.get("credentials"):
            service["credentials"] = {**service["credentials"], "password": MASK}
        for field in ("command", "args", "env"):
            if service[field] is None:
                del service[field]
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _: Any) -> bool:
        return True


def _masked(lines: Any, mask: Any) -> list[str] | None:
    return None if lines is None else [mask(line) for line in lines]


def _line(text: str) -> str:
    return _LOGIN.sub(rf"\1:{MASK}@", _OPTION.sub(rf"\1{MASK}", text))


def _variable(text: str) -> str:
    name, separator, value = text.partition("=")
    if separator and value and _SECRET.search(name):
        return f"{name}={MASK}"
    return f"{name}{separator}{_line(value)}"
