// plumb plan: what a model takes, from its config alone.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/plumb/subcommand.h"
#include "core/atomic_file.h"
#include "formats/config_json.h"
#include "policy/engine.h"
#include "policy/model_layout.h"

namespace plumb {
namespace {

constexpr double kMillion = 1e6;
constexpr double kBillion = 1e9;
constexpr double kMib = 1024.0 * 1024.0;
constexpr double kGib = 1024.0 * kMib;
constexpr std::uint64_t kLongestConfig = std::uint64_t{1} << 24;

std::string parameters_line(const std::string& what, std::int64_t count) {
  const auto parameters = static_cast<double>(count);
  return parameters < kBillion ? fmt::format("{:<44}{:>10.2f} M\n", what, parameters / kMillion)
                               : fmt::format("{:<44}{:>10.2f} B\n", what, parameters / kBillion);
}

std::string bytes_line(const std::string& what, double bytes_per_parameter, std::int64_t parameters) {
  const double bytes = bytes_per_parameter * static_cast<double>(parameters);
  return bytes < kGib ? fmt::format("{:<44}{:>10.1f} MiB\n", what, bytes / kMib)
                      : fmt::format("{:<44}{:>10.1f} GiB\n", what, bytes / kGib);
}

// `page_floats` of all layers of a page of the cache.
std::string cache_line(const std::string& what, std::int64_t page_floats) {
  return fmt::format("{:<44}{:>10} bytes\n", what, page_floats / kPagePositions * 4);
}

std::string describe_plan(const ModelConfig& config) {
  const ParameterCount count = count_parameters(config);
  const std::int64_t table = config.vocab_size * config.hidden_size;
  std::string text = fmt::format("{:<44}{}, {} layers\n", "family", config.architecture, config.num_layers);
  text += parameters_line("parameters", count.total);
  text += parameters_line("of a token", count.active);
  // What is published as activated parameters: a tied table is the head's matrix.
  text +=
      parameters_line("of a token, without looked-up embeddings", count.active - (config.tie_embeddings ? 0 : table));
  text += bytes_line("weights in f32 (masters)", 4, count.total);
  text += bytes_line("weights in bf16", 2, count.total);
  text += bytes_line("gradients in f32", 4, count.total);
  text += bytes_line("AdamW's moments in f32", 8, count.total);
  const AttentionShape shape = attention_shape(config);
  text += cache_line("keys and values of a token, f32", config.num_layers * shape.layer_floats());
  if (config.is_latent()) {
    text += cache_line("with model.exact = false: latents",
                       config.num_layers * absorbed_attention_shape(config).layer_floats());
    text += cache_line("the latents themselves, as published",
                       config.num_layers * (config.latent.kv_rank + config.latent.rope_dim) * kPagePositions);
  }
  return text;
}

Result<int> run_plan(const std::string& path) {
  const bool folder = std::filesystem::is_directory(path);
  const std::string file = folder ? (std::filesystem::path(path) / "config.json").string() : path;
  PLUMB_ASSIGN(const std::string text, read_file(file, kLongestConfig));
  PLUMB_ASSIGN(const ModelConfig config, parse_config_json(text, file));
  std::fputs(describe_plan(config).c_str(), stdout);
  return 0;
}

}  // namespace

void register_plan(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("plan", "Say what a model takes: parameters, bytes of weights and optimizer");
  auto path = std::make_shared<std::string>();
  command->add_option("MODEL_CONFIG", *path, "a config.json, or the folder that holds it")->required();
  command->callback([path, &action] { action = [path] { return run_plan(*path); }; });
}

}  // namespace plumb
