#!/bin/sh
# Entry point of the image. A role (nameserver, broker), as the first argument or in NODE_ROLE, starts that; anything
# else is run as it is: `docker run ringmq sh mqadmin clusterList`.
here=$(dirname "$(readlink -f "$0")")
case ${1-${NODE_ROLE-broker}} in
nameserver | namesrv)
  [ $# -gt 0 ] && shift
  exec sh "$here/mqnamesrv" "$@"
  ;;
broker)
  [ $# -gt 0 ] && shift
  exec sh "$here/mqbroker" "$@"
  ;;
*) exec "$@" ;;
esac
