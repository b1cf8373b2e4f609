#!/usr/bin/env bash
# Deploys a stack of an environment through Slipway, waits until its job has ended, and fails if that failed.
#
#   deploy-stack.sh <environment> node|api [specification.json]
#
# SLIPWAY_URL            address of the API, such as https://api.example.com
# SLIPWAY_TOKEN          an operator's access token, or
# SLIPWAY_TOKEN_COMMAND  a command that prints a fresh one (tokens live for minutes, a first deployment may take longer)
# SLIPWAY_WAIT_SECONDS   how long to wait in all, 3600 by default
# SLIPWAY_POLL_SECONDS   pause between two looks, 5 by default
# ENDPOINT_FILE          where to write a node's endpoint.json; a file that is there is removed first
#
# Exits 0 when the stack is what the specification says, 1 when it is not. Needs bash, curl and jq.
set -euo pipefail

fail() {
  echo "deploy-stack: $*" >&2
  exit 1
}

[[ $# -ge 2 && $# -le 3 ]] || fail "usage: deploy-stack.sh <environment> node|api [specification.json]"
environment=$1 kind=$2 specification=${3:-}
[[ $kind == node || $kind == api ]] || fail "the stack is node or api, not $kind"
: "${SLIPWAY_URL:?is the address of the API}"
[[ -n ${SLIPWAY_TOKEN:-} || -n ${SLIPWAY_TOKEN_COMMAND:-} ]] || fail "set SLIPWAY_TOKEN or SLIPWAY_TOKEN_COMMAND"
deadline=$((SECONDS + ${SLIPWAY_WAIT_SECONDS:-3600}))
stack=${SLIPWAY_URL%/}/api/stacks/$environment/$kind
endpoint_url=${SLIPWAY_URL%/}/api/stacks/$environment/endpoint.json
body=$(if [[ -n $specification ]]; then cat "$specification"; else echo '{}'; fi)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
answer=$work/answer.json
# Nothing of an earlier run may pass for this one's.
[[ -z ${ENDPOINT_FILE:-} ]] || rm -f "$ENDPOINT_FILE"

token() {
  if [[ -n ${SLIPWAY_TOKEN_COMMAND:-} ]]; then
    bash -c "$SLIPWAY_TOKEN_COMMAND"
  else
    printf '%s' "$SLIPWAY_TOKEN"
  fi
}

# Prints the status of an answer, 000 if there was none; the body goes to $answer. The token stays out of the arguments.
call() {
  local method=$1 url=$2
  shift 2
  printf 'header = "authorization: Bearer %s"\n' "$(token)" |
    curl --silent --show-error --config - --max-time 60 --request "$method" --output "$answer" \
      --write-out '%{http_code}' "$@" "$url" || true
}

told() {
  jq -r "$1" "$answer" 2>/dev/null || true
}

# One key for one run: whatever is lost on the way, asking again begins no second job.
key=deploy-stack-$(date +%s)-$$-$RANDOM
while :; do
  status=$(call PUT "$stack" --header 'content-type: application/json' --header "idempotency-key: $key" --data-binary "$body")
  case $status in
    200 | 202) break ;;
    000 | 429 | 502 | 503 | 504) echo "deploy-stack: the API answered $status; trying again" >&2 ;;
    409) fail "$(told '.error.message') $(told '.error.details.job // {} | tojson')" ;;
    *) fail "the API answered $status: $(told '.error | "\(.code): \(.message)"')" ;;
  esac
  ((SECONDS < deadline)) || fail "gave up: the API does not take the stack"
  sleep "${SLIPWAY_POLL_SECONDS:-5}"
done

if [[ $status == 200 ]]; then
  echo "$environment/$kind is so already, generation $(told .generation)"
else
  job=$(told .job.job_id)
  echo "$environment/$kind: job $job ($(told .job.operation)), generation $(told .generation)"
  seen=0
  while :; do
    ((SECONDS < deadline)) || fail "gave up waiting for the job $job; it goes on"
    sleep "${SLIPWAY_POLL_SECONDS:-5}"
    status=$(call GET "$stack")
    case $status in
      200) ;;
      401 | 403 | 404) fail "the API answered $status: $(told '.error | "\(.code): \(.message)"')" ;;
      *) continue ;;
    esac
    [[ $(told .job.job_id) == "$job" ]] || fail "another job took the place of $job: $(told '.job | tojson')"
    jq -r ".discovery[$seen:][] | \"[discover][\(.outcome)] look \(.count)\" + (if .cause then \": \(.cause)\" else \"\" end)" "$answer"
    seen=$(told '.discovery | length')
    case $(told .status) in
      active) break ;;
      failed) fail "$(told '.error | "\(.code): \(.message)"')" ;;
    esac
  done
fi

if [[ $kind == node ]]; then
  echo "Banano RPC endpoint resolved: $(told .endpoint)"
  if [[ -n ${ENDPOINT_FILE:-} ]]; then
    status=$(call GET "$endpoint_url")
    [[ $status == 200 ]] || fail "no endpoint is published: $(told '.error | "\(.code): \(.message)"')"
    cp "$answer" "$ENDPOINT_FILE"
  fi
else
  echo "The API uses $(told .endpoint) and answers at $(told '.uris | join(" ")')"
fi
