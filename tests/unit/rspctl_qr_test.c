/* QR codes of activation codes: what the three outputs draw is one and the same, with its quiet zone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include "rspctl/qr.h"

enum { MOST = 128 };

struct picture {
	int width, height;
	bool dark[MOST][MOST];
};

static const char text[] = "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815";

static char *
draw(bool (*write)(const char *text, FILE *out), size_t *n)
{
	char *octets = NULL;
	FILE *out = open_memstream(&octets, n);

	assert_non_null(out);
	assert_true(write(text, out));
	fclose(out);
	return octets;
}

static void
read_svg(struct picture *p)
{
	size_t n;
	char *svg = draw(rspctl_qr_svg, &n), *at = svg;
	int x, y;

	memset(p, 0, sizeof *p);
	assert_int_equal(
		sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %d %d\"", &p->width, &p->height), 2);
	while ((at = strchr(at, 'M')) != NULL) {
		assert_int_equal(sscanf(at, "M%d %dh1v1h-1z", &x, &y), 2);
		assert_true(x < p->width && y < p->height);
		p->dark[y][x] = true;
		at++;
	}
	free(svg);
}

/* Colours last until others are said; a block shows two modules. */
static void
read_terminal(struct picture *p)
{
	static const char block[] = "▀", end[] = "\033[0m\n";
	size_t n;
	char *lines = draw(rspctl_qr_terminal, &n), *at = lines;
	int fore = 0, back = 0, x = 0, y = 0;

	memset(p, 0, sizeof *p);
	while (*at) {
		if (strncmp(at, end, sizeof end - 1) == 0) {
			p->width = x;
			x = 0;
			y += 2;
			at += sizeof end - 1;
		} else if (*at == '\033') {
			assert_int_equal(sscanf(at, "\033[%d;%dm", &fore, &back), 2);
			at = strchr(at, 'm') + 1;
		} else {
			assert_int_equal(strncmp(at, block, sizeof block - 1), 0);
			assert_true((fore == 97 || fore == 30) && (back == 107 || back == 40));
			p->dark[y][x] = fore == 30;
			p->dark[y + 1][x] = back == 40;
			x++;
			at += sizeof block - 1;
		}
	}
	p->height = y;
	free(lines);
}

static void
read_plain(struct picture *p)
{
	static const char *const blocks[] = { "█", "▀", "▄", " " };
	size_t n, b;
	char *lines = draw(rspctl_qr_plain, &n), *at = lines;
	int x = 0, y = 0;

	memset(p, 0, sizeof *p);
	while (*at) {
		if (*at == '\n') {
			p->width = x;
			x = 0;
			y += 2;
			at++;
			continue;
		}
		for (b = 0; b < 4 && strncmp(at, blocks[b], strlen(blocks[b])) != 0; b++)
			;
		assert_true(b < 4);
		p->dark[y][x] = b < 2;
		p->dark[y + 1][x] = b == 0 || b == 2;
		x++;
		at += strlen(blocks[b]);
	}
	p->height = y;
	free(lines);
}

static void
read_png(struct picture *p)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	png_bytep pixels;
	size_t n;
	char *octets = draw(rspctl_qr_png, &n);

	memset(p, 0, sizeof *p);
	assert_true(png_image_begin_read_from_memory(&image, octets, n));
	image.format = PNG_FORMAT_GRAY;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
	p->width = (int)image.width / 8;
	p->height = (int)image.height / 8;
	for (unsigned y = 0; y < image.height; y++)
		for (unsigned x = 0; x < image.width; x++) {
			bool dark = pixels[y * image.width + x] == 0;

			if (x % 8 == 0 && y % 8 == 0)
				p->dark[y / 8][x / 8] = dark;
			assert_int_equal(p->dark[y / 8][x / 8], dark);
		}
	free(pixels);
	free(octets);
}

static void
svg_is_a_code_with_its_quiet_zone(void **state)
{
	struct picture p;

	(void)state;
	read_svg(&p);
	assert_int_equal(p.width, p.height);
	assert_true((p.width - 8 - 17) % 4 == 0); /* a version of the standard */
	for (int i = 0; i < p.width; i++)
		for (int k = 0; k < 4; k++)
			assert_false(p.dark[k][i] || p.dark[i][k] || p.dark[p.width - 1 - k][i] ||
				p.dark[i][p.width - 1 - k]);
	/* The finder patterns in three corners: seven dark modules along their edges. */
	for (int i = 0; i < 7; i++)
		assert_true(p.dark[4][4 + i] && p.dark[4][p.width - 5 - i] &&
			p.dark[p.width - 5][4 + i]);
}

static void
terminal_and_png_draw_the_same(void **state)
{
	struct picture svg, terminal, plain, png;

	(void)state;
	read_svg(&svg);
	read_terminal(&terminal);
	read_plain(&plain);
	read_png(&png);
	assert_int_equal(png.width, svg.width);
	assert_int_equal(terminal.width, svg.width);
	assert_true(terminal.height >= svg.height);
	for (int y = 0; y < svg.height; y++)
		for (int x = 0; x < svg.width; x++) {
			assert_int_equal(terminal.dark[y][x], svg.dark[y][x]);
			assert_int_equal(plain.dark[y][x], svg.dark[y][x]);
			assert_int_equal(png.dark[y][x], svg.dark[y][x]);
		}
}

static void
too_long_a_text_is_no_code(void **state)
{
	char *octets = NULL, *much = malloc(4001);
	size_t n;
	FILE *out = open_memstream(&octets, &n);

	(void)state;
	memset(much, 'a', 4000);
	much[4000] = 0;
	assert_false(rspctl_qr_terminal(much, out));
	assert_false(rspctl_qr_plain(much, out));
	assert_false(rspctl_qr_svg(much, out));
	assert_false(rspctl_qr_png(much, out));
	fclose(out);
	assert_int_equal(n, 0);
	free(octets);
	free(much);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(svg_is_a_code_with_its_quiet_zone),
		cmocka_unit_test(terminal_and_png_draw_the_same),
		cmocka_unit_test(too_long_a_text_is_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
