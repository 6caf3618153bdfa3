#include "eval/report/style.h"

#include <openssl/evp.h>

#include <array>

namespace plumb {

namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--bg:#f7f6f3;--card:#fff;--ink:#1d2026;--soft:#4c515b;--muted:#767b86;--rule:#e5e2db;
--code:#f6f5f1;--base:#9b9ea8;--sft:#d18a24;--grpo:#14796b;--a:#14796b;--b:#5b6ee1;--c:#c2577a;--d:#8d9a3a;--good:#187a4b;
--bad:#b4392f;--goodbg:#e5f3ea;--badbg:#fae9e6;--warnbg:#fdf3dc;--warn:#8a5a00;--quiet:#efede7}
@media (prefers-color-scheme:dark){:root{--bg:#14161a;--card:#1c1f25;--ink:#e8e8e6;--soft:#bfc2c8;--muted:#8d929c;--rule:#2e323a;
--code:#15171c;--base:#7e828c;--sft:#e3a548;--grpo:#45b8a4;--a:#45b8a4;--b:#8f9cf5;--c:#e389a7;--d:#b9c462;--good:#5cc78e;
--bad:#ef8378;--goodbg:#173226;--badbg:#3a1f1d;--warnbg:#352b14;--warn:#e3b34f;--quiet:#262a31}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1120px;margin:0 auto;padding:40px 28px 80px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.02em;margin:0 0 6px;font-weight:680}
h2{font-size:19px;letter-spacing:-.01em;margin:52px 0 4px;font-weight:660}
h3{font-size:14px;margin:0 0 8px;font-weight:620}
p{margin:6px 0}.lede{color:var(--soft);max-width:74ch}.muted{color:var(--muted)}.small{font-size:13px}
.eyebrow{color:var(--muted);font-size:12.5px;letter-spacing:.06em;text-transform:uppercase;margin:0 0 10px}
.verdict{font-size:18px;line-height:1.5;max-width:70ch;margin:14px 0 0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px 20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(250px,1fr));gap:16px;margin-top:26px}
.tile .big{font-size:38px;line-height:1.1;font-weight:660;letter-spacing:-.03em;margin:2px 0 8px}
.tile .steps{color:var(--muted);font-size:13.5px}
.chip{display:inline-block;border-radius:999px;padding:1px 10px;font-size:13px;font-weight:580;background:var(--quiet);
color:var(--soft);white-space:nowrap}
.chip.up,.chip.pass{background:var(--goodbg);color:var(--good)}.chip.down,.chip.fail{background:var(--badbg);color:var(--bad)}
.chip.warn{background:var(--warnbg);color:var(--warn)}
.grid2{display:grid;grid-template-columns:repeat(auto-fit,minmax(400px,1fr));gap:16px;margin-top:16px}
.grid3{display:grid;grid-template-columns:repeat(auto-fit,minmax(310px,1fr));gap:16px;margin-top:16px}
.grid4{display:grid;grid-template-columns:repeat(auto-fill,minmax(225px,1fr));gap:12px;margin-top:10px}
.mini{padding:12px 14px}.mini h3{font-size:12.5px;margin:0;overflow-wrap:anywhere}.mini p{margin:2px 0 6px}
.narrow{width:fit-content;max-width:100%;overflow-x:auto}
.scroll{overflow-x:auto}.gap{margin-top:16px}.wrap td{white-space:normal;overflow-wrap:anywhere;min-width:7em}.wrap td:first-child{white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:14.5px}
th{font-weight:560;color:var(--muted);text-align:right;padding:6px 10px 8px;border-bottom:1px solid var(--rule);font-size:13px}
td{padding:8px 10px;text-align:right;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
tr:last-child td{border-bottom:0}th.l,td.l{text-align:left}td.lang{font-weight:620}td .ci{display:block;color:var(--muted);
font-size:12px;line-height:1.3}td.mid{vertical-align:middle}td.final{font-weight:640}td.final .ci{font-weight:400}
tr.first td{border-top:1px solid var(--rule)}
.whisker{width:150px;height:18px;display:block}.zero{stroke:var(--muted);stroke-dasharray:2 2}.reach{stroke-width:2.5;stroke-linecap:round}
.reach.up{stroke:var(--good)}.point.up{fill:var(--good)}.reach.down{stroke:var(--bad)}.point.down{fill:var(--bad)}
.reach.open{stroke:var(--base)}.point.open{fill:var(--base)}
.plot{display:flex;flex-direction:column}.plot .chart{margin-top:auto}
.chart{width:100%;height:auto;display:block}.grid{stroke:var(--rule)}.tick{fill:var(--muted);font-size:10.5px}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.line.faint{stroke-width:1;opacity:.38}
.hit{fill:transparent}.line.base{stroke:var(--base)}.line.sft{stroke:var(--sft)}.line.grpo{stroke:var(--grpo)}
.line.a{stroke:var(--a)}.line.b{stroke:var(--b)}.line.c{stroke:var(--c)}.line.d{stroke:var(--d)}.line.e{stroke:var(--sft)}
.line.f{stroke:var(--bad)}.dot.base{fill:var(--base)}.dot.sft{fill:var(--sft)}.dot.grpo{fill:var(--grpo)}.dot.a{fill:var(--a)}.dot.b{fill:var(--b)}
.dot.c{fill:var(--c)}.dot.d{fill:var(--d)}.dot.e{fill:var(--sft)}.dot.f{fill:var(--bad)}
.band{stroke:var(--card);stroke-width:.7}.band.base{fill:var(--base)}.band.a{fill:var(--a)}.band.b{fill:var(--b)}.band.c{fill:var(--c)}
.band.d{fill:var(--d)}.band.e{fill:var(--sft)}.band.f{fill:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;color:var(--soft);font-size:13px;margin:0 0 6px}
.key{display:inline-flex;align-items:center;gap:6px;min-width:0;overflow-wrap:anywhere}.key svg{width:14px;height:10px;flex:none}.key rect{rx:2px}
rect.base{fill:var(--base)}rect.sft{fill:var(--sft)}rect.grpo{fill:var(--grpo)}rect.a{fill:var(--a)}rect.b{fill:var(--b)}
rect.c{fill:var(--c)}rect.d{fill:var(--d)}rect.e{fill:var(--sft)}rect.f{fill:var(--bad)}
.stack{width:100%;height:26px;border-radius:6px;display:block;margin:4px 0 12px}
.flips{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:12px 0 4px}
.flip{border-radius:10px;padding:10px 12px;background:var(--quiet);font-size:13px;color:var(--soft)}
.flip b{display:block;font-size:24px;line-height:1.25;color:var(--ink);letter-spacing:-.02em}
.flip.up{background:var(--goodbg)}.flip.up b{color:var(--good)}.flip.down{background:var(--badbg)}.flip.down b{color:var(--bad)}
details{margin-top:10px}summary{cursor:pointer;color:var(--soft);font-size:13.5px}summary:hover{color:var(--ink)}
ul.plain{list-style:none;margin:8px 0 0;padding:0;columns:2;font-size:13.5px}ul.plain li{padding:1px 0;overflow-wrap:anywhere}
.message{border-left:3px solid var(--rule);padding:6px 14px;margin:10px 0;color:var(--soft)}
.message.warn{border-color:var(--sft)}.message.good{border-color:var(--good)}
.case{margin-top:18px}.case>p.ask{white-space:pre-wrap;overflow-wrap:anywhere;color:var(--soft);font-size:13.5px;margin:2px 0 12px}
.caseid{font-weight:620;overflow-wrap:anywhere}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:14px}
.side{min-width:0}.side header{display:flex;flex-wrap:wrap;gap:6px;align-items:center;font-size:13px;margin-bottom:6px}
.side header b{font-weight:620;margin-right:auto}
pre{background:var(--code);border:1px solid var(--rule);border-radius:8px;padding:10px 12px;margin:0;overflow:auto;max-height:430px;
font:12.5px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere;tab-size:4}
.q1{background:color-mix(in srgb,var(--sft) 14%,transparent)}.q2{background:color-mix(in srgb,var(--sft) 30%,transparent)}
.q3{background:color-mix(in srgb,var(--sft) 50%,transparent)}.q4{background:color-mix(in srgb,var(--c) 45%,transparent)}
.q5{background:color-mix(in srgb,var(--c) 75%,transparent)}
.w1{--w:12%}.w2{--w:25%}.w3{--w:37%}.w4{--w:50%}.filters span[class]{color:var(--ink);padding:0 5px;border-radius:3px}
.filters.by-advantage{display:none}
body:has(#tint-advantage:checked) .filters.by-advantage{display:flex}body:has(#tint-advantage:checked) .filters.by-chance{display:none}
body:has(#tint-advantage:checked) details.case pre span{background:none}
body:has(#tint-advantage:checked) details.case :is(pre.gain span,pre span.gain),.swatch.gain{background:color-mix(in srgb,var(--good) var(--w),transparent)}
body:has(#tint-advantage:checked) details.case :is(pre.loss span,pre span.loss),.swatch.loss{background:color-mix(in srgb,var(--bad) var(--w),transparent)}
.filters{display:flex;flex-wrap:wrap;gap:6px 16px;margin:14px 0 0;font-size:13.5px;color:var(--soft)}.filters label{cursor:pointer}
.filters input{accent-color:var(--a);margin:0 3px 0 0;vertical-align:-1px}
body:has(#show-pass:checked) details .side:not(.is-pass),body:has(#show-fail:checked) details .side:not(.is-fail),
body:has(#show-ce:checked) details .side:not(.is-ce),body:has(#show-cut:checked) details .side:not(.is-cut){display:none}
pre.says{background:var(--badbg);border-color:transparent;margin-top:6px;max-height:220px}
.parts{font-size:13px;color:var(--soft);margin:8px 0 0;overflow-wrap:anywhere}.parts b{font-weight:600;color:var(--ink)}
footer{margin-top:60px;color:var(--muted);font-size:13px}
@media (max-width:640px){main{padding:24px 16px 60px}.flips{grid-template-columns:repeat(2,1fr)}.grid2,.grid3,.grid4{grid-template-columns:1fr}ul.plain{columns:1}}
@media print{body{background:#fff}.card{break-inside:avoid}pre{max-height:none}}
)css";

}  // namespace

std::string_view report_style() {
  return kStyle;
}

std::string report_security_policy() {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  EVP_Digest(kStyle.data(), kStyle.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::array<char, 48> encoded{};
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), digest.data(), static_cast<int>(digest.size()));
  return "default-src 'none'; style-src 'sha256-" + std::string(encoded.data()) +
         "'; base-uri 'none'; form-action 'none'";
}

}  // namespace plumb
