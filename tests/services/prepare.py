"""`python -m tests.services.prepare [postgresql] [redis] [chromium]`: what the tests need is there afterwards.

Runs before the tests, so that nothing is installed while their clocks tick. Without a name: all of them.
"""

import sys

from tests.services.programs import SERVICES, MissingProgramError, provide


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        sys.stderr.write(f"There is no service {unknown[0]}: choose from {', '.join(SERVICES)}.\n")
        return 2
    try:
        provide([SERVICES[name] for name in names or SERVICES])
    except MissingProgramError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
