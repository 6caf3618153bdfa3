#include "compiler_sandbox/clang_reader/forbidden_uses.h"

#include <clang/AST/RecursiveASTVisitor.h>
#include <clang/Basic/SourceManager.h>

#include "compiler_sandbox/clang_reader/expressions.h"

namespace plumb {
namespace {

class ForbiddenUses : public clang::RecursiveASTVisitor<ForbiddenUses> {
 public:
  ForbiddenUses(clang::ASTContext& context, const std::vector<std::string>& names, FindingSink& sink)
      : context_(context), names_(names), sink_(sink) {}

  // NOLINTBEGIN(readability-identifier-naming): clang's names
  bool VisitDeclRefExpr(clang::DeclRefExpr* use) {
    look_at(*use->getDecl(), use->getLocation());
    return true;
  }
  bool VisitMemberExpr(clang::MemberExpr* use) {
    look_at(*use->getMemberDecl(), use->getMemberLoc());
    return true;
  }
  bool VisitOverloadExpr(clang::OverloadExpr* use) {  // in a template: which one is not known yet
    for (const clang::NamedDecl* one : use->decls()) {
      look_at(*one->getUnderlyingDecl(), use->getNameLoc());
    }
    return true;
  }
  bool VisitTagTypeLoc(clang::TagTypeLoc use) {
    look_at(*use.getDecl(), use.getNameLoc());
    return true;
  }
  bool VisitTypedefTypeLoc(clang::TypedefTypeLoc use) {
    look_at(*use.getTypedefNameDecl(), use.getNameLoc());
    return true;
  }
  bool VisitTemplateSpecializationTypeLoc(clang::TemplateSpecializationTypeLoc use) {
    if (const auto* named = use.getTypePtr()->getTemplateName().getAsTemplateDecl()) {
      look_at(*named, use.getTemplateNameLoc());
    }
    return true;
  }
  bool VisitUsingDecl(clang::UsingDecl* use) {
    for (const clang::UsingShadowDecl* one : use->shadows()) {
      look_at(*one->getTargetDecl(), use->getLocation());
    }
    return true;
  }
  // The candidate's own declaration of a C function, under whatever name in its text.
  bool VisitFunctionDecl(clang::FunctionDecl* function) {
    const auto* label = function->getAttr<clang::AsmLabelAttr>();
    if (label != nullptr) {
      report_if(label->getLabel().str(), label->getLabel().str(), true, function->getLocation());
    }
    return true;
  }
  // NOLINTEND

 private:
  void look_at(const clang::NamedDecl& declaration, clang::SourceLocation where) {
    const auto* function = llvm::dyn_cast<clang::FunctionDecl>(&declaration);
    const bool is_c = function != nullptr && (function->isExternC() || !context_.getLangOpts().CPlusPlus) &&
                      function->hasExternalFormalLinkage();
    const clang::SourceManager& sources = context_.getSourceManager();
    const bool is_own = sources.isWrittenInMainFile(sources.getExpansionLoc(declaration.getLocation())) &&
                        (function == nullptr || function->isDefined() || !is_c);
    report_if(full_name(declaration), is_own ? "" : declaration.getNameAsString(), is_c, where);
  }

  void report_if(const std::string& full, const std::string& simple, bool is_c, clang::SourceLocation where) {
    for (const std::string& name : names_) {
      const std::string global = name.starts_with("::") ? name.substr(2) : name;
      const bool compound = global.find("::") != std::string::npos;
      const bool same = compound ? global == full || (is_c && global == "std::" + full)
                                 : global == simple && (!name.starts_with("::") || global == full);
      if (same) {
        sink_.add("forbidden-api", where, name);
        return;
      }
    }
  }

  clang::ASTContext& context_;
  const std::vector<std::string>& names_;
  FindingSink& sink_;
};

}  // namespace

void find_forbidden(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations,
                    const std::vector<std::string>& names, FindingSink& sink) {
  ForbiddenUses uses(context, names, sink);
  for (clang::Decl* one : declarations) {
    uses.TraverseDecl(one);
  }
}

}  // namespace plumb
