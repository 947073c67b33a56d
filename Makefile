# rspd's one Makefile. The first use makes and runs configure by itself.
#
#   make              builds rspd, rspctl and rspsim
#   make demo         shows the main job: a profile from a file to a card (PROFILE=file.der takes yours)
#   make check        runs all tests (check-unit, check-store, check-flow, check-storm: one tree)
#   make lint         holds the tree against the house rules (docs/style.md)
#   make fuzz         runs each fuzz target for FUZZ_SECONDS, with clang
#   make bench        measures, and writes bench.json into the build folder
#   make install      installs below prefix (default /usr/local), staged below DESTDIR
#   make packages     installs the Debian packages that all this needs
#   make tags, make clean
#
#   B=folder               where to build (default build)
#   CONFIGURE="--enable-…" what configure is given for that folder (see ./configure --help)
#   V=1                    shows the commands; -jN runs N of them at once (default: one per processor)

B ?= build
CONFIGURE ?= --enable-werror
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# What a recipe does, in one line; V=1 shows the command itself.
ifeq ($(V),1)
say =
Q :=
else
say = @printf '  %-7s %s\n' '$1' '$2'
Q := @
endif

ifneq ($(filter-out clean help packages demo,$(or $(MAKECMDGOALS),all)),)
include $(B)/config.mk
endif

# ---- configuration ----------------------------------------------------------------------------------
configure: configure.ac
	$(call say,CONF,$@)
	$(Q)autoconf --force
$(B)/config.mk: configure src/config.mk.in
	$(call say,CONF,$(B) $(CONFIGURE))
	$(Q)mkdir -p $(B)
	$(Q)echo '$(CONFIGURE)' >$(B)/configure.args
	$(Q)cd $(B) && $(CURDIR)/configure --quiet $(CONFIGURE)
	$(Q)touch $@

# CONFIGURE given anew for a folder that was configured otherwise: configure again.
ifeq ($(origin CONFIGURE),command line)
ifneq ($(CONFIGURE),$(shell cat $(B)/configure.args 2>/dev/null))
$(B)/config.mk: FORCE
endif
endif
.PHONY: FORCE
FORCE:

# ---- the house: folders, and what each may include, from src/MAY-CALL ------------------------------
PROGRAMS := rspd rspctl rspsim
define newline


endef
# MAY_folder as its line says, CLOSURE_folder with what those may include in turn.
$(eval $(subst @,$(newline),$(shell sed -n 's/^\([a-z0-9]*\): *\(.*\)/MAY_\1 := \2@FOLDERS += \1@/p' src/MAY-CALL)))
close = $(if $(CLOSURE_$1),,$(foreach f,$(MAY_$1),$(call close,$f))$(eval CLOSURE_$1 := \
	$(sort $1 $(MAY_$1) $(foreach f,$(MAY_$1),$(CLOSURE_$f)))))
$(foreach f,$(FOLDERS),$(call close,$f))

# Which libraries a folder's code needs; a program is linked with those of its closure.
NEEDS_base :=
NEEDS_stats :=
NEEDS_conf := INIH
NEEDS_loop := EVENT
NEEDS_https := EVENT OPENSSL CURL
NEEDS_coap := COAP EVENT OPENSSL
NEEDS_tls := OPENSSL
NEEDS_crypto := OPENSSL
NEEDS_keys := OPENSSL
NEEDS_store := PQ EVENT
NEEDS_peer := JANSSON
NEEDS_wire := JANSSON
NEEDS_es2 := JANSSON
NEEDS_ctl := JANSSON EVENT
NEEDS_rspd := EVENT OPENSSL PQ SYSTEMD
NEEDS_rspctl := JANSSON OPENSSL QRENCODE PNG ZLIB
NEEDS_rspsim := JANSSON OPENSSL CURL QRENCODE COAP
libs_of = $(sort $(foreach f,$(CLOSURE_$1),$(NEEDS_$f)))

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wwrite-strings -Wvla -Wformat=2 -Wimplicit-fallthrough -Wundef $(WERROR)
# The C library's own checks of copies and formats need optimised code, and hide from the sanitizers.
FORTIFY := $(if $(SANITIZE)$(filter -O0 -Og,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
BASE_FLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -fstack-protector-strong -fstack-clash-protection -fPIE \
	-MMD -MP $(FORTIFY) $(SANITIZE)
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
	$$(call say,CC,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(call ALL_CFLAGS,$1) -c -o $$@ $$<
$$(call archive,$1): $$(call objects,$1) $$(GENERATED_OBJ_$1)
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef

# ---- generated sources ------------------------------------------------------------------------------
include src/codec/asn1.mk
include src/store/sql.mk
include src/conf/conf.mk
GENERATED_codec := $(ASN1_STAMP)

$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$f)))

