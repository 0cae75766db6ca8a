#!/usr/bin/env bash
# The preStop hook of a proxy: lets it leave without failing a call. The kubelet sends SIGTERM, which
# ends Envoy at once, when this script has ended.
#
# DRAIN_DELAY_SECONDS    Serve as before, until clients and load balancers know that the pod leaves.
# DRAIN_TIMEOUT_SECONDS  Then ask clients to go elsewhere, and wait this long for running calls.
# DRAIN_QUIET_SECONDS    Without a call for so long, the wait is over.
# DRAIN_LOG              File to write progress to.
# ENVOY_ADMIN_PORT       Envoy's admin interface on loopback.
# ENVOY_STATUS_NAME      The listener whose requests do not count.
set -uo pipefail

say() {
  local line='{"time":"%(%Y-%m-%dT%H:%M:%SZ)T","level":"info","logger":"drain","message":"%s"}\n'
  local text=${*//[^[:print:]]/ }
  text=${text//[\\\"]/ }
  # shellcheck disable=SC2059
  TZ=UTC printf "$line" -1 "$text" >>"$DRAIN_LOG" 2>/dev/null || true
}

# admin METHOD PATH: prints the answer of Envoy's admin interface.
admin() {
  exec 3<>"/dev/tcp/127.0.0.1/$ENVOY_ADMIN_PORT" || return 1
  printf '%s %s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$1" "$2" >&3
  timeout 5 cat <&3
  exec 3>&-
}

# count STAT: the sum of a statistic over the gateway's listeners, from the text in $stats.
count() {
  local line sum=0
  while IFS= read -r line; do
    case "$line" in
      http.admin.* | "http.$ENVOY_STATUS_NAME."*) ;;
      http.*".$1: "*) line=${line##*: } && sum=$((sum + ${line//[^0-9]/})) ;;
    esac
  done <<<"$stats"
  echo "$sum"
}

say "serves as before for $DRAIN_DELAY_SECONDS s"
sleep "$DRAIN_DELAY_SECONDS"

# skip_exit: listeners stay open, for clients that come late.
if ! answer=$(admin POST '/drain_listeners?graceful&skip_exit' 2>/dev/null); then
  say "nothing to drain: Envoy does not answer"
  exit 0
elif [[ $answer != 'HTTP/1.1 200 '* ]]; then
  say "cannot drain: Envoy answers ${answer%%$'\r'*}"
  exit 1
fi
say "asks clients to leave, waits for calls for up to $DRAIN_TIMEOUT_SECONDS s"
last=-1
quiet_since=$SECONDS
end=$((SECONDS + DRAIN_TIMEOUT_SECONDS))
while ((SECONDS < end)); do
  stats=$(admin GET '/stats?filter=downstream_(cx|rq)_(active|total)%24') || break
  active=$(count downstream_rq_active)
  total=$(count downstream_rq_total)
  connections=$(count downstream_cx_active)
  if ((active > 0 || total != last)); then
    quiet_since=$SECONDS
  fi
  last=$total
  if ((connections == 0 || SECONDS - quiet_since >= DRAIN_QUIET_SECONDS)); then
    say "done: no call for $((SECONDS - quiet_since)) s, $connections idle connections"
    exit 0
  fi
  sleep 0.5
done
say "time is up with ${active:-?} calls running"
