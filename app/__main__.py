"""``python -m app`` and ``cpc-record``."""

import gc

gc.disable()  # what is loaded stays: looking for garbage in it takes a twentieth of the start

from app.cli import main  # noqa: E402

gc.enable()

if __name__ == "__main__":
    main()
