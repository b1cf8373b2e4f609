#!/usr/bin/env bash
# Makes this machine a Slipway worker: Debian, Ubuntu, Fedora, Alpine or Arch, as root or with sudo.
#
#   curl -fsSL '<Slipway>/api/setup?wallet=0x…' | SLIPWAY_ENROLMENT_CODE='…' bash
#
# Installs docker, jq and curl where they are missing, exchanges the enrolment code for this worker's token, and starts
# the heartbeat daemon, by systemd where it runs. Running it again is safe: a token that works is kept, and no code is
# needed then. `bash -s -- --uninstall`, or `slipway-worker uninstall`, takes everything away again.
#
# Everything is in functions, and the last line calls them: a download that breaks off does nothing.
set -euo pipefail

readonly wallet=@WALLET@
readonly api=@API@
# Where the system begins; only tests move it.
readonly root=${SLIPWAY_ROOT:-}
readonly program=$root/usr/local/bin/slipway-worker
readonly settings=$root/etc/slipway-worker
readonly unit=$root/etc/systemd/system/slipway-worker.service
readonly cron=$root/etc/cron.d/slipway-worker
# In every file that this script writes: what lacks it is somebody else's.
readonly mark='Slipway worker'

say() {
  printf 'slipway: %s\n' "$*" >&2
}

die() {
  say "$*"
  exit 1
}

# ── The machine ───────────────────────────────────────────────────────────────────────────────────
# Sets `manager` to what installs packages here.
manager=''
require_known_system() {
  local family
  for family in debian:apt-get ubuntu:apt-get fedora:dnf rhel:dnf alpine:apk arch:pacman; do
    if grep -Eqs "^(ID|ID_LIKE)=.*\b${family%:*}\b" "$root/etc/os-release"; then
      manager=${family#*:}
      return
    fi
  done
  die "this needs Debian or Ubuntu, Fedora, Alpine or Arch, and this machine is none of them"
}

# Proxies from the environment, or from /etc/environment, reach curl, the package manager and the daemon.
take_proxies() {
  local name line
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || continue
    line=$(grep -Eis "^(export )?$name=" "$root/etc/environment") || true
    line=${line##*$'\n'}
    line=${line#*=}
    line=${line%\"}
    [[ -z $line ]] || export "$name=${line#\"}"
  done
}

proxies_text() {
  local name
  for name in http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}"
  done
}

require_ours() {
  local path
  for path in "$program" "$unit" "$cron"; do
    [[ ! -e $path ]] || grep -qsF -- "$mark" "$path" || die "$path is there already and is not Slipway's; it was left alone"
  done
  if [[ -e $settings/config.json ]] && command -v jq >/dev/null; then
    local other
    other=$(jq -r .wallet "$settings/config.json")
    [[ $other == "$wallet" ]] || die "this machine is the worker of $other already; run first: slipway-worker uninstall"
  fi
}

install_missing() {
  local tool
  local -A packages=([docker]=docker [jq]=jq [curl]='curl ca-certificates')
  case $manager in
    apt-get) packages[docker]=docker.io ;;
    dnf) packages[docker]=moby-engine ;;
  esac
  local -a missing=()
  for tool in docker jq curl; do
    # shellcheck disable=SC2206 # A tool may need two packages.
    command -v "$tool" >/dev/null || missing+=(${packages[$tool]})
  done
  ((${#missing[@]} > 0)) || return 0
  command -v "$manager" >/dev/null || die "${missing[*]} are missing, and there is no $manager to install them"
  say "installing ${missing[*]}"
  # Files that the user has changed stay as they are.
  (
    umask 022
    case $manager in
      apt-get)
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -q </dev/null >&2 &&
          apt-get install -y -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
            "${missing[@]}" </dev/null >&2
        ;;
      dnf) dnf install -y "${missing[@]}" </dev/null >&2 ;;
      apk) apk add "${missing[@]}" </dev/null >&2 ;;
      pacman) pacman -S --needed --noconfirm "${missing[@]}" </dev/null >&2 ;;
    esac
  ) || die "$manager could not install ${missing[*]}; install them and run this again"
  for tool in docker jq curl; do
    command -v "$tool" >/dev/null || die "$tool is still missing after its installation"
  done
}

# ── Files ─────────────────────────────────────────────────────────────────────────────────────────
# Writes standard input to a file, whole or not at all.
write_file() {
  local path=$1 mode=$2
  if ! { (umask 077 && cat >"$path.new") && chmod "$mode" "$path.new" && mv -f -- "$path.new" "$path"; }; then
    die "$path can't be written"
  fi
}

daemon_text() {
  cat <<'SLIPWAY_DAEMON'
@DAEMON@
SLIPWAY_DAEMON
}

unit_text() {
  cat <<'SLIPWAY_UNIT'
# Slipway worker: written by Slipway's setup script.
[Unit]
Description=Slipway worker heartbeat
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=exec
ExecStart=/usr/local/bin/slipway-worker run
Restart=always
RestartSec=10
UMask=0077
StateDirectory=slipway-worker
StateDirectoryMode=0700
Environment=HOME=/var/lib/slipway-worker
# It runs as root to reach Docker's socket and its own token, and may do nothing else with that.
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
SLIPWAY_UNIT
}

write_files() {
  mkdir -p -- "${program%/*}"
  install -d -m 0700 -- "$settings"
  daemon_text | write_file "$program" 0755
  rm -f -- "$settings/proxies"
  [[ -z $(proxies_text) ]] || proxies_text | write_file "$settings/proxies" 0600
  jq -n --arg wallet "$wallet" --arg api "$api" '{$wallet, $api}' | write_file "$settings/config.json" 0600
}

