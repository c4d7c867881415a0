# SPDX-License-Identifier: MIT
# A second, independent server of the same interface: aimock, from npm. Installed once into $BUILD; its postinstall scripts
# are not run. For tests that source this file:
#
#   aimock_install || skip "..."       false where there is no Node of version 20 or newer
#   aimock_start FIXTURES              sets OPENAI_BASE_URL; aimock_stop
#   aimock_journal                     the requests as it saw them, JSON
#
# Its traps: Retry-After only with a 429; a request that no fixture matches is a 503, which looks like a fault of the
# server's; logprobs is always null; a batch of embeddings holds one vector again and again; HTTP/1.1 only; an empty content
# is refused when fixtures are loaded, so an empty reply is a blank.

AIMOCK_VERSION=1.43.0

aimock_install() {
    local major
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) && [ "$major" -ge 20 ] || return 1
    [ ! -e "$BUILD/aimock/$AIMOCK_VERSION" ] || return 0
    mkdir -p "$BUILD/aimock"
    (cd "$BUILD/aimock" && npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error --prefix . \
        "@copilotkit/aimock@$AIMOCK_VERSION" > install.log 2>&1 3>&- && touch "$AIMOCK_VERSION")
}

aimock_start() {
    "$BUILD"/aimock/node_modules/.bin/llmock -p 0 -h 127.0.0.1 -f "$1" --strict --validate-on-load --journal-max 0 \
        > aimock.log 2>&1 3>&- &
    AIMOCK_PID=$!
    until AIMOCK=$(grep -o 'http://127[^ ]*' aimock.log); do
        kill -0 "$AIMOCK_PID" || { cat aimock.log >&2; return 1; }
    done
    export OPENAI_BASE_URL=$AIMOCK/v1
    unset OPENAI_API_KEY http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
}

aimock_stop() {
    [ -n "${AIMOCK_PID:-}" ] || return 0
    kill "$AIMOCK_PID" 2>/dev/null || true
    wait "$AIMOCK_PID" 2>/dev/null || true
    AIMOCK_PID=
}

aimock_journal() { curl -sSf "$AIMOCK/__aimock/journal"; }
