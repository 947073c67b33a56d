#ifndef PROFILE_UPP_TEXT_H
#define PROFILE_UPP_TEXT_H
/* A small profile package as text (codec_text.h), element by element, so that tests may change one. */
#include "codec_text.h"

#define T_MF "67810F010201"
#define T_USIM "67810F010204"
#define T_OPT_USIM "67810F010205"
#define T_ISIM "67810F010208"
#define T_CSIM "67810F01020A"
#define TEMPLATES                                                              \
	"06:" T_MF " 06:" T_USIM " 06:" T_OPT_USIM " 06:" T_ISIM " 06:" T_CSIM \
	" 06:67810F010203 06:67810F010202"

#define HEADER_OF(iccid, services, templates) \
	"A0{ 80:02 81:03 82:\"A type\" 83:" iccid " A5{ " services " } A6{ " templates " } } "
#define MF_OF(iccid_file) \
	"B0{ A0{ 80: 81:01 } 81:" T_MF " A2{ } A4{ " iccid_file " } A5{ } A6{ } } "
#define USIM_OF(id, imsi, acc)                                                               \
	"B3{ A0{ 80: 81:" id " } 81:" T_USIM " A2{ } A3{ " imsi " } A4{ } A8{ } "            \
	"AD{ 83:01416363656C65726174654D2D32FFFFFF } AE{ } B2{ " acc " } B5{ 83:00000002 } " \
	"B6{ } } "
#define AKA_OF(id, algorithm, key, opc) \
	"A4{ A0{ 81:" id " } A1{ A1{ 80:" algorithm " 81:01 82:" key " 83:" opc " } } } "
#define SD_OF(id) "A6{ A0{ 81:" id " } A1{ 4F:A0*8 4F:A1*8 4F:A2*8 82:82DC00 C9:8102 } } "

#define PUK_TEXT "A3{ A0{ 81:02 } A1{ 30{ 80:01 81:31*8 } 30{ 80:0081 81:32*8 } } } "
#define PIN_TEXT "A2{ A0{ 81:03 } A1{ A0{ 30{ 80:01 81:30*8 82:01 } 30{ 80:0A 81:35*8 } } } } "
#define ICCID_FILE "83:98001032547698103214"
#define IMSI_FILE "83:080910101032547698"
#define SERVICES "81: 84:"

enum part { HEADER, MF, PUK, PIN, USIM, PIN_USIM, AKA, SD, END, PARTS };

static const char *const small[PARTS] = {
	[HEADER] = HEADER_OF("89000123456789012341", SERVICES, TEMPLATES),
	[MF] = MF_OF(ICCID_FILE),
	[PUK] = PUK_TEXT,
	[PIN] = PIN_TEXT,
	[USIM] = USIM_OF("04", IMSI_FILE, "83:0200"),
	[PIN_USIM] = "A2{ A0{ 81:05 } A1{ A0{ 30{ 80:0081 81:39*8 82:0081 } } } } ",
	[AKA] = AKA_OF("06", "01", "C0*16", "0C*16"),
	[SD] = SD_OF("07"),
	[END] = "AA{ A0{ 81:08 } } ",
};

/* The package with one part replaced; `text` NULL: as it is. */
static inline struct slice
package_with(struct arena *mem, enum part part, const char *text)
{
	char whole[16384] = "";

	for (int i = 0; i < PARTS; i++)
		strcat(whole, text && i == (int)part ? text : small[i]);
	return der(mem, "%s", whole);
}

#endif
