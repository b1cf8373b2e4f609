#!/usr/bin/env bash
# Slipway worker: tells Slipway every five minutes that this machine is up, and which containers it runs.
# Written here by Slipway's setup script; `slipway-worker uninstall` takes everything away again.
#
#   slipway-worker run        send heartbeats until stopped (what systemd starts)
#   slipway-worker check      send one heartbeat now: exit 0 taken, 3 token refused, 1 otherwise
#   slipway-worker start      run in the background, where there is no systemd
#   slipway-worker stop       end what `start` began
#   slipway-worker status     say whether it runs, when Slipway last took a heartbeat, and what waits
#   slipway-worker logs       show its log
#   slipway-worker uninstall  stop, and remove what setup wrote
#
# Each heartbeat is written to a small spool before it is sent, and leaves it when Slipway has taken it. What can't be
# sent now is sent later, oldest first; of more than SPOOL_BEATS the oldest are dropped.
set -euo pipefail
umask 077
shopt -s nullglob
# cron's PATH is short. Appended, so that the user's own choice comes first.
PATH=${PATH:-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

self=$(readlink -f -- "${BASH_SOURCE[0]}")
root=${self%/usr/local/bin/slipway-worker}
config=$root/etc/slipway-worker/config.json
token=$root/etc/slipway-worker/token
proxies=$root/etc/slipway-worker/proxies
state=$root/var/lib/slipway-worker
spool=$state/spool
unit=$root/etc/systemd/system/slipway-worker.service
cron=$root/etc/cron.d/slipway-worker

# Slipway's limits: a beat that breaks one of them would be refused whole.
readonly MAX_CONTAINERS=500 MAX_NAME=255 MAX_PORT=1024
readonly DOCKER_SECONDS=20 CONNECT_SECONDS=10 ANSWER_SECONDS=30
# For so long the last list that Docker gave is still told when Docker does not answer.
readonly CONTAINERS_KEPT_SECONDS=1800
readonly LOG_BYTES=1048576

log() {
  printf '%s slipway-worker: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >&2
}

die() {
  log "$*"
  exit 1
}

# The whole number in an environment variable, or a default.
setting() {
  local value=${!1:-$2}
  [[ $value =~ ^[0-9]{1,6}$ ]] || die "$1 must be a whole number, and is: $value"
  printf '%s' "$((10#$value))"
}

# Proxies that setup found, for curl; one that the environment names goes before them.
load_proxies() {
  local name value
  [[ -r $proxies ]] || return 0
  while IFS='=' read -r name value; do
    case $name in
      http_proxy | https_proxy | no_proxy) [[ -n ${!name:-} ]] || export "$name=$value" ;;
    esac
  done <"$proxies"
}

load() {
  [[ -r $config && -r $token ]] || die "not set up: $config or $token can't be read"
  wallet=$(jq -r .wallet "$config")
  api=$(jq -r .api "$config")
  interval=$(setting SLIPWAY_HEARTBEAT_SECONDS 300)
  retry=$(setting SLIPWAY_RETRY_SECONDS 5)
  refused_pause=$(setting SLIPWAY_REFUSED_SECONDS 3600)
  spool_beats=$(setting SLIPWAY_SPOOL_BEATS 288)
  boot_id=$(tr -dc '[:alnum:]-' </proc/sys/kernel/random/boot_id | cut -c 1-64)
  with_figures=$(setting SLIPWAY_FIGURES 0)
  load_proxies
  ((interval > 0)) || die "SLIPWAY_HEARTBEAT_SECONDS must be at least 1"
  ((spool_beats > 0)) || die "SLIPWAY_SPOOL_BEATS must be at least 1"
}

# ── Time: seconds since the machine started, which no correction of the clock moves ────────────────
now=0
look_at_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}
}

# Sleeps without a child process, so that a signal ends it at once and leaves nothing behind.
pause() {
  ((${1} <= 0)) || read -rt "$1" -u "$idle" _ || true
}

# A number from half to all of $1, so that many workers don't come at the same moment.
jittered() {
  printf '%s' "$(($1 - $1 / 2 + RANDOM % ($1 / 2 + 1)))"
}

# ── What is told ──────────────────────────────────────────────────────────────────────────────────
containers='[]'
containers_at=''
docker_answers=yes
too_many=no

