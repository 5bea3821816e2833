"""`python -m tests.services.background COMMAND`: run it with what processors others leave, in long turns.

Several that compute at once push one another out of the caches whenever they take turns, every few milliseconds: six on
two cores need 18 % more of the processors' time each than two do. With turns of a tenth of a second it is 4 %. Linux
grants them since 6.12; elsewhere they stay as they are.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from typing import Final

NICE: Final = 10
TURN_NANOSECONDS: Final = 100_000_000
# The number of the system call sched_setattr; Python and its C library have no name for it.
_SCHED_SETATTR: Final = {"x86_64": 314, "aarch64": 274}
_SCHED_OTHER: Final = 0


def take_long_turns() -> None:
    """Ask for them, of this process and of those that it will start; whatever is answered."""
    number = _SCHED_SETATTR.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    # Its size, policy, flags, nice, priority, and for its turn runtime, deadline and period.
    attributes = struct.pack("=IIQiIQQQ", 48, _SCHED_OTHER, 0, nice, 0, TURN_NANOSECONDS, 0, 0)
    ctypes.CDLL(None).syscall(number, 0, attributes, 0)


def main(command: list[str]) -> None:
    os.nice(NICE)
    take_long_turns()
    os.execvp(command[0], command)  # noqa: S606 - what its caller names


if __name__ == "__main__":
    main(sys.argv[1:])
