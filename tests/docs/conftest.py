"""`pytest tests/docs --rewrite-tables` writes the tables of recipes/README.md anew, to be read before they are kept."""


def pytest_addoption(parser):
    parser.addoption("--rewrite-tables", action="store_true", help="write the tables of recipes/README.md anew")
