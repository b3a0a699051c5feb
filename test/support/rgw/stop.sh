#!/usr/bin/env bash
# Stops the processes that start.sh started, and only those, and removes its directory. RGW_RIG_DIR as in start.sh.
# RGW_KEEP_DIR=1 leaves the directory, for its logs.
set -uo pipefail
DIR=${RGW_RIG_DIR:-${TMPDIR:-/tmp}/countersign-rgw}
[ -d "$DIR" ] || exit 0
[ -e "$DIR/.countersign-rgw" ] || { echo "[rgw] $DIR is not ours: left alone" >&2; exit 1; }
. "$(dirname "$(readlink -f "$0")")/processes.sh"

for name in sts-gateway gateway osd mon; do terminate "$name"; done
[ -n "${RGW_KEEP_DIR:-}" ] || rm -rf -- "$DIR"
