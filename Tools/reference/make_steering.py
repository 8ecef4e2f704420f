#!/usr/bin/env python3
"""Writes Tests/Fixtures/language-models/steering.json: states of transformers when a vector is added
behind a layer at every position (h + |h| v), and the hidden states of all layers without that. Needs:
pip install transformers torch."""
import json
import pathlib

import torch
import transformers as t

ROOT = pathlib.Path(__file__).parents[2] / "Tests/Fixtures/language-models"
MODELS = {
    "gpt2": (t.AutoModelForCausalLM, lambda m: (m.transformer.drop, m.transformer.h)),
    "llama": (t.AutoModelForCausalLM, lambda m: (m.model.embed_tokens, m.model.layers)),
    "roberta": (t.AutoModelForMaskedLM, lambda m: (m.roberta.embeddings, m.roberta.encoder.layer)),
}


def rounded(x):
    return [round(float(v), 5) for v in x.flatten()]


def main():
    out = {}
    for name, (kind, parts) in MODELS.items():
        model = kind.from_pretrained(ROOT / name, dtype=torch.float32).eval()
        golden = json.loads((ROOT / name / "golden.json").read_text())[0]
        ids = torch.tensor([golden["ids"]])
        torch.manual_seed(5)
        vector = torch.randn(model.config.hidden_size)
        vector = 0.7 * vector / vector.norm()

        def steer(module, inputs, output):
            states = output[0] if isinstance(output, tuple) else output
            states = states + states.norm(dim=-1, keepdim=True) * vector
            return (states, *output[1:]) if isinstance(output, tuple) else states

        embeddings, layers = parts(model)
        with torch.no_grad():
            plain = torch.cat(model(ids, output_hidden_states=True).hidden_states)
            steered = []
            for module in [embeddings, *layers]:
                hook = module.register_forward_hook(steer)
                steered.append(rounded(model(ids, output_hidden_states=True).hidden_states[-1]))
                hook.remove()
        out[name] = {"shift": rounded(vector), "hidden": rounded(plain), "steered": steered}
    (ROOT / "steering.json").write_text(json.dumps(out) + "\n")


main()
