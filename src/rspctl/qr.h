#ifndef RSPCTL_QR_H
#define RSPCTL_QR_H
/* QR codes of activation codes (SGP.22 §4.1.2): in a terminal, as PNG, as SVG. */
#include <stdbool.h>
#include <stdio.h>

/* Black on white with its quiet zone, two rows a line, whatever the terminal's own colours are. */
bool rspctl_qr_terminal(const char *text, FILE *out);
/* The same in block characters alone, for a file or a pipe: dark is drawn, light is blank. */
bool rspctl_qr_plain(const char *text, FILE *out);
bool rspctl_qr_svg(const char *text, FILE *out);
bool rspctl_qr_png(const char *text, FILE *out);

#endif
