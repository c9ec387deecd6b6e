"""Entry point of `python -m app` and `cpc-record`."""

import gc


def main() -> None:
    """Run the command line.

    The garbage collector pauses while modules are imported, and does not scan their objects later:
    they stay, and scanning them again and again took an eighth of the time to start.
    """
    gc.disable()
    from app.cli import main as run  # noqa: PLC0415 - after the pause has begun

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
