"""The Llama of transformers, written out so that two CPU cores train it fast: whole matrices in BF16,
attention by plain products (short sequences), logits only where a loss is taken."""
import torch
import torch.nn.functional as F
from torch import nn

CONFIG = dict(vocab=4096, hidden=256, layers=4, heads=8, kv=4, head_dim=32, inner=688, theta=10000.0, eps=1e-5)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, d = c["hidden"], c["head_dim"]
        self.heads, self.kv, self.dim, self.eps = c["heads"], c["kv"], d, c["eps"]
        self.qkv = nn.Linear(h, (self.heads + 2 * self.kv) * d, bias=False)
        self.out = nn.Linear(self.heads * d, h, bias=False)
        self.gate_up = nn.Linear(h, 2 * c["inner"], bias=False)
        self.down = nn.Linear(c["inner"], h, bias=False)
        self.norm1 = nn.Parameter(torch.ones(h))
        self.norm2 = nn.Parameter(torch.ones(h))

    def forward(self, x, cos, sin, mask, drop):
        b, t, h = x.shape
        qkv = self.qkv(F.rms_norm(x, (h,), self.norm1, self.eps)).view(b, t, -1, self.dim)
        qk, v = qkv.split((self.heads + self.kv, self.kv), 2)
        first, second = qk.chunk(2, -1)
        qk = torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
        q, k = (part.transpose(1, 2) for part in qk.split((self.heads, self.kv), 2))
        repeat = self.heads // self.kv
        k = k.repeat_interleave(repeat, 1)
        v = v.transpose(1, 2).repeat_interleave(repeat, 1)
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.dim ** -0.5 + mask, -1)
        y = (weights @ v).transpose(1, 2).reshape(b, t, -1)
        x = x + F.dropout(self.out(y), drop, self.training)
        gate, up = self.gate_up(F.rms_norm(x, (h,), self.norm2, self.eps)).chunk(2, -1)
        return x + F.dropout(self.down(F.silu(gate) * up), drop, self.training)


class Model(nn.Module):
    def __init__(self, c=CONFIG):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c["vocab"], c["hidden"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["layers"]))
        self.norm = nn.Parameter(torch.ones(c["hidden"]))
        for name, p in self.named_parameters():
            if p.dim() == 2:
                deep = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(p, std=0.02 / (2 * c["layers"]) ** 0.5 if deep else 0.02)

    def forward(self, ids, chosen, drop=0.0):
        """Logits at the chosen positions (a mask of ids' shape)."""
        t, half = ids.shape[1], self.c["head_dim"] // 2
        angles = torch.arange(t)[:, None] * self.c["theta"] ** (-torch.arange(half) / half)
        x = self.embed(ids)
        cos, sin = (f[:, None].to(x.dtype) for f in (angles.cos(), angles.sin()))
        mask = torch.full((t, t), -1e4, dtype=x.dtype).triu(1)
        for layer in self.layers:
            x = layer(x, cos, sin, mask, drop)
        x = F.rms_norm(x[chosen], (x.shape[-1],), self.norm, self.c["eps"])
        return F.linear(x, self.embed.weight).float()
