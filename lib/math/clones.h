/* SPDX-License-Identifier: MIT
 *
 * DQ_CLONES before a function compiles its loops for wider vectors too, and the loader picks what the CPU
 * has. The arithmetic is the same in each (no contraction to FMA), so the choice cannot change a bit. Not
 * under the sanitizers, which are not ready yet when the loader asks, and not with clang: 14 gives the clones
 * a name that other files do not find.
 */
#ifndef DQ_MATH_CLONES_H
#define DQ_MATH_CLONES_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) &&                 \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define DQ_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DQ_CLONES
#endif

#endif
