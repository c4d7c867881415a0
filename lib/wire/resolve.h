/* SPDX-License-Identifier: MIT
 *
 * Which file a path leads to, be it there yet or not.
 */
#ifndef DQ_WIRE_RESOLVE_H
#define DQ_WIRE_RESOLVE_H

/* The absolute path behind all links, the caller's to free. Of a file that is not there: what would be made
 * by opening the path to write; a link that leads nowhere is followed, too. NULL, and errno says why: its
 * directory is not there (ENOENT) or may not be searched, links go in a circle (ELOOP), it can only be a
 * directory and is not there (EISDIR). */
char *dq_path_resolve(const char *path);

#endif
