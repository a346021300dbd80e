# Sourced by the commands, which set `main` (a program of src/main, without its ending) and `class` (Apache's name for it). Becomes the
# program: node gets the signals. The class name stands first among the arguments, so that scripts which look for it in the
# list of processes find us too.
. "$(dirname "$(readlink -f "$0")")/find-node.sh"

# What node compiled is kept for the next start; beside the program or, when that cannot be written, in the user's cache.
if [ -z "${NODE_COMPILE_CACHE-}" ]; then
  NODE_COMPILE_CACHE=$RINGMQ_ROOT/.cache/node
  if ! mkdir -p "$NODE_COMPILE_CACHE" 2>/dev/null || [ ! -w "$NODE_COMPILE_CACHE" ]; then
    NODE_COMPILE_CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ringmq/node
  fi
  export NODE_COMPILE_CACHE
fi

ROCKETMQ_HOME=${ROCKETMQ_HOME:-$RINGMQ_ROOT}
export ROCKETMQ_HOME

# What scripts/bundle.ts made of the sources starts in 70 % of the time; with a source newer than that, the sources run.
program=$RINGMQ_ROOT/src/main/$main.ts
bundle=$RINGMQ_ROOT/.cache/program
if [ ! -d "$RINGMQ_ROOT/src" ]; then
  program=$bundle/src/main/$main.js # an image has the bundle alone
elif [ -f "$bundle/made" ]; then
  newer=$(find "$RINGMQ_ROOT/src" "$RINGMQ_ROOT/workers" "$RINGMQ_ROOT/package-lock.json" -newer "$bundle/made" | head -n 1)
  [ -n "$newer" ] || program=$bundle/src/main/$main.js
fi
exec "$NODE" "$program" ${class:+"$class"} "$@"