define program_rules
$$(B)/$1: $$(call archives,$1)
	$$(call say,LD,$$@)
	$$(Q)$$(call link,$1,$$(call objects,$1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$p)))

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

.PHONY: generated
generated: $(GENERATED) $(foreach f,$(FOLDERS),$(GENERATED_$f))

# ---- tests, lint, benchmark, demo -------------------------------------------------------------------
include tests/tests.mk

MAN8 := docs/man/rspd.8
MAN1 := docs/man/rspctl.1 docs/man/rspsim.1
MAN5 := $(B)/man/rspd.conf.5

.PHONY: help lint demo packages tags clean
help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

lint: generated $(B)/rspd.conf.sample $(B)/rspctl $(MAN5)
	$(Q)tests/lint/run $(B)

demo:
	+$(Q)B=$(B) MAKE='$(MAKE)' tests/dev/demo $(PROFILE)

packages:
	$(Q)tests/dev/install-packages

# Rows of the .def tables are tags too, so that an editor finds DP_TRANSACTION_UNKNOWN where it is written.
tags:
	$(call say,TAGS,$@)
	$(Q)ctags -R --languages=C --langmap=C:+.def -I DECLARE_STEP,MUST_RETURN \
		'--regex-C=/^[A-Z_]+\(([A-Za-z0-9_]+),.*/\1/R,row/' src

clean:
	rm -rf $(B)

# ---- installation -----------------------------------------------------------------------------------
prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
sbindir ?= $(exec_prefix)/sbin
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
sysconfdir ?= $(if $(filter /usr,$(prefix)),/etc,$(prefix)/etc)
unitdir ?= $(if $(filter /usr,$(prefix)),/lib/systemd/system,$(prefix)/lib/systemd/system)

# The unit and the manual speak of /usr/sbin and /etc; they are installed speaking of this installation.
settle = sed -e 's,/usr/sbin/,$(sbindir)/,g' -e 's,/usr/bin/rsp,$(bindir)/rsp,g' -e 's,/etc/rspd/,$(sysconfdir)/rspd/,g'

.PHONY: install
install: all $(MAN5)
	$(call say,INSTALL,$(DESTDIR)$(prefix))
	$(Q)install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(unitdir) \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(mandir)/man8
	$(Q)install -m 755 $(B)/rspd $(DESTDIR)$(sbindir)
	$(Q)install -m 755 $(B)/rspctl $(B)/rspsim $(DESTDIR)$(bindir)
	$(Q)for page in $(MAN1) $(MAN5) $(MAN8); do \
		$(settle) $$page >$(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	$(Q)for unit in rspd.service rspd-migrate.service; do \
		$(settle) systemd/$$unit >$(DESTDIR)$(unitdir)/$$unit || exit 1; done
	$(Q)install -D -m 644 systemd/rspd.sysusers.conf $(DESTDIR)$(prefix)/lib/sysusers.d/rspd.conf
	$(Q)install -D -m 644 etc/rspd.conf $(DESTDIR)$(datadir)/doc/rspd/rspd.conf
	$(Q)for schema in schemas/*/*.json; do \
		install -D -m 644 $$schema $(DESTDIR)$(datadir)/rspd/$$schema || exit 1; done
