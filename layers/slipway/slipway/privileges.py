"""What processes that read what strangers wrote may not do to others: Linux's ``prctl`` and capabilities.

Source: prctl(2), capabilities(7), ptrace(2) ("ptrace access mode checking").
"""

import ctypes
import os
import sys

_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_CAPABILITY_VERSION_3 = 0x20080522


def hide_from_others() -> None:
    """Keep other processes of the same user from reading this one's environment and memory in ``/proc``.

    Root still may, unless it gave up its capabilities; see ``give_up_privileges``. Does nothing but on Linux.

    Raises:
        OSError: The kernel refused.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def give_up_privileges() -> None:
    """Give up every capability, for this process and all that it starts, so that root is a user like others.

    Raises:
        OSError: The kernel refused.
    """
    if sys.platform != "linux":
        return
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _checked(ctypes.CDLL(None, use_errno=True).capset(ctypes.byref(header), ctypes.byref(nothing)))


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        _checked(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
