"""ResNet18 and the transformer on top of it."""

import torch
from mmbench_bitower.resnet import BasicBlock, ResNet18
from mmbench_bitower.resnet_transformer import ResNetTransformer, Weigh


def test_it_has_the_known_number_of_weights_and_trains_none():
    net = ResNet18(large=True)
    weights = {name: x for name, x in net.named_buffers() if name.endswith(("weight", "bias"))}
    assert sum(x.numel() for x in weights.values()) == 11_689_512 - 513_000  # ResNet18 without its classifier
    assert not list(net.parameters())


def test_shapes_and_strides():
    x = torch.randn(2, 64, 8, 8)
    assert BasicBlock(64, 128, 2)(x).shape == (2, 128, 4, 4)
    large, small = ResNet18(large=True), ResNet18(large=False)
    assert large.stem(torch.randn(1, 3, 64, 64)).shape == (1, 64, 16, 16)
    assert small.stem(torch.randn(1, 3, 9, 9)).shape == (1, 64, 9, 9)
    assert small(torch.randn(2, 3, 5, 9)).shape == (2, 512)


def test_channels_other_than_three_are_averaged():
    net = ResNet18(large=False)
    grey = torch.randn(2, 1, 8, 8)
    torch.testing.assert_close(net(grey), net(grey.expand(-1, 3, -1, -1)))
    torch.testing.assert_close(net(torch.cat([grey, 3 * grey], 1)), net(2 * grey))


def test_norms_stay_in_eval_mode_and_take_the_statistics_of_images():
    net = ResNet18(large=False).train()
    assert not any(module.training for module in net.modules())
    images = 5 + 3 * torch.randn(16, 3, 8, 8)
    net.calibrate(images)
    assert not any(module.training for module in net.modules())
    inner = net.stem[:2](images)  # after its norm
    torch.testing.assert_close(inner.mean((0, 2, 3)), torch.zeros(64), atol=1e-4, rtol=0)
    torch.testing.assert_close(inner.var((0, 2, 3)), torch.ones(64), atol=1e-2, rtol=0)
    first = net(images[:1])
    net.calibrate(images)
    torch.testing.assert_close(net(images[:1]), first)


def test_weights_run_over_those_that_are_there():
    torch.manual_seed(0)
    weigh, f = Weigh(3), torch.randn(2, 3, 512)
    present = torch.tensor([[True, True, True], [True, False, True]])
    scores = weigh.score(weigh.inner(f).tanh())[..., 0]
    tokens = weigh(f, present)
    torch.testing.assert_close(tokens[0], 3 * scores[0].softmax(0)[:, None] * f[0] + weigh.embedding)
    a = scores[1, ::2].softmax(0)
    torch.testing.assert_close(tokens[1, ::2], 2 * a[:, None] * f[1, ::2] + weigh.embedding[::2])
    torch.testing.assert_close(tokens[1, 1], weigh.embedding[1])


def test_statistics_come_from_the_images_that_are_there(make_task, make_split):
    task = make_task("classification", "image vector")
    split = make_split(task, 12, missing=True)
    model = ResNetTransformer(task)
    model.begin(split)
    there = split.inputs.values["image0"][split.inputs.here("image0")]
    expected = ResNet18(large=False)
    expected.load_state_dict(model.resnets[0].state_dict())
    expected.calibrate(there)
    torch.testing.assert_close(model.resnets[0].state_dict(), expected.state_dict())
