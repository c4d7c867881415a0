/* SPDX-License-Identifier: MIT */
#include "verdict/compared_impl.h"

#include <math.h>

static dq_status put_size(const dq_compare_options *o, dq_design design, dq_sink *out, dq_error *error)
{
    double sd = design == DQ_DESIGN_PAIRED ? o->sd * sqrt(2 * (1 - o->correlation)) : o->sd;
    double units = (double)o->units, effect = o->effect / sd, alpha = 1 - o->confidence;
    dq_status status = units > 0 ? dq_power_effect(design, units, alpha, o->power, &effect, error)
                                 : dq_power_units(design, effect, alpha, o->power, &units, error);
    if (!status) status = verdict_text(out, design == DQ_DESIGN_PAIRED ? "paired" : "two samples", error);
    const double row[] = {units, effect * sd, sd, dq_power(design, units, effect, alpha)};
    return status ? status : verdict_numbers(out, row, 4, error);
}

dq_status dq_compared_sizes(const dq_compare_options *options, dq_compared *compared, dq_error *error)
{
    dq_sink *out;
    compared->table.texts = 1;
    dq_status status = dq_text_table_open(&compared->table, &out, error);
    if (status) return status;
    status = dq_sink_printf(out, error, "design\tunits\teffect\tsd\tpower\n");
    if (!status) status = put_size(options, DQ_DESIGN_PAIRED, out, error);
    if (!status) status = put_size(options, DQ_DESIGN_TWO_SAMPLES, out, error);
    return verdict_end(out, status, error);
}
