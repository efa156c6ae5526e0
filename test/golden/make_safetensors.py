"""Writes python.safetensors with the public package (0.8): run it here with `python3 make_safetensors.py`."""

import numpy
from safetensors import TensorSpec, serialize_file

arrays = {
    "layers.0.weight": ("float32", numpy.arange(6, dtype="<f4").reshape(2, 3) / 4),
    "a.bias": ("float64", numpy.array([1.5, -2.25], dtype="<f8")),
    "step": ("int64", numpy.array([2**40, -1, 7], dtype="<i8")),
    "large": ("uint64", numpy.array([2**63], dtype="<u8")),
    "flags": ("bool", numpy.array([1, 0, 1], dtype="u1")),
    "bytes": ("uint8", numpy.frombuffer(b"hello", dtype="u1")),
    "signed": ("int8", numpy.array([-1, 1], dtype="i1")),
    "half": ("float16", numpy.array([1.0, 0.5], dtype="<f2")),
    "brain": ("bfloat16", numpy.array([0x3F80, 0x4000], dtype="<u2")),  # 1 and 2
    "short": ("int16", numpy.array([-300], dtype="<i2")),
    "1": ("uint16", numpy.array([300], dtype="<u2")),
    "int": ("int32", numpy.array([-70000], dtype="<i4")),
    "0": ("uint32", numpy.array([70000], dtype="<u4")),
    "scalar": ("float32", numpy.array(7.0, dtype="<f4")),
    "empty": ("float32", numpy.zeros((0, 4), dtype="<f4")),
    'naïve "quoted" \n': ("float32", numpy.array([3.0], dtype="<f4")),
}
specs = {
    name: TensorSpec(dtype=dtype, shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes)
    for name, (dtype, a) in arrays.items()
}
serialize_file(specs, "python.safetensors", metadata={"format": "pt"})
