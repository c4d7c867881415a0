# SPDX-License-Identifier: MIT
# What the fault tests of dq-eval share.

# refused CODE MESSAGE ARGUMENT...: dq-eval with these arguments ends with CODE and that one line, and prints nothing.
refused() {
    local code=$1 message=$2
    shift 2
    run "-$code" --separate-stderr "$BUILD"/dq-eval "$@"
    [ "$output" = "" ]
    [ "${stderr% (try *)}" = "dq-eval: $message" ] || { echo "$stderr"; false; }
}
