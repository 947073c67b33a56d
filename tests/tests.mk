# Tests by cost, a folder each: unit (no I/O), store (PostgreSQL), flow (the programs), storm
# (every wait with every outcome). A file tests/TREE/FOLDER_topic_test.c becomes a program linked with what
# src/FOLDER may call; files tests/TREE/test_*.py are pytest's. tests/dev/run-tests runs both and adds up.
TREES := unit store flow storm
TEST_SOURCES := $(sort $(wildcard $(TREES:%=tests/%/*_test.c)))
test_program = $(patsubst tests/%.c,$(B)/%,$1)
test_folder = $(firstword $(subst _, ,$(notdir $1)))

# $1: the source, $2: the program, $3: the folder of src/ that it tests
define test_rules
$2: $1 $$(B)/config.mk $$(call archives,$3) | $$(GENERATED_$3)
	$$(call say,CC,$1)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(call ALL_CFLAGS,$3) $$(foreach l,$$(call libs_of,$3),$$($$l_CFLAGS)) $$(CMOCKA_CFLAGS) \
		-Itests -MT $$@ -c -o $$@.o $1
	$$(Q)$$(call link,$3,$$@.o) $$(CMOCKA_LIBS)
-include $2.d
endef
$(foreach s,$(TEST_SOURCES),$(eval $(call test_rules,$s,$(call test_program,$s),$(call test_folder,$s))))

.PHONY: check $(TREES:%=check-%) $(TREES:%=programs-%)
check:
	$(Q)tests/dev/run-tests $(B) '$(MAKE)' $(TREES)
$(TREES:%=check-%): check-%:
	$(Q)tests/dev/run-tests $(B) '$(MAKE)' $*
define tree_rules
programs-$1: $$(call test_program,$$(filter tests/$1/%,$$(TEST_SOURCES)))
endef
$(foreach t,$(TREES),$(eval $(call tree_rules,$t)))
programs-store programs-flow programs-storm: all

include tests/fuzz/fuzz.mk
include tests/bench/bench.mk
