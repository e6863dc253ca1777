"""Self-attention over the modalities of a sample."""

from math import ceil

from torch import Tensor, nn

from mmbench import attention


class SelfAttention(nn.Module):
    """MHA(U) = [head_1 ‖ … ‖ head_H] W_O, head_h = softmax(U Q_h (U K_h)ᵀ/√c) U V_h, all without bias.

    After Vaswani et al. 2017 (arXiv:1706.03762, §3.2.2). c is d/H, rounded up where H does not divide d. A single
    modality attends to itself with weight 1, whatever Q and K are: they are left out, and MHA(U) = U V W_O.

    Args:
        width: d.
        heads: H.
        alone: whether there is one modality.

    Shapes:
        (B,M,d) tokens and (B,M) bool, the keys to attend to, at least one a row -> (B,M,d).
    """

    def __init__(self, width: int, heads: int, alone: bool) -> None:
        super().__init__()
        self.heads, self.alone = heads, alone
        inner = heads * ceil(width / heads)
        self.enter = nn.Linear(width, inner if alone else 3 * inner, bias=False)  # V, or Q, K and V
        self.leave = nn.Linear(inner, width, bias=False)

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        entered = self.enter(tokens)
        if not self.alone:
            q, k, v = entered.chunk(3, -1)
            entered = attention(q, k, v, present, self.heads)
        out: Tensor = self.leave(entered)
        return out
