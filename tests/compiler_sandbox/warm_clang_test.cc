// C++ candidates that ask for the whole library are judged alike by a compiler that has read it and by one that has
// not.

#include "compiler_sandbox/warm_clang.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "judge_support.h"

namespace plumb {
namespace {

using test::describe;

// Beside the instances' header a name that only they have is taken for another function, so a program can tell how it
// was compiled.
constexpr const char* kTellsHow = R"(
namespace __plumb { int stacks(...); }
constexpr bool warm = std::is_void_v<decltype(__plumb::stacks(1))>;
)";

constexpr const char* kAll = "#include <bits/stdc++.h>\nusing namespace std;\n";

Submission program(const std::string& source, const std::string& output = "", const std::string& input = "") {
  Submission submission;
  submission.program_language = "cpp";
  submission.source = kAll + source;
  submission.program_tests = {{input, output}};
  return submission;
}

// Two judges with a slot each: one that compiles from a warm start from the first candidate on, one that never does.
class WarmClang : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = std::string(PLUMB_BINARY_DIR) + "/warm_clang/";
    if (!std::filesystem::exists(folder + kInstancesOf)) {
      GTEST_SKIP() << "this build has no clang to start warm";
    }
    JudgeOptions options = test::judge_options();
    if (options.cpp_compiler == "gcc") {
      GTEST_SKIP() << "gcc does not start warm";
    }
    options.slots = 1;
    options.cold_starts = 0;
    start(options, warm_);
    options.cold_starts = -1;
    start(options, cold_);
    if (!HasFatalFailure() && !IsSkipped()) {
      const Evidence evidence = warm_->judge(program(std::string(kTellsHow) + "int main() { cout << warm; }", "1"));
      if (evidence.isolation.find("no cgroup") != std::string::npos) {
        GTEST_SKIP() << "no warm start without a cgroup";
      }
      ASSERT_EQ(evidence.verdict, Verdict::kAC) << "not from a warm start: " << describe(evidence);
    }
  }

  static void start(const JudgeOptions& options, std::unique_ptr<Judge>& judge) {
    auto started = start_judge(options);
    if (!started && !probe_isolation(options.launcher).refusal({}).empty()) {
      GTEST_SKIP() << started.error().message;
    }
    ASSERT_TRUE(started) << started.error().message;
    judge = std::move(*started);
  }

  // By both judges.
  void expect(Verdict verdict, const Submission& submission) {
    const Evidence warm = warm_->judge(submission);
    const Evidence cold = cold_->judge(submission);
    EXPECT_EQ(warm.verdict, verdict) << submission.source << describe(warm);
    EXPECT_EQ(cold.verdict, verdict) << submission.source << describe(cold);
    EXPECT_EQ(warm.passed, cold.passed) << submission.source;
    EXPECT_EQ(warm.output, cold.output) << submission.source;
    ASSERT_EQ(warm.diagnostics.size(), cold.diagnostics.size()) << submission.source << describe(warm);
    for (std::size_t i = 0; i < warm.diagnostics.size(); ++i) {
      EXPECT_EQ(warm.diagnostics[i].message, cold.diagnostics[i].message);
      EXPECT_EQ(warm.diagnostics[i].line, cold.diagnostics[i].line);
      EXPECT_EQ(warm.diagnostics[i].column, cold.diagnostics[i].column);
    }
  }

  std::unique_ptr<Judge> warm_;
  std::unique_ptr<Judge> cold_;
};

TEST_F(WarmClang, DamagedFilesAreNotUsed) {
  namespace fs = std::filesystem;
  const std::string folder = testing::TempDir() + "damaged_warm_clang";
  const auto compiler = CppCompiler::find({.family = "clang"});
  ASSERT_TRUE(compiler) << compiler.error().message;
  for (const char* name : {"", kWarmClangLibrary, kLibraryInstances, kInstanceSizes, kInstancesOf}) {
    for (const bool absent : {false, true}) {
      fs::remove_all(folder);
      fs::create_directories(folder + "/cache");
      fs::copy(std::string(PLUMB_BINARY_DIR) + "/warm_clang", folder);
      const fs::path damaged = folder + "/" + name;
      if (*name != '\0' && absent) {
        fs::remove(damaged);
      } else if (*name != '\0') {
        fs::resize_file(damaged, fs::file_size(damaged) / 2);
      }
      const auto found = find_warm_clang(folder, folder + "/cache/", *compiler);
      ASSERT_TRUE(found) << found.error().message;
      EXPECT_EQ(found->has_value(), *name == '\0') << name << (absent ? " absent" : " cut off");
    }
  }
  fs::remove_all(folder);
}

