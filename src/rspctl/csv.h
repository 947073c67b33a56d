#ifndef RSPCTL_CSV_H
#define RSPCTL_CSV_H
/* Answers as CSV (RFC 4180), for spreadsheets: no cell begins as a formula does. */
#include <stdio.h>
#include "rspctl/show.h"

/* The columns' titles. */
void rspctl_csv_head(const struct rspctl_column *columns, size_t n, FILE *out);
void rspctl_csv_row(json_t *row, const struct rspctl_column *columns, size_t n, FILE *out);

#endif
