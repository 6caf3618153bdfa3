#pragma once
// Which instructions multiply bf16 numbers on this machine. The numbers are the same either way: weights and
// activations rounded to bf16, f32 accumulation.

namespace plumb {

enum class Bf16Products {
  kNative,      // bf16 instructions: operands are stored as bf16
  kThroughF32,  // f32 instructions: operands are rounded to bf16 and stored as f32
};

/// What is faster here: a function of the processor's kind alone, so that every run on one machine has the same bits.
/// kThroughF32 where bf16 is absent, and on Intel processors that should have AMX but show none (a hypervisor may hide
/// it): their AVX-512 bf16 instruction has half the rate of their f32 one (measured: 88 and 166 GFLOP/s a core).
Bf16Products bf16_products();

/// Overrides it for the process. For tests and measurements; nothing with bf16 operands may exist yet.
void set_bf16_products(Bf16Products products);

}  // namespace plumb