TEST_F(WarmClang, StartsColdAsOftenAsItIsAsked) {
  const std::string tells = std::string(kTellsHow) + "int main() { cout << warm; }";
  EXPECT_EQ(cold_->judge(program(tells, "0")).verdict, Verdict::kAC);
  JudgeOptions options = test::judge_options();
  options.slots = 1;
  options.cold_starts = 2;
  std::unique_ptr<Judge> judge;
  start(options, judge);
  for (int i = 0; i < 4; ++i) {
    const Evidence evidence = judge->judge(program(tells + "// " + std::to_string(i), i < 2 ? "0" : "1"));
    EXPECT_EQ(evidence.verdict, Verdict::kAC) << i << describe(evidence);
  }
  options.cpp_optimization = 0;
  options.cold_starts = 0;
  start(options, judge);
  EXPECT_EQ(judge->judge(program(tells, "1")).verdict, Verdict::kAC);
}

TEST_F(WarmClang, ProgramsDoTheSame) {
  expect(Verdict::kAC, program("int main() { int a, b; cin >> a >> b; cout << a + b; }", "5", "2 3"));
  expect(Verdict::kWA, program("int main() { int a, b; cin >> a >> b; cout << a - b; }", "5", "2 3"));
  expect(Verdict::kRE, program("int main() { vector<int> v(3); int i; cin >> i; cout << v[i]; }", "5", "7"));
  expect(Verdict::kRE, program("int main() { int a; cin >> a; a += 2147483647; cout << a; }", "5", "7"));
  expect(Verdict::kRE, program("int main() { throw runtime_error(\"too bad\"); }"));
  expect(Verdict::kTLE, program("int main() { volatile bool on = true; while (on) {} }"));
  expect(Verdict::kMLE,
         program("int main() { vector<vector<int>> v; for (;;) v.push_back(vector<int>(1 << 20, 1)); }"));
  expect(Verdict::kOLE, program("int main() { for (;;) cout << string(1000, 'x'); }"));
}

TEST_F(WarmClang, ErrorsAreTheOrdinaryCompilersOwn) {
  expect(Verdict::kCE, program("int main() { vector<int> v; v.push(1); undeclared = 2; }"));
  expect(Verdict::kCE, program("int f(int a) { a += 1; }\nint main() { return f(1); }"));
  expect(Verdict::kCE, program("int main() { static_assert(sizeof(int) == 2, \"no\"); }"));
  expect(Verdict::kCE, program("int main() {"));
  expect(Verdict::kCE, program("int twice(int);\nint main() { cout << twice(1); }"));
  expect(Verdict::kCE, program("int main() { sort(1, 2); }"));
  expect(Verdict::kCE, program("int x;\nx = 5;\nint main() { cout << x; }"));  // no interpreter's C++
  expect(Verdict::kCE, program("cout << \"top\";\nint main() {}"));
  expect(Verdict::kCE, program("return 3;\nint main() {}"));
  expect(Verdict::kCE, program("{ int x = 3; }\nint main() {}"));
  expect(Verdict::kCE, program("#pragma clang __debug llvm_fatal_error\nint main() {}"));
  expect(Verdict::kCE, program("template <int N> struct A { A<N + 1> a; };\nint main() { A<0> a; }"));
  expect(Verdict::kCE, program("int main() { asm(\"no such instruction\"); }"));
}

TEST_F(WarmClang, WarningsAreTheOrdinaryCompilersOwn) {
  const Submission warned = program(
      "int far() { return 1 << 40; }\nint main() {\n  int a = 0;\n  if (a = 2) cout << printf(\"%s\", a);\n}", "");
  expect(Verdict::kRE, warned);
  const auto warnings = [&](Judge& judge) {
    std::vector<std::string> lines;
    for (const Diagnostic& one : judge.judge(warned).diagnostics) {
      lines.push_back(one.severity + std::to_string(one.line) + one.file + one.flag);
    }
    return lines;
  };
  EXPECT_EQ(warnings(*warm_), warnings(*cold_));
  EXPECT_EQ(warnings(*warm_).size(), 4U);  // and the reason
}

