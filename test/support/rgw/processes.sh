# The rig's own processes, by name. Sourced by start.sh and stop.sh; expects $DIR.
#
# A pid file holds "PID STARTTIME" (field 22 of /proc/PID/stat): a pid that the kernel gave to somebody else since is not ours.

start_time() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

is_alive() { # NAME
  local pid started
  [ -s "$DIR/run/$1.pid" ] || return 1
  read -r pid started <"$DIR/run/$1.pid"
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

spawn() { # NAME COMMAND...
  local name=$1
  shift
  # Detached from the terminal, and without fd 9: a daemon that kept it would hold start.sh's lock.
  setsid "$@" </dev/null >>"$DIR/log/$name.out" 2>&1 9>&- &
  echo "$! $(start_time $!)" >"$DIR/run/$name.pid"
}

terminate() { # NAME
  local pid
  if is_alive "$1"; then
    read -r pid _ <"$DIR/run/$1.pid"
    kill -TERM "$pid" 2>/dev/null
    for _ in $(seq 50); do
      is_alive "$1" || break
      sleep .1
    done
    if is_alive "$1"; then kill -KILL "$pid" 2>/dev/null; fi
    echo "[rgw] stopped $1 ($pid)" >&2
  fi
  rm -f "$DIR/run/$1.pid"
}
