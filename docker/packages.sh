#!/bin/sh
# Prints the Debian packages of a purpose, for this distribution, as docker/packages.txt lists them: packages.sh run
set -eu
. "${OS_RELEASE:-/etc/os-release}"
exec awk -v wanted="[$1 $ID-$VERSION_ID]" '{ sub(/#.*/, "") } /^\[/ { here = ($0 == wanted); next } here && NF { print $1 }' "$(dirname "$0")/packages.txt"
