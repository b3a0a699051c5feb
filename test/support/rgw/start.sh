#!/usr/bin/env bash
# Starts a throwaway Ceph RGW on 127.0.0.1 and prints one JSON object that says how to reach it; all else goes to stderr and
# $RGW_RIG_DIR/log. Called again while it runs, it prints the same JSON. See README.md.
#
#   RGW_RIG_DIR       where it lives        ($TMPDIR/countersign-rgw)
#   RGW_PORT          the gateway           (57480)
#   RGW_STS_PORT      the gateway with STS  (57481)
#   RGW_MON_PORT      the monitor           (57401)
#   RGW_OSD_PORT_MIN, RGW_OSD_PORT_MAX      (57410, 57429)
#   RGW_DNS_NAME      its name in virtual-host style (localhost)
#   RGW_STS_MIN       the shortest AssumeRole session in seconds (2; AWS: 900)
#   RGW_CLOCK=1       `echo "+2h" >CLOCKFILE` then moves the gateways' clock while they run
set -euo pipefail
umask 077

TMP=${TMPDIR:-/tmp}
DIR=${RGW_RIG_DIR:-$TMP/countersign-rgw}
GATEWAY_PORT=${RGW_PORT:-57480}
STS_PORT=${RGW_STS_PORT:-57481}
MON_PORT=${RGW_MON_PORT:-57401}
OSD_PORT_MIN=${RGW_OSD_PORT_MIN:-57410}
OSD_PORT_MAX=${RGW_OSD_PORT_MAX:-57429}
DNS_NAME=${RGW_DNS_NAME:-localhost}
STS_MIN_SECONDS=${RGW_STS_MIN:-2}
HERE=$(dirname "$(readlink -f "$0")")
. "$HERE/processes.sh"
. "$HERE/ceph-conf.sh"

main() {
  lock
  install_packages
  if is_up; then
    say "already running"
    jq . "$DIR/rig.json"
    return
  fi
  clear_the_place
  start_cluster
  start_gateways
  make_users
  print_rig >"$DIR/rig.json"
  say "ready"
  jq . "$DIR/rig.json"
}

say() { echo "[rgw] $*" >&2; }
fail() {
  say "FAILED: $*"
  tail -n 15 "$DIR"/log/* >&2 2>/dev/null || true
  exit 1
}

# ---- one at a time, from whatever was there before -------------------------------------------------------------------------

lock() {
  exec 9>"$TMP/.countersign-rgw.$(echo "$DIR" | md5sum | cut -c1-8).lock"
  flock -w 300 9 || fail "another start.sh holds the lock"
}

is_up() {
  local name
  [ -s "$DIR/rig.json" ] || return 1
  for name in mon osd gateway sts-gateway; do is_alive "$name" || return 1; done
  curl -fsS -o /dev/null -m 5 "$(jq -r .endpoint "$DIR/rig.json")"
}

clear_the_place() {
  if [ -d "$DIR" ]; then RGW_RIG_DIR=$DIR RGW_KEEP_DIR= "$HERE/stop.sh" || fail "$DIR is in the way"; fi
  local port
  for port in "$GATEWAY_PORT" "$STS_PORT" "$MON_PORT"; do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "port $port is in use"; fi
  done
  mkdir -p "$DIR"/{run,log,mon,osd,tmp}
  touch "$DIR/.countersign-rgw"
}

# ---- packages --------------------------------------------------------------------------------------------------------------

install_packages() {
  local package missing=()
  for package in radosgw ceph-mon ceph-osd ceph-common jq curl ${RGW_CLOCK:+libfaketime}; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  say "apt-get install ${missing[*]}"
  # The packages' scripts would start the system's own Ceph services. Containers have this file already.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  local apt=(apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0) log="$TMP/countersign-rgw-apt.log"
  (
    umask 022
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  ) >"$log" 2>&1 9>&- || { tail -n 20 "$log" >&2; fail "apt-get install; see $log"; }
}

# ---- the cluster: one monitor, one OSD -------------------------------------------------------------------------------------

start_cluster() {
  local fsid osd_id log=$DIR/log/setup.out
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd_id=$(cat /proc/sys/kernel/random/uuid)
  # RGW wants exactly 16 characters for the STS key.
  print_ceph_conf "$fsid" "$(random 'a-z0-9' 16)" >"$DIR/ceph.conf"
  export CEPH_ARGS="-c $DIR/ceph.conf"

  {
    monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$MON_PORT/0]" "$DIR/monmap" &&
      ceph-mon --mkfs -i a --monmap "$DIR/monmap" --keyring /dev/null
  } >>"$log" 2>&1 || fail "the monitor's data"
  spawn mon ceph-mon -f -i a
  wait_for mon timeout 10 ceph --connect-timeout 5 mon stat

  {
    ceph osd new "$osd_id" 0 &&
      ceph osd crush add-bucket rig host &&
      ceph osd crush move rig root=default &&
      ceph osd crush add osd.0 1.0 host=rig &&
      ceph-osd --mkfs -i 0 --osd-uuid "$osd_id"
  } >>"$log" 2>&1 || fail "the OSD's data"
  spawn osd ceph-osd -f -i 0
  wait_for osd osd_is_up
  say "cluster up"
}

osd_is_up() { [ "$(timeout 10 ceph osd stat -f json | jq -r .num_up_osds)" = 1 ]; }

# ---- the gateways ----------------------------------------------------------------------------------------------------------

start_gateways() {
  local clock=() library
  if [ -n "${RGW_CLOCK:-}" ]; then
    echo "+0" >"$DIR/clock"
    library=$(echo /usr/lib/*/faketime/libfaketimeMT.so.1)
    clock=(env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$DIR/clock" FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1)
  fi
  # One after the other: the first one makes the pools.
  spawn gateway "${clock[@]}" radosgw -f -n client.rgw.gateway
  wait_for gateway answers "$GATEWAY_PORT"
  spawn sts-gateway "${clock[@]}" radosgw -f -n client.rgw.sts-gateway
  wait_for sts-gateway answers "$STS_PORT"
  say "gateways up"
}

