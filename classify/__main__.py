"""`python -m classify` is the same as `classify`."""

from classify.cli.main import main

if __name__ == "__main__":
    main()
