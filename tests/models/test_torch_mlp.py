from __future__ import annotations

import pytest

from numebot.plugin import check_model

pytest.importorskip("torch", reason="PyTorch is no part of numebot: .venv/bin/pip install torch")


def test_it_keeps_the_plugin_contract() -> None:
    from models.torch_mlp import TorchMlp

    assert check_model(TorchMlp(epochs=2)) == []
