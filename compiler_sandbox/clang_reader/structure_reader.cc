#include "compiler_sandbox/clang_reader/structure_reader.h"

#include <clang/AST/RecursiveASTVisitor.h>
#include <clang/Basic/SourceManager.h>

#include <algorithm>

namespace plumb {
namespace {

constexpr std::size_t kMostFunctions = 200;
constexpr std::size_t kMostName = 500;

bool is_control(const clang::Stmt& node) {
  return llvm::isa<clang::IfStmt, clang::ForStmt, clang::CXXForRangeStmt, clang::WhileStmt, clang::DoStmt,
                   clang::SwitchStmt, clang::CXXTryStmt>(node);
}

bool is_decision(const clang::Stmt& node) {
  const auto* binary = llvm::dyn_cast<clang::BinaryOperator>(&node);
  return (binary != nullptr && binary->isLogicalOp()) ||
         llvm::isa<clang::IfStmt, clang::ForStmt, clang::CXXForRangeStmt, clang::WhileStmt, clang::DoStmt,
                   clang::CaseStmt, clang::CXXCatchStmt, clang::AbstractConditionalOperator>(node);
}

// As they are written: a range-based loop has more, which the compiler made up.
std::vector<const clang::Stmt*> written_children(const clang::Stmt& node) {
  if (const auto* loop = llvm::dyn_cast<clang::CXXForRangeStmt>(&node)) {
    return {loop->getInit(), loop->getRangeInit(), loop->getBody()};
  }
  if (const auto* rewritten = llvm::dyn_cast<clang::CXXRewrittenBinaryOperator>(&node)) {
    const auto parts = rewritten->getDecomposedForm();
    return {parts.LHS, parts.RHS};
  }
  return {node.child_begin(), node.child_end()};
}

struct Shape {
  int decisions = 0;
  int deepest = 0;
};

Shape shape_of(const clang::Stmt* body) {
  Shape shape;
  std::vector<std::pair<const clang::Stmt*, int>> waiting = {{body, 0}};
  while (!waiting.empty()) {
    const auto [node, depth] = waiting.back();
    waiting.pop_back();
    if (node == nullptr) {
      continue;
    }
    shape.decisions += is_decision(*node) ? 1 : 0;
    const int inner = depth + (is_control(*node) ? 1 : 0);
    shape.deepest = std::max(shape.deepest, inner);
    const auto* choice = llvm::dyn_cast<clang::IfStmt>(node);
    const clang::Stmt* chained =
        choice != nullptr && llvm::isa_and_nonnull<clang::IfStmt>(choice->getElse()) ? choice->getElse() : nullptr;
    for (const clang::Stmt* child : written_children(*node)) {
      waiting.emplace_back(child, child != nullptr && child == chained ? depth : inner);
    }
  }
  return shape;
}

class FunctionFinder : public clang::RecursiveASTVisitor<FunctionFinder> {
 public:
  explicit FunctionFinder(const clang::SourceManager& sources) : sources_(sources) {}

  bool VisitFunctionDecl(clang::FunctionDecl* function) {  // NOLINT(readability-identifier-naming): clang's name
    const auto* method = llvm::dyn_cast<clang::CXXMethodDecl>(function);
    const bool is_lambda = method != nullptr && method->getParent()->isLambda();  // part of the function around it
    if (function->doesThisDeclarationHaveABody() && function->getBody() != nullptr && !function->isImplicit() &&
        !is_lambda) {
      add(*function);
    }
    return true;
  }
  std::vector<nlohmann::json> take() {
    std::ranges::stable_sort(found_, {}, [](const auto& one) { return one.at("line").template get<int>(); });
    found_.resize(std::min(found_.size(), kMostFunctions));
    return std::move(found_);
  }

 private:
  void add(const clang::FunctionDecl& function) {
    const clang::Decl* whole = function.getDescribedFunctionTemplate();
    const clang::SourceRange range = (whole != nullptr ? whole : &function)->getSourceRange();
    const int first = line(range.getBegin());
    const Shape shape = shape_of(function.getBody());
    found_.push_back({{"name", function.getNameAsString().substr(0, kMostName)},
                      {"line", first},
                      {"lines", line(range.getEnd()) - first + 1},
                      {"parameters", function.getNumParams()},
                      {"cyclomatic", shape.decisions + 1},
                      {"nesting", shape.deepest}});
  }
  [[nodiscard]] int line(clang::SourceLocation at) const {
    return static_cast<int>(sources_.getExpansionLineNumber(at));
  }

  const clang::SourceManager& sources_;
  std::vector<nlohmann::json> found_;
};

void add_declarations(const clang::DeclContext& scope, const clang::SourceManager& sources,
                      std::vector<clang::Decl*>& declarations) {
  for (clang::Decl* one : scope.noload_decls()) {
    if (one->isImplicit() || !sources.isWrittenInMainFile(sources.getExpansionLoc(one->getLocation()))) {
      continue;
    }
    if (llvm::isa<clang::NamespaceDecl, clang::LinkageSpecDecl, clang::ExportDecl>(one)) {
      add_declarations(*llvm::cast<clang::DeclContext>(one), sources, declarations);
    } else if (!llvm::isa<clang::EmptyDecl>(one)) {
      declarations.push_back(one);
    }
  }
}

int written_lines(std::string_view text) {
  int lines = 0;
  bool blank = true;
  for (const char c : text) {
    const bool end = c == '\n';
    lines += end && !blank ? 1 : 0;
    blank = end || (blank && (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'));
  }
  return lines + (blank ? 0 : 1);
}

}  // namespace

std::vector<clang::Decl*> own_declarations(clang::ASTContext& context) {
  std::vector<clang::Decl*> declarations;
  add_declarations(*context.getTranslationUnitDecl(), context.getSourceManager(), declarations);
  return declarations;
}

nlohmann::json structure_of(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations,
                            std::string_view text, std::vector<int> error_lines) {
  const clang::SourceManager& sources = context.getSourceManager();
  std::ranges::sort(error_lines);
  FunctionFinder functions(sources);
  int sound = 0;
  for (clang::Decl* one : declarations) {
    functions.TraverseDecl(one);
    const clang::SourceRange range = one->getSourceRange();
    const auto first = static_cast<int>(sources.getExpansionLineNumber(range.getBegin()));
    const auto next_error = std::ranges::lower_bound(error_lines, first);
    sound += next_error == error_lines.end() ||
                     *next_error > static_cast<int>(sources.getExpansionLineNumber(range.getEnd()))
                 ? 1
                 : 0;
  }
  const int first_error = error_lines.empty() ? 0 : error_lines.front();
  const auto all_lines = std::ranges::count(text, '\n') + 1;
  return {{"lines", written_lines(text)},
          {"functions", functions.take()},
          {"first_error_line", first_error},
          {"parsed", first_error == 0 ? 1.0 : static_cast<double>(first_error - 1) / static_cast<double>(all_lines)},
          {"declarations", declarations.size()},
          {"sound_declarations", sound}};
}

}  // namespace plumb
