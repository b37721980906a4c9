"""`python -m numebot`: nothing but the call, so that spawned children can import everything they need by name."""

from numebot.cli import main

if __name__ == "__main__":
    main()
