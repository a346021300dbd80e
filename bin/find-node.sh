# Sourced by the scripts beside it, with this first line, which also holds through symbolic links
# and for `sh mqbroker`:
#
#   . "$(dirname "$(readlink -f "$0")")/find-node.sh"
#
# Sets RINGMQ_ROOT (absolute, without a trailing slash) and NODE: the Node that was installed with
# the packages, else the one on PATH when it is new enough. Ends the script with status 1 and a way
# out when there is neither.

RINGMQ_ROOT=$(CDPATH='' cd -- "$(dirname "$(readlink -f "$0")")/.." && pwd -P) || exit 1
NODE=$RINGMQ_ROOT/node_modules/.bin/node

# Below 24 Node neither runs TypeScript nor has zlib.crc32.
if [ ! -x "$NODE" ]; then
  NODE=$(command -v node) || NODE=
  found=${NODE:+$("$NODE" --version 2>/dev/null)}
  major=${found#v}
  major=${major%%.*}
  case $major in '' | *[!0-9]*) major=0 ;; esac
  if [ "$major" -lt 24 ]; then
    echo "${0##*/}: Node 24 or newer is needed, found ${found:-none} on PATH." >&2
    echo "Run \`npm install\` in $RINGMQ_ROOT, which brings its own Node," >&2
    echo "or install one from https://nodejs.org." >&2
    exit 1
  fi
fi
