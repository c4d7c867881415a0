/* SPDX-License-Identifier: MIT */
#include "env/entities.h"

#include <stdio.h>

static int digits(uint32_t count)
{
    int n = 1;
    for (uint32_t last = count ? count - 1 : 0; last >= 10; last /= 10) n++;
    return n;
}

void dq_env_entities_name(const dq_env_entities *e, uint32_t number, char id[DQ_ENTITY_ID_SIZE])
{
    (void)snprintf(id, DQ_ENTITY_ID_SIZE, "%c%0*u", e->letter, digits(e->count), number);
}