# ── The token: in a file and in curl's standard input, never in arguments, environments or traces ─
# The code leaves the environment here, so that no command below inherits it.
take_code() {
  local -
  set +x
  code=${SLIPWAY_ENROLMENT_CODE:-}
  unset SLIPWAY_ENROLMENT_CODE
}

ask_for_code() {
  local -
  set +x
  local terminal
  if ! { exec {terminal}<>/dev/tty; } 2>/dev/null; then
    die "an enrolment code is needed: POST $api/workers gives one; hand it over as SLIPWAY_ENROLMENT_CODE"
  fi
  printf 'Enrolment code of %s: ' "$wallet" >&"$terminal"
  IFS= read -rs code <&"$terminal" || true
  printf '\n' >&"$terminal"
  exec {terminal}>&-
  [[ -n $code ]] || die "no enrolment code was given"
}

# Exchanges the code for the token. False when Slipway refuses the code.
exchange_code() {
  local -
  set +x
  local answer status token
  answer=$(
    printf '%s' "$code" | jq -Rs '{enrolment_code: .}' |
      curl -q --silent --proto '=http,https' --connect-timeout 10 --max-time 30 \
        --header 'content-type: application/json' --data-binary @- --write-out '\n%{http_code}' \
        "$api/workers/$wallet/tokens" 2>/dev/null
  ) || true
  code=''
  status=${answer##*$'\n'}
  case $status in
    201) ;;
    401) return 1 ;;
    *) die "Slipway at $api did not take the code (${status:-no answer}); try again, with a new code if this one is refused then" ;;
  esac
  token=$(printf '%s' "${answer%$'\n'*}" | jq -r .token)
  [[ $token =~ ^slw_[A-Za-z0-9_-]{43}$ ]] || die "Slipway's answer held no token"
  printf 'authorization: Bearer %s\n' "$token" | write_file "$settings/token" 0600
}

have_code() {
  local -
  set +x
  [[ -n $code ]]
}

# Whether the token that is here works: 0 yes, 3 no, 1 can't be told now.
check_token() {
  "$program" check </dev/null
}

obtain_token() {
  local found=0
  if [[ -e $settings/token ]] && ! have_code; then
    check_token || found=$?
    case $found in
      0) say "the token that is here works; it is kept" && return ;;
      3) say "the token that is here was revoked" ;;
      *) say "Slipway can't be asked now whether the token that is here works; it is kept" && return ;;
    esac
  fi
  have_code || ask_for_code
  if ! exchange_code; then
    if [[ -e $settings/token ]] && check_token; then
      say "the enrolment code was refused, but the token that is here works; it is kept"
      return
    fi
    # Without a token there is nothing that what was written could do.
    [[ -e $settings/token ]] || "$program" uninstall </dev/null 2>/dev/null || true
    die "Slipway refused the enrolment code: it is wrong, used, or older than fifteen minutes. Ask for a new one"
  fi
  say "enrolled"
}

# ── The service ───────────────────────────────────────────────────────────────────────────────────
start_service() {
  "$program" stop </dev/null
  rm -f -- "$root/var/lib/slipway-worker/accepted"
  if [[ -d $root/run/systemd/system ]]; then
    rm -f -- "$cron"
    unit_text | write_file "$unit" 0644
    systemctl daemon-reload </dev/null
    systemctl enable slipway-worker.service </dev/null
    systemctl restart slipway-worker.service </dev/null
    say "slipway-worker.service runs; its log: journalctl -u slipway-worker"
    return
  fi
  if [[ -d $root/etc/cron.d ]]; then
    printf '# %s: there is no systemd here.\n@reboot root %s start\n' "$mark" "$program" | write_file "$cron" 0644
  else
    say "there is neither systemd nor cron here: run \`$program start\` after each start of the machine"
  fi
  "$program" start </dev/null
  say "slipway-worker runs in the background; its log: $root/var/lib/slipway-worker/log"
}

# The daemon itself, with its own surroundings, has to get a heartbeat through.
await_heartbeat() {
  local tries
  for ((tries = 0; tries < ${SLIPWAY_AWAIT_SECONDS:-60} * 2; tries++)); do
    [[ ! -s $root/var/lib/slipway-worker/accepted ]] || return 0
    sleep 0.5
  done
  die "the daemon runs, but Slipway took no heartbeat from it yet. Look at: $program status; $program logs; whether $api can be reached from here, also through the proxies in $settings/proxies; and this machine's clock"
}

install_worker() {
  require_known_system
  take_proxies
  require_ours
  install_missing
  require_ours
  write_files
  obtain_token
  start_service
  await_heartbeat
  say "this machine is the worker of $wallet"
}

uninstall_worker() {
  if [[ ! -e $program ]]; then
    say "nothing is installed"
    return
  fi
  require_ours
  "$program" uninstall </dev/null
}

# ── Who runs it ───────────────────────────────────────────────────────────────────────────────────
# The same functions again, as root. They and the code go through a pipe, where nobody else can read them.
as_root() {
  local -
  set +x
  if [[ $(id -u) == 0 ]]; then
    "$1"
    return
  fi
  command -v sudo >/dev/null || die "this needs root: run it as root, or install sudo"
  {
    printf 'set -euo pipefail\n'
    declare -p wallet api root program settings unit cron mark
    # shellcheck disable=SC2154 # Whatever the environment has of these.
    declare -p manager http_proxy https_proxy no_proxy SLIPWAY_AWAIT_SECONDS 2>/dev/null || true
    declare -f
    printf 'code=%q\n%s\n' "$code" "$1"
  } | sudo bash -s
}

main() {
  local code
  ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || die "this needs bash 4.4 or newer"
  take_code
  case ${1-} in
    '') as_root install_worker ;;
    --uninstall) as_root uninstall_worker ;;
    *) die "usage: setup [--uninstall]" ;;
  esac
}

main "$@"
