# Sourced by mqnamesrv and mqbroker, which set `main` (a file of src/main) and `class` (Apache's name for it). Becomes the
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

exec "$NODE" "$RINGMQ_ROOT/src/main/$main" "$class" "$@"
