#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dq-serve: clients that are many, slow, broken off, or lie; its end. The cases are in serve.py.

bats_require_minimum_version 1.5.0

client() {
    run timeout 600 /usr/bin/python3 "$BATS_TEST_DIRNAME/serve.py" "$1"
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    [[ $output != "# SKIP"* ]] || skip "${output#\# SKIP }"
}

@test "10,000 idle connections" { client idle; }
@test "more slow clients than places, of headers and of bodies" { client slow; }
@test "requests that are broken off" { client half; }
@test "more clients than open files" { client files; }
@test "bodies that are no JSON, too deep, no UTF-8, 100 MB" { client bodies; }
@test "SIGTERM: what has begun is answered" { client end; }
@test "SIGTERM while a training is watched" { client watch; }
@test "SIGHUP, SIGINT, and what is never answered" { client signals; }
@test "systemd: a socket that is handed over, and READY" { client systemd; }