// What a program may do to the library though parts of it have been instantiated.
TEST_F(WarmClang, ProgramsMayExtendTheLibrary) {
  expect(Verdict::kAC, program(R"(
template <> struct std::hash<pair<int, int>> {
  size_t operator()(const pair<int, int>& p) const { return p.first * 31 + p.second; }
};
template <class T> ostream& operator<<(ostream& out, const vector<T>& v) {
  for (const auto& x : v) out << x << ' ';
  return out;
}
bool operator<(const array<int, 2>& a, int b) { return a[0] < b; }
struct Point { int x; auto operator<=>(const Point&) const = default; };
template class std::vector<int>;
template void std::sort(vector<long long>::iterator, vector<long long>::iterator);
int main() {
  unordered_map<pair<int, int>, int> m;
  m[{1, 2}] = 3;
  set<Point> points{{3}, {1}, {3}};
  map<string, vector<Point>> groups;
  groups["a"].push_back({7});
  cout << m[{1, 2}] << points.size() << groups["a"][0].x << vector<int>{4, 5} << (array<int, 2>{1, 2} < 3);
})",
                               "3274 5 1"));
  expect(Verdict::kAC, program(R"(
namespace std {
bool operator<(const pair<int, int>& a, const pair<int, int>& b) { return a.first > b.first; }
}
int main() {
  vector<pair<int, int>> v{{1, 1}, {3, 3}, {2, 2}};
  sort(v.begin(), v.end());
  cout << v[0].first;
})",
                               "3"));
  expect(Verdict::kAC,
         program(kTellsHow + std::string("struct F { ~F(); };\nF::~F() { cout << 1; }\nint main() { F f; }"), "1"));
  expect(Verdict::kAC,
         program("#define int long long\nsigned main() { int x = 1e18; cout << x * 9; }", "9000000000000000000"));
  expect(Verdict::kAC, program(R"(
constexpr int largest() { array<int, 5> a{3, 1, 4, 1, 5}; sort(a.begin(), a.end()); return a[4]; }
constexpr auto sorter = &std::sort<vector<int>::iterator>;
constexpr const string& (*larger)(const string&, const string&) = &std::max<string>;
static_assert(largest() == 5 && sorter != nullptr && larger != nullptr);
int main() { vector<int> v{3, 1, 2}; sorter(v.begin(), v.end()); cout << v[0] << larger("a", "b"); })",
                               "1b"));
  expect(Verdict::kAC, program("#include <iostream>\n#include <vector>\n#include <bits/stdc++.h>\n#line 3 \"x\"\n"
                               "int main() { cout << __LINE__ << __FILE__ << __INCLUDE_LEVEL__; }",
                               "3x0"));
}

// Each instance that is left out of a candidate is in the object that it is linked with.
TEST_F(WarmClang, InstancesAreThere) {
  expect(Verdict::kAC,
         program(R"(
struct Shape { virtual ~Shape() = default; virtual double area() const = 0; };
struct Square : Shape { double side = 3; double area() const override { return side * side; } };
template <class T> string joined(T first, T last) {
  ostringstream out;
  for (; first != last; ++first) out << *first << ',';
  return out.str();
}
int main() {
  vector<int> v{5, 3, 1, 3};
  sort(v.rbegin(), v.rend()); v.erase(unique(v.begin(), v.end()), v.end()); v.insert(v.begin(), {9, 8}); v.resize(7, 2);
  vector<string> words{"b", "a"}; sort(words.begin(), words.end()); words.insert(words.end(), 2, "z");
  vector<vector<int>> table(2, vector<int>(2, 1)); table.push_back({7}); auto copy = table; copy[0][0] = 4;
  map<string, int> count; for (auto& w : words) count[w]++;
  map<int, vector<int>> lists; lists[3].push_back(4);
  unordered_map<int, int> seen; seen[3] = 4; seen.erase(3); unordered_map<string, int> ids{{"x", 1}}; ids["y"] += 2;
  set<pair<int, int>> pairs{{2, 1}, {1, 2}}; set<int> some(v.begin(), v.end()); multiset<int> many{1, 1};
  priority_queue<pair<int, int>, vector<pair<int, int>>, greater<>> heap; heap.push({2, 1}); heap.emplace(1, 5);
  queue<int> line; line.push(3); line.push(4); line.pop(); stack<char> letters; letters.push('('); deque<int> d{1};
  d.push_front(0);
  vector<bool> bits(9); bits[3] = true; bits.push_back(true); bitset<8> b(5); tuple<int, string> t{1, "t"};
  string s = "hello world"; reverse(s.begin(), s.end()); s += to_string(12345); s = s.substr(2, 5) + 'c' + "d";
  s.replace(0, 1, "xy");
  stringstream in("12 abc 4.5"); int i; string word; double x; in >> i >> word >> x; string line_text;
  getline(cin, line_text);
  unique_ptr<Shape> shape = make_unique<Square>(); shared_ptr<Shape> shared(new Square);
  function<int(int)> f = [&](int n) { return n < 2 ? n : f(n - 1) + f(n - 2); };
  iota(v.begin(), v.end(), 3); partial_sum(v.begin(), v.end(), v.begin()); next_permutation(v.begin(), v.end());
  cout << joined(v.begin(), v.end()) << joined(words.begin(), words.end()) << copy[0][0] << table.size() << count["z"]
       << lists[3][0] << seen.size() << ids["y"] << pairs.begin()->second << some.size() << many.count(1)
       << heap.top().second << line.front() << letters.top() << d[0] << bits[9] << b.count() << get<1>(t) << s << i
       << word << x << line_text << shape->area() << shared->area() << f(15) << accumulate(v.begin(), v.end(), 0LL)
       << *max_element(v.begin(), v.end()) << setw(4) << 7 << fixed << setprecision(2) << 1.005 << gcd(12, 18)
       << stoi("42") << (find(v.begin(), v.end(), 7) == v.end()) << endl;
})",
                 "3,7,12,18,25,42,33,a,b,z,z,43240226254(012txyow ocd12abc4.5some text9961014042   71.006420\n",
                 "some text\n"));
}

