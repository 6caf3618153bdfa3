#pragma once
// A launcher's work: sessions and steps, as the judge at the other end of descriptor 3 asks for them. It puts limits
// on, watches what runs, ends what breaks a limit, and says what was used.

namespace plumb {

/// Serves until the judge goes away.
void serve_judge();

}  // namespace plumb
