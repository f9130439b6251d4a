"""What the pages for other backends offer for pasting, on models like the readers'.

`make backends` runs this after the pages. Each test starts an interpreter of its own
for each backend, and runs one of the functions below the tests in it.
"""

from pathlib import Path

import pytest

from tests import runner
from tests.zoo import core

pytestmark = pytest.mark.session

# Members of the zoo: mixed precision, a nested frozen base with Dropout, blocks in
# lists, custom layers, several inputs and outputs, masks, noise, shared layers, other
# state.
MEMBERS = [
    "float16",
    "bfloat16",
    "mobilenet",
    "resnet",
    "custom",
    "two_inputs",
    "two_outputs",
    "recurrent",
    "spectral",
    "shared",
    "normalization",
]
# Functions that more than one page about PyTorch needs.
SHARED = {"arrays", "batchnorm", "channels_last", "demand", "layer", "around"}


def run(function: str, backend: str, folder: Path, *arguments):
    """Call a function of this module with a backend of Keras; return its answer."""
    name = f"{__name__}.{function}"
    return runner.call(name, folder, *arguments, KERAS_BACKEND=backend)


@pytest.mark.parametrize("member", MEMBERS)
def test_the_loop_for_jax_does_what_fit_does(member, tmp_path):
    """Losses, arrays, flags and optimizer are those of the built-in ``fit``."""
    assert run("loop_and_fit", "jax", tmp_path, member) == []


@pytest.mark.parametrize("member", MEMBERS)
def test_the_train_step_for_jax_does_what_fit_does(member, tmp_path):
    """History, arrays, flags and optimizer are those of the built-in ``fit``."""
    assert run("step_and_fit", "jax", tmp_path, member) == []


def test_a_frozen_layer_after_the_first_step_is_refused(tmp_path):
    """The optimizer knows other variables, and the loop says so."""
    assert "variables" in run("loop_after_freezing", "jax", tmp_path)


@pytest.mark.parametrize("writer", ["torch", "jax"])
def test_training_goes_on_with_another_backend(writer, tmp_path):
    """Arrays and optimizer of a file go over to the other backends."""
    members = [name for name in MEMBERS if name not in ("mobilenet", "resnet")]
    run("write", writer, tmp_path, members)
    for reader in {"tensorflow", "jax", "torch"} - {writer}:
        assert run("read_and_train", reader, tmp_path, members) == []


def test_nets_are_ported_or_refused(tmp_path):
    """Outputs are equal, or the message says what has no rule."""
    assert run("port_nets", "tensorflow", tmp_path) == []


def test_deep_nets_are_ported_and_train_on(tmp_path):
    """Residual nets and a U-Net come over whole, and take the same steps."""
    assert run("port_deep_nets", "tensorflow", tmp_path) == []


def test_a_wrapped_pytorch_module_stays_in_inference_mode(tmp_path):
    """Nothing of it moves in ``fit``, trained or frozen, and the file holds it."""
    assert run("wrapped_in_inference_mode", "torch", tmp_path) == []


def test_pages_show_the_same_functions():
    """What several pages need stands on each of them, and is proven once."""
    files = "from_pytorch port_a_net port_rules port_pooling".split()
    found = {}
    for file in files:
        for name in core.definitions(f"backends/{file}.py").keys() & SHARED:
            found.setdefault(name, []).append(core.source(f"backends/{file}.py:{name}"))
    assert found.keys() == SHARED
    for name, sources in found.items():
        assert len(sources) > 1 and len(set(sources)) == 1, f"{name} differs"


# From here on, what runs in the other processes.


def _fit(model, member, x, y, epochs=2):
    history = model.fit(
        x, y, batch_size=member.batch_size, epochs=epochs, shuffle=False, verbose=0
    )
    return history.history


def _loss(member):
    import keras

    def mean(loss):
        function = keras.losses.get(loss)
        return lambda y, outputs: keras.ops.mean(function(y, outputs))

    if not isinstance(member.loss, dict):
        return mean(member.loss)
    losses = {name: mean(loss) for name, loss in member.loss.items()}
    return lambda y, outputs: sum(
        losses[name](y[name], outputs[name]) for name in losses
    )


def _member(name):
    import keras

    from tests.zoo.members import MEMBERS

    member = MEMBERS[name]
    keras.config.set_dtype_policy(member.policy)
    return member