look_at_containers() {
  local found total
  look_at_clock
  if found=$(
    timeout "$DOCKER_SECONDS" docker ps --format '{{json .}}' 2>/dev/null </dev/null |
      jq -cs --argjson most "$MAX_CONTAINERS" --argjson name "$MAX_NAME" --argjson port "$MAX_PORT" '
        # Podman gives one array, names as a list, and ports as objects.
        map(if type == "array" then .[] else . end)
        | map(.Names |= (if type == "array" then .[0] else . end)
          | .Ports |= (if type == "array"
              then map("\(.host_ip // ""):\(.host_port)->\(.container_port)/\(.protocol // "tcp")") | join(", ")
              else . // "" end))
        | map(select(.Names | type == "string" and length > 0)
          | {containerName: .Names[:$name], port: (.Ports | tostring)[:$port]})
        | length, .[:$most]' 2>/dev/null
  ); then
    total=${found%%$'\n'*}
    containers=${found#*$'\n'}
    containers_at=$now
    [[ $docker_answers == yes ]] || log "docker answers again"
    docker_answers=yes
    if ((total > MAX_CONTAINERS)); then
      [[ $too_many == yes ]] || log "$total containers run; only the first $MAX_CONTAINERS are told"
      too_many=yes
    else
      too_many=no
    fi
    return
  fi
  [[ $docker_answers == no ]] || log "docker does not answer; the last list it gave is told for half an hour, then an empty one"
  docker_answers=no
  if [[ -z $containers_at ]] || ((now - containers_at > CONTAINERS_KEPT_SECONDS)); then
    containers='[]'
  fi
}

# CPU since the last look, memory and the disk of /, in whole percent; only where SLIPWAY_FIGURES asks for them.
figures=null
cpu_all=0
cpu_idle=0
look_at_figures() {
  local name value total=0 available=0 all=0 idle disk
  local -a ticks
  ((with_figures)) || return 0
  read -ra ticks </proc/stat
  for value in "${ticks[@]:1:8}"; do all=$((all + value)); done
  idle=$((ticks[4] + ticks[5]))
  while read -r name value _; do
    case $name in
      MemTotal:) total=$value ;;
      MemAvailable:) available=$value ;;
    esac
  done </proc/meminfo
  disk=$(df -P -- / 2>/dev/null) || disk=''
  [[ $disk =~ ([0-9]+)%[^%]*$ ]] && disk=${BASH_REMATCH[1]} || disk=0
  figures=$(printf '{"cpu_percent":%d,"memory_percent":%d,"disk_percent":%d}' \
    "$((all > cpu_all ? 100 - 100 * (idle - cpu_idle) / (all - cpu_all) : 0))" \
    "$((total > 0 ? 100 * (total - available) / total : 0))" "$disk")
  cpu_all=$all cpu_idle=$idle
}

make_beat() {
  printf '%s' "$containers" | jq -c --arg wallet "$wallet" --arg at "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    --argjson figures "$figures" \
    '{walletAddress: $wallet, timestamp: $at, containers: .} + if $figures then {figures: $figures} else {} end'
}

# ── Sending ───────────────────────────────────────────────────────────────────────────────────────
status=000
reason=''

# Sends the beat on standard input. Sets `status` to the HTTP status, 000 for no answer, `reason` to what was said, and
# `offset` to how many seconds this clock is ahead, `null` when the beat was too old for that.
# The boot id is that of sending: by it Slipway notices two machines with one token.
# curl reads the token from its file: neither its arguments nor this shell's variables ever hold it.
post() {
  local answer
  answer=$(
    jq -c --arg boot "$boot_id" '.boot_id = $boot' | curl -q --silent --proto '=http,https' --connect-timeout "$CONNECT_SECONDS" --max-time "$ANSWER_SECONDS" \
      --header "@$token" --header 'content-type: application/json' --header 'expect:' \
      --data-binary @- --write-out '\n%{http_code}' "$api/heartbeat" 2>/dev/null
  ) || true
  status=${answer##*$'\n'}
  [[ $status =~ ^[0-9]{3}$ ]] || status=000
  reason=$(
    printf '%s' "${answer%$'\n'*}" | jq -r '.error.message // .message // empty' 2>/dev/null |
      tr -d '[:cntrl:]' | cut -c 1-200
  ) || reason=''
  offset=$(printf '%s' "${answer%$'\n'*}" | jq -r 'if has("clock_offset_seconds") then .clock_offset_seconds else "" end' 2>/dev/null) ||
    offset=''
}

# Says that the clock is wrong, once; $1 is "now" for a beat that was made just now.
clock_said=no
look_at_offset() {
  local wrong=''
  if [[ $status == 400 && $reason == timestamp:* ]]; then
    wrong="Slipway does not take its time: ${reason#timestamp: }"
  elif [[ $offset == null && $1 == now ]]; then
    wrong='it is more than ten minutes behind'
  elif [[ $offset =~ ^-?[0-9]+$ ]] && ((offset > 300 || offset < -300)); then
    wrong="it is $offset s ahead"
  fi
  if [[ -z $wrong ]]; then
    [[ -z $offset ]] || clock_said=no
    return 0
  fi
  [[ $clock_said == yes ]] || log "this machine's clock is wrong ($wrong); set it, for instance by NTP"
  clock_said=yes
}

offset=''
trouble=none
failures=0
next_try=0

sent() {
  [[ $trouble == none ]] || log "Slipway takes heartbeats again"
  trouble=none failures=0
  date -u +%s >"$state/accepted" 2>/dev/null || true
}

refused() {
  [[ $trouble == refused ]] ||
    log "Slipway refused the token ($status ${reason:-no reason given}): it was revoked or replaced. Enrol again and run setup with the new code; until then this asks again every $refused_pause s"
  trouble=refused
  look_at_clock
  next_try=$((now + $(jittered "$refused_pause")))
}

not_now() {
  local delay
  [[ $trouble == away ]] || log "Slipway can't be reached ($status${reason:+ $reason}); heartbeats wait in $spool"
  trouble=away
  delay=$((retry << (failures < 10 ? failures : 10)))
  failures=$((failures + 1))
  look_at_clock
  next_try=$((now + $(jittered "$((delay < interval ? delay : interval))")))
}

# Halves the list of a beat that is too large; false when there is nothing left to leave out.
shorten() {
  jq -e '.containers | length > 0' "$1" >/dev/null &&
    jq -c '.containers |= .[:(length / 2 | floor)]' "$1" >"$spool/new" && mv -f -- "$spool/new" "$1"
}

# Sends what waits, oldest first, until nothing does, Slipway can't take it, or the next beat is due.
send_spool() {
  local file waiting
  for file in "$spool"/*.json; do
    while true; do
      post <"$file"
      waiting=("$spool"/*.json)
      # Alone, it was made just now, or Slipway could not be reached for less than two beats.
      if ((${#waiting[@]} > 1)); then look_at_offset late; else look_at_offset now; fi
      case $status in
        2??) rm -f -- "$file" && sent ;;
        400 | 409 | 415 | 422)
          log "dropped a heartbeat that Slipway can't take ($status $reason)"
          sent && rm -f -- "$file"
          ;;
        413)
          log "a heartbeat is too large; half of its containers are left out"
          if shorten "$file"; then continue; fi
          rm -f -- "$file"
          ;;
        401 | 403)
          refused
          return
          ;;
        *)
          not_now
          return
          ;;
      esac
      break
    done
    look_at_clock
    ((now < next_beat)) || return 0
  done
}

spool_beat() {
  local beat waiting name
  look_at_containers
  look_at_figures
  beat=$(make_beat)
  # Nanoseconds since 1970: text order is time order.
  name=$(date +%s%N)
  if ! { printf '%s\n' "$beat" >"$spool/new" && mv -f -- "$spool/new" "$spool/$name.json"; } 2>/dev/null; then
    log "$spool can't be written; the heartbeat is sent without it"
    printf '%s' "$beat" | post
    return
  fi
  waiting=("$spool"/*.json)
  if ((${#waiting[@]} > spool_beats)); then
    log "more than $spool_beats heartbeats wait; the oldest are dropped"
    rm -f -- "${waiting[@]:0:${#waiting[@]}-spool_beats}"
  fi
}

# ── Commands ──────────────────────────────────────────────────────────────────────────────────────
run() {
  local wake waiting spread
  load
  mkdir -p -- "$spool"
  exec {lock}>"$state/lock"
  flock -n "$lock" || die "another one runs already"
  printf '%s\n' "$$" >"$state/pid"
  trap 'rm -f -- "$state/pid"; exit 0' TERM INT
  # A pipe that both of whose ends are ours: it never has anything to read, and never ends.
  exec {idle}<> <(:)
  spread=$((interval / 10))
  look_at_clock
  next_beat=$now
  log "started for $wallet: a heartbeat every $interval s"
  while true; do
    look_at_clock
    if ((now >= next_beat)); then
      next_beat=$((now + interval - spread + RANDOM % (2 * spread + 1)))
      spool_beat
    fi
    look_at_clock
    ((now < next_try)) || send_spool
    waiting=("$spool"/*.json)
    wake=$next_beat
    ((${#waiting[@]} == 0 || next_try >= wake)) || wake=$next_try
    look_at_clock
    pause "$((wake - now))"
  done
}

check() {
  load
  look_at_containers
  post < <(make_beat)
  look_at_offset now
  case $status in
    2??) return 0 ;;
    401 | 403) return 3 ;;
    *)
      log "Slipway did not take a heartbeat ($status${reason:+ $reason})"
      return 1
      ;;
  esac
}

# Sets `pid` to the running daemon's, if it is one of ours; a process that only has its number is not touched.
pid=''
running() {
  [[ -r $state/pid ]] || return 1
  pid=$(<"$state/pid")
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *"slipway-worker run "* ]]
}

start() {
  local tries
  load
  ! running || return 0
  mkdir -p -- "$spool"
  if [[ -f $state/log ]] && (($(stat -c %s -- "$state/log") > LOG_BYTES)); then
    mv -f -- "$state/log" "$state/log.old"
  fi
  # A process group of its own, so that `stop` reaches its children as well.
  nohup setsid "$self" run >>"$state/log" 2>&1 </dev/null &
  for ((tries = 0; tries < 50; tries++)); do
    ! running || return 0
    sleep 0.1
  done
  die "it did not start; its log is $state/log"
}

stop() {
  local tries
  running || return 0
  kill -TERM -- "-$pid" 2>/dev/null || kill -TERM -- "$pid" 2>/dev/null || true
  for ((tries = 0; tries < 50; tries++)); do
    running || return 0
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null || kill -KILL -- "$pid" 2>/dev/null || true
}

show_status() {
  local accepted waiting
  load
  if running; then printf 'running as process %s, for %s\n' "$pid" "$wallet"; else printf 'not running\n'; fi
  accepted=$(cat -- "$state/accepted" 2>/dev/null) || accepted=''
  if [[ $accepted =~ ^[0-9]+$ ]]; then
    printf 'Slipway last took a heartbeat at %s\n' "$(date -u -d "@$accepted" +%Y-%m-%dT%H:%M:%SZ)"
  else
    printf 'Slipway has taken no heartbeat yet\n'
  fi
  waiting=("$spool"/*.json)
  printf '%s heartbeats wait\n' "${#waiting[@]}"
  running
}

logs() {
  if [[ -e $unit ]]; then
    exec journalctl --no-pager --lines 200 --unit slipway-worker
  fi
  tail -n 200 -- "$state/log"
}

uninstall() {
  [[ $(id -u) == 0 ]] || die "only root can do this: sudo slipway-worker uninstall"
  if [[ -e $unit ]]; then
    systemctl disable --now slipway-worker.service </dev/null >/dev/null 2>&1 || log "systemd did not stop the service"
    rm -f -- "$unit"
    systemctl daemon-reload </dev/null >/dev/null 2>&1 || true
  fi
  stop
  # Each file by name: a directory in which somebody put something of their own stays.
  rm -f -- "$cron" "$config" "$token" "$proxies" "$state"/{lock,pid,log,log.old,accepted} "$spool/new" "$spool"/*.json
  rmdir -- "$spool" "$state" "${config%/*}" 2>/dev/null || true
  rm -f -- "$self"
  log "removed. Docker, jq and curl stay; revoke the worker's token with DELETE /workers/{wallet}/tokens"
}

main() {
  case ${1-} in
    run | check | start | stop | logs | uninstall) "$1" ;;
    status) show_status ;;
    *) die "usage: slipway-worker run | check | start | stop | status | logs | uninstall" ;;
  esac
}

main "$@"