answers() { curl -fsS -o /dev/null -m 5 "http://127.0.0.1:$1/"; }

wait_for() { # NAME CONDITION...
  local name=$1
  shift
  for _ in $(seq 300); do
    is_alive "$name" || fail "$name died"
    if "$@" >/dev/null 2>&1; then return; fi
    sleep .1
  done
  fail "$name does not answer"
}

# ---- users: two, a role that the first may assume, and one who may make and take away their keys ----------------------------

make_users() {
  printf '#!/bin/sh\nexec radosgw-admin -c "%s" "$@"\n' "$DIR/ceph.conf" >"$DIR/radosgw-admin"
  chmod 700 "$DIR/radosgw-admin"

  MAIN=$(make_user rig-main)
  OTHER=$(make_user rig-other)
  KEY_ADMIN=$(make_user rig-key-admin)
  admin caps add --uid=rig-key-admin --caps="users=*" >/dev/null
  local trust policy
  trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"AWS":["arn:aws:iam:::user/rig-main"]}}]}'
  policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}'
  admin caps add --uid=rig-main --caps="roles=*" >/dev/null
  ROLE_ARN=$(admin role create --role-name=rig-role --path=/ --assume-role-policy-doc="$trust" | jq -r '.Arn // .arn')
  admin role-policy put --role-name=rig-role --policy-name=all --policy-doc="$policy" >/dev/null
}

make_user() { # UID
  local access_key secret_key
  access_key=RIG$(random 'A-Z0-9' 17)
  secret_key=$(random 'A-Za-z0-9' 40)
  admin user create --uid="$1" --display-name="$1" --access-key="$access_key" --secret-key="$secret_key" >/dev/null
  jq -n --arg uid "$1" --arg accessKey "$access_key" --arg secretKey "$secret_key" '$ARGS.named'
}

admin() { "$DIR/radosgw-admin" "$@" 2>>"$DIR/log/admin.err" || fail "radosgw-admin $1 $2"; }

random() { # CHARACTERS LENGTH; head ends tr early, which is no failure
  LC_ALL=C tr -dc "$1" </dev/urandom 2>/dev/null | head -c "$2" || true
}

# ---- what the caller gets --------------------------------------------------------------------------------------------------

print_rig() {
  jq -n --argjson main "$MAIN" --argjson other "$OTHER" --argjson keyAdmin "$KEY_ADMIN" --arg role "$ROLE_ARN" --arg dir "$DIR" \
    --arg version "$(radosgw --version | head -n 1)" --arg dns "$DNS_NAME" --argjson port "$GATEWAY_PORT" \
    --argjson stsPort "$STS_PORT" --argjson stsMin "$STS_MIN_SECONDS" --arg clock "${RGW_CLOCK:+$DIR/clock}" '
    {
      kind: "ceph-rgw", version: $version, region: "us-east-1", port: $port,
      endpoint: "http://127.0.0.1:\($port)", vhostEndpoint: "http://\($dns):\($port)",
      accessKey: $main.accessKey, secretKey: $main.secretKey, uid: $main.uid, other: $other, keyAdmin: $keyAdmin,
      sts: { endpoint: "http://127.0.0.1:\($stsPort)", roleArn: $role, minDurationSeconds: $stsMin },
      admin: "\($dir)/radosgw-admin", dir: $dir, clockFile: (if $clock == "" then null else $clock end)
    }'
}

main