def _differences(one, other):
    """Return what is not within rounding, of losses, arrays, flags and optimizers."""
    import numpy as np

    from tests.zoo import compare

    found = []
    pairs = zip(compare.state(one).items(), compare.state(other).items(), strict=True)
    for (key, a), (_, b) in pairs:
        if not isinstance(a, np.ndarray):
            found += [f"{key}: {a} and {b}"] if a != b else []
        elif not np.allclose(np.float64(a), np.float64(b), rtol=1e-2, atol=1e-3):
            error = np.abs(np.float64(a) - np.float64(b)).max()
            found.append(f"{key} differs by {error:.1g}")
    return found


def loop_and_fit(name: str) -> list:
    """Train a member by the loop and by fit; return what differs."""
    import keras
    import numpy as np

    from tests.zoo import compare

    member = _member(name)
    train = core.load("backends/jax_loop.py:train")["train"]
    x, y = member.data()
    rows = len(keras.tree.flatten(y)[0])
    batches = [
        keras.tree.map_structure(lambda a, i=i: a[i : i + member.batch_size], (x, y))
        for i in range(0, rows, member.batch_size)
    ]
    fitted, looped = compare.compiled(member), compare.compiled(member)
    history = _fit(fitted, member, x, y)["loss"]
    losses = train(looped, _loss(member), batches, epochs=2)
    found = _differences(fitted, looped)
    if not np.allclose(losses, history, rtol=1e-3):
        found.append(f"losses {losses} and {history}")
    return found


def step_and_fit(name: str) -> list:
    """Train a member by the class with a train_step and by fit; return what differs."""
    import keras
    import numpy as np

    member = _member(name)
    Custom = core.load("backends/jax_train_step.py:Custom")["Custom"]
    x, y = member.data()
    histories = []
    models = []
    for own in [False, True]:
        keras.utils.set_random_seed(0)
        model = member.build()
        if own:
            model.__class__ = type("Own", (Custom, type(model)), {})
        model.compile("adam", member.loss, weighted_metrics=[])
        histories.append(_fit(model, member, x, y))
        models.append(model)
    found = _differences(*models)
    usual, own = histories
    if usual.keys() != own.keys():
        found.append(f"{sorted(usual)} and {sorted(own)}")
    found += [
        f"{key}: {usual[key]} and {own[key]}"
        for key in usual
        if not np.allclose(usual[key], own[key], rtol=1e-3)
    ]
    return found


def loop_after_freezing() -> str:
    """Return what the loop says of a model that was frozen after its first step."""
    from tests.zoo import compare

    member = _member("custom")
    train = core.load("backends/jax_loop.py:train")["train"]
    model = compare.compiled(member)
    x, y = member.data()
    train(model, _loss(member), [(x, y)])
    model.layers[1].trainable = False
    before = compare.state(model)
    try:
        train(model, _loss(member), [(x, y)])
    except ValueError as error:
        assert not compare.changed(before, compare.state(model))
        return str(error)
    return "no complaint"


def write(names: list) -> None:
    """Train members and save them, with what to expect."""
    import keras
    import numpy as np

    from tests.zoo import compare

    for name in names:
        member = _member(name)
        model = compare.compiled(member)
        x, y = member.data()
        model.jit_compile = keras.config.backend() == "jax"
        _fit(model, member, x, y, epochs=1)
        model.save(f"{name}.keras")
        arrays = {f"w{i}": np.float32(v) for i, v in enumerate(model.get_weights())}
        np.savez(
            f"{name}.npz",
            step=int(model.optimizer.iterations),
            slots=[np.float64(v).sum() for v in model.optimizer.variables],
            **arrays,
        )

    # A flag inside a layer of the reader's, which the file does not keep.
    member = _member("custom")
    model = member.build()
    model.layers[1].norm.trainable = False
    model.compile("adam", member.loss, jit_compile=keras.config.backend() == "jax")
    _fit(model, member, *member.data(), epochs=1)
    model.save("thawed.keras")


