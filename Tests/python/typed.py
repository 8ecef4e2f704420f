"""What a user writes, for type checkers: it is not run."""

from pathlib import Path
from typing import Any

import numpy as np
import vdsq
from numpy.typing import NDArray

model = vdsq.Model(Path("minilm.vdsq"), threads=2, memory_policy="stream")
vectors: NDArray[np.float32] = model.encode(["a", "b"], truncate_dim=64)
scores: NDArray[np.float32] = model.rerank("query", ["a", "b"])
lens: vdsq.Lens = model.lens("text", view="head")
ids: NDArray[np.int32] = lens.token_ids
made: vdsq.Generated = model.generate("text", max_tokens=5, on_text=print)
answer: str = model.generate([{"role": "user", "content": "hello"}]).text
likely: NDArray[np.float64] = model.score(["a"], contexts=["b"]).log_probabilities
classifier = vdsq.VDSQClassifier(model, labels={"billing": ["invoice"], "outage": []})
classes: NDArray[Any] = classifier.fit(["a", "b"], ["billing", "outage"]).predict(["c"])
count: int = vdsq.Learner(model, "a.vdsa", labels=["x", "y"]).learn("text", "x").count
path: Path = vdsq.convert("folder", "out.vdsq", force=True)

model.encode([1])  # type: ignore[list-item]
vdsq.Model("a.vdsq", precision="int4")  # type: ignore[arg-type]
model.lens("text", view="other")  # type: ignore[arg-type]
