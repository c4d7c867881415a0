# SPDX-License-Identifier: MIT
# For setup() of a suite: skips its tests, and names the Debian package that they lack.

needs() { # package...
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            skip "the package $package is not installed"
    done
}