def read_and_train(names: list) -> list:
    """Load members by load_to_train and train on; return what is wrong."""
    import keras
    import numpy as np

    load_to_train = core.load("backends/train_on_elsewhere.py:load_to_train")[
        "load_to_train"
    ]
    found = []
    for name in names:
        member = _member(name)
        record = np.load(f"{name}.npz")
        model = load_to_train(
            f"{name}.keras",
            optimizer=keras.optimizers.Adam(0.5),
            loss=member.loss,
            jit_compile=keras.config.backend() == "jax",
        )
        for i, array in enumerate(model.get_weights()):
            if not np.array_equal(np.float32(array), record[f"w{i}"]):
                found.append(f"{name}: array {i} differs")
        slots = [np.float64(v).sum() for v in model.optimizer.variables]
        if not np.allclose(slots, record["slots"], rtol=1e-4):
            found.append(f"{name}: the optimizer differs")
        x, y = member.data()
        history = _fit(model, member, x, y, epochs=1)
        steps = int(model.optimizer.iterations) - int(record["step"])
        rows = len(keras.tree.flatten(y)[0])
        if steps != -(-rows // member.batch_size):
            found.append(f"{name}: {steps} more steps")
        if not np.isfinite(history["loss"]).all():
            found.append(f"{name}: loss {history['loss']}")
    kinds = {"Adam": "holds no arrays", "AdamW": "was trained with Adam"}
    for kind, message in kinds.items():
        try:
            load_to_train("thawed.keras", optimizer=getattr(keras.optimizers, kind)())
            found.append(f"no complaint: {message}")
        except ValueError as error:
            if message not in str(error):
                found.append(str(error))
    return found


def _trained(net, *shape):
    """Give a net other arrays than a new one has; return it in inference mode."""
    import torch

    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.affine:
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    net.train()
    with torch.no_grad():
        for _ in range(10):
            net(torch.randn(8, *shape) * 2 + 1)
    return net.eval()


def _port():
    """Return what a reader has who pastes Port, and the rules of both other pages."""
    recipe = core.load("backends/port_a_net.py:Port")
    recipe["RULES"] = core.load("backends/port_rules.py:RULES")["RULES"]
    recipe["RULES"] |= core.load("backends/port_pooling.py:MORE_RULES")["MORE_RULES"]
    return recipe


def port_nets() -> list:
    """Port one net for each setting of a module; return those that go wrong."""
    import keras
    import numpy as np
    import torch
    from torch import nn
    from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

    recipe = _port()
    Port, channels_last = recipe["Port"], recipe["channels_last"]
    C, B, R, M = nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.MaxPool2d
    T, A, F, L = nn.ConvTranspose2d, nn.AvgPool2d, nn.Flatten, nn.Linear
    C1, B1 = nn.Conv1d, nn.BatchNorm1d
    pruned = C1(3, 4, 3)
    prune.l1_unstructured(pruned, "weight", 0.5)
    twice = C1(3, 3, 3, padding=1)

    class Doubled(C1):
        def forward(self, x):
            return super().forward(x) * 2

    image, signal = (3, 9, 9), (3, 12)
    # Modules, and the words with which they are refused.
    cases = [
        (image, [C(3, 4, 3, 2, 1), B(4), R(), F(), L(100, 3)], ""),
        (image, [C(3, 4, 3, padding="same"), B(4)], ""),
        (image, [C(3, 4, 4, padding="same", dilation=2), B(4)], ""),
        (image, [C(3, 4, 4, padding="valid", bias=False), B(4)], ""),
        (image, [C(3, 4, (3, 5), (2, 1), (1, 2)), B(4)], ""),
        (image, [C(3, 4, 3, 1, 2, 2), B(4)], ""),
        (image, [C(3, 4, 3, 2, 2, 2), B(4)], "dilation"),
        (image, [C(3, 3, 3, 2, 1, groups=3), B(3)], ""),
        (image, [C(3, 6, 3, 2, 1, groups=3), B(6)], ""),
        (image, [C(3, 6, 3, (2, 1), 1, groups=3), B(6)], ""),
        (image, [C(3, 6, 3, 1, 2, 2, groups=3), B(6)], ""),
        (image, [C(3, 8, 3), R(), C(8, 6, 3, 2, 1, groups=2), B(6)], ""),
        (image, [C(3, 4, 3, 2, 1, padding_mode="reflect")], "padding_mode"),
        *[(image, [C(3, 4, 3), B(4), M(*a)], "") for a in [(2, 2), (3, 2, 1), (3, 2)]],
        (image, [C(3, 4, 3), M(2, ceil_mode=True)], "ceil_mode"),
        (image, [C(3, 4, 3), M(4, 2, 1)], "padding"),
        (image, [C(3, 4, 3), M(2, 1, dilation=2)], "dilation"),
        *[(image, [C(3, 4, 3), B(4), A(*a)], "") for a in [(2, 2), (3, 2, 1)]],
        (image, [C(3, 4, 3), A(3, 2, 1, count_include_pad=False)], "count_include"),
        (image, [C(3, 4, 3), A(3, divisor_override=2)], "divisor"),
        (image, [B(3), nn.AdaptiveAvgPool2d((3, 3)), F(), L(27, 3)], ""),
        (image, [B(3), nn.AdaptiveAvgPool2d(1), F(), L(3, 3)], ""),
        (image, [B(3), nn.AdaptiveAvgPool2d(4)], "no rule for"),
        (image, [B(3), F(), L(243, 6), B1(6), nn.Dropout(0.5), L(6, 2, False)], ""),
        (image, [B(3), F(0)], "start_dim"),
        *[
            (image, [T(3, 4, *a), B(4), nn.Tanh()], "")
            for a in [(2, 2), (3, 2, 1, 1), (4, 2, 1), (3, 2, 1), (2, 3, 0, 1), (3, 1)]
        ],
        (image, [T(3, 4, 3, 2, 0, 1)], "output_padding"),
        (image, [T(3, 3, 3, groups=3)], "groups"),
        (image, [T(3, 4, 3, dilation=2)], "dilation"),
        (
            signal,
            [
                *[C1(3, 8, 3, 2, 1), B1(8), R(), nn.MaxPool1d(3, 2, 1)],
                *[nn.AvgPool1d(2, 1), nn.ConvTranspose1d(8, 4, 4, 2, 1)],
                *[B1(4, affine=False), C1(4, 4, 3, groups=4)],
                *[nn.AdaptiveAvgPool1d(1), F(), L(4, 3)],
            ],
            "",
        ),
        (signal, [B1(3)], ""),
        (signal, [B1(3, affine=False)], ""),
        (signal, [B1(3, eps=0.1, momentum=0.3)], ""),
        (signal, [B1(3, track_running_stats=False), R()], "track_running_stats"),
        (signal, [B1(3, momentum=None), R()], "momentum"),
        (signal, [nn.InstanceNorm1d(3)], "InstanceNorm1d"),
        (signal, [nn.SyncBatchNorm(3)], "SyncBatchNorm"),
        (signal, [L(12, 3)], "inputs of shape"),
        *[
            (signal, [B1(3), a()], "")
            for a in (R, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.Sigmoid)
        ],
        (signal, [nn.GELU("tanh")], "approximate"),
        (signal, [weight_norm(C1(3, 4, 3))], "weight_g"),
        (signal, [spectral_norm(C1(3, 4, 3))], "weight_orig"),
        (signal, [parametrizations.weight_norm(C1(3, 4, 3))], "ParametrizedConv1d"),
        (signal, [pruned], "weight_mask"),
        (signal, [Doubled(3, 4, 3)], "Doubled"),
        (signal, [C1(3, 4, 3).requires_grad_(False)], "requires_grad"),
        (signal, [twice, B1(3), twice], ""),
    ]
    found = []
    for shape, modules, refused in cases:
        net = nn.Sequential(*modules)
        if "SyncBatchNorm" not in refused:
            _trained(net, *shape)
        net.eval()
        inputs = keras.Input((*shape[1:], shape[0]))
        said = ""
        try:
            port = Port(net)
            port.model(inputs, port(net, inputs), torch.randn(4, *shape))
        except ValueError as error:
            said = str(error)
        if bool(said) != bool(refused) or refused not in said:
            found.append(f"{modules}: said {said!r}, not {refused!r}")

    # Without statistics: with those of a new module, then estimated in Keras.
    net = nn.Sequential(C1(3, 4, 3), B1(4, track_running_stats=False), R()).eval()
    x = 3 + 2 * torch.randn(256, *signal)
    with torch.no_grad():
        wanted = channels_last(net(x))
    net[1].running_mean, net[1].running_var = torch.zeros(4), torch.ones(4)
    port, inputs = Port(net), keras.Input((12, 3))
    ported = port.model(inputs, port(net, inputs), x[:8])
    core.load("bn_tools.py:estimate_again")["estimate_again"](
        ported, [channels_last(x)]
    )
    if not np.allclose(ported(channels_last(x)), wanted, atol=1e-3):
        found.append("estimated, without statistics: other outputs")

    # Mistakes around the modules.
    net = _trained(nn.Sequential(C1(3, 4, 3), B1(4), C1(4, 4, 1)), *signal)
    inputs, x = keras.Input((12, 3)), torch.randn(4, *signal)
    mistakes = {
        "never called": lambda port: port.model(inputs, port(net[:2], inputs), x),
        "differ": lambda port: port.model(inputs, -port(net, inputs), x),
        "same outputs": lambda port: port.model(inputs, port(net, inputs), x[:1]),
        "training mode": lambda port: Port(nn.Sequential(B1(3))),
        "float()": lambda port: Port(net.double())(net, inputs),
    }
    for words, mistake in mistakes.items():
        try:
            mistake(Port(net))
            found.append(f"no complaint: {words}")
        except ValueError as error:
            if words not in str(error):
                found.append(f"{words}: {error}")
    return found


def port_deep_nets() -> list:
    """Port nets of real depth, save, load and train them; return what goes wrong."""
    import keras
    import numpy as np
    import torch
    from torch import nn

    recipe = _port()
    Port, channels_last = recipe["Port"], recipe["channels_last"]
    arrays = recipe["arrays"]

    def unit(inputs, outputs, size=3, stride=1, groups=1, act=nn.ReLU):
        return nn.Sequential(
            nn.Conv2d(
                inputs, outputs, size, stride, size // 2, groups=groups, bias=False
            ),
            nn.BatchNorm2d(outputs),
            act(),
        )

    class Bottleneck(nn.Module):
        def __init__(self, inputs, width, stride):
            super().__init__()
            self.body = nn.Sequential(
                unit(inputs, width, 1),
                unit(width, width, 3, stride, groups=2),
                unit(width, 4 * width, 1, act=nn.Identity),
            )
            self.shortcut = nn.Identity()
            if stride > 1 or inputs != 4 * width:
                self.shortcut = unit(inputs, 4 * width, 1, stride, act=nn.Identity)

        def forward(self, x):
            return torch.relu(self.body(x) + self.shortcut(x))

        def rebuild(self, port, x):
            return keras.ops.relu(port(self.body, x) + port(self.shortcut, x))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(unit(3, 16, 7, 2), nn.MaxPool2d(3, 2, 1))
            self.blocks, inputs = nn.ModuleList(), 16
            for width, stride in [(8, 1), (16, 2), (32, 2), (64, 2)]:
                for i in range(4):
                    self.blocks.append(
                        Bottleneck(inputs, width, stride if i == 0 else 1)
                    )
                    inputs = 4 * width
            self.head = nn.Sequential(
                nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 7)
            )

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = block(x)
            return self.head(x)

        def rebuild(self, port, x):
            x = port(self.stem, x)
            for block in self.blocks:
                x = block.rebuild(port, x)
            return port(self.head, x)

    class MobileNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = unit(3, 16, 3, 2, act=nn.ReLU6)
            self.blocks = nn.ModuleList(
                nn.Sequential(
                    unit(16, 64, 1, act=nn.ReLU6),
                    unit(64, 64, 3, 1, groups=64, act=nn.ReLU6),
                    unit(64, 16, 1, act=nn.Identity),
                )
                for _ in range(8)
            )
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * 16 * 16, 7))

        def forward(self, x):
            x = self.stem(x)
            for block in self.blocks:
                x = x + block(x)
            return self.head(x)

        def rebuild(self, port, x):
            x = port(self.stem, x)
            for block in self.blocks:
                x = x + port(block, x)
            return port(self.head, x)

    class UNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.pool = unit(3, 8), nn.MaxPool2d(2)
            self.middle = unit(8, 16, act=nn.LeakyReLU)
            self.up = nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)
            self.last = nn.Sequential(unit(16, 8), nn.Conv2d(8, 2, 1))

        def forward(self, x):
            down = self.down(x)
            up = self.up(self.middle(self.pool(down)))
            return self.last(torch.cat([down, up], 1))

        def rebuild(self, port, x):
            down = port(self.down, x)
            up = port(self.up, port(self.middle, port(self.pool, down)))
            return port(self.last, keras.ops.concatenate([down, up], -1))

    recipe["RULES"][nn.LeakyReLU] = lambda module, x, name: [
        keras.layers.LeakyReLU(negative_slope=module.negative_slope)
    ]
    found = []
    # Rounding grows from step to step, and fastest in a deep net that is untrained.
    for kind, steps in {ResNet: 1, MobileNet: 3, UNet: 3}.items():
        torch.manual_seed(0)
        net = _trained(kind(), 3, 32, 32)
        port, inputs = Port(net), keras.Input((32, 32, 3))
        model = port.model(
            inputs, net.rebuild(port, inputs), torch.randn(4, 3, 32, 32) * 2
        )
        model.save("net.keras")
        loaded = keras.saving.load_model("net.keras")
        images = torch.randn(16, 3, 32, 32)
        with torch.no_grad():
            wanted = channels_last(net(images))
        given = loaded.predict(channels_last(images), verbose=0)
        if not np.allclose(given, wanted, atol=1e-3 * np.abs(wanted).max()):
            found.append(f"{kind.__name__}: other outputs")

        # Small steps of plain SGD in both.
        sgd = torch.optim.SGD(net.parameters(), 1e-3)
        model.compile(keras.optimizers.SGD(1e-3), "mean_squared_error")
        before = {module: arrays(module) for module in port.ported}
        net.train()
        for _ in range(steps):
            sgd.zero_grad()
            loss = (net(images) ** 2).mean()
            loss.backward()
            sgd.step()
            there = model.train_on_batch(channels_last(images), 0 * wanted)
            if not np.isclose(loss.item(), there, rtol=1e-3):
                found.append(f"{kind.__name__}: loss {there}, not {loss.item()}")
        for module, layers in port.ported.items():
            [owner] = [layer for layer in layers if layer.weights]
            pairs = zip(owner.weights, before[module], arrays(module), strict=True)
            for w, old, new in pairs:
                step, here = new - old, w.numpy().reshape(old.shape) - old
                error = np.linalg.norm(here - step) / np.linalg.norm(step)
                # Rounding, and variances that PyTorch multiplies by N / (N - 1).
                if not error < 0.3:
                    found.append(f"{kind.__name__}: {w.path} differs by {error:.2g}")
    return found


