/*
 * QR codes of activation codes (SGP.22 §4.1.2). Error correction is medium, the quiet zone four modules
 * as the QR code's standard asks. The mode is chosen by libqrencode: alphanumeric when the text allows.
 */
#include <png.h>
#include <qrencode.h>
#include <setjmp.h>
#include <stdlib.h>
#include "rspctl/qr.h"

enum { QUIET = 4, PIXELS = 8, SIDE_MAX = 177 + 2 * QUIET };

static QRcode *
encode(const char *text)
{
	return QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
}

/* Outside the code it is light. */
static bool
dark(const QRcode *code, int x, int y)
{
	x -= QUIET;
	y -= QUIET;
	return x >= 0 && y >= 0 && x < code->width && y < code->width &&
		code->data[y * code->width + x] & 1;
}

/*
 * The upper module in the foreground's colour, the lower one in the background's: nothing of the
 * terminal's own colours shows through. Colours are said only where they change.
 */
bool
rspctl_qr_terminal(const char *text, FILE *out)
{
	static const char *const colours[2][2] = { { "\033[97;107m", "\033[97;40m" },
		{ "\033[30;107m", "\033[30;40m" } };
	QRcode *code = encode(text);
	const char *said, *colour;
	int side;

	if (!code)
		return false;
	side = code->width + 2 * QUIET;
	for (int y = 0; y < side; y += 2) {
		said = NULL;
		for (int x = 0; x < side; x++) {
			colour = colours[dark(code, x, y)][dark(code, x, y + 1)];
			fprintf(out, "%s▀", colour == said ? "" : colour);
			said = colour;
		}
		fputs("\033[0m\n", out);
	}
	QRcode_free(code);
	return !ferror(out);
}

bool
rspctl_qr_plain(const char *text, FILE *out)
{
	static const char *const blocks[2][2] = { { " ", "▄" }, { "▀", "█" } };
	QRcode *code = encode(text);
	int side;

	if (!code)
		return false;
	side = code->width + 2 * QUIET;
	for (int y = 0; y < side; y += 2) {
		for (int x = 0; x < side; x++)
			fputs(blocks[dark(code, x, y)][dark(code, x, y + 1)], out);
		fputc('\n', out);
	}
	QRcode_free(code);
	return !ferror(out);
}

bool
rspctl_qr_svg(const char *text, FILE *out)
{
	QRcode *code = encode(text);
	int side;

	if (!code)
		return false;
	side = code->width + 2 * QUIET;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
		"height=\"%d\" "
		"shape-rendering=\"crispEdges\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		"<path d=\"",
		side, side, side * PIXELS, side * PIXELS);
	for (int y = 0; y < side; y++)
		for (int x = 0; x < side; x++)
			if (dark(code, x, y))
				fprintf(out, "M%d %dh1v1h-1z", x, y);
	fputs("\"/>\n</svg>\n", out);
	QRcode_free(code);
	return !ferror(out);
}

/* One line of PIXELS * side grey pixels, packed one bit each. */
static void
fill_line(const QRcode *code, int y, int side, png_byte *line)
{
	for (int x = 0; x < side; x++) /* a module is eight pixels: one octet */
		line[x] = dark(code, x, y) ? 0x00 : 0xff;
}

bool
rspctl_qr_png(const char *text, FILE *out)
{
	QRcode *code = encode(text);
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	png_byte line[SIDE_MAX];
	int side;

	if (!code || !info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		QRcode_free(code);
		return false;
	}
	side = code->width + 2 * QUIET;
	png_init_io(png, out);
	png_set_IHDR(png, info, (png_uint_32)(side * PIXELS), (png_uint_32)(side * PIXELS), 1,
		PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int y = 0; y < side; y++) {
		fill_line(code, y, side, line);
		for (int i = 0; i < PIXELS; i++)
			png_write_row(png, line);
	}
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	QRcode_free(code);
	return !ferror(out);
}
