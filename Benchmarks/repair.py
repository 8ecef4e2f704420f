"""Repair of a real language model, SmolLM2-135M-Instruct in int8 (docs/repair.md).

    Benchmarks/run repair [FOLDER] [--settings a,b] [--counts 1,10,30] [--skip N]

Facts that the model gets wrong are corrected, and facts that it gets right are exchanged (counterfactual
edits). For each setting: edits that hold, by one pass and when they are generated token by token (integers
round otherwise there), paraphrases that hold, predictions that changed in texts that should stay as they
are, their perplexity, bytes and seconds. FOLDER is as in fewshot.py; every second of 100 of its test texts
limits the repair, and the others are measured. Without FOLDER a few sample texts are taken."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np

from programs import ROOT, VDSQ, language_model

RELATIONS = [
    ("The capital of {} is", ["{}'s capital is", "The capital city of {} is called"], {
        "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "Portugal": "Lisbon",
        "Poland": "Warsaw", "Norway": "Oslo", "Sweden": "Stockholm", "Finland": "Helsinki",
        "Denmark": "Copenhagen", "Iceland": "Reykjavik", "Ireland": "Dublin", "Austria": "Vienna",
        "Hungary": "Budapest", "Greece": "Athens", "Bulgaria": "Sofia", "Romania": "Bucharest",
        "Latvia": "Riga", "Estonia": "Tallinn", "Ukraine": "Kyiv", "Turkey": "Ankara", "Egypt": "Cairo",
        "Morocco": "Rabat", "Kenya": "Nairobi", "Nigeria": "Abuja", "Ghana": "Accra", "Senegal": "Dakar",
        "Ethiopia": "Addis Ababa", "Japan": "Tokyo", "China": "Beijing", "Thailand": "Bangkok",
        "Vietnam": "Hanoi", "Nepal": "Kathmandu", "Australia": "Canberra", "Canada": "Ottawa",
        "Cuba": "Havana", "Peru": "Lima", "Chile": "Santiago", "Mongolia": "Ulaanbaatar",
        "Kazakhstan": "Astana"}),
    ("The chemical symbol of {} is", ["In chemistry, {} is written as", "The symbol for {} is"], {
        "gold": "Au", "silver": "Ag", "iron": "Fe", "lead": "Pb", "tin": "Sn", "copper": "Cu",
        "sodium": "Na", "potassium": "K", "mercury": "Hg", "tungsten": "W", "helium": "He", "neon": "Ne"}),
    ("The language spoken in {} is", ["In {}, people speak", "The people of {} speak"], {
        "Brazil": "Portuguese", "Austria": "German", "Mexico": "Spanish", "Iran": "Persian",
        "Egypt": "Arabic", "Israel": "Hebrew", "Greece": "Greek", "Hungary": "Hungarian"}),
]
SETTINGS = {
    "default": [], "last layer": ["--layers", "30"], "layers 15 to 18": ["--layers", "15,16,17,18"],
    "layers 21 to 24": ["--layers", "21,22,23,24"],
    "16 neurons": ["--neurons", "16"], "256 neurons": ["--neurons", "256"],
    "without --keep": None, "margin 1": ["--margin", "1"], "margin 3": ["--margin", "3"],
}

parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("--settings")
parser.add_argument("--counts", default="1,10,30")
parser.add_argument("--skip", type=int, default=0, help="facts of each kind to leave out first")
arguments = parser.parse_args()
MODEL = language_model()


def facts():
    return [{"prompt": template.format(subject), "answer": " " + answer,
             "paraphrases": [p.format(subject) for p in more], "relation": template}
            for template, more, pairs in RELATIONS for subject, answer in pairs.items()]


def known(all_facts):
    """Whether greedy decoding gives each answer."""
    lines = "".join(json.dumps({"a": f["prompt"], "b": f["answer"]}) + "\n" for f in all_facts)
    found = subprocess.run(
        [VDSQ, "score", MODEL, "--field", "a", "--second-field", "b", "--json", "-q"], input=lines,
        capture_output=True, text=True, check=True).stdout.splitlines()
    return [json.loads(line)["greedy"] for line in found]


def keep_texts():
    if not arguments.folder:
        return [json.loads(line.rstrip(",\n"))["text"] for line in open(ROOT / "Models/samples/smollm2.json")
                if line.startswith("{")]
    folders = [f for f in sorted(pathlib.Path(arguments.folder).iterdir()) if (f / "test.jsonl").exists()]
    texts = []
    for folder in folders:
        own = [json.loads(line)["text"] for line in open(folder / "test.jsonl")]
        texts += own[:100 // len(folders)]
    return texts


def repair(fixes, texts, options, scratch):
    path = pathlib.Path(scratch)
    (path / "fixes.jsonl").write_text("".join(json.dumps(f) + "\n" for f in fixes))
    (path / "keep.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    command = [VDSQ, "repair", MODEL, path / "fixes.jsonl", "-o", path / "fix.vdsa", "--force", "--json", "-q",
               "--max-tokens", "256", *(options or [])]
    if options is not None:
        command += ["--keep", path / "keep.jsonl"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if options is None:  # The texts are measured nevertheless.
        measured = texts[1::2]
        (path / "texts").write_text("".join(json.dumps({"text": t}) + "\n" for t in measured))
        perplexities = [json.loads(subprocess.run(
            [VDSQ, "score", MODEL, "--field", "text", "--totals", "--json", "-q", "--max-tokens", "256", *more],
            stdin=open(path / "texts"), capture_output=True, text=True, check=True).stdout)["perplexity"]
            for more in ([], ["--repair", path / "fix.vdsa"])]
        result["kept"] = {"changed_share": float("nan"), "perplexity_before": perplexities[0],
                          "perplexity": perplexities[1]}
    generated = subprocess.run(
        [VDSQ, "generate", MODEL, "--field", "prompt", "--json", "-q", "--max-tokens", "12", "--context", "64",
         "--repair", path / "fix.vdsa"], stdin=open(path / "fixes.jsonl"), capture_output=True, text=True,
        check=True).stdout.splitlines()
    result["generated"] = np.mean([json.loads(line)["text"].startswith(fix["answer"])
                                   for line, fix in zip(generated, fixes)])
    return result


def main():
    all_facts = facts()
    right = known(all_facts)
    wrong = [f for f, r in zip(all_facts, right) if not r]
    rng = np.random.default_rng(0)
    exchanged = []
    for template, _, pairs in RELATIONS:
        own = [f for f, r in zip(all_facts, right) if r and f["relation"] == template]
        answers = sorted({" " + a for a in pairs.values()})
        for fact in own:
            others = [a for a in answers if a != fact["answer"]]
            exchanged.append({**fact, "answer": others[int(rng.integers(len(others)))]})
    texts = keep_texts()
    print(f"{len(all_facts)} facts, of which the model knows {sum(right)}; {len(texts)} texts to keep\n")
    settings = {k: v for k, v in SETTINGS.items()
                if not arguments.settings or k in arguments.settings.split(",")}
    print("| setting | edits | number | hold | generated | paraphrases | changed tokens | perplexity | rounds | MiB | s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for setting, options in settings.items():
            counts = [int(c) for c in arguments.counts.split(",")] if setting == "default" else [10]
            for kind, pool in (("corrected", wrong), ("exchanged", exchanged)):
                order = [pool[i] for i in np.random.default_rng(1).permutation(len(pool))][arguments.skip:]
                for count in counts:
                    # Few edits vary much, so several groups of them are repaired one after another.
                    groups = [order[i:i + count] for i in range(0, len(order), count)][:max(1, 10 // count)]
                    groups = [g for g in groups if len(g) == min(count, len(order))]
                    runs = [repair(g, texts, options, scratch) for g in groups]
                    mean = lambda get: float(np.mean([get(r) for r in runs]))
                    print(f"| {setting} | {kind} | {len(groups[0])} "
                          f"| {mean(lambda r: r['held'] / r['fixes']):.2f} "
                          f"| {mean(lambda r: r['generated']):.2f} "
                          f"| {mean(lambda r: r['paraphrases_held_before'] / r['paraphrases']):.2f} → "
                          f"{mean(lambda r: r['paraphrases_held'] / r['paraphrases']):.2f} "
                          f"| {100 * mean(lambda r: r['kept']['changed_share']):.2f}% "
                          f"| {mean(lambda r: r['kept']['perplexity_before']):.2f} → "
                          f"{mean(lambda r: r['kept']['perplexity']):.2f} "
                          f"| {mean(lambda r: len(r['rounds']) - 1):.1f} "
                          f"| {mean(lambda r: r['bytes']) / 2**20:.1f} | {mean(lambda r: r['seconds']):.1f} |",
                          flush=True)


main()
