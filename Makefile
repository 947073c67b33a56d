# rspd's one Makefile. `make` builds, `make demo` shows the main job, `make check` tests, `make lint`
# checks the house rules. The first use runs autoreconf and configure by itself.
#   B=folder               where to build (default build)
#   CONFIGURE="--enable-…" what configure is given for that folder (see ./configure --help)

B ?= build
CONFIGURE ?= --enable-werror
MAKEFLAGS += --no-builtin-rules
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

ifeq ($(filter clean help packages demo,$(MAKECMDGOALS)),)
include $(B)/config.mk
endif

configure: configure.ac
	autoreconf --force
$(B)/config.mk: configure src/config.mk.in
	@mkdir -p $(B)
	cd $(B) && $(CURDIR)/configure --quiet $(CONFIGURE)
	@touch $@

# ---- the house: folders, and what each may include, from src/MAY-CALL ------------------------------
PROGRAMS := rspd rspctl rspsim
FOLDERS := $(shell sed -n 's/^\([a-z0-9]*\):.*/\1/p' src/MAY-CALL)
may_call = $(shell sed -n 's/^$1: *//p' src/MAY-CALL)
closure = $(sort $1 $(foreach f,$(call may_call,$1),$(call closure,$f)))
$(foreach f,$(FOLDERS),$(eval CLOSURE_$f := $(call closure,$f)))

# Which libraries a folder's code needs; a program is linked with those of its closure.
NEEDS_base :=
NEEDS_stats :=
NEEDS_conf := INIH
NEEDS_loop := EVENT
NEEDS_https := EVENT OPENSSL
NEEDS_crypto := OPENSSL
NEEDS_keys := OPENSSL
NEEDS_store := PQ EVENT
NEEDS_es9 := JANSSON
NEEDS_ctl := JANSSON EVENT
NEEDS_rspd := EVENT OPENSSL PQ SYSTEMD
NEEDS_rspctl := JANSSON OPENSSL QRENCODE PNG
NEEDS_rspsim := JANSSON OPENSSL CURL QRENCODE
libs_of = $(sort $(foreach f,$(CLOSURE_$1),$(NEEDS_$f)))

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef $(WERROR)
BASE_FLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -fstack-protector-strong -fPIE -MMD -MP $(SANITIZE)
ALL_CFLAGS = $(BASE_FLAGS) $(WARN) -Isrc -I$(B)/gen -DRSPD_VERSION='"$(VERSION)"' \
	$(foreach l,$(NEEDS_$1),$($l_CFLAGS)) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE) $(LDFLAGS)

sources = $(sort $(wildcard src/$1/*.c))
objects = $(patsubst src/%.c,$(B)/obj/%.o,$(call sources,$1))
archive = $(B)/lib/$1.a
# Archives of a closure, and of the generated codecs when codec/ is in it.
archives = $(foreach f,$(CLOSURE_$1),$(call archive,$f)) $(if $(filter codec,$(CLOSURE_$1)),$(B)/lib/asn1.a)
link = $(CC) $(BASE_FLAGS) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $2 -Wl,--start-group $(call archives,$1) \
	-Wl,--end-group $(foreach l,$(call libs_of,$1),$($l_LIBS)) -lm -lpthread

.PHONY: all
all: $(PROGRAMS:%=$(B)/%)

define folder_rules
$$(B)/obj/$1/%.o: src/$1/%.c $$(B)/config.mk $$(GENERATED) | $$(GENERATED_$1)
	@mkdir -p $$(@D)
	$$(CC) $$(call ALL_CFLAGS,$1) -c -o $$@ $$<
$$(call archive,$1): $$(call objects,$1) $$(GENERATED_OBJ_$1)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef

# ---- generated sources ------------------------------------------------------------------------------
include src/codec/asn1.mk
include src/store/sql.mk
include src/conf/conf.mk
GENERATED_codec := $(ASN1_STAMP)

$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

define program_rules
$$(B)/$1: $$(call archives,$1)
	$$(call link,$1,$$(call objects,$1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tests, lint, benchmark, demo -------------------------------------------------------------------
include tests/tests.mk

.PHONY: clean
clean:
	rm -rf $(B)
