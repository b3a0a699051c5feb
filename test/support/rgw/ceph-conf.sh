# The configuration of a Ceph cluster of one monitor, one in-memory OSD and two gateways, all on 127.0.0.1.
# Sourced by start.sh; expects its settings.

print_ceph_conf() { # FSID STS_KEY
  cat <<CONF
[global]
fsid = $1
mon initial members = a
mon host = v2:127.0.0.1:$MON_PORT/0
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
ms bind msgr1 = false
ms bind port min = $OSD_PORT_MIN
ms bind port max = $OSD_PORT_MAX
# Only this machine can reach it, and it holds nothing: no cephx.
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
mon max pg per osd = 2000
mon data avail crit = 1
mon data avail warn = 2
run dir = $DIR/run
admin socket = $DIR/run/\$name.asok
log file = $DIR/log/\$name.log
crash dir = $DIR/tmp
log to stderr = false
err to stderr = true
mon cluster log file = $DIR/log/cluster.log
heartbeat file =
device failure prediction mode = none

[mon]
mon data = $DIR/mon
mon osd down out interval = 3600
# By default a map change takes 1 s, and a gateway's first start makes six pools.
paxos propose interval = 0.05
paxos min wait = 0.01

[osd]
osd data = $DIR/osd
osd journal = $DIR/osd/journal
osd objectstore = memstore
memstore device bytes = 2147483648
osd max object name len = 2048
osd max object namespace len = 256
osd class load list = *
osd class default list = *
osd class update on start = false
osd crush update on start = false
osd scrub during recovery = false
osd op num shards = 2
osd op num threads per shard = 1

[client]
keyring = /dev/null
log file = $DIR/log/client.log
rgw dns name = $DNS_NAME
$(print_gateway gateway "$GATEWAY_PORT" false "$2")
$(print_gateway sts-gateway "$STS_PORT" true "$2")
CONF
}

print_gateway() { # NAME PORT HAS_STS STS_KEY
  cat <<CONF

[client.rgw.$1]
rgw frontends = beast endpoint=127.0.0.1:$2
# radosgw alone defaults to "secure" here, which a cluster without cephx cannot offer.
ms mon client mode = crc
rgw s3 auth use sts = $3
rgw sts key = $4
rgw sts min session duration = $STS_MIN_SECONDS
rgw thread pool size = 64
rgw crypt require ssl = false
log file = $DIR/log/$1.log
admin socket = $DIR/run/$1.asok
CONF
}
