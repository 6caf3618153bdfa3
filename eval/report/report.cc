#include "eval/report/report.h"

#include <fmt/format.h>

#include "core/atomic_file.h"
#include "core/escape.h"
#include "eval/report/sections.h"
#include "eval/report/style.h"

namespace plumb {

std::string run_section(const RunData& run) {
  std::string html;
  if (run.manifest.is_object()) {
    const std::string text = run.manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    html += "<details><summary>Manifest: what the bits of this run depend on</summary><pre>" + escape_html(text) +
            "</pre></details>";
  }
  if (!run.config.empty()) {
    html += "<details><summary>Resolved config</summary><pre>" + escape_html(run.config) + "</pre></details>";
  }
  return html.empty() ? "" : "<h2>The run</h2>" + html;
}

std::string page(const std::string& title, const std::string& body) {
  std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  html += fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">",
                      escape_html(report_security_policy()));
  html += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
  html += "<meta name=\"referrer\" content=\"no-referrer\">";
  html += fmt::format("<title>{}</title><style>{}</style></head><body><main>", escape_html(title), report_style());
  return html + body +
         "<footer>Written by plumb. Nothing in this page runs or loads; control characters and invalid UTF-8 of "
         "completions are shown as visible marks.</footer></main></body></html>\n";
}

std::string render_report(const RunData& run) {
  std::string body;
  for (const auto section :
       {header_section, results_section, decoding_section, guard_section, reward_model_section, profile_section,
        health_section, curves_section, outcomes_section, time_section, samples_section, run_section}) {
    body += section(run) + "\n";
  }
  return page("plumb · " + run.name, body);
}

Result<void> write_report(const std::filesystem::path& run_dir, const std::filesystem::path& path) {
  PLUMB_ASSIGN(const RunData run, load_run(run_dir));
  return write_file_atomic((path.empty() ? run_dir / "report.html" : path).string(), render_report(run));
}

}  // namespace plumb
