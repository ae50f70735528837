"""`pytest tests/errors --rewrite-goldens` writes the texts anew, to be read before they are kept."""


def pytest_addoption(parser):
    parser.addoption("--rewrite-goldens", action="store_true", help="write the expected texts anew")
