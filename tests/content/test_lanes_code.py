import hashlib
from typing import Any

import numpy as np
import pytest
from suite import absent

from triage.content import lanes, lanes_code
from triage.content.lanes import available, md5_and_sha1

Features = lanes_code.binding.targets.FeatureMap
SPANS = [(number, 100 * number) for number in range(40)]
NOISE = np.random.default_rng(8).integers(0, 256, 10_000, dtype=np.uint8)


def processor(monkeypatch: pytest.MonkeyPatch, features: dict[str, bool]) -> Any:
    monkeypatch.setattr(lanes_code.binding, "get_host_cpu_name", lambda: "x86-64-v3")
    monkeypatch.setattr(lanes_code.binding, "get_host_cpu_features", lambda: Features(features))
    return lanes_code.compiled()


def test_a_processor_without_avx512_makes_the_same_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    if not available():
        absent("a processor with AVX2")
    features = lanes_code.binding.get_host_cpu_features()
    kernel = processor(monkeypatch, {name: on and not name.startswith("avx512") for name, on in features.items()})
    monkeypatch.setattr(lanes, "_kernel", lambda: kernel)
    contents = [NOISE[start:end].data for start, end in SPANS]
    assert md5_and_sha1(NOISE, SPANS) == [
        (hashlib.md5(content).hexdigest(), hashlib.sha1(content).hexdigest()) for content in contents
    ]


@pytest.mark.parametrize("features", [{}, {"avx2": False, "sse4.2": True}, {"neon": True}])
def test_a_processor_without_avx2_has_no_lanes(features: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    assert processor(monkeypatch, features) is None


def test_what_the_compiler_cannot_do_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise RuntimeError("no memory that can be executed")

    monkeypatch.setattr(lanes_code, "compiled", fails)
    assert lanes._kernel.__wrapped__() is None
