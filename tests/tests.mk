# Tests by cost: unit (a binary per file tests/unit/FOLDER_*.c, linked with that folder's closure).
UNIT_SOURCES := $(sort $(wildcard tests/unit/*_test.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SOURCES))
unit_folder = $(firstword $(subst _, ,$(notdir $1)))

define unit_rules
$$(B)/unit/$1: tests/unit/$1.c $$(call archives,$(call unit_folder,$1))
	@mkdir -p $$(@D)
	$$(CC) $$(call ALL_CFLAGS,$(call unit_folder,$1)) $$(foreach l,$$(call libs_of,$(call unit_folder,$1)),$$($$l_CFLAGS)) \
		$$(CMOCKA_CFLAGS) -c -o $$@.o $$<
	$$(call link,$(call unit_folder,$1),$$@.o) $$(CMOCKA_LIBS)
-include $$(B)/unit/$1.d
endef
$(foreach u,$(UNIT_SOURCES:tests/unit/%.c=%),$(eval $(call unit_rules,$u)))

.PHONY: check-unit
check-unit: $(UNIT)
	@failed=0; for t in $(UNIT); do $$t || failed=1; done; exit $$failed
