"""Entry point of `python -m app` and `cpc-record`."""

import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line.

    The garbage collector pauses while modules are imported, and does not scan their objects later:
    they stay, and scanning them again and again took an eighth of the time to start.

    The first process of a container ignores SIGTERM unless it handles it, so it does from the
    start: a container that is stopped while it starts would otherwise run until it is killed.
    """
    gc.disable()
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from app.cli import main as run  # noqa: PLC0415 - after the pause has begun

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
