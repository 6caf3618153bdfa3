"""Makes dequantize.bin with the gguf Python package: blocks of every supported type and the f32 values they stand for.

usage: make_dequantize.py

Layout, little-endian: "PLDQ", u32 version 1, u32 number of cases; per case u32 GGUF type, u32 bytes, u32 values, the
bytes, the f32 values. Blocks are random bytes with scales that are ordinary, subnormal and negative f16 numbers. Needs
gguf and numpy in a throw-away environment.
"""

import pathlib
import struct

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

SCALES = np.array([0.0173, -2.5, 6e-6, 0.0], dtype=np.float16)
# Where a block keeps its f16 numbers.
F16_OFFSETS = {"Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q6_K": [208]}


def main():
    rng = np.random.default_rng(3)
    out = [b"PLDQ", struct.pack("<II", 1, 7)]
    for name in ("F32", "F16", "Q4_0", "Q4_1", "Q8_0", "Q6_K", "BF16"):
        kind = GGMLQuantizationType[name]
        block_values, block_bytes = GGML_QUANT_SIZES[kind]
        if name in F16_OFFSETS:
            blocks = rng.integers(0, 256, (8, block_bytes), dtype=np.uint8)
            for i, block in enumerate(blocks):
                for j, offset in enumerate(F16_OFFSETS[name]):
                    block[offset:offset + 2] = SCALES[(i + j) % len(SCALES)].reshape(1).view(np.uint8)
        elif name == "F16":  # every f16 number that is no NaN
            halves = np.arange(0, 65536, 7, dtype=np.uint16)
            blocks = np.append(halves[~np.isnan(halves.view(np.float16))], np.array([0x7C00, 0xFC00, 1, 0x83FF], np.uint16)).view(np.uint8)
        else:
            blocks = (rng.standard_normal(64) * 10.0 ** rng.integers(-30, 30, 64)).astype(np.float32)
            blocks = (blocks.view(np.uint32) >> 16).astype(np.uint16) if name == "BF16" else blocks
            blocks = blocks.view(np.uint8)
        data = blocks.tobytes()
        if name in F16_OFFSETS:
            values = dequantize(blocks.reshape(8, -1), kind).astype(np.float32).ravel()
        elif name == "F16":
            values = np.frombuffer(data, np.float16).astype(np.float32)
        elif name == "F32":
            values = np.frombuffer(data, np.float32)
        else:
            values = dequantize(np.frombuffer(data, np.uint8), kind).astype(np.float32).ravel()
        assert len(values) == len(data) // block_bytes * block_values
        out += [struct.pack("<III", int(kind), len(data), len(values)), data, values.tobytes()]
    (pathlib.Path(__file__).parent / "dequantize.bin").write_bytes(b"".join(out))


if __name__ == "__main__":
    main()
