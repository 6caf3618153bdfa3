#!/bin/bash
# Says, before anything is installed, whether this machine lets the judge isolate programs. Silent when it does.
set -euo pipefail

flags=(--pid --net --ipc --mount --fork)
if [ "$(id -u)" -ne 0 ]; then flags+=(--user --map-root-user); fi
if reason=$(unshare "${flags[@]}" true 2>&1); then exit 0; fi
cat >&2 <<EOF2
Namespaces are blocked here (${reason:-unshare failed}), so programs cannot be judged safely.
Either let this container make them: docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined ...
or run plumb outside the container (without root: sysctl -w kernel.unprivileged_userns_clone=1).
EOF2
exit 1
