"""Logits of QuantizedModel's plain models by Hugging Face transformers in F32.

Run QuantizedModel.main FOLDER first; then this writes FOLDER/transformers-KIND.f32 for each.
"""

import pathlib
import sys

import numpy
import torch
from transformers import AutoModelForCausalLM

PROMPT = [5, 17, 90, 3, 3, 41, 8, 77, 60, 12, 33, 2]

folder = pathlib.Path(sys.argv[1])
for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
    model = AutoModelForCausalLM.from_pretrained(
        kind, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        logits = model(torch.tensor([PROMPT])).logits[0].numpy()
    logits.astype(numpy.float32).tofile(folder / f"transformers-{kind.name}.f32")
    print(kind.name, logits.shape, logits.std(), torch.__version__)