def wrapped_in_inference_mode():
    """Return what is wrong with `InInferenceMode` on a residual net with Dropout."""
    import keras
    import numpy as np
    import torch

    recipe = core.load("trouble/pytorch/wrapper.py:InInferenceMode")

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = torch.nn.ModuleList(
                torch.nn.Conv2d(3, 3, 3, padding=1) for _ in range(2)
            )
            self.norms = torch.nn.ModuleList(torch.nn.BatchNorm2d(3) for _ in range(2))
            self.drop = torch.nn.Dropout(0.5)

        def forward(self, x):
            y = x
            for conv, norm in zip(self.convs, self.norms, strict=True):
                y = self.drop(torch.relu(norm(conv(y))))
            return x + y

    def model_around(net):
        model = keras.Sequential(
            [
                keras.Input((3, 8, 8)),
                keras.layers.TorchModuleWrapper(net, output_shape=(None, 3, 8, 8)),
                keras.layers.Flatten(),
                keras.layers.Dense(2),
            ]
        )
        model.compile("adam", "mse")
        return model

    x = np.random.default_rng(0).normal(5, 3, (10, 3, 8, 8)).astype("float32")
    y = np.zeros((10, 2), "float32")
    found = []
    for trainable in [True, False]:
        net = torch.nn.Sequential(Block(), Block())
        for _ in range(3):
            net(torch.from_numpy(x))
        right = net.eval()(torch.from_numpy(x)).detach().numpy()
        wrapped = recipe["InInferenceMode"](net.train())
        model = model_around(wrapped)
        model.layers[0].trainable = trainable
        model.compile("adam", "mse")
        before = {name: array.clone() for name, array in net.state_dict().items()}
        given = wrapped(torch.as_tensor(x, device=next(net.parameters()).device))
        if not np.allclose(given.detach().cpu(), right, atol=1e-5):
            found.append("the outputs are others")
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
        after = net.state_dict()
        moved = {n for n in before if not torch.equal(before[n].cpu(), after[n].cpu())}
        weights = {name for name, _ in net.named_parameters()} if trainable else set()
        if moved != weights:
            found.append(f"trainable {trainable}: moved {sorted(moved ^ weights)}")
        model.save_weights("wrapped.weights.h5")
        new = recipe["InInferenceMode"](torch.nn.Sequential(Block(), Block()))
        loaded = model_around(new)
        loaded.load_weights("wrapped.weights.h5")
        one, other = (m.predict(x, verbose=0) for m in (model, loaded))
        if not np.allclose(one, other, atol=1e-5):
            found.append("the file does not bring it back")
    return found
