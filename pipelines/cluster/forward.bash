# SPDX-License-Identifier: MIT
# For scripts that source this: forward COMMAND... runs it, and hands on to it what asks this shell to stop. Its status is the command's;
# 75 where it was told to stop and did not end well, also if it died of that (143) before it could hear of it: $stop is 1 then.
# A shell that waits in the foreground hears of a signal only when the command is over.
forward() {
    local child status
    trap 'stop=1; [ -z "${child-}" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP # wait returns at once, and is called again
    [ -z "${stop-}" ] || return 75
    "$@" &
    child=$!
    [ -z "${stop-}" ] || kill -TERM "$child" 2>/dev/null # it came between the two
    until wait "$child"; status=$?; ! kill -0 "$child" 2>/dev/null; do :; done
    [ "$status" != 143 ] || stop=1
    [ "$status" = 0 ] || [ -z "${stop-}" ] || return 75
    return "$status"
}
