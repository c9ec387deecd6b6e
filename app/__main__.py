"""Entry point of `python -m app` and `cpc-record`."""

from app.cli import main

if __name__ == "__main__":
    main()
