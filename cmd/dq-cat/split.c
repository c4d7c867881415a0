/* SPDX-License-Identifier: MIT */
#include "split.h"

#include "dq/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Five digits or more, and ".dq". */
static bool is_piece(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits >= 5 && strcmp(name + digits, ".dq") == 0;
}

/* By number: names of more digits are later. */
static bool comes_before(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    return na != nb ? na < nb : strcmp(a, b) < 0;
}

/* How many files of a split there are, and the first and last names; errno says whether all were seen. */
static size_t count_pieces(DIR *directory, char first[256], char last[256])
{
    size_t n = 0;
    for (const struct dirent *entry; errno = 0, (entry = readdir(directory));) {
        if (!is_piece(entry->d_name)) continue;
        if (n == 0 || comes_before(entry->d_name, first)) (void)snprintf(first, 256, "%s", entry->d_name);
        if (n == 0 || comes_before(last, entry->d_name)) (void)snprintf(last, 256, "%s", entry->d_name);
        n++;
    }
    return n;
}

static dq_status look_for_pieces(const char *path, dq_error *error)
{
    char first[256], last[256];
    DIR *directory = opendir(path);
    if (!directory) return dq_fail_errno(error, errno, "cannot look into the directory");
    size_t n = count_pieces(directory, first, last);
    int why = errno;
    (void)closedir(directory);
    if (why) return dq_fail_errno(error, why, "cannot look into the directory");
    if (n == 0) return DQ_OK;
    return dq_fail(error, DQ_ERR_RANGE,
                   "an earlier split is there (%s%s%s), and its files would stand among the new ones: remove "
                   "them, or name another directory",
                   first, n > 1 ? " to " : "", n > 1 ? last : "");
}

dq_status cat_split_begin(const char *directory, dq_error *error)
{
    bool made = mkdir(directory, 0777) == 0;
    dq_status status = DQ_OK;
    if (!made && errno != EEXIST) status = dq_fail_errno(error, errno, "cannot make the directory");
    if (!made && !status) status = look_for_pieces(directory, error);
    if (status) (void)dq_error_at(error, directory, DQ_NO_RECORD);
    return status;
}

dq_status cat_split_path(const char *directory, uint64_t section, char *path, size_t size, dq_error *error)
{
    int n = snprintf(path, size, "%s/%05" PRIu64 ".dq", directory, section);
    return n >= 0 && (size_t)n < size ? DQ_OK
                                      : dq_fail(error, DQ_ERR_RANGE, "the directory's name is too long");
}