TEST_F(WarmClang, FunctionsAreCalledAsEver) {
  expect(Verdict::kAC,
         test::make_submission(Language::kCpp,
                               std::string(kAll) +
                                   "vector<int> twice(const map<string, int>& m, const vector<vector<int>>& v) {\n"
                                   "  vector<int> r; for (auto& [k, x] : m) r.push_back(2 * x);\n"
                                   "  for (auto row : v) sort(row.begin(), row.end()), r.push_back(row[0]);\n"
                                   "  return r;\n}\n",
                               {"twice", {{"m", "dict[str, int]"}, {"v", "list[list[int]]"}}, "list[int]"},
                               R"([[[{"a": 1, "b": 2}, [[3, 1], [4]]], [2, 4, 1, 4]], [[{}, []], []]])"));
}

// What is left out of candidates is never what a loop is made of.
TEST_F(WarmClang, ProgramsAreAsFast) {
  const Submission loops = program(R"(
int main() {
  vector<vector<int>> d(300, vector<int>(300, 3));
  for (int r = 0; r < 4; ++r)
    for (int k = 0; k < 300; ++k)
      for (int i = 0; i < 300; ++i)
        for (int j = 0; j < 300; ++j) d[i][j] = min(d[i][j], d[i][k] + d[k][j]);
  deque<int> q; vector<int> v; string s; stack<int> t; map<int, int> m; priority_queue<pair<int, int>> h; vector<pair<int, int>> p;
  for (int i = 0; i < 3000000; ++i) {
    p.push_back({i, i}); q.push_back(i); if (q.size() > 100) q.pop_front();
    v.push_back(i); s += char('a' + i % 26); t.push(i); if (i % 2) t.pop();
    if (i % 16 == 0) { m[i % 5000]++; h.push({i, i}); }
  }
  cout << d[1][2] + q.size() + v.size() + s.size() + t.size() + m.size() + h.size();
})",
                                   "7688228");
  const Evidence warm = warm_->judge(loops);
  const Evidence cold = cold_->judge(loops);
  EXPECT_EQ(warm.verdict, Verdict::kAC) << describe(warm);
  EXPECT_EQ(cold.verdict, Verdict::kAC) << describe(cold);
  EXPECT_LT(warm.cpu_s, cold.cpu_s) << "compiling included, which takes 0.3 s less";
}

// A program leaves nothing for the next: the process that compiles is a copy that ends.
TEST_F(WarmClang, CandidatesDoNotMeet) {
  expect(Verdict::kAC, program("namespace std { inline int canary = 3; }\n#define canary_macro 1\nint main() {}"));
  expect(Verdict::kAC, program("#ifdef canary_macro\n#error\n#endif\nnamespace std { inline long canary = 4; }\n"
                               "int main() { cout << canary; }",
                               "4"));
}

}  // namespace
}  // namespace plumb
