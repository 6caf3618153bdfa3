#include "compiler_sandbox/warm_clang/library_instances.h"

#include <clang/AST/Attr.h>
#include <clang/AST/Mangle.h>
#include <clang/AST/RecursiveASTVisitor.h>
#include <llvm/Support/MD5.h>

namespace plumb {

namespace {

// Statements and expressions of a body. Above it the body is not made in candidates: with 0 to 20 a candidate of 40
// lines took 0.21 s, with 60 0.27 s, with any 0.36 s; loops over small members are as fast as with any.
constexpr int kLarge = 20;

struct Counter : clang::RecursiveASTVisitor<Counter> {
  int count = 0;
  bool VisitStmt(clang::Stmt*) {  // NOLINT: clang's name
    return ++count <= kLarge;
  }
};

bool is_of_the_library(const clang::FunctionDecl& function) {
  const clang::DeclContext* outermost = &function;
  while (!outermost->getParent()->isTranslationUnit()) {
    outermost = outermost->getParent();
  }
  const auto* space = llvm::dyn_cast<clang::NamespaceDecl>(outermost);
  return space != nullptr && (space->getName() == "std" || space->getName() == "__gnu_cxx");
}

bool is_instance(const clang::FunctionDecl& function) {
  const clang::TemplateSpecializationKind kind = function.getTemplateSpecializationKind();
  if ((kind != clang::TSK_ImplicitInstantiation && kind != clang::TSK_ExplicitInstantiationDeclaration) ||
      !function.isThisDeclarationADefinition() || function.isTemplated() || !function.hasBody()) {
    return false;
  }
  // Inside of functions, lambdas among them: they come with the function. Inline in any case: so are they here.
  if (function.getParentFunctionOrMethod() != nullptr || function.hasAttr<clang::AlwaysInlineAttr>() ||
      function.isConsteval() || function.isDefaulted() || function.isDeleted() || !function.isExternallyVisible()) {
    return false;
  }
  const auto* method = llvm::dyn_cast<clang::CXXMethodDecl>(&function);
  return (method == nullptr || (!method->getParent()->isLambda() && method->getParent()->isLocalClass() == nullptr)) &&
         is_of_the_library(function);
}

struct Finder : clang::RecursiveASTVisitor<Finder> {
  std::vector<clang::FunctionDecl*> found;
  [[nodiscard]] static bool shouldVisitTemplateInstantiations() { return true; }  // NOLINT: clang's name
  bool VisitFunctionDecl(clang::FunctionDecl* function) {                         // NOLINT: clang's name
    if (is_instance(*function)) {
      found.push_back(function);
    }
    return true;
  }
};

}  // namespace

LibraryInstances LibraryInstances::find(clang::ASTContext& context) {
  Finder finder;
  finder.TraverseDecl(context.getTranslationUnitDecl());
  LibraryInstances instances;
  instances.all_ = std::move(finder.found);
  clang::ASTNameGenerator names(context);
  llvm::MD5 digest;
  for (clang::FunctionDecl* function : instances.all_) {
    digest.update(names.getName(function));
    digest.update("\n");
    Counter counter;
    counter.TraverseStmt(function->getBody());
    if (counter.count > kLarge) {
      instances.large_.push_back(function);
    }
  }
  llvm::MD5::MD5Result result;
  digest.final(result);
  instances.digest_ = result.digest().str().str();
  return instances;
}

void LibraryInstances::set_defined(bool here) const {
  for (clang::FunctionDecl* function : all_) {
    function->setTemplateSpecializationKind(
        here ? clang::TSK_ExplicitInstantiationDefinition : clang::TSK_ExplicitInstantiationDeclaration,
        function->getPointOfInstantiation());
  }
}

// clang makes the bodies of functions that are defined elsewhere too, to inline them. Of those that come from a DLL it
// makes none that calls what does not; that is the one mark by which it can be told
// (CodeGenModule::shouldEmitFunction).
void LibraryInstances::leave_out_large(clang::ASTContext& context) const {
  for (clang::FunctionDecl* function : large_) {
    function->addAttr(clang::DLLImportAttr::CreateImplicit(context));
  }
}

}  // namespace plumb
