/* SPDX-License-Identifier: MIT
 *
 * A process that is silent while another says the same: stderr goes nowhere, until it speaks again.
 */
#ifndef DQ_CLI_VOICE_H
#define DQ_CLI_VOICE_H

void dq_voice_hush(void);
void dq_voice_speak(void);

#endif
