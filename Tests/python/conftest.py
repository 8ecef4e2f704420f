"""Models that the program makes of tiny checkpoints, and its answers."""

import pathlib
import subprocess

import pytest
import vdsq

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/Fixtures"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def path(folder):
    return vdsq.convert(FIXTURES / "bert-mean", folder / "encoder.vdsq")


@pytest.fixture(scope="session")
def model(path):
    return vdsq.Model(path)


@pytest.fixture(scope="session")
def language(folder):
    return vdsq.Model(vdsq.convert(FIXTURES / "language-models/gpt2", folder / "gpt2.vdsq"))


@pytest.fixture(scope="session")
def texts():
    return (ROOT / "Models/samples/tickets.txt").read_text().splitlines()


@pytest.fixture(scope="session")
def run():
    """Runs the command line, and returns its output."""

    def run(*arguments, lines=()):
        done = subprocess.run(
            [vdsq.program_path(), *map(str, arguments)],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
