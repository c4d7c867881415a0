/* SPDX-License-Identifier: MIT
 *
 * DQ_CLONES before a function compiles its loops for wider vectors too, and the loader picks what the CPU
 * has. The arithmetic is the same in each (no contraction to FMA), so the choice cannot change a bit. Not
 * under the sanitizers: they are not ready yet when the loader asks.
 */
#ifndef DQ_MATH_CLONES_H
#define DQ_MATH_CLONES_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define DQ_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DQ_SANITIZED 1
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(DQ_SANITIZED)
#define DQ_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DQ_CLONES
#endif

#endif
