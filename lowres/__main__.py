"""`python -m lowres` is the command line too, for machines whose PATH does not have it."""

from lowres.cli.app import main

if __name__ == "__main__":
    main()
