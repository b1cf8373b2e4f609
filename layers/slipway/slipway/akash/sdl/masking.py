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
_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s;&|]+)"""
# Names are bounded, so that no text takes quadratic time.
_NAMED = rf"[\w-]{{0,128}}(?:{_SECRET.pattern})[\w-]{{0,128}}"
# An option with its value, or the value that a shell gives a variable.
_OPTION = re.compile(rf"(?<![\w-])(-{_NAMED}[= ]|{_NAMED}=){_VALUE}", re.IGNORECASE)
# An option whose value is the next argument.
_NAME = re.compile(rf"-{_NAMED}", re.IGNORECASE)
_HEADER = re.compile(r"(Authorization: *(?:Bearer|Basic)? *)[^\s\"']+", re.IGNORECASE)
_PEM = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*", re.DOTALL)


def masked(text: str) -> str:
    """Return an SDL with passwords, and values of variables and options with names like TOKEN, masked."""
    document = parse_yaml(text)
    for service in document["services"].values():
        for field in ("command", "args"):
            service[field] = _arguments(service.get(field))
        env = service.get("env")
        service["env"] = None if env is None else [_variable(line) for line in env]
        if service.get("credentials"):
            service["credentials"] = {**service["credentials"], "password": MASK}
        for field in ("command", "args", "env"):
            if service[field] is None:
                del service[field]
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _: Any) -> bool:
        return True


def _arguments(lines: list[str] | None) -> list[str] | None:
    if lines is None:
        return None
    return [
        MASK if _NAME.fullmatch(before) and not line.startswith("--") else _line(line)
        for before, line in zip(["", *lines], lines, strict=False)
    ]


def _line(text: str) -> str:
    for secret, shown in (
        (_PEM, rf"\1{MASK}"),
        (_LOGIN, rf"\1:{MASK}@"),
        (_HEADER, rf"\1{MASK}"),
        (_OPTION, rf"\1{MASK}"),
    ):
        text = secret.sub(shown, text)
    return text


def _variable(text: str) -> str:
    name, separator, value = text.partition("=")
    if separator and value and _SECRET.search(name):
        return f"{name}={MASK}"
    return f"{name}{separator}{_line(value)}"
