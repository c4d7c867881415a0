/* SPDX-License-Identifier: MIT
 *
 * A setting as words: an option's name and a value as a command line would have it; of flags on or off. Lists
 * of them are ended by {0}.
 */
#ifndef DQ_CORE_SETTING_H
#define DQ_CORE_SETTING_H

typedef struct dq_setting {
    const char *name, *value;
} dq_setting;

#endif
