#include "tests/support/reference_llama.h"

#include <algorithm>
#include <cmath>

namespace plumb::testing {
namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

Row rms_norm(const Row& x, const Row& weight, double epsilon) {
  double squares = 0;
  for (const double value : x) {
    squares += value * value;
  }
  const double scale = 1.0 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
  Row y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    y.push_back(x[i] * scale * weight[i]);
  }
  return y;
}

// W x for W [out, in].
Row multiply(const Row& w, const Row& x) {
  Row y(w.size() / x.size());
  for (std::size_t o = 0; o < y.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[o] += w[o * x.size() + i] * x[i];
    }
  }
  return y;
}

void rotate(Row& heads, std::size_t head_dim, std::size_t position, float theta) {
  for (std::size_t first = 0; first < heads.size(); first += head_dim) {
    for (std::size_t i = 0; i < head_dim / 2; ++i) {
      // Frequency and angle are f32 numbers in every implementation of this model.
      const auto frequency = static_cast<float>(
          1.0 / std::pow(static_cast<double>(theta), 2.0 * static_cast<double>(i) / static_cast<double>(head_dim)));
      const auto angle = static_cast<double>(static_cast<float>(position) * frequency);
      const double a = heads[first + i];
      const double b = heads[first + i + head_dim / 2];
      heads[first + i] = a * std::cos(angle) - b * std::sin(angle);
      heads[first + i + head_dim / 2] = b * std::cos(angle) + a * std::sin(angle);
    }
  }
}

// What row `t` attends to; keys and values of positions 0 to t.
Row attend(const ModelConfig& config, const Row& q, const Rows& keys, const Rows& values, std::size_t t) {
  const auto d = static_cast<std::size_t>(config.head_dim);
  const auto group = static_cast<std::size_t>(config.num_heads / config.num_kv_heads);
  Row out;
  for (std::size_t head = 0; head < static_cast<std::size_t>(config.num_heads); ++head) {
    const std::size_t kv = head / group * d;
    Row weights;
    for (std::size_t j = 0; j <= t; ++j) {
      double score = 0;
      for (std::size_t i = 0; i < d; ++i) {
        score += q[head * d + i] * keys[j][kv + i];
      }
      weights.push_back(score / std::sqrt(static_cast<double>(d)));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double mass = 0;
    for (double& weight : weights) {
      weight = std::exp(weight - largest);
      mass += weight;
    }
    for (std::size_t i = 0; i < d; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j <= t; ++j) {
        sum += weights[j] / mass * values[j][kv + i];
      }
      out.push_back(sum);
    }
  }
  return out;
}

void add(Row& to, const Row& from) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i] += from[i];
  }
}

void run_layer(const ModelConfig& config, const ReferenceWeights& weights, const std::string& prefix, Rows& x) {
  const auto w = [&](const std::string& name) -> const Row& { return weights.at(prefix + name + ".weight"); };
  const auto epsilon = static_cast<double>(config.rms_norm_eps);
  const auto d = static_cast<std::size_t>(config.head_dim);
  Rows queries, keys, values;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Row normed = rms_norm(x[t], w("input_layernorm"), epsilon);
    queries.push_back(multiply(w("self_attn.q_proj"), normed));
    keys.push_back(multiply(w("self_attn.k_proj"), normed));
    values.push_back(multiply(w("self_attn.v_proj"), normed));
    rotate(queries[t], d, t, config.rope_theta);
    rotate(keys[t], d, t, config.rope_theta);
  }
  for (std::size_t t = 0; t < x.size(); ++t) {
    add(x[t], multiply(w("self_attn.o_proj"), attend(config, queries[t], keys, values, t)));
    const Row normed = rms_norm(x[t], w("post_attention_layernorm"), epsilon);
    Row gate = multiply(w("mlp.gate_proj"), normed);
    const Row up = multiply(w("mlp.up_proj"), normed);
    for (std::size_t i = 0; i < gate.size(); ++i) {
      gate[i] = gate[i] / (1.0 + std::exp(-gate[i])) * up[i];
    }
    add(x[t], multiply(w("mlp.down_proj"), gate));
  }
}

}  // namespace

ReferenceWeights reference_weights(const std::vector<NamedTensor>& tensors) {
  ReferenceWeights weights;
  for (const NamedTensor& tensor : tensors) {
    weights[tensor.name] = {tensor.values.begin(), tensor.values.end()};
  }
  return weights;
}

std::vector<std::vector<double>> reference_logits(const ModelConfig& config, const ReferenceWeights& weights,
                                                  const std::vector<std::int32_t>& token_ids) {
  const Row& embedding = weights.at("model.embed_tokens.weight");
  const auto width = static_cast<std::size_t>(config.hidden_size);
  Rows x;
  for (const std::int32_t id : token_ids) {
    const auto first = embedding.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(id) * width);
    x.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
  }
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    run_layer(config, weights, "model.layers." + std::to_string(layer) + ".", x);
  }
  const Row& head = config.tie_embeddings ? embedding : weights.at("lm_head.weight");
  Rows logits;
  for (const Row& row : x) {
    logits.push_back(
        multiply(head, rms_norm(row, weights.at("model.norm.weight"), static_cast<double>(config.rms_norm_eps))));
  }
  return logits;
}

double reference_log_prob(const std::vector<double>& logits, std::int32_t target, double temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end()) / temperature;
  double mass = 0;
  for (const double logit : logits) {
    mass += std::exp(logit / temperature - largest);
  }
  return logits[static_cast<std::size_t>(target)] / temperature - largest - std::log(mass);
}

}  // namespace plumb::testing
