// plumb convert: a model from one kind of file to another, or from a dense one to a mixture of experts.

#include <charconv>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "apps/plumb/model_target.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "formats/gguf_model.h"
#include "formats/model_folder.h"
#include "formats/upcycle.h"

namespace plumb {
namespace {

struct ConvertOptions {
  std::string source;
  std::string target;
  std::string dtype = "f32";
  std::optional<std::string> upcycle;
  std::uint64_t seed = 1;
};

const std::map<std::string, GgufType> kTypes = {
    {"f32", GgufType::kF32}, {"f16", GgufType::kF16}, {"bf16", GgufType::kBf16}, {"q8_0", GgufType::kQ8_0}};

// "experts=8,topk=2"
Result<UpcycleOptions> parse_upcycle(const std::string& text, std::uint64_t seed) {
  UpcycleOptions options;
  options.seed = seed;
  if (text.empty()) {
    return Error{"--upcycle: expected experts=NUMBER,topk=NUMBER, found nothing"};
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string key = part.substr(0, equals);
    std::int64_t* target = key == "experts" ? &options.num_experts : key == "topk" ? &options.top_k : nullptr;
    const char* last = part.data() + part.size();
    const char* first = part.data() + std::min(equals + 1, part.size());
    const auto read = target == nullptr ? std::from_chars_result{first, std::errc::invalid_argument}
                                        : std::from_chars(first, last, *target);
    if (read.ptr != last || read.ec != std::errc()) {
      return Error{"--upcycle: expected experts=NUMBER,topk=NUMBER, found \"" + part + "\""};
    }
    begin = end + 1;
  }
  return options;
}

Result<void> write_as_folder(const ModelSource& source, const ConvertOptions& options) {
  std::vector<SourceTensor> tensors;
  for (const std::string& name : source.tensor_names()) {
    PLUMB_ASSIGN(SourceTensor tensor, source.read(name));
    tensors.push_back(std::move(tensor));
  }
  return write_folder(options.target, source, tensors, options.dtype);
}

Result<int> run_convert(ConvertOptions options) {
  PLUMB_ASSIGN(options.target, free_target("convert", options.target));
  PLUMB_ASSIGN(auto source, open_model(options.source));
  PLUMB_TRY(check_tensors(*source, options.source));
  if (options.upcycle) {
    PLUMB_ASSIGN(const UpcycleOptions upcycling, parse_upcycle(*options.upcycle, options.seed));
    PLUMB_ASSIGN(source, upcycle(std::move(source), upcycling));
  }
  if (options.target.ends_with(".gguf")) {
    PLUMB_TRY(write_gguf_model(options.target, *source, kTypes.at(options.dtype)));
  } else {
    PLUMB_TRY(write_as_folder(*source, options));
  }
  std::fputs(describe_written(options.target, source->hyperparameters, options.dtype).c_str(), stdout);
  return 0;
}

}  // namespace

void register_convert(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "convert", "Write a model as a Hugging Face folder or a GGUF file, or as a mixture of experts");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("SOURCE", options->source, "a GGUF file or a Hugging Face folder")->required();
  command->add_option("TARGET", options->target, "a folder, or a file that ends with .gguf")->required();
  command
      ->add_option("--dtype", options->dtype,
                   "of the tensors: f32, bf16, and for GGUF f16, q8_0 (matrices alone; the rest stays f32)")
      ->check(CLI::IsMember(kTypes))
      ->capture_default_str();
  command->add_option("--upcycle", options->upcycle,
                      "experts=8,topk=2: copy each feed-forward block of a dense model into as many experts");
  command->add_option("--seed", options->seed, "of the routers' weights")->capture_default_str();
  command->callback([options, &action] { action = [options] { return run_convert(*options); }; });
}

}  // namespace plumb
