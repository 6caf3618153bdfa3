"""Losses and gradients of TRL's own GRPOTrainer._compute_loss, for tests/learner/trl_golden_test.cc.

Run with TRL 1.16.0 and torch (CPU) installed:  python make_trl_losses.py > trl_losses.json
The trainer's method runs on a stand-in that holds its flags, all of them set here, so that no default of TRL's matters;
the model's log-probs and entropies are leaves, so that the gradient by each log-prob can be read off. Importance factors
follow GRPOTrainer._generate_and_score_completions (vllm_importance_sampling_mode), whose lines cannot be called alone.
"""

import collections
import json
import types

import torch
import trl
from trl import GRPOTrainer

LENGTHS = [5, 3, 1, 4]
WIDTH = max(LENGTHS)
MAX_COMPLETION_LENGTH = 7
ADVANTAGES = [1.5, -0.5, 0.75, -1.25]

CASES = {
    "grpo": {"loss_type": "grpo"},
    "dapo": {"loss_type": "dapo", "epsilon_high": 0.28},
    "bnpo": {"loss_type": "bnpo"},
    "dr_grpo": {"loss_type": "dr_grpo"},
    "sequence_sum": {"loss_type": "luspo"},
    "delta": {"loss_type": "grpo", "delta": 1.5},
    "gspo": {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon": 0.02, "epsilon_high": 0.03},
    "cispo": {"loss_type": "cispo", "epsilon_high": 1.25},  # TRL's is the cap itself, ours is the cap less 1
    "kl_k3": {"loss_type": "dapo", "beta": 0.04},
    "kl_unbiased": {"loss_type": "dapo", "beta": 0.04, "use_bias_correction_kl": True},
    "high_entropy": {"loss_type": "dapo", "top_entropy_quantile": 0.4},
    "is_token_truncate": {"loss_type": "dapo", "mode": "token_truncate"},
    "is_token_mask": {"loss_type": "dapo", "mode": "token_mask"},
    "is_sequence_truncate": {"loss_type": "dapo", "mode": "sequence_truncate"},
    "is_sequence_mask": {"loss_type": "dapo", "mode": "sequence_mask"},
    "all_at_once": {"loss_type": "grpo", "beta": 0.1, "delta": 1.5, "epsilon_high": 0.28, "top_entropy_quantile": 0.6,
                    "mode": "token_truncate"},
}
CAP = 1.1


class Alone:
    """One process's accelerator."""
    num_processes = 1
    sync_gradients = True
    gather = staticmethod(lambda tensor: tensor)
    gather_for_metrics = staticmethod(lambda tensor: tensor)
    reduce = staticmethod(lambda tensor, reduction: tensor)
    pad_across_processes = staticmethod(lambda tensor, dim, pad_index: tensor)


def importance(prox, actor, mask, mode):
    difference = (prox - actor) * mask
    if mode.startswith("sequence"):
        difference = difference.sum(dim=-1, keepdim=True)
    ratio = torch.exp(difference)
    return torch.clamp(ratio, max=CAP) if mode.endswith("truncate") else ratio.masked_fill(ratio > CAP, 0.0)


def run(case, data):
    flags = {"loss_type": "grpo", "importance_sampling_level": "token", "epsilon": 0.2, "epsilon_high": 0.2, "delta": None,
             "beta": 0.0, "use_bias_correction_kl": False, "top_entropy_quantile": 1.0, "mode": None} | case
    mask = torch.tensor([[1.0] * n + [0.0] * (WIDTH - n) for n in LENGTHS], dtype=torch.float64)
    now = data["new"].clone().requires_grad_(True)
    trainer = types.SimpleNamespace(
        loss_type=flags["loss_type"], importance_sampling_level=flags["importance_sampling_level"],
        epsilon_low=flags["epsilon"], epsilon_high=flags["epsilon_high"], beta=flags["beta"],
        top_entropy_quantile=flags["top_entropy_quantile"], off_policy_mask_threshold=None, aux_loss_enabled=False,
        max_completion_length=MAX_COMPLETION_LENGTH, current_gradient_accumulation_steps=1, _entropy_bonus_enabled=False,
        use_adaptive_entropy=False, use_vllm=flags["mode"] is not None, vllm_importance_sampling_correction=True,
        accelerator=Alone(), model=types.SimpleNamespace(training=True),
        _metrics={"train": collections.defaultdict(list)},
        args=types.SimpleNamespace(use_bias_correction_kl=flags["use_bias_correction_kl"], delta=flags["delta"],
                                   steps_per_generation=1))
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (now, data["entropy"], None)
    trainer.get_high_entropy_mask = types.MethodType(GRPOTrainer.get_high_entropy_mask, trainer)
    inputs = {"prompt_ids": torch.zeros(len(LENGTHS), 1, dtype=torch.long), "prompt_mask": torch.ones(len(LENGTHS), 1),
              "completion_ids": torch.zeros(len(LENGTHS), WIDTH, dtype=torch.long), "completion_mask": mask,
              "advantages": torch.tensor(ADVANTAGES, dtype=torch.float64), "old_per_token_logps": data["old"],
              "ref_per_token_logps": data["reference"], "num_items_in_batch": mask.sum()}
    if flags["mode"] is not None:
        inputs["importance_sampling_ratio"] = importance(data["old"], data["actor"], mask, flags["mode"])
    loss = GRPOTrainer._compute_loss(trainer, None, inputs)
    loss.backward()
    return {"flags": flags, "loss": loss.item(), "gradient": flat(now.grad)}


def flat(table):
    return [table[i][t].item() for i, n in enumerate(LENGTHS) for t in range(n)]


def main():
    random = torch.Generator().manual_seed(8)

    def normal(scale):  # values that f32 holds
        return (torch.randn(len(LENGTHS), WIDTH, generator=random) * scale).double()

    old = -normal(1.0).abs().float().double()
    data = {"old": old}
    for name in ("new", "reference", "actor"):
        data[name] = (old + normal(0.3)).float().double()
    data["entropy"] = normal(1.0).abs().float().double()
    print(json.dumps({"trl": trl.__version__, "lengths": LENGTHS, "max_completion_length": MAX_COMPLETION_LENGTH,
                      "advantages": ADVANTAGES, "importance_cap": CAP, **{name: flat(each) for name, each in data.items()},
                      "cases": {name: run(case, data) for name, case in CASES.items()}}, indent=1))


if __name__ == "__main__":
    main()
