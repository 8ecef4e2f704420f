import pathlib
import re

import vdsq
from conftest import FIXTURES, ROOT


def test_the_program_of_the_page_runs(tmp_path, monkeypatch):
    page = (ROOT / "docs/python.md").read_text()
    (program,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    names = {"checkpoint": FIXTURES / "bert-mean"}
    exec(program, names)
    assert names["vectors"].shape == (2, names["model"].dimensions)
    assert names["zero_shot"].classes_.tolist() == ["hello", "stop"]
    assert names["trained"].classes_.tolist() == [0, 1]
    assert pathlib.Path("greetings.vdsa").exists()


def test_everything_that_is_exported_is_documented():
    page = (ROOT / "docs/python.md").read_text()
    for name in vdsq.__all__:
        thing = getattr(vdsq, name)
        assert not callable(thing) or thing.__doc__
    for name in ("Model", "VDSQClassifier", "Learner", "convert", "library_path", "program_path"):
        assert name in page
