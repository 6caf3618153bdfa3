#pragma once
// What programs use of the standard library time and again.

namespace plumb {

/// C++ text: the whole library's header, then functions whose templates are the instances that every program shares. It
/// is all in a namespace whose name is reserved to the compiler, so that no program can meet it.
const char* common_uses();

}  // namespace plumb
