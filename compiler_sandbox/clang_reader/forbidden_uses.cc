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
  [[nodiscard]] bool shouldVisitTemplateInstantiations() const { return true; }  // in them it is known what is meant
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
    const auto* lookup = llvm::dyn_cast<clang::UnresolvedLookupExpr>(use);
    if (lookup != nullptr && lookup->decls().empty() && lookup->requiresADL()) {  // the arguments' namespaces decide
      report_named(use->getName().getAsString(), false, use->getNameLoc());
    }
    return true;
  }
  bool VisitCXXDependentScopeMemberExpr(clang::CXXDependentScopeMemberExpr* use) {
    look_at_member(use->getBaseType(), use->getMember(), use->getMemberLoc());
    return true;
  }
  bool VisitDependentScopeDeclRefExpr(clang::DependentScopeDeclRefExpr* use) {
    const clang::NestedNameSpecifier* scope = use->getQualifier();
    const clang::Type* type = scope != nullptr ? scope->getAsType() : nullptr;
    look_at_member(type != nullptr ? clang::QualType(type, 0) : clang::QualType(), use->getDeclName(),
                   use->getLocation());
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
  bool VisitDeducedTemplateSpecializationTypeLoc(clang::DeducedTemplateSpecializationTypeLoc use) {  // std::set s{1}
    if (const auto* named = use.getTypePtr()->getTemplateName().getAsTemplateDecl()) {
      look_at(*named, use.getTemplateNameLoc());
    }
    return true;
  }
  bool TraverseTemplateArgumentLoc(const clang::TemplateArgumentLoc& argument) {  // Own<std::set>
    if (argument.getArgument().getKind() == clang::TemplateArgument::Template) {
      if (const auto* named = argument.getArgument().getAsTemplate().getAsTemplateDecl()) {
        look_at(*named, argument.getTemplateNameLoc());
      }
    }
    return RecursiveASTVisitor::TraverseTemplateArgumentLoc(argument);
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

  // A member of what depends on a template's parameters. Of a template that has such a member (std::vector<T>) it is
  // known whose it is; else the name has to do.
  void look_at_member(clang::QualType whole, const clang::DeclarationName& member, clang::SourceLocation where) {
    if (!whole.isNull() && !whole->getPointeeType().isNull()) {
      whole = whole->getPointeeType();
    }
    const clang::CXXRecordDecl* owner = whole.isNull() ? nullptr : template_of(*whole);
    const auto found = owner != nullptr ? owner->lookup(member) : clang::DeclContext::lookup_result();
    for (const clang::NamedDecl* one : found) {
      look_at(*one->getUnderlyingDecl(), where);
    }
    if (found.empty()) {
      report_named(member.getAsString(), true, where);
    }
  }

  static const clang::CXXRecordDecl* template_of(const clang::Type& type) {
    if (const auto* itself = type.getAs<clang::InjectedClassNameType>()) {
      return itself->getDecl()->getDefinition();
    }
    const auto* special = type.getAs<clang::TemplateSpecializationType>();
    const auto* named =
        special != nullptr
            ? llvm::dyn_cast_or_null<clang::ClassTemplateDecl>(special->getTemplateName().getAsTemplateDecl())
            : nullptr;
    return named != nullptr ? named->getTemplatedDecl()->getDefinition() : nullptr;
  }

  // By the last part of a name. A member is no function of a namespace: std::sort is not what x.sort() calls.
  void report_named(const std::string& simple, bool member, clang::SourceLocation where) {
    for (const std::string& name : names_) {
      const std::size_t last = name.rfind("::");
      const std::size_t first = name.find("::", name.starts_with("::") ? 2 : 0);
      const bool of_namespace = last != std::string::npos && first == last;
      if (simple == (last == std::string::npos ? name : name.substr(last + 2)) && !(member && of_namespace)) {
        sink_.add("forbidden-api", where, name);
        return;
      }
    }
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
