#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The BLAS's kernels: the one for this CPU is found, a user's choice wins, and what the network promises holds on each.

bats_require_minimum_version 1.5.0

# The kernels that this CPU can run, by OpenBLAS's names.
kernels() {
    local flags
    flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
    echo Prescott
    [[ $flags == *" avx "* ]] && echo Sandybridge
    [[ $flags == *" avx2 "* && $flags == *" fma "* ]] && echo Haswell && echo Zen
    [[ $flags == *" avx512f "* && $flags == *" avx512bw "* && $flags == *" avx512vl "* ]] && echo SkylakeX
    return 0
}

setup() {
    [ "$(uname -m)" = x86_64 ] || skip "the kernels named here are x86-64's"
}

@test "kernels are as good as the CPU's flags allow, without being told" {
    core=$(env -u OPENBLAS_CORETYPE "$BUILD"/dq-rank --version | sed -n 's/^OpenBLAS //p')
    [ -n "$core" ]
    case $(kernels | tail -1) in
    SkylakeX) [[ $core == @(SkylakeX|Cooperlake|SapphireRapids) ]] ;;
    Zen) [[ $core == @(Haswell|Zen) ]] ;;
    esac
}

@test "a user's OPENBLAS_CORETYPE wins" {
    for core in Prescott $(kernels | tail -1); do
        run -0 env OPENBLAS_CORETYPE="$core" "$BUILD"/dq-train --version
        [ "${lines[1]}" = "OpenBLAS $core" ]
    done
}

@test "products and networks keep their promises on every kernel" {
    for core in $(kernels); do
        echo "$core"
        OPENBLAS_CORETYPE=$core "$BUILD"/unit/test_math
        OPENBLAS_CORETYPE=$core "$BUILD"/unit/test_net
    done
}
