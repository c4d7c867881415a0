/* SPDX-License-Identifier: MIT
 *
 * libpq's header, of a libpq that is loaded with the first cache on a server (core/load/shared.h): it comes
 * with TLS, Kerberos and LDAP, which is 3 MiB for a labeller whose cache is a file. Its functions, as many as
 * postgres.c calls, are called by their names, each of which stands for a pointer.
 */
#ifndef DQ_PORT_CACHE_LIBPQ_H
#define DQ_PORT_CACHE_LIBPQ_H

#include "dq/status.h"

#include <libpq-fe.h>

/* clang-format off */
#define DQ_PQ_CALLS(call) \
    call(clear) call(cmdStatus) call(connectdbParams) call(connectionNeedsPassword) call(errorMessage) call(exec) \
    call(execPrepared) call(finish) call(ftype) call(getisnull) call(getlength) call(getvalue) call(ntuples) \
    call(parameterStatus) call(prepare) call(reset) call(resultErrorField) call(resultStatus) \
    call(setNoticeProcessor) call(status) call(transactionStatus)
/* clang-format on */

#define DQ_POINTER(name) __typeof__(&PQ##name) name;
extern struct dq_pq {
    DQ_PQ_CALLS(DQ_POINTER)
} dq_pq;
#undef DQ_POINTER

/* Before any of them is called; once, any thread. DQ_ERR_UNSUPPORTED where libpq cannot be loaded. */
dq_status dq_pq_load(dq_error *error);

#define PQclear                   dq_pq.clear
#define PQcmdStatus               dq_pq.cmdStatus
#define PQconnectdbParams         dq_pq.connectdbParams
#define PQconnectionNeedsPassword dq_pq.connectionNeedsPassword
#define PQerrorMessage            dq_pq.errorMessage
#define PQexec                    dq_pq.exec
#define PQexecPrepared            dq_pq.execPrepared
#define PQfinish                  dq_pq.finish
#define PQftype                   dq_pq.ftype
#define PQgetisnull               dq_pq.getisnull
#define PQgetlength               dq_pq.getlength
#define PQgetvalue                dq_pq.getvalue
#define PQntuples                 dq_pq.ntuples
#define PQparameterStatus         dq_pq.parameterStatus
#define PQprepare                 dq_pq.prepare
#define PQreset                   dq_pq.reset
#define PQresultErrorField        dq_pq.resultErrorField
#define PQresultStatus            dq_pq.resultStatus
#define PQsetNoticeProcessor      dq_pq.setNoticeProcessor
#define PQstatus                  dq_pq.status
#define PQtransactionStatus       dq_pq.transactionStatus

#endif
