#include "compiler_sandbox/warm_clang/library_instances.h"

#include <clang/AST/Attr.h>
#include <clang/AST/Mangle.h>
#include <clang/AST/RecursiveASTVisitor.h>
#include <llvm/ADT/StringSet.h>
#include <llvm/Support/MD5.h>

namespace plumb {

namespace {

// Instructions, once optimised. Above it the body is not made in candidates. One of 40 lines took 0.21 s of CPU with
// 26, 0.22 s with 33, 0.24 s with 40, 0.3 s with 100, 0.36 s with all of them. With 33 sorting, maps, heaps, queues,
// strings and tables ran as fast as with all, push_back() took 1 ns instead of 0.5; with 26 a deque took twice its
// time. (By the number of statements it cannot be told: with its assertion vector::operator[] has more of those than
// many that are large, and without its body a loop over a table took eleven times its time.)
constexpr int kLarge = 33;

bool is_of_the_library(const clang::FunctionDecl& function) {
  const clang::NamespaceDecl* outermost = nullptr;  // within extern "C++", maybe
  for (const clang::DeclContext* context = &function; context != nullptr; context = context->getParent()) {
    if (const auto* space = llvm::dyn_cast<clang::NamespaceDecl>(context)) {
      outermost = space;
    }
  }
  return outermost != nullptr && (outermost->getName() == "std" || outermost->getName() == "__gnu_cxx");
}

// What a container does when it has run out of room. Inlined into push_back() it would make that too large for
// candidates, which would then not have its fast path either.
bool is_slow_path(const clang::FunctionDecl& function) {
  static const llvm::StringSet<> names{"_M_realloc_insert", "_M_insert_aux",     "_M_push_back_aux",
                                       "_M_push_front_aux", "_M_reallocate_map", "_M_default_append",
                                       "_M_fill_insert",    "_M_mutate"};
  return function.getIdentifier() != nullptr && names.contains(function.getName());
}

// Calls that the optimiser makes next to nothing of, though the function is large: a string made of a short literal,
// which costs more as a call that may throw (tables of literals took twice as long to compile), and the growing of a
// vector, which as a call wants its argument in memory (push_back({i, j}) took three times its time).
bool is_worth_its_size(const clang::FunctionDecl& function) {
  const auto* constructor = llvm::dyn_cast<clang::CXXConstructorDecl>(&function);
  return (constructor != nullptr && constructor->getParent()->getName() == "basic_string") ||
         (function.getIdentifier() != nullptr && function.getName() == "_M_realloc_insert");
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
  }
  llvm::MD5::MD5Result result;
  digest.final(result);
  instances.digest_ = result.digest().str().str();
  return instances;
}

void LibraryInstances::set_defined(bool here) const {
  for (clang::FunctionDecl* function : all_) {
    if (here && is_slow_path(*function)) {
      function->addAttr(clang::NoInlineAttr::CreateImplicit(function->getASTContext()));
    }
    function->setTemplateSpecializationKind(
        here ? clang::TSK_ExplicitInstantiationDefinition : clang::TSK_ExplicitInstantiationDeclaration,
        function->getPointOfInstantiation());
  }
}

std::string LibraryInstances::sizes(clang::ASTContext& context, const llvm::Module& optimized) const {
  clang::ASTNameGenerator names(context);
  std::string text;
  for (clang::FunctionDecl* function : all_) {
    const std::string name = names.getName(function);
    const llvm::GlobalValue* value = optimized.getNamedValue(name);
    const auto* code = value == nullptr ? nullptr : llvm::dyn_cast<llvm::Function>(value->getAliaseeObject());
    text += std::to_string(code == nullptr ? 0 : code->getInstructionCount()) + " " + name + "\n";
  }
  return text;
}

bool LibraryInstances::read_sizes(std::istream& text) {
  std::vector<int> sizes;
  std::string name;
  for (int size = 0; text >> size >> name;) {
    sizes.push_back(size);
  }
  for (std::size_t i = 0; i < sizes.size() && i < all_.size(); ++i) {
    if (sizes[i] > kLarge && !is_worth_its_size(*all_[i])) {
      large_.push_back(all_[i]);
    }
  }
  return sizes.size() == all_.size();
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
