#!/bin/sh
# Runs Apache's example programs by the names their documentation gives them, without a JVM:
#
#   sh tools.sh org.apache.rocketmq.example.quickstart.Producer
#
# The name server comes from NAMESRV_ADDR, `host:port;host:port`, else it is 127.0.0.1:9876.
. "$(dirname "$(readlink -f "$0")")/find-node.sh"

examples=org.apache.rocketmq.example.quickstart
case ${1-} in
"$examples.Producer") main=quickstart-producer ;;
"$examples.Consumer") main=quickstart-consumer ;;
*)
  if [ -n "${1-}" ]; then problem="no class $1 here"; else problem="no class given"; fi
  echo "tools.sh: $problem. Known classes:" >&2
  printf '  %s\n' "$examples.Producer" "$examples.Consumer" >&2
  exit 1
  ;;
esac
shift
class=
. "$(dirname "$(readlink -f "$0")")/run-main.sh"
