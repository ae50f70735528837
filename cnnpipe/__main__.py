"""`python -m cnnpipe` is the command line."""

from cnnpipe.cli import main

if __name__ == "__main__":
    main()
