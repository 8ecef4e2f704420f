"""The command line, which is in the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, Union

from vdsq._errors import error

PathLike = Union[str, "os.PathLike[str]"]


def program_path() -> str:
    """The path of the program ``vdsq``."""
    return os.environ.get("VDSQ_PROGRAM") or str(Path(__file__).parent / "bin" / "vdsq")


def main() -> NoReturn:
    """Becomes the program ``vdsq``."""
    os.execv(program_path(), ["vdsq", *sys.argv[1:]])


def convert(
    source: PathLike, output: PathLike, *, force: bool = False, arguments: Sequence[str] = ()
) -> Path:
    """Converts a checkpoint to a .vdsq file, by the program ``vdsq convert``.

    Parameters
    ----------
    source : a folder of Hugging Face's, a .gguf file, or a llama2.c file.
    output : the file to write. It appears completely or not at all.
    force : whether a file of that name may be replaced.
    arguments : further arguments of ``vdsq convert``, such as ``["--float"]``.

    Returns
    -------
    The path of the file.

    Raises
    ------
    Error : what the program wrote to standard error, of the kind of its exit code.
    """
    command = [program_path(), "convert", os.fspath(source), "--output", os.fspath(output), "-q"]
    command += ["--force"] if force else []
    done = subprocess.run(
        [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        message = done.stderr.strip() or f"vdsq convert ended with {done.returncode}"
        raise error(done.returncode, message.removeprefix("vdsq: "))
    return Path(output)
