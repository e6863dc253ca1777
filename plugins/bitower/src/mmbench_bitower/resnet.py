"""ResNet18 without its classifier, random and frozen (He et al. 2016, arXiv:1512.03385)."""

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 512  # of its features
LARGE = 64  # pixels of the shorter side from which on the stem is the standard one
CHANNELS = (64, 128, 256, 512)


def norm(channels: int) -> nn.BatchNorm2d:
    """BatchNorm whose statistics, while they are gathered, are the plain average over batches."""
    return nn.BatchNorm2d(channels, momentum=None)


class BasicBlock(nn.Module):
    """relu(x + BN(conv(relu(BN(conv(x)))))), 3x3; a 1x1 convolution and BN on the path of x where shapes differ."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.first_norm = norm(after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = norm(after)
        self.shortcut = nn.Sequential()
        if stride > 1 or before != after:
            self.shortcut.extend([nn.Conv2d(before, after, 1, stride, bias=False), norm(after)])

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.shortcut(x) + self.second_norm(self.second(inner)))


class ResNet18(nn.Module):
    """Four stages of two blocks with 64, 128, 256 and 512 channels, pooled to one vector; nothing in it is trained.

    Its weights are drawn (normal, Kaiming, fan-out) and lie in buffers. BatchNorm is in eval mode, always;
    ``calibrate`` gives it the statistics that pretrained weights would bring along.

    Images of at least 64 pixels a side enter by the standard stem (7x7 and 3x3 max pooling, each of stride 2),
    smaller ones by a 3x3 convolution alone. Three channels are taken as they are; of any other number the mean
    stands in all three.

    Args:
        large: whether to have the standard stem.

    Shapes:
        (B,C,H,W) -> (B,512).
    """

    def __init__(self, large: bool) -> None:
        super().__init__()
        stem = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False) if large else nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.stem = nn.Sequential(stem, norm(64), nn.ReLU())
        if large:
            self.stem.append(nn.MaxPool2d(3, 2, padding=1))
        self.blocks = nn.Sequential()
        before = 64
        for stage, channels in enumerate(CHANNELS):
            self.blocks.extend([BasicBlock(before, channels, 2 if stage else 1), BasicBlock(channels, channels, 1)])
            before = channels
        self._freeze()
        self.train(False)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[1] != 3:
            images = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        features: Tensor = self.blocks(self.stem(images)).mean((-2, -1))
        return features

    def train(self, mode: bool = True) -> Self:
        """Stay in eval mode."""
        return super().train(False)

    @torch.no_grad()
    def calibrate(self, images: Tensor) -> None:
        """Set BatchNorm's mean and variance, layer by layer, to those of some images (B,C,H,W), B ≥ 2."""
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        for module in norms:
            module.reset_running_stats()
            module.train()
        self(images)
        for module in norms:
            module.eval()

    @torch.no_grad()
    def _freeze(self) -> None:
        """Draw the weights, and make buffers of all parameters: the trainer trains every parameter."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            for name, parameter in list(module.named_parameters(recurse=False)):
                delattr(module, name)
                module.register_buffer(name, parameter.detach())
